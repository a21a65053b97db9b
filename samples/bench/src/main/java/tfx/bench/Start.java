package tfx.bench;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Seconds from the start of a fresh process to its first embedding: by the command line, which compiles the
/// program, loads and packs the weights and opens the tokenizer; and by a jar that was compiled before. The
/// references are targets.
public final class Start {
    private static final int RUNS = 5;
    private static final double COMMAND_TARGET = 6;
    private static final double JAR_TARGET = 2;

    private Start() {}

    public static void main(String[] arguments) throws Exception {
        Path home = TfxEncoder.SAMPLES.getParent();
        String source = TfxEncoder.SAMPLES.resolve("minilm/minilm.tfx").toString();
        String tfx = home.resolve("tfx").toString();
        Path folder = Files.createTempDirectory("tfx-start");
        Path jar = folder.resolve("minilm.jar");
        seconds(List.of(tfx, "compile", source, "-o", jar.toString(), "--with-runtime"));
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        double command = slowest("tfx run", List.of(tfx, "run", source, "embed", "text=Any sentence", "--json"));
        double packaged = slowest("java -cp tfx-runtime.jar:minilm.jar", List.of(
                java, "--add-modules", "jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED", "-cp",
                folder.resolve("tfx-runtime.jar") + ":" + jar, "minilm.Embed", "text=[[101,2151,6251,102]]"));
        double scalar = slowest("the same without vectors", List.of(
                java, "--enable-native-access=ALL-UNNAMED", "-cp",
                folder.resolve("tfx-runtime.jar") + ":" + jar, "minilm.Embed", "text=[[101,2151,6251,102]]"));
        double worst = Math.max(command / COMMAND_TARGET, Math.max(packaged, scalar) / JAR_TARGET);
        System.out.printf("worst ratio: %.2f (%s, slowest of %d over the target of %.0f s and %.0f s)%n", worst,
                worst == command / COMMAND_TARGET ? "tfx run" : "jar", RUNS, COMMAND_TARGET, JAR_TARGET);
    }

    private static double slowest(String name, List<String> command) throws Exception {
        List<Double> seconds = new ArrayList<>();
        for (int i = 0; i < RUNS; i++) {
            seconds.add(seconds(command));
        }
        double[] sorted = seconds.stream().mapToDouble(s -> s).sorted().toArray();
        System.out.printf("%-40s %s s%n", name, Arrays.toString(
                Arrays.stream(sorted).mapToObj(s -> String.format("%.2f", s)).toArray()));
        return sorted[RUNS - 1];
    }

    private static double seconds(List<String> command) throws Exception {
        long start = System.nanoTime();
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        if (process.waitFor() != 0) {
            throw new IllegalStateException("failed: " + String.join(" ", command));
        }
        return (System.nanoTime() - start) / 1e9;
    }
}
