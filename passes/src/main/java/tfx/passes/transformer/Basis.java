package tfx.passes.transformer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Functions that the residual stream holds, as vectors over the same tuples, so that what is a combination of
/// them need not be held again.
final class Basis {
    private static final double EXACT = 1e-9;

    /// Combinations with larger factors would carry errors far.
    private static final double MAX_FACTOR = 1024;

    private record Row(double[] values, int pivot, Functional functional) {}

    private final List<Row> rows = new ArrayList<>();

    /// @param size how many tuples there are
    Basis(int size) {
        double[] ones = new double[size];
        Arrays.fill(ones, 1);
        rows.add(new Row(ones, 0, Functional.constant(1)));
    }

    /// A vector as a combination of what is held.
    Optional<Functional> express(double[] vector) {
        Row rest = reduce(vector, new Functional(Map.of(), 0, 0, 0));
        boolean small = rest.functional().terms().values().stream().allMatch(f -> Math.abs(f) <= MAX_FACTOR);
        return rest.pivot() < 0 && small ? Optional.of(rest.functional().times(-1)) : Optional.empty();
    }

    /// Adds what is held now.
    void add(double[] vector, Functional functional) {
        Row rest = reduce(vector, functional);
        if (rest.pivot() >= 0) {
            rows.add(rest);
        }
    }

    /// Takes away from a vector what the rows can say; -1 as pivot where nothing is left.
    private Row reduce(double[] vector, Functional functional) {
        double[] left = vector.clone();
        double scale = 1;
        for (double value : left) {
            scale = Math.max(scale, Math.abs(value));
        }
        Functional combined = functional;
        for (Row row : rows) {
            double factor = left[row.pivot()] / row.values()[row.pivot()];
            if (Math.abs(factor) > EXACT) {
                for (int i = 0; i < left.length; i++) {
                    left[i] -= factor * row.values()[i];
                }
                combined = combined.plus(row.functional().times(-factor));
            }
            left[row.pivot()] = 0;
        }
        int pivot = -1;
        for (int i = 0; i < left.length; i++) {
            if (Math.abs(left[i]) > EXACT * scale && (pivot < 0 || Math.abs(left[i]) > Math.abs(left[pivot]))) {
                pivot = i;
            }
        }
        return new Row(left, pivot, combined);
    }
}
