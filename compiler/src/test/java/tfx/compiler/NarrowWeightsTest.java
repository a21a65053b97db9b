package tfx.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import tfx.cpu.CpuProgram;
import tfx.ir.Target;
import tfx.ir.graph.Evaluator;
import tfx.ir.graph.Graph;
import tfx.ir.graph.Nd;
import tfx.opencl.Group;
import tfx.opencl.host.ClProgram;
import tfx.opencl.host.Device;
import tfx.runtime.DType;
import tfx.runtime.Numbers;
import tfx.runtime.Tensor;
import tfx.testkit.Close;
import tfx.testkit.Values;

/// Products with weights of few bits, which register tiles widen as they read, or which are widened first: one row
/// and many, whole panels and parts of them, at every width.
final class NarrowWeightsTest {
    @ParameterizedTest
    @CsvSource({
        "i8, 1, 37, 150",
        "i8, 1, 64, 256",
        "i8, 13, 5, 33",
        "bf16, 1, 37, 150",
        "bf16, 29, 64, 96",
        "bf16, 1, 1, 1",
        "f16, 1, 37, 150",
        "f16, 29, 64, 96",
        "f16, 3, 64, 96",
        "f16, 13, 5, 33",
        "f16, 40, 37, 150",
        "f16, 33, 1000, 96",
        "f16, 40, 37, 1100",
        "f16, 5, 5000, 130",
        "bf16, 5, 5000, 130",
        "f32, 1, 37, 150",
        "f32, 2, 37, 150",
        "f32, 3, 64, 256",
        "f32, 5, 37, 150",
        "f32, 8, 64, 96",
        "i8, 8, 37, 150",
        "f32, 14, 37, 96",
        "f32, 21, 64, 64",
        "f32, 1, 5000, 130",
        "i8, 1, 5000, 130"
    })
    void equalTheEvaluator(String dtype, int m, int k, int n) {
        Random random = new Random(7);
        Nd weight = Values.small(random, DType.parse(dtype).orElseThrow(), k, n);
        check(weight, Values.small(random, DType.F32, n), Values.small(random, DType.F32, m, k));
    }

    /// All 16-bit floats: subnormal ones, both zeros, infinities and NaNs too.
    @ParameterizedTest
    @EnumSource(names = {"F16", "BF16"})
    void eachFloatKeepsItsValue(DType dtype) {
        int count = 1 << Short.SIZE;
        Nd weight = Nd.zeros(dtype, 1, count);
        Nd scale = Nd.zeros(DType.F32, count);
        for (int i = 0; i < count; i++) {
            weight.floats()[i] = dtype == DType.F16 ? Numbers.fromF16((short) i) : Numbers.fromBf16((short) i);
            scale.floats()[i] = 1;
        }
        Nd one = Nd.zeros(DType.F32, 1, 1);
        one.floats()[0] = 1;
        check(weight, scale, one);
    }

    /// Checks with a number of rows that the program knows, and with one that it does not.
    private static void check(Nd weight, Nd scale, Nd a) {
        check("M", weight, scale, a);
        check(Long.toString(a.shape()[0]), weight, scale, a);
    }

    private static void check(String rows, Nd weight, Nd scale, Nd a) {
        int k = (int) weight.shape()[0];
        String source = """
                model Product() {
                  weights "w.safetensors" { w: %1$s[%2$d, %3$d]; scale: f32[%3$d]; }
                  program product(a: f32[%4$s, %2$d]) -> (c) { return a @ f32(w) * scale; }
                }
                """.formatted(weight.dtype(), k, weight.shape()[1], rows);
        Graph graph = AgainstEvaluator.graph(source);
        Map<String, Nd> weights = Map.of("w", weight, "scale", scale);
        Nd expected = Evaluator.run(graph, Map.of("a", a), weights::get).get("c");
        Device device = Device.choose(0);
        for (Group group : List.of(new Group(1, 16, device.doubles()), new Group(32, 1, device.doubles()))) {
            Pipeline.Phases phases = Pipeline.run(graph, new Pipeline.Options(group.target(), true));
            try (Arena arena = Arena.ofShared();
                    ClProgram program = ClProgram.load(
                            phases.kernels(),
                            Map.of("w", weight.toTensor(arena), "scale", scale.toTensor(arena)),
                            device,
                            group,
                            false)) {
                Tensor c = program.run(Map.of("a", a.toTensor(arena)), arena, Optional.empty())
                        .get("c");
                assertThat(Close.difference(expected, Nd.of(c), k))
                        .as("%s", group)
                        .isEmpty();
            }
        }
        for (int lanes : new int[] {1, 4, 8, CpuProgram.nativeLanes()}) {
            for (CpuProgram.Code code : CpuProgram.Code.values()) {
                Pipeline.Phases phases = Pipeline.run(graph, new Pipeline.Options(Target.cpu(lanes), true));
                try (Arena arena = Arena.ofShared();
                        CpuProgram program = CpuProgram.load(
                                phases.kernels(),
                                Map.of("w", weight.toTensor(arena), "scale", scale.toTensor(arena)),
                                new CpuProgram.Options(lanes, code, 2))) {
                    Tensor c = program.run(Map.of("a", a.toTensor(arena)), arena, Optional.empty())
                            .get("c");
                    assertThat(Close.difference(expected, Nd.of(c), k))
                            .as("%d lanes, %s", lanes, code)
                            .isEmpty();
                }
            }
        }
    }
}
