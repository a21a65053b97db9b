package tfx.ir.sequence;

import java.math.BigInteger;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tfx.ir.Span;

/// Makes s-ops and selectors. Equal operations on equal operands are one node, which is how heads are found to
/// be the same. What fails for every input is refused here.
public final class SequenceGraph {
    private record Key(SequenceOp op, List<Integer> operands) {}

    private final Map<Key, SequenceNode> known = new HashMap<>();
    private final Map<SequenceNode, String> names = new HashMap<>();

    /// Says what a node is called where that is shown; the first name stays.
    public void name(SequenceNode node, String name) {
        names.putIfAbsent(node, name);
    }

    /// What a node is called in its source, if anything.
    public Optional<String> name(SequenceNode node) {
        return Optional.ofNullable(names.get(node));
    }

    public SequenceNode tokens(SequenceOp.Conversion conversion, Span span) {
        return node(new SequenceOp.Tokens(conversion), List.of(), span);
    }

    public SequenceNode indices(Span span) {
        return node(new SequenceOp.Indices(), List.of(), span);
    }

    public SequenceNode constant(Atom value, Span span) {
        return node(new SequenceOp.Constant(value), List.of(), span);
    }

    public SequenceNode map(AtomFn fn, List<SequenceNode> operands, Span span) {
        return node(new SequenceOp.Map(fn), operands, span);
    }

    public SequenceNode select(AtomFn comparison, SequenceNode keys, SequenceNode queries, Span span) {
        return node(new SequenceOp.Select(comparison), List.of(keys, queries), span);
    }

    /// The mean of what is selected.
    public SequenceNode aggregate(SequenceNode selector, SequenceNode values, Atom otherwise, Span span) {
        return aggregate(SequenceOp.Reduction.MEAN, selector, values, otherwise, span);
    }

    public SequenceNode aggregate(
            SequenceOp.Reduction reduction, SequenceNode selector, SequenceNode values, Atom otherwise, Span span) {
        return node(new SequenceOp.Aggregate(reduction, otherwise), List.of(selector, values), span);
    }

    /// Each position sees itself and those before it.
    public SequenceNode prefix(Span span) {
        return select(AtomFn.LE, indices(span), indices(span), span);
    }

    /// What a selector selects among the positions that are not later.
    public SequenceNode causal(SequenceNode selector, Span span) {
        return node(new SequenceOp.Both(), List.of(selector, prefix(span)), span);
    }

    public SequenceNode width(SequenceNode selector, Span span) {
        return node(new SequenceOp.Width(), List.of(selector), span);
    }

    /// All positions for each position.
    public SequenceNode full(Span span) {
        SequenceNode one = constant(Atom.of(1), span);
        return select(AtomFn.EQ, one, one, span);
    }

    /// The number of positions at each position, by one head: one over the share that position 0 has.
    public SequenceNode length(Span span) {
        SequenceNode first = map(AtomFn.EQ, List.of(indices(span), constant(Atom.of(0), span)), span);
        SequenceNode share = aggregate(full(span), map(AtomFn.INDICATOR, List.of(first), span), Atom.of(0), span);
        SequenceNode inverse = map(AtomFn.DIV, List.of(constant(Atom.of(1), span), share), span);
        return map(AtomFn.ROUND, List.of(inverse), span);
    }

    /// The value at one position, for all positions; from the end where `index` is negative. 0 where there is no
    /// such position.
    public SequenceNode at(SequenceNode values, Atom index, Span span) {
        SequenceNode place = constant(index, span);
        if (Numbers.whole(index).signum() < 0) {
            place = map(AtomFn.ADD, List.of(length(span), place), span);
        }
        return aggregate(select(AtomFn.EQ, indices(span), place, span), values, Atom.of(0), span);
    }

    /// Of what a node needs, what reads one position that an input of this length does not have, and gives 0 for
    /// it.
    public List<SequenceNode> outside(SequenceNode root, int length) {
        return SequenceNode.closure(List.of(root)).stream()
                .filter(n -> n.op() instanceof SequenceOp.Aggregate
                        && n.operand(0).op() instanceof SequenceOp.Select s
                        && s.comparison() == AtomFn.EQ
                        && n.operand(0).operand(0).op() instanceof SequenceOp.Indices
                        && isOutside(n.operand(0).operand(1), length))
                .toList();
    }

