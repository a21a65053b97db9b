package tfx.passes.transformer;

import java.util.Map;
import java.util.TreeMap;

/// A linear function of what a position holds.
///
/// @param terms    the factor of each number of the residual stream
/// @param constant what is added
/// @param time     the first half layer after which it can be read: 0 for the embeddings, then heads and
///                 perceptrons in turn
/// @param error    how far what it reads can be from what that stands for
/// @param reach    a bound of the sum of its terms without their signs
/// @param whole    whether factors and what they read are integers
record Functional(Map<Integer, Double> terms, double constant, int time, double error, double reach, boolean whole) {
    /// The rounding of one operation of f32, with room for three more.
    static final double ROUNDING = 0x1p-22;

    /// Sums of integers up to here are exact in f32.
    static final double EXACT = 1 << 22;

    static Functional constant(double value) {
        return new Functional(Map.of(), value, 0, Math.abs(value - (float) value), 0, isWhole(value));
    }

    /// A number of the residual stream.
    static Functional of(int dimension, int time, double error, double reach, boolean whole) {
        return new Functional(Map.of(dimension, 1.0), 0, time, error, reach, whole);
    }

    static boolean isWhole(double value) {
        return value == Math.rint(value);
    }

    Functional times(double factor) {
        Map<Integer, Double> all = new TreeMap<>();
        if (factor != 0) {
            terms.forEach((d, f) -> all.put(d, f * factor));
        }
        double by = Math.abs(factor);
        return new Functional(all, constant * factor, time, error * by, reach * by, whole && isWhole(factor));
    }

    Functional plus(Functional other) {
        Map<Integer, Double> all = new TreeMap<>(terms);
        other.terms.forEach((d, f) -> all.merge(d, f, Double::sum));
        all.values().removeIf(f -> f == 0);
        return new Functional(
                all,
                constant + other.constant,
                Math.max(time, other.time),
                error + other.error,
                reach + other.reach,
                whole && other.whole);
    }

    Functional plus(double value) {
        return plus(constant(value));
    }

    /// A bound of what it comes to, and of all sums on the way.
    double size() {
        return reach + Math.abs(constant);
    }

    /// With the rounding of computing it in f32 as part of its error.
    Functional rounded() {
        double computed = error + (whole && size() < EXACT ? 0 : size() * ROUNDING);
        return new Functional(terms, constant, time, computed, reach, whole);
    }
}
