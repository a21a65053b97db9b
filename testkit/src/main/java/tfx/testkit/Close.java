package tfx.testkit;

import java.util.List;
import java.util.Optional;
import tfx.ir.graph.Nd;
import tfx.ir.sequence.Atom;
import tfx.runtime.DType;

/// The one place that says when two results are equal. Integers and bools are compared exactly, NaN equals NaN
/// and infinities equal themselves; floats may differ by rounding, which grows with the number of operations
/// behind them.
public final class Close {
    private static final double F32_STEP = Math.ulp(1f);
    private static final double F64_STEP = Math.ulp(1.0);
    /// How far a derivative may lie from a central difference in double, relative to the size of the gradient.
    public static final double FINITE_DIFFERENCE = 2e-6;

    private static final double STEPS = 48;
    /// Results near the smallest normal f32 may lose all their bits.
    private static final double SMALLEST = 0x1p-120;

    private static final double F16_SUBNORMAL = 0x1p-24;
    private static final double F16_STEP = 0x1p-10;
    private static final double BF16_STEP = 0x1p-7;

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
        double tolerance = tolerance(scale, length, narrowest, expected.dtype());
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

    /// What two results of size `scale` may differ by: rounding on the way, and one rounding to a 16-bit type at
    /// the end.
    private static double tolerance(double scale, long length, DType narrowest, DType result) {
        double step = narrowest == DType.F64 ? F64_STEP : F32_STEP;
        double end = result == DType.F16 ? F16_STEP : result == DType.BF16 ? BF16_STEP : 0;
        return scale * (step * (STEPS + length) + end);
    }

    /// For results computed in their own type throughout, each element with the tolerance of its own size where it
    /// comes from few others: one huge value must not hide the rest.
    public static Optional<String> elements(Nd expected, Nd actual, long length) {
        if (!expected.dtype().isFloat() || length > 1 || expected.count() != actual.count()) {
            return difference(expected, actual, length);
        }
        for (int i = 0; i < expected.count(); i++) {
            double want = expected.floats()[i];
            double got = actual.floats()[i];
            double scale = Double.isFinite(want) ? Math.max(Math.abs(want), SMALLEST) : 0;
            double tolerance = tolerance(scale, 1, expected.dtype(), expected.dtype());
            if (expected.dtype() == DType.F16) {
                tolerance = Math.max(tolerance, F16_SUBNORMAL);
            }
            if (!close(want, got, tolerance)) {
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

    /// For lists of atoms, nested or not, and for whatever else a run comes to.
    ///
    /// @param length how many positions a mean may be of
    public static Optional<String> atoms(Object expected, Object actual, long length) {
        if (expected instanceof List<?> a && actual instanceof List<?> b) {
            if (a.size() != b.size()) {
                return Optional.of("expected " + expected + ", got " + actual);
            }
            for (int i = 0; i < a.size(); i++) {
                Optional<String> difference = atoms(a.get(i), b.get(i), length);
                if (difference.isPresent()) {
                    return Optional.of("at " + i + ": " + difference.get());
                }
            }
            return Optional.empty();
        }
        if (expected instanceof Atom.Real a && actual instanceof Atom.Real b) {
            double tolerance = tolerance(Math.max(1, Math.abs(a.value())), length, DType.F64, DType.F64);
            if (close(a.value(), b.value(), tolerance)) {
                return Optional.empty();
            }
        }
        return expected.equals(actual) ? Optional.empty() : Optional.of("expected " + expected + ", got " + actual);
    }

    private static boolean close(double a, double b, double tolerance) {
        return Double.compare(a, b) == 0 || a == b || Math.abs(a - b) <= tolerance;
    }
}
