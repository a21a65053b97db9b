package tfx.passes.transformer;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tfx.ir.Span;
import tfx.ir.sequence.Atom;
import tfx.ir.sequence.Numbers;
import tfx.ir.sequence.SequenceError;
import tfx.ir.sequence.SequenceOp;

/// What `aggregate` can give for positions of which each may hold some atoms.
final class Means {
    private static final int MAX_SUMS = 1 << 16;

    private final Span span;
    private final SequenceOp.Reduction reduction;
    private final boolean numeric;
    private final Atom otherwise;
    private final Map<List<Object>, Set<Atom>> known = new HashMap<>();

    /// @param reduction what is made of several values
    /// @param numeric   whether they have a mean at all
    /// @param otherwise what no selected position gives
    Means(Span span, SequenceOp.Reduction reduction, boolean numeric, Atom otherwise) {
        this.span = span;
        this.reduction = reduction;
        this.numeric = numeric;
        this.otherwise = otherwise;
    }

    /// How many of the positions that may be selected are.
    enum Choice {
        ALL,
        ANY,
        AT_MOST_ONE
    }

    /// @param each the atoms that may stand at each position that may be selected
    Set<Atom> of(List<Set<Atom>> each, Choice choice) {
        return known.computeIfAbsent(List.of(each, choice), k -> compute(each, choice));
    }

    private Set<Atom> compute(List<Set<Atom>> each, Choice choice) {
        boolean all = choice == Choice.ALL;
        Set<Atom> results = new LinkedHashSet<>();
        if (!all || each.isEmpty()) {
            results.add(otherwise);
        }
        boolean mean = reduction == SequenceOp.Reduction.MEAN;
        if (!all || each.size() == 1 || !mean) {
            each.forEach(results::addAll);
        }
        if (mean && numeric && each.size() > 1 && choice != Choice.AT_MOST_ONE) {
            addMeans(each, all, results);
        }
        return results;
    }

    /// Sums by how many positions they are over.
    private void addMeans(List<Set<Atom>> each, boolean all, Set<Atom> results) {
        List<Set<Double>> sums = new ArrayList<>();
        sums.add(new HashSet<>(Set.of(0.0)));
        for (Set<Atom> atoms : each) {
            sums.add(new HashSet<>());
            for (int count = sums.size() - 1; count >= 1; count--) {
                Set<Double> more = sums.get(count);
                if (all) {
                    more.clear();
                }
                for (double sum : sums.get(count - 1)) {
                    atoms.forEach(a -> more.add(sum + exact(a)));
                    if (more.size() > MAX_SUMS) {
                        throw new SequenceError(span, "this mean can be of more than " + MAX_SUMS + " sums");
                    }
                }
            }
            if (all) {
                sums.getFirst().clear();
            }
        }
        for (int count = 2; count < sums.size(); count++) {
            for (double sum : sums.get(count)) {
                results.add(Atom.of(sum / count));
            }
        }
    }

    /// A number whose sums are exact in any order.
    private double exact(Atom atom) {
        double value = Numbers.real(atom);
        if (Math.abs(value) > Variable.MAX_CODE) {
            throw new SequenceError(span, "this is a mean of " + value + " and the like, which f32 cannot hold");
        }
        double scaled = value * (1 << 20);
        if (scaled != Math.rint(scaled)) {
            throw new SequenceError(
                    span,
                    "this is a mean of " + value + " and the like, whose sums depend on their order; a transformer has"
                            + " no such order");
        }
        return value;
    }
}
