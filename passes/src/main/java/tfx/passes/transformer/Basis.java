package tfx.passes.transformer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// Functions that the residual stream holds, as vectors over the same tuples, so that what is a combination of
/// them need not be held again.
final class Basis {
    private static final double EXACT = 1e-9;

    /// Combinations with larger factors would carry errors far.
    private static final double MAX_FACTOR = 1024;

    /// What is left of a held vector, and what has to be added up for it: a constant, and factors of what is held.
    private record Row(double[] values, int pivot, double[] factors) {}

    private final List<Functional> held = new ArrayList<>();
    private final List<Row> rows = new ArrayList<>();

    /// @param size how many tuples there are
    Basis(int size) {
        double[] ones = new double[size];
        Arrays.fill(ones, 1);
        held.add(Functional.constant(1));
        rows.add(new Row(ones, 0, new double[] {1}));
    }

    /// A vector as a combination of what is held; one of integers only with integers as factors, which f32 adds
    /// exactly.
    Optional<Functional> express(double[] vector) {
        Row rest = reduce(vector);
        boolean whole = Arrays.stream(vector).allMatch(Functional::isWhole);
        Functional sum = Functional.constant(0);
        for (int h = 0; h < held.size(); h++) {
            double near = Math.rint(rest.factors()[h]);
            double factor = Math.abs(rest.factors()[h] - near) < EXACT ? near : rest.factors()[h];
            if (rest.pivot() >= 0 || Math.abs(factor) > MAX_FACTOR || whole && factor != near) {
                return Optional.empty();
            }
            sum = sum.plus(held.get(h).times(-factor));
        }
        return Optional.of(sum);
    }

    /// Adds what is held now.
    void add(double[] vector, Functional functional) {
        Row rest = reduce(vector);
        if (rest.pivot() >= 0) {
            double[] factors = Arrays.copyOf(rest.factors(), held.size() + 1);
            factors[held.size()] = 1;
            held.add(functional);
            rows.add(new Row(rest.values(), rest.pivot(), factors));
        }
    }

    /// Takes away from a vector what the rows can say; -1 as pivot where nothing is left.
    private Row reduce(double[] vector) {
        double[] left = vector.clone();
        double scale = 1;
        for (double value : left) {
            scale = Math.max(scale, Math.abs(value));
        }
        double[] factors = new double[held.size()];
        for (Row row : rows) {
            double factor = left[row.pivot()] / row.values()[row.pivot()];
            if (Math.abs(factor) > EXACT) {
                for (int i = 0; i < left.length; i++) {
                    left[i] -= factor * row.values()[i];
                }
                for (int h = 0; h < row.factors().length; h++) {
                    factors[h] -= factor * row.factors()[h];
                }
            }
            left[row.pivot()] = 0;
        }
        int pivot = -1;
        for (int i = 0; i < left.length; i++) {
            if (Math.abs(left[i]) > EXACT * scale && (pivot < 0 || Math.abs(left[i]) > Math.abs(left[pivot]))) {
                pivot = i;
            }
        }
        return new Row(left, pivot, factors);
    }
}
