package tfx.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tfx.cpu.CpuProgram;
import tfx.ir.Target;
import tfx.ir.graph.Evaluator;
import tfx.ir.graph.Graph;
import tfx.ir.graph.Nd;
import tfx.runtime.DType;
import tfx.runtime.Tensor;
import tfx.testkit.Close;
import tfx.testkit.Values;

/// Products with weights of few bits, which register tiles widen as they read: one row and many, whole panels and
/// parts of them, at every width.
final class NarrowWeightsTest {
    @ParameterizedTest
    @CsvSource({
        "i8, 1, 37, 150",
        "i8, 1, 64, 256",
        "i8, 13, 5, 33",
        "bf16, 1, 37, 150",
        "bf16, 29, 64, 96",
        "bf16, 1, 1, 1",
        "f32, 1, 37, 150",
        "f32, 1, 5000, 130",
        "i8, 1, 5000, 130"
    })
    void equalTheEvaluator(String dtype, int m, int k, int n) {
        String source = """
                model Product() {
                  weights "w.safetensors" { w: %s[%d, %d]; scale: f32[%d]; }
                  program product(a: f32[M, %d]) -> (c) { return a @ f32(w) * scale; }
                }
                """.formatted(dtype, k, n, n, k);
        Graph graph = Compiler.check("narrow.tfx", source.getBytes(StandardCharsets.UTF_8))
                .programs()
                .getFirst()
                .graph();
        Random random = new Random(7);
        Map<String, Nd> weights = Map.of(
                "w", Values.small(random, DType.valueOf(dtype.toUpperCase(java.util.Locale.ROOT)), k, n),
                "scale", Values.small(random, DType.F32, n));
        Map<String, Nd> inputs = Map.of("a", Values.small(random, DType.F32, m, k));
        Nd expected = Evaluator.run(graph, inputs, weights::get).get("c");
        for (int lanes : new int[] {1, 4, 8, CpuProgram.nativeLanes()}) {
            for (CpuProgram.Code code : CpuProgram.Code.values()) {
                Pipeline.Phases phases = Pipeline.run(graph, new Pipeline.Options(Target.cpu(lanes), true));
                try (Arena arena = Arena.ofShared();
                        CpuProgram program = CpuProgram.load(
                                phases.kernels(),
                                Map.of(
                                        "w",
                                        weights.get("w").toTensor(arena),
                                        "scale",
                                        weights.get("scale").toTensor(arena)),
                                new CpuProgram.Options(lanes, code, 2))) {
                    Tensor c = program.run(Map.of("a", inputs.get("a").toTensor(arena)), arena, Optional.empty())
                            .get("c");
                    assertThat(Close.difference(expected, Nd.of(c), k))
                            .as("%d lanes, %s", lanes, code)
                            .isEmpty();
                }
            }
        }
    }
}