    private boolean isOutside(SequenceNode place, int length) {
        if (place.op() instanceof SequenceOp.Constant c && c.value() instanceof Atom.Whole w) {
            return w.value().compareTo(BigInteger.valueOf(length)) >= 0;
        }
        return place.op() instanceof SequenceOp.Map m
                && m.fn() == AtomFn.ADD
                && place.operand(0) == length(Span.NONE)
                && place.operand(1).op() instanceof SequenceOp.Constant c
                && c.value() instanceof Atom.Whole w
                && w.value().compareTo(BigInteger.valueOf(-length)) < 0;
    }

    /// Whether an atom is at any position, for all positions.
    public SequenceNode contains(SequenceNode values, Atom atom, Span span) {
        SequenceNode here = map(AtomFn.EQ, List.of(values, constant(atom, span)), span);
        SequenceNode share = aggregate(full(span), map(AtomFn.INDICATOR, List.of(here), span), Atom.of(0), span);
        return map(AtomFn.GT, List.of(share, constant(Atom.of(0), span)), span);
    }

    /// Adds an operation.
    ///
    /// @throws SequenceError if it fails for every input
    public SequenceNode node(SequenceOp op, List<SequenceNode> operands, Span span) {
        Key key = new Key(op, operands.stream().map(SequenceNode::id).toList());
        SequenceNode found = known.get(key);
        if (found == null) {
            Set<Kind> kinds = kinds(op, operands, span);
            found = new SequenceNode(this, known.size(), op, operands, kinds, span);
            known.put(key, found);
        }
        return found;
    }

    private static Set<Kind> kinds(SequenceOp op, List<SequenceNode> operands, Span span) {
        return switch (op) {
            case SequenceOp.Tokens t ->
                switch (t.conversion()) {
                    case ASIS -> EnumSet.allOf(Kind.class);
                    case STR -> EnumSet.of(Kind.TEXT);
                    case INT -> EnumSet.of(Kind.WHOLE);
                    case FLOAT -> EnumSet.of(Kind.REAL);
                    case BOOL -> EnumSet.of(Kind.TRUTH);
                };
            case SequenceOp.Indices i -> EnumSet.of(Kind.WHOLE);
            case SequenceOp.Constant c -> EnumSet.of(c.value().kind());
            case SequenceOp.Map m -> mapped(m.fn(), operands, span);
            case SequenceOp.Choose c ->
                Kind.union(operands.get(1).kinds(), operands.get(2).kinds());
            case SequenceOp.Lookup l -> looked(l, operands.getFirst(), span);
            case SequenceOp.Among a -> EnumSet.of(Kind.TRUTH);
            case SequenceOp.Select s -> {
                mapped(s.comparison(), operands, span);
                yield Set.of();
            }
            case SequenceOp.Selector joined -> Set.of();
            case SequenceOp.Aggregate a -> {
                EnumSet<Kind> all = EnumSet.copyOf(operands.get(1).kinds());
                all.add(a.otherwise().kind());
                boolean numbers = operands.get(1).kinds().stream().anyMatch(k -> k == Kind.WHOLE || k == Kind.REAL);
                if (numbers && a.reduction() == SequenceOp.Reduction.MEAN) {
                    all.add(Kind.REAL);
                }
                yield all;
            }
            case SequenceOp.Width w -> EnumSet.of(Kind.WHOLE);
        };
    }

    private static Set<Kind> mapped(AtomFn fn, List<SequenceNode> operands, Span span) {
        List<Set<Kind>> arguments = operands.stream().map(SequenceNode::kinds).toList();
        Set<Kind> kinds = fn.kinds(arguments);
        if (kinds.isEmpty()) {
            throw new SequenceError(
                    span,
                    fn.text() + " is not defined on "
                            + String.join(
                                    " and ",
                                    arguments.stream()
                                            .map(SequenceGraph::describe)
                                            .toList()));
        }
        return kinds;
    }

    private static String describe(Set<Kind> kinds) {
        return String.join(
                " or ", EnumSet.copyOf(kinds).stream().map(k -> k.text() + "s").toList());
    }

    private static Set<Kind> looked(SequenceOp.Lookup lookup, SequenceNode index, Span span) {
        if (lookup.values().isEmpty()) {
            throw new SequenceError(span, "every lookup in an empty list or dict fails");
        }
        if (lookup.isList()
                && !index.kinds().contains(Kind.WHOLE)
                && !index.kinds().contains(Kind.TRUTH)) {
            throw new SequenceError(span, "places in a list are ints, not " + describe(index.kinds()));
        }
        EnumSet<Kind> kinds = EnumSet.noneOf(Kind.class);
        lookup.values().forEach(v -> kinds.add(v.kind()));
        return kinds;
    }
}
