package tfx.cli;

import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import tfx.compiler.Profile;
import tfx.compiler.Session;
import tfx.frontend.Program;

@CommandLine.Command(
        name = "bench",
        description =
                "Time a program: median and spread of a call; of its kernels the share, the work and how near it is"
                        + " to what the machine can do.")
final class BenchCommand implements Callable<Integer> {
    @CommandLine.Parameters(index = "0", paramLabel = "FILE")
    private Path file = Path.of("");

    @CommandLine.Parameters(index = "1..*", paramLabel = "[ENTRY] NAME=VALUE")
    private List<String> words = new ArrayList<>();

    @CommandLine.Mixin
    private SessionOptions choice = new SessionOptions();

    @CommandLine.Option(names = "--seconds", defaultValue = "5", description = "Warm-up, then as long again measured.")
    private double seconds;

    @CommandLine.Option(names = "--trace", paramLabel = "FILE", description = "Write a Perfetto trace of one call.")
    private Optional<Path> trace = Optional.empty();

    @Override
    public Integer call() throws Exception {
        Optional<String> entry = ProgramArguments.entry(words);
        Optional<List<Program>> programs = Programs.check(file);
        if (programs.isEmpty()) {
            return Main.WRONG_PROGRAM;
        }
        Program program = Programs.choose(programs.get(), entry, file);
        Session.Options options = choice.of(Session.Backend.CPU, 0);
        try (Session session = new Session(program, Programs.folder(file), options, new HuggingFaceTokenizers());
                Arena arena = Arena.ofShared()) {
            Map<String, Object> arguments =
                    ProgramArguments.parse(program, words, arena).values();
            calls(session, arguments);
            report(calls(session, arguments));
            kernels(Profile.of(session, arguments));
            if (trace.isPresent()) {
                Trace launches = new Trace();
                try (Arena call = Arena.ofConfined()) {
                    session.call(arguments, call, launches);
                }
                launches.write(trace.get());
            }
        }
        return Main.OK;
    }

    /// Calls for the given time; milliseconds of each.
    private double[] calls(Session session, Map<String, Object> arguments) {
        List<Double> times = new ArrayList<>();
        long end = System.nanoTime() + (long) (seconds * 1e9);
        while (System.nanoTime() < end) {
            long start = System.nanoTime();
            try (Arena arena = Arena.ofConfined()) {
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

    /// A row a kernel. Arrays that stay in caches can beat the roofline of memory.
    private static void kernels(Profile profile) {
        System.out.printf(
                "this machine reaches %.0f GFLOP/s and copies %.1f GB/s%n",
                profile.peaks().operations() / 1e9, profile.peaks().bytes() / 1e9);
        System.out.printf(
                "%-16s %8s %10s %6s %10s %9s %8s %7s  %s%n",
                "kernel", "launches", "ms a call", "share", "MFLOP", "GFLOP/s", "MB", "GB/s", "of roofline");
        double total = profile.rows().stream().mapToDouble(Profile.Row::millis).sum();
        for (Profile.Row row : profile.rows()) {
            System.out.printf(
                    "%-16s %8d %10.3f %5.1f%% %10.2f %9.1f %8.2f %7.1f  %.0f%% (%s)%n",
                    row.kernel(),
                    row.launches(),
                    row.millis(),
                    100 * row.millis() / total,
                    row.work().operations() / 1e6,
                    row.work().operations() / 1e6 / row.millis(),
                    row.work().bytes() / 1e6,
                    row.work().bytes() / 1e6 / row.millis(),
                    100 * profile.roofline(row.work()) / row.millis(),
                    profile.computes(row.work()) ? "arithmetic" : "memory");
        }
    }
}
