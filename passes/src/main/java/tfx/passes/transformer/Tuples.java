package tfx.passes.transformer;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import tfx.ir.sequence.Atom;
import tfx.ir.sequence.Numbers;
import tfx.ir.sequence.SequenceError;
import tfx.ir.sequence.SequenceEvaluator;
import tfx.ir.sequence.SequenceNode;
import tfx.ir.sequence.SequenceOp;

/// The values that some variables can have together, and what functions of them are then. Variables are taken to
/// be independent but for the place they stand at, so there may be tuples that never occur.
final class Tuples {
    /// More than these are not worth a perceptron.
    static final int MAX_TUPLES = 1 << 14;

    /// Numbers up to here are told apart in f32, one for each combination of values, possible or not.
    private static final double MAX_TOGETHER = 1 << 16;

    private static final long MAX_WORK = 1L << 25;

    private final List<Variable> variables;
    private final List<int[]> all;
    private final List<BitSet> at;
    private final Map<SequenceNode, List<Set<Atom>>> results = new HashMap<>();

    private Tuples(List<Variable> variables, List<int[]> all, List<BitSet> at) {
        this.variables = variables;
        this.all = all;
        this.at = at;
    }

    /// The tuples of some variables; none if they are too many.
    static Optional<Tuples> of(List<Variable> variables, Places places) {
        double together = 1;
        for (Variable v : variables) {
            together *= v.values().size();
        }
        if (together > MAX_TOGETHER) {
            return Optional.empty();
        }
        long work = 0;
        for (int p = 0; p < places.count(); p++) {
            long here = 1;
            for (Variable v : variables) {
                here *= v.at(p).cardinality();
                if (here > MAX_TUPLES) {
                    return Optional.empty();
                }
            }
            work += here;
        }
        if (work > MAX_WORK) {
            return Optional.empty();
        }
        Map<List<Integer>, Integer> found = new LinkedHashMap<>();
        List<BitSet> at = new ArrayList<>();
        for (int p = 0; p < places.count(); p++) {
            BitSet here = new BitSet();
            List<List<Integer>> tuples = List.of(List.of());
            for (Variable v : variables) {
                tuples = extended(tuples, v.at(p));
            }
            for (List<Integer> tuple : tuples) {
                here.set(found.computeIfAbsent(tuple, t -> found.size()));
            }
            if (found.size() > MAX_TUPLES) {
                return Optional.empty();
            }
            at.add(here);
        }
        List<int[]> all = found.keySet().stream()
                .map(t -> t.stream().mapToInt(Integer::intValue).toArray())
                .toList();
        return Optional.of(new Tuples(List.copyOf(variables), all, at));
    }

    private static List<List<Integer>> extended(List<List<Integer>> tuples, BitSet values) {
        List<List<Integer>> longer = new ArrayList<>();
        for (List<Integer> tuple : tuples) {
            values.stream().forEach(v -> {
                List<Integer> one = new ArrayList<>(tuple);
                one.add(v);
                longer.add(one);
            });
        }
        return longer;
    }

    List<Variable> variables() {
        return variables;
    }

    int count() {
        return all.size();
    }

    /// The code of a variable in a tuple.
    double code(int tuple, int variable) {
        return variables.get(variable).code(all.get(tuple)[variable]);
    }

    int value(int tuple, int variable) {
        return all.get(tuple)[variable];
    }

    /// The tuples that can stand at a place.
    BitSet at(int place) {
        return at.get(place);
    }

    private Set<Atom> atoms(int tuple, Variable variable) {
        boolean isConstant = variable.values().size() == 1;
        return variable.values()
                .get(isConstant ? 0 : all.get(tuple)[variables.indexOf(variable)])
                .atoms();
    }

    /// What a node is for each tuple: atoms that are the same number, or one string; none where it fails.
    ///
    /// @param known which nodes are variables
    List<Set<Atom>> atoms(SequenceNode root, Function<SequenceNode, Optional<Variable>> known) {
        for (SequenceNode node : SequenceNode.closure(
                List.of(root), results::containsKey, n -> known.apply(n).isPresent())) {
            Optional<Variable> variable = known.apply(node);
            List<Set<Atom>> atoms = new ArrayList<>(count());
            for (int t = 0; t < count(); t++) {
                atoms.add(variable.isPresent() ? read(node, t, variable.get()) : apply(node, t));
            }
            results.put(node, atoms);
        }
        return results.get(root);
    }

    private Set<Atom> read(SequenceNode node, int tuple, Variable variable) {
        Set<Atom> atoms = atoms(tuple, variable);
        if (!(node.op() instanceof SequenceOp.Tokens t)) {
            return atoms;
        }
        try {
            return Set.of(
                    SequenceEvaluator.convert(t.conversion(), atoms.iterator().next()));
        } catch (SequenceError e) {
            throw e.at(node.span());
        }
    }

    private Set<Atom> apply(SequenceNode node, int tuple) {
        if (node.op() instanceof SequenceOp.Constant c) {
            return Set.of(c.value());
        }
        List<List<Atom>> arguments = List.of(List.of());
        for (SequenceNode operand : node.operands()) {
            List<List<Atom>> longer = new ArrayList<>();
            for (List<Atom> some : arguments) {
                for (Atom atom : results.get(operand).get(tuple)) {
                    List<Atom> one = new ArrayList<>(some);
                    one.add(atom);
                    longer.add(one);
                }
            }
            arguments = longer;
        }
        Function<List<Atom>, Atom> function = SequenceEvaluator.function((SequenceOp.Pointwise) node.op());
        Set<Atom> all = new LinkedHashSet<>();
        for (List<Atom> some : arguments) {
            try {
                all.add(function.apply(some));
            } catch (SequenceError e) {
                // An input that leads here has no value; the check of the finished weights meets it if it exists.
            }
        }
        if (all.stream().map(Numbers::key).distinct().count() > 1) {
            throw new SequenceError(
                    node.span(), "this tells apart numbers that are equal, such as 1 and 1.0; weights hold one number");
        }
        return all;
    }
}
