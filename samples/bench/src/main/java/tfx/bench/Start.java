package tfx.bench;

import java.io.BufferedReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Fresh processes: seconds from their start to the first embedding, and the calls after it, against a Java
/// process with ONNX Runtime, its loading included. Ours is a jar compiled before; `tfx run` compiles the
/// program too, and makes the tokens itself. Sides alternate; medians of all processes.
public final class Start {
    private static final int RUNS = Integer.getInteger("tfx.bench.repeats", 7);
    private static final int STEADY = 20;
    private static final List<String> JVM = List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--add-modules",
            "jdk.incubator.vector",
            "--enable-native-access=ALL-UNNAMED");

    private final Path home = TfxEncoder.SAMPLES.getParent();
    private final String source = TfxEncoder.SAMPLES.resolve("minilm/minilm.tfx").toString();
    private final Path folder = Files.createTempDirectory("tfx-start");
    private double worstFirst;
    private double worstSteady;

    private Start() throws Exception {}

    public static void main(String[] arguments) throws Exception {
        new Start().run();
    }

    private void run() throws Exception {
        Path jar = folder.resolve("minilm.jar");
        Path runtime = folder.resolve("tfx-runtime.jar");
        List.of(folder, jar, runtime).forEach(p -> p.toFile().deleteOnExit()); // the last first
        String tfx = home.resolve("tfx").toString();
        process(List.of(tfx, "compile", source, "-o", jar.toString(), "--with-runtime"));
        String model = TfxEncoder.SAMPLES.resolve("minilm/weights/all-minilm-l6-v2.onnx").toString();
        String own = runtime + ":" + jar + ":" + classes();
        System.out.printf("%-44s %10s %10s %8s%n", "row", "tfx ms", "peer ms", "ratio");
        for (int length : new int[] {16, 128}) {
            for (int threads = 1; threads <= 2; threads++) {
                List<String> end = List.of(Integer.toString(threads), Integer.toString(length));
                Map<String, List<String>> sides = new LinkedHashMap<>();
                sides.put("tfx", command(own, List.of("tfx", "minilm.Embed"), end));
                sides.put("peer", command(System.getProperty("java.class.path"), List.of("onnx", model), end));
                if (threads == 2) {
                    String text = "text=" + "word ".repeat(length - 2);
                    sides.put("tfx run", List.of(tfx, "run", source, "embed", text, "--json"));
                }
                rows(threads + " thread, 1x" + length, sides);
            }
        }
        System.out.printf("worst ratio: %.2f to the first embedding, %.2f from call %d on%n",
                worstFirst, worstSteady, STEADY);
    }

    private static String classes() {
        return Path.of(System.getProperty("tfx.home"), "samples", "bench", "target", "classes").toString();
    }

    private static List<String> command(String path, List<String> side, List<String> end) {
        List<String> command = new ArrayList<>(JVM);
        command.addAll(List.of("-Dtfx.home=" + System.getProperty("tfx.home"), "-cp", path, "tfx.bench.FirstCalls"));
        command.addAll(side);
        command.addAll(end);
        return command;
    }

    private void rows(String name, Map<String, List<String>> sides) throws Exception {
        Map<String, List<double[]>> times = new LinkedHashMap<>();
        for (int i = 0; i < RUNS; i++) {
            for (Map.Entry<String, List<String>> side : sides.entrySet()) {
                times.computeIfAbsent(side.getKey(), k -> new ArrayList<>()).add(process(side.getValue()));
            }
        }
        double reference = calls(times.get("peer"), 0, 1);
        for (Map.Entry<String, List<double[]>> side : times.entrySet()) {
            if (!side.getKey().equals("peer")) {
                double mine = calls(side.getValue(), 0, 1);
                row(name + ", " + (side.getKey().equals("tfx") ? "" : side.getKey() + ", ") + "first", mine, reference);
                worstFirst = Math.max(worstFirst, mine / reference);
            }
        }
        for (int[] range : new int[][] {{1, 5}, {5, STEADY - 1}, {STEADY - 1, FirstCalls.CALLS}}) {
            double mine = calls(times.get("tfx"), range[0], range[1]);
            double peer = calls(times.get("peer"), range[0], range[1]);
            row("%s, calls %d..%d".formatted(name, range[0] + 1, range[1]), mine, peer);
            if (range[0] == STEADY - 1) {
                worstSteady = Math.max(worstSteady, mine / peer);
            }
        }
    }

    private static void row(String name, double mine, double peer) {
        System.out.printf("%-44s %10.2f %10.2f %8.2f%n", name, mine, peer, mine / peer);
    }

    /// The median over processes of the mean over a range of calls.
    private static double calls(List<double[]> processes, int from, int to) {
        return Table.median(processes.stream()
                .mapToDouble(p -> Arrays.stream(p, from, to).average().orElseThrow())
                .toArray());
    }

    /// Milliseconds from the start of a process to its first line, then those of further calls, if it prints them.
    private static double[] process(List<String> command) throws Exception {
        long start = System.nanoTime();
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        double[] times = new double[FirstCalls.CALLS];
        try (BufferedReader lines = process.inputReader()) {
            lines.readLine();
            times[0] = (System.nanoTime() - start) / 1e6;
            String rest = lines.readLine();
            if (rest != null) {
                double[] calls = Arrays.stream(rest.split(" ")).mapToDouble(Double::parseDouble).toArray();
                System.arraycopy(calls, 1, times, 1, calls.length - 1);
            }
        }
        if (process.waitFor() != 0) {
            throw new IllegalStateException("failed: " + String.join(" ", command));
        }
        return times;
    }
}
