package tfx.passes.transformer;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import tfx.ir.sequence.Atom;
import tfx.ir.sequence.AtomFn;
import tfx.ir.sequence.Kind;
import tfx.ir.sequence.Numbers;
import tfx.ir.sequence.SequenceError;
import tfx.ir.sequence.SequenceEvaluator;
import tfx.ir.sequence.SequenceNode;
import tfx.ir.sequence.SequenceOp;

/// Abstract interpretation: for each s-op the atoms that it can have at each place, and the variables that it is a
/// function of. What does not depend on the tokens is known exactly; so is how many positions a selector has to
/// choose from.
final class ValueSets {
    private final Places places;
    private final Variable tokens;
    private final Variable indices;
    private final Map<SequenceNode, Variable> variables = new HashMap<>();
    private final Map<SequenceNode, Inside> inner = new HashMap<>();
    private final Map<SequenceNode, List<Variable>> support = new HashMap<>();
    private final Map<List<Variable>, Optional<Tuples>> tuples = new HashMap<>();
    private final List<SequenceEvaluator> byLength = new ArrayList<>();

    /// @throws SequenceError where a value set is too large, or has what weights cannot hold
    ValueSets(SequenceNode root, List<Atom> vocabulary, int maxLength) {
        this.places = new Places(maxLength);
        Set<Atom> all = new LinkedHashSet<>(vocabulary);
        this.tokens =
                Variable.of(0, Variable.Source.TOKENS, "tokens", root.span(), everywhere((length, position) -> all));
        this.indices = Variable.of(
                1,
                Variable.Source.INDICES,
                "indices",
                root.span(),
                everywhere((length, position) -> Set.of(Atom.of(position))));
        for (int length = 1; length <= maxLength; length++) {
            byLength.add(new SequenceEvaluator(Collections.nCopies(length, vocabulary.getFirst())));
        }
        for (SequenceNode node : SequenceNode.closure(List.of(root))) {
            visit(node);
        }
    }

    /// A function of variables.
    ///
    /// @param atoms its values by tuple
    record Inside(Tuples tuples, List<Set<Atom>> atoms) {}

    private interface AtPlace {
        Set<Atom> atoms(int length, int position);
    }

    private List<Set<Atom>> everywhere(AtPlace rule) {
        List<Set<Atom>> all = new ArrayList<>(places.count());
        for (int length = 1; length <= places.maxLength(); length++) {
            for (int position = 0; position < length; position++) {
                all.add(rule.atoms(length, position));
            }
        }
        return all;
    }

    private void visit(SequenceNode node) {
        switch (node.op()) {
            case SequenceOp.Tokens t -> set(node, tokens);
            case SequenceOp.Indices i -> set(node, indices);
            case SequenceOp.Constant c -> support.put(node, List.of());
            case SequenceOp.Pointwise p -> join(node);
            case SequenceOp.Selector s -> {}
            case SequenceOp.Aggregate a -> set(node, variable(node, Variable.Source.AGGREGATE, means(node, a)));
            case SequenceOp.Width w -> set(node, variable(node, Variable.Source.WIDTH, widths(node)));
        }
    }

    /// What has one value is a function of nothing.
    private void set(SequenceNode node, Variable variable) {
        variables.put(node, variable);
        support.put(node, variable.values().size() == 1 ? List.of() : List.of(variable));
    }

    private Variable variable(SequenceNode node, Variable.Source source, List<Set<Atom>> atoms) {
        return Variable.of(node.id() + 2, source, name(node), node.span(), atoms);
    }

    private static String name(SequenceNode node) {
        return node.graph().name(node).orElse("%" + node.id());
    }

    /// A function of what its operands are functions of; operands become variables where that is too much.
    private void join(SequenceNode node) {
        support.put(node, union(node.operands()));
        if (table(node).isPresent()) {
            return;
        }
        for (SequenceNode operand : node.operands()) {
            fix(operand);
        }
        support.put(node, union(node.operands()));
        if (table(node).isEmpty()) {
            throw tooMany(node);
        }
    }

    private static SequenceError tooMany(SequenceNode node) {
        return new SequenceError(
                node.span(),
                "this depends on more than " + Tuples.MAX_TUPLES
                        + " combinations of values; a smaller vocabulary, shorter inputs, or steps in between with"
                        + " fewer values would do");
    }

    /// Makes a function of several variables a variable itself.
    private void fix(SequenceNode node) {
        if (support.get(node).size() > 1) {
            List<Set<Atom>> atoms = everywhere((length, position) -> at(node, Places.of(length, position)));
            Tuples table = tuples(List.of(node));
            inner.put(node, new Inside(table, atoms(node, table)));
            set(node, variable(node, Variable.Source.FUNCTION, atoms));
        }
    }

    private List<Variable> union(List<SequenceNode> nodes) {
        TreeSet<Variable> all = new TreeSet<>(Comparator.comparingInt(Variable::id));
        nodes.forEach(n -> all.addAll(support.get(n)));
        return List.copyOf(all);
    }

