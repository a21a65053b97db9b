package tfx.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tfx.ir.graph.Graph;
import tfx.ir.graph.Nd;
import tfx.ir.kernel.FloatLanes;
import tfx.ir.kernel.FloatMath;
import tfx.runtime.DType;
import tfx.runtime.Numbers;

/// The functions of f32 that are emitted as other arithmetic: over all magnitudes, where they begin to be 0,
/// subnormal, constant or infinite, and for NaNs of any bits.
final class FunctionAccuracyTest {
    private static final int RANDOM = 200_000;

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "exp(x); 2",
                "erf(x); 5",
                "tanh(x); 6",
                "sigmoid(x); 4",
                "round(x); 0",
                "floor(x); 0",
                "ceil(x); 0",
                "trunc(x); 0",
                "max(x, 0.0); 0",
                "min(x, 0.0); 0",
                "max(-1.5, x); 0",
                "min(x, 3.0); 0",
                "x / 8.0; 0",
                "x / -0.25; 0"
            })
    void withinUlps(String call, double ulps) {
        DoubleUnaryOperator exact = switch (call) {
            case "exp(x)" -> Math::exp;
            case "erf(x)" -> Numbers::erf;
            case "tanh(x)" -> Math::tanh;
            case "sigmoid(x)" -> Numbers::sigmoid;
            case "round(x)" -> Math::rint;
            case "floor(x)" -> Math::floor;
            case "ceil(x)" -> Math::ceil;
            case "trunc(x)" -> Numbers::trunc;
            case "max(x, 0.0)" -> x -> Math.max(x, 0.0);
            case "min(x, 0.0)" -> x -> Math.min(x, 0.0);
            case "max(-1.5, x)" -> x -> Math.max(x, -1.5);
            case "min(x, 3.0)" -> x -> Math.min(x, 3.0);
            case "x / 8.0" -> x -> x / 8;
            default -> x -> x / -0.25;
        };
        String source = "program f(x: f32[N]) -> (y) { return %s; }".formatted(call);
        Graph graph = Compiler.check("f.tfx", source.getBytes(StandardCharsets.UTF_8))
                .programs()
                .getFirst()
                .graph();
        float[] points = points();
        Nd x = Nd.zeros(DType.F32, points.length);
        for (int i = 0; i < points.length; i++) {
            x.floats()[i] = points[i];
        }
        for (Engines engine : Engines.values()) {
            Nd y = engine.run(graph, Map.of("x", x)).get("y");
            for (int i = 0; i < points.length; i++) {
                float got = (float) y.floats()[i];
                double expected = exact.applyAsDouble(points[i]);
                float rounded = (float) expected;
                if (Float.isNaN(rounded) || Float.isInfinite(rounded) || rounded == 0 || ulps == 0) {
                    assertThat(Float.floatToIntBits(got))
                            .as("%s at %s, %s", call, points[i], engine)
                            .isEqualTo(Float.floatToIntBits(rounded));
                } else {
                    assertThat(Math.abs(got - expected) / Math.ulp(rounded))
                            .as("%s at %s (%s), %s", call, points[i], got, engine)
                            .isLessThanOrEqualTo(ulps);
                }
            }
        }
    }

    /// The shorter form of exp has its bits for all that is not above 0.
    @Test
    void expOfNonpositiveIsExp() {
        Floats floats = new Floats();
        for (float x : points()) {
            if (!(x > 0)) {
                assertThat(Float.floatToIntBits(FloatMath.expOfNonpositive(floats, x)))
                        .as("exp(%s)", x)
                        .isEqualTo(Float.floatToIntBits(FloatMath.exp(floats, x)));
            }
        }
    }

    /// One float at a time; conditions are 1 and 0.
    private static final class Floats implements FloatLanes<Float> {
        @Override
        public Float constant(float value) {
            return value;
        }

        @Override
        public Float add(Float a, Float b) {
            return a + b;
        }

        @Override
        public Float sub(Float a, Float b) {
            return a - b;
        }

        @Override
        public Float mul(Float a, Float b) {
            return a * b;
        }

        @Override
        public Float div(Float a, Float b) {
            return a / b;
        }

        @Override
        public Float fma(Float a, Float b, Float c) {
            return Math.fma(a, b, c);
        }

        @Override
        public Float compare(String operator, Float a, Float b) {
            boolean holds = operator.equals("<") ? a < b : a <= b; // all that exp asks
            return holds ? 1f : 0f;
        }

        @Override
        public Float choose(Float condition, Float a, Float b) {
            return condition != 0 ? a : b;
        }

        @Override
        public Float scale(Float x, Float shifted) {
            return Float.intBitsToFloat(
                    Float.floatToRawIntBits(x) + (Float.floatToRawIntBits(shifted) << FloatLanes.EXPONENT));
        }

        @Override
        public Float scale(Float x, Float shifted, Float low) {
            return low != 0 ? scale(x, shifted + FloatLanes.RAISED) * FloatLanes.LOWERED : scale(x, shifted);
        }

        @Override
        public Float let(Float value) {
            return value;
        }
    }

    private static float[] points() {
        List<Float> points = new ArrayList<>();
        Random random = new Random(5);
        for (float edge : new float[] {
            0f,
            1e-40f,
            1e-3f,
            0.3466f,
            1f,
            1.5f,
            3f,
            4f,
            9f,
            80f,
            87.33654f,
            88.72283f,
            103.2789f,
            103.97208f,
            104f,
            0.5f,
            2.5f,
            0x1p22f,
            0x1p23f,
            0x1p24f,
            1e30f,
            Float.MAX_VALUE,
            Float.POSITIVE_INFINITY
        }) {
            for (float near : new float[] {edge, Math.nextUp(edge), Math.nextDown(edge)}) {
                points.add(near);
                points.add(-near);
            }
        }
        for (int bits : new int[] {0x7fc00000, 0xffc00000, 0x7fc00001, 0x7fc001ff, 0xffffffff}) {
            points.add(Float.intBitsToFloat(bits));
        }
        for (int i = 0; i < RANDOM; i++) {
            points.add(
                    random.nextBoolean()
                            ? (random.nextFloat() - 0.5f) * 220
                            : Float.intBitsToFloat(random.nextInt() & 0xbfffffff)); // of all magnitudes up to 2
        }
        float[] all = new float[points.size()];
        for (int i = 0; i < all.length; i++) {
            all[i] = points.get(i);
        }
        return all;
    }
}
