package tfx.compiler;

import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tfx.cpu.Peaks;
import tfx.ir.kernel.Kernel;
import tfx.ir.kernel.KernelProgram;
import tfx.ir.kernel.Work;
import tfx.runtime.program.Executable;
import tfx.runtime.program.Support;

/// What each kernel of a program takes in a call, what it does in that time, and what the machine can do.
///
/// @param rows  the longest first; none for a backend without kernels
/// @param peaks of this machine, on as many threads as the program has
public record Profile(List<Row> rows, Peaks peaks) {
    private static final int CALLS = 50;

    public Profile {
        rows = List.copyOf(rows);
    }

    /// One kernel.
    ///
    /// @param millis of a call, the median of some
    /// @param work   of a call
    public record Row(String kernel, int launches, double millis, Work work) {}

    /// Calls a program again and again.
    ///
    /// @param arguments as {@link Session#call} takes them
    public static Profile of(Session session, Map<String, ?> arguments) {
        Map<Integer, double[]> times = new TreeMap<>();
        Map<Integer, Integer> launches = new HashMap<>();
        Map<Integer, Work> work = new HashMap<>();
        List<Kernel> kernels = session.kernels().map(KernelProgram::kernels).orElse(List.of());
        for (int i = 0; i < CALLS; i++) {
            int call = i;
            try (Arena arena = Arena.ofConfined()) {
                session.call(arguments, arena, launch -> {
                    times.computeIfAbsent(launch.kernel(), k -> new double[CALLS])[call] += launch.nanos() / 1e6;
                    if (call == 0) {
                        launches.merge(launch.kernel(), 1, Integer::sum);
                        work.merge(launch.kernel(), work(kernels.get(launch.kernel()), launch), Work::plus);
                    }
                });
            }
        }
        List<Row> rows = new ArrayList<>();
        times.forEach((kernel, all) -> {
            Arrays.sort(all);
            rows.add(new Row(kernels.get(kernel).name(), launches.get(kernel), all[CALLS / 2], work.get(kernel)));
        });
        rows.sort(Comparator.comparingDouble(Row::millis).reversed());
        return new Profile(rows, Peaks.measure(session.threads()));
    }

    private static Work work(Kernel kernel, Executable.Launched launch) {
        int buffers = kernel.buffers().size();
        Map<String, Long> sizes = new HashMap<>();
        for (int i = 0; i < kernel.sizes().size(); i++) {
            sizes.put(kernel.sizes().get(i), launch.frame()[buffers + i]);
        }
        return Work.of(kernel, sizes, (buffer, element) -> {
            long address = launch.frame()[kernel.buffers().indexOf(kernel.buffer(buffer))];
            return Support.ALL.get(ValueLayout.JAVA_INT_UNALIGNED, address + 4 * element);
        });
    }

    /// The time in milliseconds that the peaks allow for some work: the longer of its operations at the one rate
    /// and its bytes at the other.
    public double roofline(Work work) {
        return 1e3 * Math.max(work.operations() / peaks.operations(), work.bytes() / peaks.bytes());
    }

    /// Whether arithmetic, and not memory, bounds some work.
    public boolean computes(Work work) {
        return work.operations() / peaks.operations() >= work.bytes() / peaks.bytes();
    }
}