    private Optional<Tuples> table(SequenceNode node) {
        return table(support.get(node));
    }

    private Optional<Tuples> table(List<Variable> of) {
        return tuples.computeIfAbsent(of, v -> Tuples.of(v, places));
    }

    /// The tuples of the variables that some nodes are functions of.
    ///
    /// @throws SequenceError if they are too many
    Tuples tuples(List<SequenceNode> nodes) {
        return table(union(nodes)).orElseThrow(() -> tooMany(nodes.getFirst()));
    }

    /// The values of one variable.
    Tuples alone(Variable variable) {
        return table(List.of(variable)).orElseThrow();
    }

    /// What a node is, for each of some tuples that hold its variables.
    List<Set<Atom>> atoms(SequenceNode node, Tuples table) {
        return table.atoms(
                node,
                n -> Optional.ofNullable(variables.get(n))
                        .filter(v -> v.values().size() == 1 || table.variables().contains(v)));
    }

    /// The variable that a node is, if it is one.
    Optional<Variable> variable(SequenceNode node) {
        return Optional.ofNullable(variables.get(node));
    }

    private Set<Atom> at(SequenceNode node, int place) {
        Tuples table = tuples(List.of(node));
        List<Set<Atom>> atoms = atoms(node, table);
        Set<Atom> all = new LinkedHashSet<>();
        table.at(place).stream().forEach(t -> all.addAll(atoms.get(t)));
        return all;
    }

    /// Whether a node is the same whatever the tokens are.
    private static boolean isFixed(SequenceNode node) {
        return SequenceNode.closure(List.of(node)).stream().noneMatch(n -> n.op() instanceof SequenceOp.Tokens);
    }

    /// The values of a node that does not depend on the tokens.
    private List<Set<Atom>> fixed(SequenceNode node) {
        return everywhere(
                (length, position) -> Set.of(evaluate(length).values(node).get(position)));
    }

    private SequenceEvaluator evaluate(int length) {
        return byLength.get(length - 1);
    }

    /// The positions that a selector may choose from, by length and query, and how many of them it takes.
    private final class Reach {
        private final List<SequenceNode> known;
        private final List<SequenceNode> unique;
        private final boolean exact;

        Reach(SequenceNode selector) {
            List<SequenceNode> factors = Factors.of(selector, false);
            this.known = factors.stream().filter(ValueSets::isFixed).toList();
            this.unique = factors.stream()
                    .filter(f -> f.op() instanceof SequenceOp.Select s && s.comparison() == AtomFn.EQ)
                    .map(f -> f.operand(0))
                    .filter(ValueSets::isFixed)
                    .toList();
            this.exact = known.size() == factors.size();
        }

        BitSet of(int length, int query) {
            BitSet row = new BitSet();
            row.set(0, length);
            known.forEach(f -> row.and(evaluate(length).rows(f).get(query)));
            return row;
        }

        /// A query equals one of several different keys, or none.
        Means.Choice choice(int length) {
            boolean one = unique.stream()
                    .anyMatch(keys -> evaluate(length).values(keys).stream()
                                    .map(Numbers::key)
                                    .distinct()
                                    .count()
                            == length);
            return exact ? Means.Choice.ALL : one ? Means.Choice.AT_MOST_ONE : Means.Choice.ANY;
        }
    }

    private List<Set<Atom>> widths(SequenceNode node) {
        if (isFixed(node)) {
            return fixed(node);
        }
        Reach reach = new Reach(node.operand(0));
        return everywhere((length, position) -> {
            Set<Atom> counts = new LinkedHashSet<>();
            int most = reach.choice(length) == Means.Choice.AT_MOST_ONE ? 1 : length;
            for (int c = 0; c <= Math.min(most, reach.of(length, position).cardinality()); c++) {
                counts.add(Atom.of(c));
            }
            return counts;
        });
    }

    private List<Set<Atom>> means(SequenceNode node, SequenceOp.Aggregate aggregate) {
        if (isFixed(node)) {
            return fixed(node);
        }
        SequenceNode from = node.operand(1);
        List<Set<Atom>> values = everywhere((length, position) -> at(from, Places.of(length, position)));
        boolean numeric =
                values.stream().flatMap(Set::stream).anyMatch(a -> a.kind() == Kind.WHOLE || a.kind() == Kind.REAL);
        Means means = new Means(node.span(), aggregate.reduction(), numeric, aggregate.otherwise());
        Reach reach = new Reach(node.operand(0));
        return everywhere((length, position) -> {
            List<Set<Atom>> each = reach.of(length, position).stream()
                    .mapToObj(j -> values.get(Places.of(length, j)))
                    .toList();
            return means.of(each, reach.choice(length));
        });
    }

    /// What a function that became a variable is made of.
    Inside inside(SequenceNode node) {
        return inner.get(node);
    }
}
