package tfx.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tfx.cpu.CpuProgram;
import tfx.ir.Target;
import tfx.ir.graph.Evaluator;
import tfx.ir.graph.Graph;
import tfx.ir.graph.Nd;
import tfx.ir.kernel.Exprs;
import tfx.ir.kernel.Kernel;
import tfx.runtime.DType;
import tfx.testkit.Close;
import tfx.testkit.Values;

/// Exponentials that a row is summed over and divided by: computed once where a tile can hold the row, along any
/// axis, in any type.
final class KeptRowsTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "f32[7, 37]; exp(x - max(x, keep = True)); sum(e, keep = True); 1",
                "f32[37, 7]; exp(x - max(x, axis = 0, keep = True)); sum(e, axis = 0, keep = True); 1",
                "f32[3, 5, 70]; exp(x * 0.5); sum(e, axis = 1, keep = True); 1",
                "f32[9]; exp(x); sum(e); 1",
                "f64[4, 9]; exp(x); sum(e, keep = True); 1",
                "f32[1, 1]; exp(x); sum(e, keep = True); 2", // one point is no row
                "f32[2, 5000]; exp(x); sum(e, keep = True); 2", // too long a row for a tile
                "bf16[4, 9]; exp(x); sum(e, keep = True); 2" // summed in another type than it has
            })
    void equalTheEvaluator(String type, String e, String sum, int exponentials) {
        String source = "program p(x: %s) -> (y) { e = %s; return e / %s; }".formatted(type, e, sum);
        Graph graph = Compiler.check("rows.tfx", source.getBytes(StandardCharsets.UTF_8))
                .programs()
                .getFirst()
                .graph();
        DType dtype = DType.parse(type.substring(0, type.indexOf('['))).orElseThrow();
        long[] shape = java.util.Arrays.stream(
                        type.substring(type.indexOf('[') + 1, type.length() - 1).split(", "))
                .mapToLong(Long::parseLong)
                .toArray();
        Map<String, Nd> inputs = Map.of("x", Values.small(new Random(11), dtype, shape));
        Nd expected = Evaluator.run(graph, inputs, name -> null).get("y");
        for (Engines engine : Engines.values()) {
            Nd y = engine.run(graph, inputs).get("y");
            assertThat(Close.difference(expected, y, (int) shape[shape.length - 1]))
                    .as(engine.name())
                    .isEmpty();
        }
        Target target = Target.cpu(CpuProgram.nativeLanes());
        int[] found = new int[1];
        Pipeline.run(graph, new Pipeline.Options(target, true)).kernels().kernels().stream()
                .flatMap(k -> k.body().stream())
                .flatMap(s -> Exprs.values(s).stream())
                .forEach(v -> Exprs.walk(
                        v,
                        part -> found[0] +=
                                part instanceof Kernel.Unary u && u.fn().text().equals("exp") ? 1 : 0));
        assertThat(found[0]).isEqualTo(exponentials);
    }
}
