package tfx.compiler;

import java.lang.foreign.Arena;
import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import tfx.cpu.CpuProgram;
import tfx.ir.Target;
import tfx.ir.graph.Graph;
import tfx.runtime.DType;
import tfx.runtime.Tensor;
import tfx.testkit.Values;

/// A process that multiplies by weights of each type that register tiles read, with numbers of rows that need each
/// tile, sums of one block and of several, until there is no more to compile: {@link CompiledTilesTest} reads what
/// its JVM compiled.
final class CompiledTiles {
    /// How long the JIT compiler ends nothing once a program has all that it needs.
    private static final long QUIET_NANOS = 1_500_000_000L;

    /// How long a program works at most.
    private static final long MOST_NANOS = 30_000_000_000L;

    private static final int[] ROWS = {12, 8, 5, 4, 3, 2, 1};
    private static final int[] DEPTHS = {700, 5000};

    /// So many that tasks have four panels of 16 lanes, and the last of them three.
    private static final int COLUMNS = 1120;

    /// i8 first: its tiles ask for the first floats that the process reads.
    private static final List<DType> TYPES = List.of(DType.I8, DType.F16, DType.BF16, DType.F32);

    private CompiledTiles() {}

    public static void main(String[] arguments) {
        for (DType type : TYPES) {
            for (int depth : DEPTHS) {
                work(type, depth);
            }
        }
    }

    private static void work(DType type, int depth) {
        Graph graph = AgainstEvaluator.graph("""
                model Product() {
                  weights "w.safetensors" { w: %1$s[%2$d, %3$d]; }
                  program product(a: f32[M, %2$d]) -> (c) { return a @ f32(w); }
                }
                """.formatted(type, depth, COLUMNS));
        Random random = new Random(3);
        int lanes = CpuProgram.nativeLanes();
        Pipeline.Phases phases = Pipeline.run(graph, new Pipeline.Options(Target.cpu(lanes), true));
        try (Arena arena = Arena.ofShared();
                CpuProgram program = CpuProgram.load(
                        phases.kernels(),
                        Map.of("w", Values.small(random, type, depth, COLUMNS).toTensor(arena)),
                        new CpuProgram.Options(lanes, CpuProgram.Code.WARMED, 1))) {
            List<Tensor> rows = new ArrayList<>();
            for (int count : ROWS) {
                rows.add(Values.small(random, DType.F32, count, depth).toTensor(arena));
            }
            CompilationMXBean compilation = ManagementFactory.getCompilationMXBean();
            long start = System.nanoTime();
            long changed = start;
            long spent = 0;
            while (System.nanoTime() - changed < QUIET_NANOS && System.nanoTime() - start < MOST_NANOS) {
                for (Tensor a : rows) {
                    try (Arena call = Arena.ofConfined()) {
                        program.run(Map.of("a", a), call, Optional.empty());
                    }
                }
                if (compilation.getTotalCompilationTime() > spent) {
                    spent = compilation.getTotalCompilationTime();
                    changed = System.nanoTime();
                }
            }
        }
    }
}
