package tfx.passes.transformer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntPredicate;
import tfx.ir.sequence.Atom;
import tfx.ir.sequence.Numbers;
import tfx.ir.sequence.SequenceError;
import tfx.ir.sequence.SequenceNode;
import tfx.ir.sequence.SequenceOp;

/// Compiles an s-op into a transformer, as Tracr does (Lindner et al. 2023, arXiv 2301.05062), with other means:
///
/// - An aggregate is one number that a head reads, a width is a share of attention. What a head looks at is a
///   sum of products of functions of variables.
/// - Functions of a token or of an index are rows of the embeddings, whatever their number; a function of a
///   variable that is held as a combination of what is held already costs nothing.
/// - All other functions are steps of sigmoids, which are 0 or 1 to the last digit.
/// - Where nothing is selected, a sink takes the attention that Tracr's token at the beginning takes.
///
/// Every number carries a bound of its error; what could not be told apart is refused.
public final class TransformerBuilder {
    private static final int MAX_CELLS = 1 << 24;
    private static final int MAX_CLASSES = 1000;
    private static final int MAX_OPERATIONS = 20_000;
    private static final long MAX_PARAMETERS = 1 << 26;

    private final List<Atom> vocabulary;
    private final int maxLength;
    private final boolean causal;
    private final ValueSets values;
    private final Residual residual = new Residual();
    private final Functions functions;
    private final Map<Variable, Functional> codes = new HashMap<>();
    private final Map<Variable, SequenceNode> nodes = new HashMap<>();
    private final Map<SequenceNode, List<Residual.Score>> scores = new HashMap<>();

    private TransformerBuilder(SequenceNode root, List<Atom> vocabulary, int maxLength, boolean causal) {
        this.vocabulary = vocabulary;
        this.maxLength = maxLength;
        this.causal = causal;
        this.values = new ValueSets(root, vocabulary, maxLength);
        this.functions = new Functions(residual, this::code, values);
        for (SequenceNode node : SequenceNode.closure(List.of(root))) {
            values.variable(node).ifPresent(v -> nodes.putIfAbsent(v, node));
        }
    }

    /// @param vocabulary the tokens, all different
    /// @param maxLength  how many of them an input has at most
    /// @param causal     whether heads see no later position
    /// @throws SequenceError at the place of what no transformer of this kind computes exactly
    public static Transformer build(SequenceNode root, List<Atom> vocabulary, int maxLength, boolean causal) {
        int operations = SequenceNode.closure(List.of(root)).size();
        if (operations > MAX_OPERATIONS) {
            throw new SequenceError(
                    root.span(),
                    "this is made of " + operations + " operations; at most " + MAX_OPERATIONS + " become weights");
        }
        SequenceNode seen = causal ? Causal.of(root) : root;
        return new TransformerBuilder(seen, vocabulary, maxLength, causal).build(seen);
    }

    private Transformer build(SequenceNode root) {
        Tuples tuples = values.tuples(List.of(root));
        List<Set<Atom>> atoms = values.atoms(root, tuples);
        Variable result = Variable.of(-1, Variable.Source.FUNCTION, "the result", root.span(), List.of(union(atoms)));
        if (tuples.variables().size() == 1 && !tuples.variables().getFirst().isEmbedded()) {
            Optional<Transformer> direct =
                    direct(root, tuples, atoms, result.values().size());
            if (direct.isPresent()) {
                return direct.get();
            }
        }
        return numbered(root, tuples, atoms, result);
    }

    /// The result as the number of its class, from a perceptron or an embedding.
    private Transformer numbered(SequenceNode root, Tuples tuples, List<Set<Atom>> atoms, Variable result) {
        int count = result.values().size();
        if (count == 0) {
            throw new SequenceError(root.span(), "this fails on every input");
        }
        if (count > MAX_CLASSES) {
            throw new SequenceError(
                    root.span(), "the result has " + count + " values; at most " + MAX_CLASSES + " are told apart");
        }
        List<Double> numbers = new ArrayList<>();
        List<Atom> classes = new ArrayList<>();
        for (Variable.Value value : result.values()) {
            numbers.add((double) numbers.size());
            classes.add(first(value.atoms()));
        }
        double[] wanted = new double[tuples.count()];
        for (int t = 0; t < wanted.length; t++) {
            wanted[t] = atoms.get(t).isEmpty() ? Double.NaN : result.find(first(atoms.get(t)));
        }
        Functional output = functions.of(tuples, wanted, "the result", root.span());
        if (!isPrecise(output, numbers)) {
            throw new SequenceError(root.span(), "the values of this lie too close together for f32");
        }
        return finish(root, output, numbers, classes);
    }

