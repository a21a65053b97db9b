package tfx.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Wall time of `./tfx run` of the sample in a fresh process, from before the launcher to the printed embedding:
/// compiling the
/// program, loading and packing the weights, the tokenizer, the first call. The reference is the target of 6 s.
final class Start {
    private static final double TARGET_SECONDS = 6;

    private Start() {}

    static void run(String[] arguments) throws Exception {
        List<String> command = List.of(
                TfxEncoder.FOLDER.getParent().getParent().resolve("tfx").toString(),
                "run",
                TfxEncoder.FOLDER.resolve("minilm.tfx").toString(),
                "embed",
                "text=Any sentence",
                "--json");
        List<Double> seconds = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            long start = System.nanoTime();
            Process process = new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            if (process.waitFor() != 0) {
                throw new IllegalStateException("tfx run failed");
            }
            seconds.add((System.nanoTime() - start) / 1e9);
        }
        double[] sorted = seconds.stream().mapToDouble(s -> s).sorted().toArray();
        System.out.printf("process start to first embedding: %s s%n", Arrays.toString(
                Arrays.stream(sorted).mapToObj(s -> String.format("%.2f", s)).toArray()));
        System.out.printf("worst ratio: %.2f (slowest of 5 over the target of 6 s)%n", sorted[4] / TARGET_SECONDS);
    }
}
