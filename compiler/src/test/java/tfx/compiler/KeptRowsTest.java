package tfx.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tfx.cpu.CpuProgram;
import tfx.ir.Target;
import tfx.ir.graph.Nd;
import tfx.ir.kernel.Exprs;
import tfx.ir.kernel.Kernel;
import tfx.runtime.DType;
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
                "f32[3, 5, 300]; exp(x - max(x, keep = True)); sum(e, keep = True); 1",
                "f32[4, 517]; exp(x * 2.0 - max(x * 2.0, keep = True)); sum(e, keep = True); 1",
                "f32[3, 5, 70]; exp(x * 0.5); sum(e, axis = 1, keep = True); 1",
                "f32[9]; exp(x); sum(e); 1",
                "f64[4, 9]; exp(x); sum(e, keep = True); 1",
                "f32[1, 1]; exp(x); sum(e, keep = True); 2", // one point is no row
                "f32[2, 5000]; exp(x); sum(e, keep = True); 2", // too long a row for a tile
                "bf16[4, 9]; exp(x); sum(e, keep = True); 2" // summed in another type than it has
            })
    void equalTheEvaluator(String type, String e, String sum, int exponentials) {
        String source = "program p(x: %s) -> (y) { e = %s; return e / %s; }".formatted(type, e, sum);
        DType dtype = DType.parse(type.substring(0, type.indexOf('['))).orElseThrow();
        long[] shape = java.util.Arrays.stream(
                        type.substring(type.indexOf('[') + 1, type.length() - 1).split(", "))
                .mapToLong(Long::parseLong)
                .toArray();
        equalsTheEvaluator(source, Values.small(new Random(11), dtype, shape), (int) shape[shape.length - 1]);
        Target target = Target.cpu(CpuProgram.nativeLanes());
        int[] found = new int[1];
        Pipeline.run(AgainstEvaluator.graph(source), new Pipeline.Options(target, true)).kernels().kernels().stream()
                .flatMap(k -> k.body().stream())
                .flatMap(s -> Exprs.values(s).stream())
                .forEach(v -> Exprs.walk(
                        v,
                        part -> found[0] +=
                                part instanceof Kernel.Unary u && u.fn().text().equals("exp") ? 1 : 0));
        assertThat(found[0]).isEqualTo(exponentials);
    }

    /// Rows whose maxima are NaN, infinite or zeros of both signs, where differences from them are known not to be
    /// positive, and where they are divided by their sum as well.
    @ParameterizedTest
    @CsvSource({"40", "300"})
    void specialValuesEqualTheEvaluator(int columns) {
        float[] specials = {Float.NaN, Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY, -0f, 0f, 3e38f, -3e38f};
        Nd x = Values.small(new Random(12), DType.F32, 3 * specials.length, columns);
        for (int row = 0; row < 3 * specials.length; row++) {
            for (int i = 0; i < columns; i++) {
                boolean here = row % 3 == 0 ? i == row * 5 % columns : row % 3 == 1 || i % 2 == 0;
                if (here) {
                    x.floats()[row * columns + i] = specials[row / 3];
                }
            }
        }
        for (String program : new String[] {"softmax(x)", "exp(x - max(x, keep = True)) * 2.0", "log_softmax(x)"}) {
            String source = "import nn; program p(x: f32[N, %d]) -> (y) { return %s; }".formatted(columns, program);
            equalsTheEvaluator(source, x, columns);
        }
    }

    /// The maximum is of more of the row than is exponentiated, or of less.
    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {"x[:, 0:10]; x", "x; x[:, 0:10]"})
    void aMaximumOfOtherColumnsIsNoBound(String part, String over) {
        Nd x = Values.small(new Random(13), DType.F32, 7, 37);
        x.floats()[20] = Float.NaN;
        x.floats()[37 + 4] = 100;
        x.floats()[37 + 20] = Float.NaN;
        x.floats()[2 * 37 + 20] = 60;
        String source = """
                program p(x: f32[7, 37]) -> (y) {
                  h = %s;
                  e = exp(h - max(%s, keep = True));
                  return e / sum(e, keep = True);
                }""".formatted(part, over);
        equalsTheEvaluator(source, x, 37);
    }

    private static void equalsTheEvaluator(String source, Nd x, int columns) {
        AgainstEvaluator.check(source, Map.of("x", x), columns, List.of(Engines.values()));
    }
}
