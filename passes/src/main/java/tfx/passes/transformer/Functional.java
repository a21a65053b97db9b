package tfx.passes.transformer;

import java.util.Map;
import java.util.TreeMap;

/// A linear function of what a position holds.
///
/// @param terms    the factor of each number of the residual stream
/// @param constant what is added
/// @param time     the first half layer after which it can be read: 0 for the embeddings, then heads and
///                 perceptrons in turn
/// @param error    how far it can be from what it stands for
record Functional(Map<Integer, Double> terms, double constant, int time, double error) {
    /// The rounding of one operation of f32, with room for three more.
    static final double ROUNDING = 0x1p-22;

    static Functional constant(double value) {
        return new Functional(Map.of(), value, 0, Math.abs(value - (float) value));
    }

    static Functional of(int dimension, int time, double error) {
        return new Functional(Map.of(dimension, 1.0), 0, time, error);
    }

    Functional times(double factor) {
        Map<Integer, Double> all = new TreeMap<>();
        if (factor != 0) {
            terms.forEach((d, f) -> all.put(d, f * factor));
        }
        return new Functional(all, constant * factor, time, error * Math.abs(factor));
    }

    Functional plus(Functional other) {
        Map<Integer, Double> all = new TreeMap<>(terms);
        other.terms.forEach((d, f) -> all.merge(d, f, Double::sum));
        all.values().removeIf(f -> f == 0);
        return new Functional(all, constant + other.constant, Math.max(time, other.time), error + other.error);
    }

    Functional plus(double value) {
        return new Functional(terms, constant + value, time, error);
    }
}