    /// The result read from one variable by the unembedding alone, where that is precise, and not much larger.
    private Optional<Transformer> direct(SequenceNode root, Tuples tuples, List<Set<Atom>> atoms, int classCount) {
        Variable variable = tuples.variables().getFirst();
        List<Double> classCodes = new ArrayList<>();
        List<Atom> classes = new ArrayList<>();
        for (int v = 0; v < variable.values().size(); v++) {
            int value = v;
            for (int t = 0; t < tuples.count(); t++) {
                if (tuples.value(t, 0) == value && !atoms.get(t).isEmpty()) {
                    classCodes.add(variable.code(v));
                    classes.add(first(atoms.get(t)));
                }
            }
        }
        if (classes.isEmpty() || classes.size() > Math.min(MAX_CLASSES, 2 * classCount)) {
            return Optional.empty();
        }
        Functional output = code(variable);
        return isPrecise(output, classCodes)
                ? Optional.of(finish(root, output, classCodes, classes))
                : Optional.empty();
    }

    /// Whether the scores of neighbouring codes differ by more than their rounding, wherever the output is.
    private static boolean isPrecise(Functional output, List<Double> codes) {
        double gap = Double.POSITIVE_INFINITY;
        for (int c = 1; c < codes.size(); c++) {
            gap = Math.min(gap, codes.get(c) - codes.get(c - 1));
        }
        double range = codes.getLast() - codes.getFirst();
        double middle = (codes.getLast() + codes.getFirst()) / 2;
        double largest = (output.plus(-middle).size() + range) * range;
        boolean whole = output.whole() && codes.stream().allMatch(Functional::isWhole);
        double rounding = whole && largest < Functional.EXACT ? 0 : largest * Functional.ROUNDING;
        return output.rounded().error() <= gap / 8 && rounding <= gap * gap / 8;
    }

    private Transformer finish(SequenceNode root, Functional output, List<Double> classCodes, List<Atom> classes) {
        long parameters = residual.parameters(vocabulary.size() + maxLength + classes.size());
        if (parameters > MAX_PARAMETERS) {
            throw new SequenceError(
                    root.span(),
                    "the weights would be " + parameters + " numbers; at most " + MAX_PARAMETERS
                            + " are made. A smaller vocabulary or shorter inputs need fewer");
        }
        return residual.finish(vocabulary, maxLength, causal, output, classCodes, classes);
    }

    private static Atom first(Set<Atom> atoms) {
        return atoms.iterator().next();
    }

    private static Set<Atom> union(List<Set<Atom>> atoms) {
        Set<Atom> all = new LinkedHashSet<>();
        atoms.forEach(all::addAll);
        return all;
    }

    private Functional code(Variable variable) {
        Functional known = codes.get(variable);
        if (known == null) {
            known = switch (variable.source()) {
                case TOKENS, INDICES -> embedded(variable);
                case FUNCTION -> function(variable);
                case AGGREGATE -> aggregate(variable);
                case WIDTH -> width(variable);
            };
            codes.put(variable, known);
        }
        return known;
    }

    private Functional embedded(Variable variable) {
        Tuples alone = values.alone(variable);
        double[] wanted = new double[alone.count()];
        for (int t = 0; t < wanted.length; t++) {
            wanted[t] = alone.code(t, 0);
        }
        return functions.of(
                alone, wanted, variable.toString(), nodes.get(variable).span());
    }

    private Functional function(Variable variable) {
        SequenceNode node = nodes.get(variable);
        ValueSets.Inside inside = values.inside(node);
        return functions.of(inside.tuples(), codes(variable, inside.atoms(), 0), variable.toString(), node.span());
    }

    /// The code of each of some atoms, less that of one.
    private static double[] codes(Variable variable, List<Set<Atom>> atoms, double base) {
        double[] codes = new double[atoms.size()];
        for (int t = 0; t < codes.length; t++) {
            codes[t] = atoms.get(t).isEmpty() ? Double.NaN : code(variable, first(atoms.get(t))) - base;
        }
        return codes;
    }

    /// NaN for a string that never gets through.
    private static double code(Variable variable, Atom atom) {
        if (variable.source() == Variable.Source.AGGREGATE && !(atom instanceof Atom.Text)) {
            return Numbers.real(atom);
        }
        int value = variable.find(atom);
        return value < 0 ? Double.NaN : variable.code(value);
    }

    private Functional aggregate(Variable variable) {
        SequenceNode node = nodes.get(variable);
        SequenceOp.Aggregate op = (SequenceOp.Aggregate) node.op();
        int none = variable.find(op.otherwise());
        double otherwise = variable.code(Math.max(none, 0)); // a default that never comes up may be any value
        SequenceNode from = node.operand(1);
        Tuples tuples = values.tuples(List.of(from));
        double[] wanted = codes(variable, values.atoms(from, tuples), otherwise);
        Functional value = functions.of(tuples, wanted, from + " for " + variable, from.span());
        double range = 0;
        for (double w : wanted) {
            range = Double.isNaN(w) ? range : Math.max(range, Math.abs(w));
        }
        return op.reduction() == SequenceOp.Reduction.MEAN
                ? read(node, value, range, 0.5, variable).plus(otherwise)
                : extreme(variable, op.reduction(), tuples, wanted, value, range)
                        .plus(otherwise);
    }

