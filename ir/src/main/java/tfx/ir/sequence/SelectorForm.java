package tfx.ir.sequence;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/// The normal form of a selector: a sum of products of comparisons, each product with a whole factor, whose
/// value is 1 where the selector selects and 0 elsewhere. `a or b` is `a + b - ab`, `not a` is `1 - a`; a
/// product that compares the same keys and queries twice is one comparison or nothing at all, so that unions of
/// what excludes each other, such as the ranks of a sort, stay short.
///
/// Counts and sums over the selected positions are then sums of counts and sums over products.
public record SelectorForm(Map<List<SelectorForm.Comparison>, Long> terms) {
    /// More products than this are not worth telling apart.
    private static final int MAX_TERMS = 32;

    private static final int LESS = 1;
    private static final int EQUAL = 2;
    private static final int GREATER = 4;
    private static final int ALL = LESS | EQUAL | GREATER;

    private static final Comparator<List<Comparison>> ORDER =
            Comparator.<List<Comparison>>comparingInt(List::size).thenComparing(Object::toString);

    /// `keys[j] ? queries[i]`, true for the orders of the two that `relation` holds.
    ///
    /// @param relation a sum of 1 (less), 2 (equal) and 4 (greater)
    public record Comparison(SequenceNode keys, SequenceNode queries, int relation) {
        public boolean isEqual() {
            return relation == EQUAL;
        }

        /// Whether keys below the query are selected.
        public boolean takesLess() {
            return (relation & LESS) != 0;
        }

        public boolean takesEqual() {
            return (relation & EQUAL) != 0;
        }

        public boolean takesGreater() {
            return (relation & GREATER) != 0;
        }

        @Override
        public String toString() {
            String operator = List.of("", "<", "==", "<=", ">", "!=", ">=").get(relation);
            return "%" + keys.id() + " " + operator + " %" + queries.id();
        }
    }

    /// The form of a selector; none if it has too many products.
    public static Optional<SelectorForm> of(SequenceNode selector) {
        Map<SequenceNode, Optional<SelectorForm>> forms = new HashMap<>();
        for (SequenceNode node : SequenceNode.closure(List.of(selector))) {
            if (node.op() instanceof SequenceOp.Selector op) {
                forms.put(node, form(node, op, forms));
            }
        }
        return forms.get(selector);
    }

    private static Optional<SelectorForm> form(
            SequenceNode node, SequenceOp.Selector op, Map<SequenceNode, Optional<SelectorForm>> known) {
        Optional<SelectorForm> a = known.getOrDefault(node.operands().getFirst(), Optional.empty());
        Optional<SelectorForm> b = known.getOrDefault(node.operands().getLast(), Optional.empty());
        if (!(op instanceof SequenceOp.Select) && (a.isEmpty() || b.isEmpty())) {
            return Optional.empty();
        }
        return bounded(() -> switch (op) {
            case SequenceOp.Select s -> comparison(node.operand(0), node.operand(1), s.comparison());
            case SequenceOp.Both both -> a.get().times(b.get());
            case SequenceOp.Either either ->
                a.get().plus(b.get(), 1).plus(a.get().times(b.get()), -1);
            case SequenceOp.Complement complement -> a.get().complement();
        });
    }

    private static SelectorForm comparison(SequenceNode keys, SequenceNode queries, AtomFn comparison) {
        int relation = relation(comparison);
        if (keys.op() instanceof SequenceOp.Constant k && queries.op() instanceof SequenceOp.Constant q) {
            boolean holds = Numbers.truth(comparison.apply(List.of(k.value(), q.value())));
            return constant(holds ? 1 : 0);
        }
        return single(new Comparison(keys, queries, relation));
    }

    private static int relation(AtomFn comparison) {
        return switch (comparison) {
            case LT -> LESS;
            case LE -> LESS | EQUAL;
            case EQ -> EQUAL;
            case GE -> GREATER | EQUAL;
            case GT -> GREATER;
            default -> LESS | GREATER;
        };
    }

    private static SelectorForm constant(long value) {
        TreeMap<List<Comparison>, Long> terms = new TreeMap<>(ORDER);
        if (value != 0) {
            terms.put(List.of(), value);
        }
        return new SelectorForm(terms);
    }

    private static SelectorForm single(Comparison comparison) {
        TreeMap<List<Comparison>, Long> terms = new TreeMap<>(ORDER);
        terms.put(List.of(comparison), 1L);
        return new SelectorForm(terms);
    }

    private static SelectorForm limited(TreeMap<List<Comparison>, Long> terms) {
        if (terms.size() > MAX_TERMS) {
            throw new TooMany();
        }
        return new SelectorForm(terms);
    }

