package tfx.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import tfx.cpu.CpuProgram;
import tfx.ir.Target;
import tfx.ir.graph.Evaluator;
import tfx.ir.graph.Graph;
import tfx.ir.graph.Nd;
import tfx.runtime.DType;
import tfx.testkit.Close;
import tfx.testkit.Values;

/// Products while their largest register tile is compiled and the tiles for the rows that it leaves are not: it
/// then takes those rows too, some of them twice.
final class ColdRowsTest {
    private static final long WARM_NANOS = 1_500_000_000L;
    private static final int DEPTH = 64;

    @Test
    void allRowsAreComputed() {
        Random random = new Random(11);
        Nd weight = Values.small(random, DType.F32, DEPTH, DEPTH);
        Graph graph = AgainstEvaluator.graph("""
                model Product() {
                  weights "w.safetensors" { w: f32[64, 64]; }
                  program product(a: f32[M, 64]) -> (c) { return a @ w; }
                }
                """);
        int lanes = CpuProgram.nativeLanes();
        Pipeline.Phases phases = Pipeline.run(graph, new Pipeline.Options(Target.cpu(lanes), true));
        try (Arena arena = Arena.ofShared();
                CpuProgram program = CpuProgram.load(
                        phases.kernels(),
                        Map.of("w", weight.toTensor(arena)),
                        new CpuProgram.Options(lanes, CpuProgram.Code.WARMED, 1))) {
            long start = System.nanoTime();
            while (System.nanoTime() - start < WARM_NANOS) {
                difference(graph, program, weight, Values.small(random, DType.F32, 6, DEPTH));
            }
            for (int rows = 1; rows < 40; rows++) {
                Nd a = Values.small(random, DType.F32, rows, DEPTH);
                assertThat(difference(graph, program, weight, a))
                        .as("%d rows", rows)
                        .isEmpty();
            }
        }
    }

    private static Optional<String> difference(Graph graph, CpuProgram program, Nd weight, Nd a) {
        Nd expected = Evaluator.run(graph, Map.of("a", a), name -> weight).get("c");
        try (Arena call = Arena.ofConfined()) {
            Nd result = Nd.of(program.run(Map.of("a", a.toTensor(call)), call, Optional.empty())
                    .get("c"));
            return Close.difference(expected, result, DEPTH);
        }
    }
}