    /// A mean of equals: beside what selects, the rank of the value scores, and what selects scores more than all
    /// ranks.
    private Functional extreme(
            Variable variable,
            SequenceOp.Reduction reduction,
            Tuples tuples,
            double[] wanted,
            Functional value,
            double range) {
        double[] order = Arrays.stream(wanted)
                .filter(w -> !Double.isNaN(w))
                .distinct()
                .sorted()
                .toArray();
        double[] ranks = new double[wanted.length];
        for (int t = 0; t < ranks.length; t++) {
            int rank = Arrays.binarySearch(order, wanted[t]);
            int better = reduction == SequenceOp.Reduction.MAX ? rank : order.length - 1 - rank;
            ranks[t] = Double.isNaN(wanted[t]) ? 0 : better; // what is never selected must not score more
        }
        SequenceNode node = nodes.get(variable);
        Functional rank = functions.of(tuples, ranks, "rank for " + variable, node.span());
        double weight = order.length;
        List<Residual.Score> all = new ArrayList<>(List.of(new Residual.Score(rank, Functional.constant(1))));
        double full = 0;
        for (SequenceNode factor : Factors.of(node.operand(0), causal)) {
            List<Residual.Score> some = known(factor);
            full += some.isEmpty() ? 0 : weight;
            some.forEach(s -> all.add(new Residual.Score(s.key(), s.query().times(weight))));
        }
        return read(all, weight, full - 0.5, value, range, variable);
    }

    private List<Residual.Score> known(SequenceNode factor) {
        if (!scores.containsKey(factor)) {
            scores.put(factor, scores(factor));
        }
        return scores.get(factor);
    }

    /// The share of what is selected, beside a sink that scores the same.
    private Functional width(Variable variable) {
        return read(nodes.get(variable), Functional.constant(1), 1, 0, variable);
    }

    /// @param range the largest value that is read
    /// @param below how much less than what is selected the sink scores
    private Functional read(SequenceNode node, Functional value, double range, double below, Variable variable) {
        List<Residual.Score> all = new ArrayList<>();
        double full = 0;
        for (SequenceNode factor : Factors.of(node.operand(0), causal)) {
            List<Residual.Score> some = known(factor);
            full += some.isEmpty() ? 0 : 1;
            all.addAll(some);
        }
        return read(all, 1, full - below, value, range, variable);
    }

    /// @param weight the most that one of the products scores
    /// @param sink   what the sink scores
    private Functional read(
            List<Residual.Score> all, double weight, double sink, Functional value, double range, Variable variable) {
        double error = 0;
        for (Residual.Score score : all) {
            error += weight * score.key().rounded().error()
                    + score.query().rounded().error();
        }
        double share = maxLength * Math.exp(-Residual.COLDNESS / 2)
                + 2 * Residual.COLDNESS * error
                + (maxLength / 4.0 + 8) * Functional.ROUNDING / 2;
        return residual.read(
                all, Residual.COLDNESS * sink, value, value.rounded().error() + range * share, variable.toString());
    }

    /// What a factor scores: 1 where it selects, 0 elsewhere, as a sum of products; none where it always selects.
    private List<Residual.Score> scores(SequenceNode factor) {
        List<SequenceNode> comparisons = Factors.comparisons(factor);
        List<SequenceNode> keyNodes =
                comparisons.stream().map(c -> c.operand(0)).toList();
        List<SequenceNode> queryNodes =
                comparisons.stream().map(c -> c.operand(1)).toList();
        Tuples keys = values.tuples(keyNodes);
        Tuples queries = values.tuples(queryNodes);
        if ((long) keys.count() * queries.count() > MAX_CELLS) {
            throw new SequenceError(
                    factor.span(),
                    "this compares " + keys.count() + " combinations of values with " + queries.count()
                            + "; a smaller vocabulary or shorter inputs would do");
        }
        List<BitSet> byQuery = new Relation(values, keys, queries).rows(factor);
        List<BitSet> byKey = Relation.transposed(byQuery, keys.count());
        if (byQuery.stream().allMatch(row -> row.cardinality() == keys.count())) {
            return List.of();
        }
        if (byQuery.stream().allMatch(BitSet::isEmpty)) {
            return List.of(new Residual.Score(Functional.constant(0), Functional.constant(0)));
        }
        List<BitSet> keyClasses = Relation.classes(byKey);
        List<BitSet> queryClasses = Relation.classes(byQuery);
        List<Residual.Score> all = new ArrayList<>();
        if (keyClasses.size() <= queryClasses.size()) {
            for (BitSet by : keyClasses) {
                all.add(new Residual.Score(
                        indicator(keys, t -> byKey.get(t).equals(by), factor), indicator(queries, by::get, factor)));
            }
        } else {
            for (BitSet by : queryClasses) {
                all.add(new Residual.Score(
                        indicator(keys, by::get, factor),
                        indicator(queries, t -> byQuery.get(t).equals(by), factor)));
            }
        }
        return all;
    }

    private Functional indicator(Tuples tuples, IntPredicate holds, SequenceNode factor) {
        double[] wanted = new double[tuples.count()];
        for (int t = 0; t < wanted.length; t++) {
            wanted[t] = holds.test(t) ? 1 : 0;
        }
        return functions.of(tuples, wanted, "of " + tuples.variables() + " for " + factor, factor.span());
    }
}