    /// Ends a form that grows too long.
    private static final class TooMany extends RuntimeException {
        private static final long serialVersionUID = 1;

        TooMany() {
            super("", null, false, false);
        }
    }

    private SelectorForm plus(SelectorForm other, long factor) {
        TreeMap<List<Comparison>, Long> sum = new TreeMap<>(ORDER);
        sum.putAll(terms);
        other.terms.forEach((product, count) -> sum.merge(product, factor * count, Long::sum));
        sum.values().removeIf(count -> count == 0);
        return limited(sum);
    }

    private SelectorForm times(SelectorForm other) {
        TreeMap<List<Comparison>, Long> product = new TreeMap<>(ORDER);
        terms.forEach((a, count) -> other.terms.forEach(
                (b, more) -> joined(a, b).ifPresent(all -> product.merge(all, count * more, Long::sum))));
        product.values().removeIf(count -> count == 0);
        return limited(product);
    }

    private SelectorForm complement() {
        if (terms.size() == 1) {
            var only = terms.entrySet().iterator().next();
            if (only.getValue() == 1 && only.getKey().size() == 1) {
                Comparison c = only.getKey().getFirst();
                return single(new Comparison(c.keys(), c.queries(), ALL ^ c.relation()));
            }
        }
        return constant(1).plus(this, -1);
    }

    /// Two products as one; none where they exclude each other.
    private static Optional<List<Comparison>> joined(List<Comparison> a, List<Comparison> b) {
        TreeMap<Integer, TreeMap<Integer, Comparison>> all = new TreeMap<>();
        for (List<Comparison> part : List.of(a, b)) {
            for (Comparison c : part) {
                Comparison both = all.computeIfAbsent(c.keys().id(), k -> new TreeMap<>())
                        .merge(
                                c.queries().id(),
                                c,
                                (x, y) -> new Comparison(x.keys(), x.queries(), x.relation() & y.relation()));
                if (both.relation() == 0) {
                    return Optional.empty();
                }
            }
        }
        List<Comparison> product = new ArrayList<>();
        all.values().forEach(of -> product.addAll(of.values()));
        return Optional.of(List.copyOf(product));
    }

    /// The same sum without `!=`, which becomes "all but the equal".
    public Optional<SelectorForm> withoutUnequal() {
        return bounded(this::expandUnequal);
    }

    private SelectorForm expandUnequal() {
        SelectorForm form = constant(0);
        for (var term : terms.entrySet()) {
            SelectorForm product = constant(term.getValue());
            for (Comparison c : term.getKey()) {
                product = product.times(
                        c.relation() == (LESS | GREATER)
                                ? constant(1).plus(single(new Comparison(c.keys(), c.queries(), EQUAL)), -1)
                                : single(c));
            }
            form = form.plus(product, 1);
        }
        return form;
    }

    /// The same sum over `<` and `==` alone, in which `>` is what both leave: selectors that select the same
    /// whatever the keys and queries hold have the same one.
    public Optional<SelectorForm> canonical() {
        return bounded(this::expandGreater);
    }

    private static Optional<SelectorForm> bounded(Supplier<SelectorForm> expansion) {
        try {
            return Optional.of(expansion.get());
        } catch (TooMany e) {
            return Optional.empty();
        }
    }

    private SelectorForm expandGreater() {
        SelectorForm form = constant(0);
        for (var term : terms.entrySet()) {
            SelectorForm product = constant(term.getValue());
            for (Comparison c : term.getKey()) {
                SelectorForm sum = constant(c.takesGreater() ? 1 : 0);
                for (int relation : List.of(LESS, EQUAL)) {
                    long count = ((c.relation() & relation) != 0 ? 1 : 0) - (c.takesGreater() ? 1 : 0);
                    if (count != 0) {
                        sum = sum.plus(single(new Comparison(c.keys(), c.queries(), relation)), count);
                    }
                }
                product = product.times(sum);
            }
            form = form.plus(product, 1);
        }
        return form;
    }

    /// `%1 < %2 + %1 == %2 * %3 == %4 - ...`.
    @Override
    public String toString() {
        StringBuilder out = new StringBuilder();
        terms.forEach((product, count) -> {
            out.append(out.isEmpty() ? (count < 0 ? "-" : "") : count < 0 ? " - " : " + ");
            String factors = product.stream().map(Comparison::toString).collect(Collectors.joining(" * "));
            out.append(Math.abs(count) != 1 || factors.isEmpty() ? Math.abs(count) + " " : "")
                    .append(factors);
        });
        return out.isEmpty() ? "0" : out.toString().strip();
    }
}
