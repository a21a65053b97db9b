package tfx.cli;

import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import tfx.compiler.Session;
import tfx.frontend.Program;

@CommandLine.Command(name = "bench", description = "Time a program: median and spread of a call, and its kernels.")
final class BenchCommand implements Callable<Integer> {
    @CommandLine.Parameters(index = "0", paramLabel = "FILE")
    private Path file = Path.of("");

    @CommandLine.Parameters(index = "1..*", paramLabel = "[ENTRY] NAME=VALUE")
    private List<String> words = new ArrayList<>();

    @CommandLine.Mixin
    private SessionOptions choice = new SessionOptions();

    @CommandLine.Option(names = "--seconds", defaultValue = "5", description = "Warm-up, then as long again measured.")
    private double seconds;

    @Override
    public Integer call() throws Exception {
        Optional<String> entry = ProgramArguments.entry(words);
        Optional<List<Program>> programs = Programs.check(file);
        if (programs.isEmpty()) {
            return Main.WRONG_PROGRAM;
        }
        Program program = Programs.choose(programs.get(), entry, file);
        Session.Options options = choice.of(Session.Backend.CPU);
        try (Session session = new Session(program, Programs.folder(file), options, new HuggingFaceTokenizers());
                Arena arena = Arena.ofShared()) {
            Map<String, Object> arguments =
                    ProgramArguments.parse(program, words, arena).values();
            calls(session, arguments);
            report(calls(session, arguments));
            kernels(session, arguments);
        }
        return Main.OK;
    }

    /// Calls for the given time; milliseconds of each.
    private double[] calls(Session session, Map<String, Object> arguments) {
        List<Double> times = new ArrayList<>();
        long end = System.nanoTime() + (long) (seconds * 1e9);
        while (System.nanoTime() < end) {
            long start = System.nanoTime();
            try (Arena arena = Arena.ofShared()) {
                session.call(arguments, arena);
            }
            times.add((System.nanoTime() - start) / 1e6);
        }
        return times.stream().mapToDouble(t -> t).sorted().toArray();
    }

    private static void report(double[] sorted) {
        System.out.printf(
                "%d calls: median %.3f ms, 10%% %.3f ms, 90%% %.3f ms%n",
                sorted.length, sorted[sorted.length / 2], sorted[sorted.length / 10], sorted[sorted.length * 9 / 10]);
    }

    private record Share(String kernel, int launches, double millis) {}

    /// The median time of each kernel in a call, over 50 calls.
    private static void kernels(Session session, Map<String, Object> arguments) {
        int calls = 50;
        Map<String, double[]> times = new TreeMap<>();
        Map<String, Integer> launches = new TreeMap<>();
        for (int i = 0; i < calls; i++) {
            int call = i;
            try (Arena arena = Arena.ofShared()) {
                session.profile(arguments, arena, (kernel, nanos) -> {
                    times.computeIfAbsent(kernel, k -> new double[calls])[call] += nanos / 1e6;
                    launches.merge(kernel, 1, Integer::sum);
                });
            }
        }
        List<Share> shares = new ArrayList<>();
        times.forEach((kernel, all) -> {
            Arrays.sort(all);
            shares.add(new Share(kernel, launches.get(kernel) / calls, all[calls / 2]));
        });
        double total = shares.stream().mapToDouble(Share::millis).sum();
        shares.sort(Comparator.comparingDouble(Share::millis).reversed());
        System.out.printf("%-20s %9s %10s %7s%n", "kernel", "launches", "ms a call", "share");
        for (Share share : shares) {
            System.out.printf(
                    "%-20s %9d %10.3f %6.1f%%%n",
                    share.kernel, share.launches, share.millis, 100 * share.millis / total);
        }
    }
}
