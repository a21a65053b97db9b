package tfx.testkit;

import java.util.Optional;
import tfx.ir.graph.Nd;
import tfx.runtime.DType;

/// The one place that says when two results are equal. Integers and bools are compared exactly, NaN equals NaN and
/// infinities equal themselves; floats may differ by rounding, which grows with the number of operations behind them.
public final class Close {
    private static final double F32_STEP = Math.ulp(1f);
    private static final double F64_STEP = Math.ulp(1.0);
    private static final double STEPS = 48;

    private Close() {}

    /// What differs, if anything.
    ///
    /// @param length   how many elements were summed for one result, at least 1
    /// @param narrowest the floating type of least precision on the way to the results
    public static Optional<String> difference(Nd expected, Nd actual, long length, DType narrowest) {
        if (expected.dtype() != actual.dtype() || expected.count() != actual.count()) {
            return Optional.of("expected " + expected + ", got " + actual);
        }
        double scale = 1;
        for (double value : expected.floats()) {
            scale = Double.isFinite(value) ? Math.max(scale, Math.abs(value)) : scale;
        }
        double step = narrowest == DType.F64 ? F64_STEP : F32_STEP;
        double tolerance = scale * step * (STEPS + length);
        for (int i = 0; i < expected.count(); i++) {
            boolean equal = expected.dtype().isFloat()
                    ? close(expected.floats()[i], actual.floats()[i], tolerance)
                    : expected.longs()[i] == actual.longs()[i];
            if (!equal) {
                Object want = expected.dtype().isFloat() ? (Object) expected.floats()[i] : (Object) expected.longs()[i];
                Object got = expected.dtype().isFloat() ? (Object) actual.floats()[i] : (Object) actual.longs()[i];
                return Optional.of(
                        "element " + i + ": expected " + want + ", got " + got + " (tolerance " + tolerance + ")");
            }
        }
        return Optional.empty();
    }

    /// For results computed in their own type throughout.
    public static Optional<String> difference(Nd expected, Nd actual, long length) {
        return difference(expected, actual, length, expected.dtype());
    }

    private static boolean close(double a, double b, double tolerance) {
        return Double.compare(a, b) == 0 || a == b || Math.abs(a - b) <= tolerance;
    }
}
