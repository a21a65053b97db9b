package tfx.passes.sequence;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import tfx.ir.BinaryFn;
import tfx.ir.ReduceFn;
import tfx.ir.Span;
import tfx.ir.UnaryFn;
import tfx.ir.graph.Algebra;
import tfx.ir.graph.GraphBuilder;
import tfx.ir.graph.Node;
import tfx.ir.graph.Op;
import tfx.ir.sequence.Atom;
import tfx.ir.sequence.AtomFn;
import tfx.ir.sequence.SelectorForm;
import tfx.ir.sequence.SelectorForm.Comparison;
import tfx.ir.sequence.SequenceNode;
import tfx.ir.sequence.SequenceOp;
import tfx.runtime.DType;
import tfx.runtime.Dim;
import tfx.runtime.TensorType;

/// Sums of a vector over what each position selects. The selector's normal form decides how: a product of
/// comparisons that bounds positions is a difference of prefix sums; one that names a position looks there;
/// equalities, and one order beside them, are ranges of sorted keys; what is none of these is a sum over all
/// pairs, which no memory holds.
final class SelectedSums {
    /// Beyond all positions.
    private static final double FAR = 0x1p60;

    /// By how much larger than a sum of floats what was taken from it may be.
    private static final double CANCELLED = 0x1p16;

    /// The keys of comparisons with positions: 0, 1, ... and a number added.
    private record Position(long offset) {}

    private final GraphBuilder graph;
    private final Algebra math;
    private final ColumnMath columns;
    private final Joins joins;
    private final Pairs pairs;
    private final Dim size;
    private final Function<SequenceNode, Column> values;
    private final boolean naive;
    private final Map<List<Integer>, Node> known = new HashMap<>();
    private final Map<SequenceNode, Optional<SelectorForm>> forms = new HashMap<>();

    /// @param naive whether every selector is summed over all pairs
    SelectedSums(
            GraphBuilder graph, ColumnMath columns, Dim size, Function<SequenceNode, Column> values, boolean naive) {
        this.graph = graph;
        this.math = new Algebra(graph, Span.NONE);
        this.columns = columns;
        this.joins = new Joins(graph, size);
        this.pairs = new Pairs(graph, columns, size, values);
        this.size = size;
        this.values = values;
        this.naive = naive;
    }

    private Optional<SelectorForm> form(SequenceNode selector) {
        return forms.computeIfAbsent(
                selector,
                s -> SelectorForm.of(s).flatMap(SelectorForm::withoutUnequal).filter(this::hasRanges));
    }

    /// Whether each product is a range of something sorted.
    private boolean hasRanges(SelectorForm form) {
        return form.terms().keySet().stream().allMatch(product -> {
            List<Comparison> pairs =
                    product.stream().filter(SelectedSums::isPair).toList();
            boolean direct = pairs.stream()
                    .anyMatch(c -> c.isEqual() && position(c.keys()).isPresent());
            long orders = pairs.stream()
                    .filter(c -> !c.isEqual())
                    .map(c -> attribute(c.keys()))
                    .distinct()
                    .count();
            return direct || orders <= 1;
        });
    }

    private static boolean isPair(Comparison c) {
        return !(c.keys().op() instanceof SequenceOp.Constant) && !(c.queries().op() instanceof SequenceOp.Constant);
    }

    private static Object attribute(SequenceNode keys) {
        return position(keys).isPresent() ? "positions" : keys;
    }

    private static Optional<Position> position(SequenceNode keys) {
        long offset = 0;
        SequenceNode node = keys;
        while (node.op() instanceof SequenceOp.Map m && (m.fn() == AtomFn.ADD || m.fn() == AtomFn.SUB)) {
            if (!(node.operand(1).op() instanceof SequenceOp.Constant c)
                    || !(c.value() instanceof Atom.Whole w)
                    || w.value().bitLength() >= 40) {
                return Optional.empty();
            }
            offset += m.fn() == AtomFn.ADD ? w.value().longValue() : -w.value().longValue();
            node = node.operand(0);
        }
        return node.op() instanceof SequenceOp.Indices ? Optional.of(new Position(offset)) : Optional.empty();
    }

    /// Whether each position selects one position at most.
    boolean isSingle(SequenceNode selector) {
        return form(selector)
                .filter(f -> f.terms().size() == 1)
                .filter(f -> f.terms().keySet().iterator().next().stream()
                        .anyMatch(c -> c.isEqual() && position(c.keys()).isPresent()))
                .isPresent();
    }

    /// The selector itself: bools, queries by keys.
    Node matrix(SequenceNode selector) {
        return pairs.of(selector);
    }

    /// For each position, the sum of a vector of i64 or f64 over what a selector selects.
    Node sum(SequenceNode selector, Node vector) {
        return known.computeIfAbsent(List.of(selector.id(), vector.id()), k -> {
            Optional<SelectorForm> form = naive ? Optional.empty() : form(selector);
            return form.map(f -> sum(f, vector)).orElseGet(() -> overPairs(selector, vector));
        });
    }

    /// For each position, the largest or smallest of what a selector selects: a scan where that is all positions
    /// so far, else over all pairs.
    Node extreme(ReduceFn fn, SequenceNode selector, Node vector) {
        if (!naive && form(selector).filter(SelectedSums::isPrefix).isPresent()) {
            return graph.add(new Op.Scan(fn, 0, false, false), List.of(vector.id()), vector.type(), Span.NONE);
        }
        List<Dim> shape = List.of(size, size);
        Node spread = graph.broadcast(vector, shape, List.of(1), Span.NONE);
        Node identity = math.fill(spread.type(), isReal(vector) ? fn.floatIdentity() : fn.integerIdentity(DType.I64));
        return math.reduce(fn, math.where(pairs.of(selector), spread, identity), List.of(1));
    }

    private static boolean isPrefix(SelectorForm form) {
        if (form.terms().size() != 1 || form.terms().keySet().iterator().next().size() != 1) {
            return false;
        }
        Comparison only = form.terms().keySet().iterator().next().getFirst();
        return only.keys().op() instanceof SequenceOp.Indices
                && only.queries().op() instanceof SequenceOp.Indices
                && only.takesLess()
                && only.takesEqual();
    }

    // ---- all pairs ----

    private Node overPairs(SequenceNode selector, Node vector) {
        List<Dim> shape = List.of(size, size);
        Node spread = graph.broadcast(vector, shape, List.of(1), Span.NONE);
        return math.sum(math.only(pairs.of(selector), spread), List.of(1));
    }

    // ---- products ----

    private Node sum(SelectorForm form, Node vector) {
        Node total = math.number(vector, 0);
        Node size = total;
        for (var term : form.terms().entrySet()) {
            Node one = product(term.getKey(), vector);
            total = math.add(total, math.scaled(one, term.getValue()));
            size = math.add(size, math.of(UnaryFn.ABS, one));
        }
        if (isReal(vector) && form.terms().size() > 1) {
            requirePrecise(total, size);
        }
        return total;
    }

    private static boolean isReal(Node vector) {
        return vector.type().dtype() == DType.F64;
    }

    private void requirePrecise(Node result, Node size) {
        columns.requirePrecise(math.of(BinaryFn.GE, math.scaled(math.of(UnaryFn.ABS, result), CANCELLED), size));
    }

    private Node product(List<Comparison> product, Node vector) {
        Optional<Node> rows = Optional.empty();
        List<Comparison> pairs = new ArrayList<>();
        Node weighted = vector;
        for (Comparison c : product) {
            if (values.apply(c.keys()).isNumber() != values.apply(c.queries()).isNumber()) {
                return math.number(vector, 0);
            }
            if (isPair(c)) {
                pairs.add(c);
            } else if (c.keys().op() instanceof SequenceOp.Constant) {
                Node holds = holds(c, values.apply(c.keys()), values.apply(c.queries()));
                rows = Optional.of(
                        rows.map(r -> math.of(BinaryFn.AND, r, holds)).orElse(holds));
            } else {
                weighted = math.only(holds(c, values.apply(c.keys()), values.apply(c.queries())), weighted);
            }
        }
        Node sum = pairs.isEmpty() ? total(weighted) : paired(pairs, weighted);
        return rows.map(r -> math.only(r, sum)).orElse(sum);
    }

    private Node total(Node vector) {
        return graph.broadcast(math.sum(vector, List.of(0)), List.of(size), List.of(), Span.NONE);
    }

    /// The comparison of two vectors position by position.
    private Node holds(Comparison c, Column keys, Column queries) {
        AtomFn fn = c.isEqual()
                ? AtomFn.EQ
                : c.takesLess() ? (c.takesEqual() ? AtomFn.LE : AtomFn.LT) : c.takesEqual() ? AtomFn.GE : AtomFn.GT;
        return columns.compare(fn, keys, queries);
    }

    private Node paired(List<Comparison> pairs, Node vector) {
        Optional<Comparison> direct = pairs.stream()
                .filter(c -> c.isEqual() && position(c.keys()).isPresent())
                .findFirst();
        if (direct.isPresent()) {
            return direct(direct.get(), pairs, vector);
        }
        List<Comparison> orders = pairs.stream().filter(c -> !c.isEqual()).toList();
        List<Comparison> equals = pairs.stream().filter(Comparison::isEqual).toList();
        if (equals.isEmpty()) {
            Ranks ranks = ranks(orders.getFirst());
            Range range = range(orders);
            return between(ranks.order(), vector, range.from(), range.to());
        }
        if (orders.isEmpty() && equals.size() == 1) {
            Ranks ranks = ranks(equals.getFirst());
            Node queries = ranks.queries();
            return between(
                    ranks.order(),
                    vector,
                    joins.search(ranks.sorted(), queries, false),
                    joins.search(ranks.sorted(), queries, true));
        }
        return grouped(equals, orders, vector);
    }

    /// One position can be selected: the query says which.
    private Node direct(Comparison named, List<Comparison> pairs, Node vector) {
        Column queries = values.apply(named.queries());
        long offset = position(named.keys()).orElseThrow().offset();
        Node place = math.plus(places(queries), -offset);
        Node inside = math.of(
                BinaryFn.AND,
                math.of(BinaryFn.GE, place, math.number(place, 0)),
                math.of(BinaryFn.LT, place, length()));
        if (queries.isReal()) {
            inside = math.of(
                    BinaryFn.AND,
                    inside,
                    math.of(BinaryFn.EQ, math.of(UnaryFn.FLOOR, queries.value()), queries.value()));
        }
        Node there = graph.cast(math.where(inside, place, math.number(place, 0)), DType.I32, Span.NONE);
        for (Comparison c : pairs) {
            if (c != named) {
                Node holds = holds(c, moved(values.apply(c.keys()), there), values.apply(c.queries()));
                inside = math.of(BinaryFn.AND, inside, holds);
            }
        }
        boolean ones = vector.equals(columns.fill(DType.I64, 1));
        return ones ? wide(inside) : math.only(inside, math.gather(vector, there, 0));
    }

    /// Values at other positions.
    Column moved(Column x, Node places) {
        return new Column(
                math.gather(x.value(), places, 0), x.kinds(), x.tag().map(t -> math.gather(t, places, 0)), x.bound());
    }

    private Node length() {
        TensorType scalar = new TensorType(DType.I64, List.of());
        Node n = graph.add(new Op.DimSize(size), List.of(), scalar, Span.NONE);
        return graph.broadcast(n, List.of(size), List.of(), Span.NONE);
    }

    /// Queries about positions as i64, floats rounded down.
    private Node places(Column queries) {
        if (!queries.isReal()) {
            return columns.number(queries);
        }
        // Whatever lies beyond all positions may as well lie where integers still add.
        Node floor = math.of(UnaryFn.FLOOR, queries.value());
        Node low = math.of(BinaryFn.MAX, floor, math.number(floor, -FAR));
        return graph.cast(math.of(BinaryFn.MIN, low, math.number(floor, FAR)), DType.I64, Span.NONE);
    }

    // ---- ranges ----

    /// Sorted keys of one comparison, in the dtype in which they meet its queries.
    ///
    /// @param order where the sorted keys come from; none where they are positions
    private record Ranks(Optional<Node> order, Node keys, Node sorted, Node queries) {}

    private record Range(Node from, Node to) {}

    private Ranks ranks(Comparison c) {
        if (position(c.keys()).isPresent()) {
            Node none = columns.fill(DType.I64, 0);
            return new Ranks(Optional.empty(), none, none, none);
        }
        List<Node> both = columns.comparable(values.apply(c.keys()), values.apply(c.queries()));
        Node order = joins.order(both.get(0));
        return new Ranks(Optional.of(order), both.get(0), math.gather(both.get(0), order, 0), both.get(1));
    }

    /// The ranks, from and up to, that comparisons of one attribute leave.
    private Range range(List<Comparison> orders) {
        Node from = columns.fill(DType.I32, 0);
        Node to = graph.cast(length(), DType.I32, Span.NONE);
        for (Comparison c : orders) {
            if (!c.takesLess()) {
                from = math.of(BinaryFn.MAX, from, rank(c, !c.takesEqual()));
            }
            if (!c.takesGreater()) {
                to = math.of(BinaryFn.MIN, to, rank(c, c.takesEqual()));
            }
        }
        return new Range(from, math.of(BinaryFn.MAX, from, to));
    }

    /// How many keys are below each query, or not above it.
    private Node rank(Comparison c, boolean notAbove) {
        Optional<Position> position = position(c.keys());
        if (position.isEmpty()) {
            Ranks ranks = ranks(c);
            return joins.search(ranks.sorted(), ranks.queries(), notAbove);
        }
        Column queries = values.apply(c.queries());
        Node below = math.plus(places(queries), -position.get().offset());
        if (notAbove) {
            below = math.plus(below, 1);
        } else if (queries.isReal()) {
            Node whole = math.of(BinaryFn.EQ, math.of(UnaryFn.FLOOR, queries.value()), queries.value());
            below = math.where(whole, below, math.plus(below, 1));
        }
        Node zero = math.number(below, 0);
        return graph.cast(math.of(BinaryFn.MAX, zero, math.of(BinaryFn.MIN, below, length())), DType.I32, Span.NONE);
    }

    /// Sums of ranges of a vector in an order.
    private Node between(Optional<Node> order, Node vector, Node from, Node to) {
        Node arranged = order.map(o -> math.gather(vector, o, 0)).orElse(vector);
        Node prefixes = joins.prefixes(arranged);
        Node sum = math.sub(math.gather(prefixes, to, 0), math.gather(prefixes, from, 0));
        if (isReal(vector)) {
            Node sizes = joins.prefixes(math.of(UnaryFn.ABS, arranged));
            Node nothing = math.of(
                    BinaryFn.OR, math.of(BinaryFn.EQ, from, math.number(from, 0)), math.of(BinaryFn.EQ, from, to));
            Node taken = math.only(math.of(UnaryFn.NOT, nothing), math.gather(sizes, to, 0));
            requirePrecise(sum, taken);
        }
        return sum;
    }

    /// Equalities, and ranges of one attribute inside what they leave: keys sorted by group, then by rank.
    private Node grouped(List<Comparison> equals, List<Comparison> orders, Node vector) {
        Node keys = columns.fill(DType.I64, 0);
        Node queries = keys;
        Optional<Node> matched = Optional.empty();
        for (Comparison c : equals) {
            Ranks ranks = ranks(c);
            Node from = joins.search(ranks.sorted(), ranks.queries(), false);
            Node to = joins.search(ranks.sorted(), ranks.queries(), true);
            Node found = math.of(BinaryFn.LT, from, to);
            Node code = joins.search(ranks.sorted(), ranks.keys(), false);
            matched = Optional.of(
                    matched.map(m -> math.of(BinaryFn.AND, m, found)).orElse(found));
            if (c == equals.getFirst()) {
                keys = wide(code);
                queries = wide(from);
            } else {
                Node pairs = math.add(math.mul(keys, length()), wide(code));
                Node asked = math.add(math.mul(queries, length()), wide(from));
                Node sorted = joins.sorted(pairs);
                keys = wide(joins.search(sorted, pairs, false));
                Node below = joins.search(sorted, asked, false);
                Node upTo = joins.search(sorted, asked, true);
                matched = matched.map(m -> math.of(BinaryFn.AND, m, math.of(BinaryFn.LT, below, upTo)));
                queries = wide(below);
            }
        }
        Node stride = math.plus(length(), 1);
        Node first = math.mul(queries, stride);
        Node from = first;
        Node to = math.plus(first, 1);
        Node sortKeys = math.mul(keys, stride);
        if (!orders.isEmpty()) {
            Comparison order = orders.getFirst();
            Ranks ranks = ranks(order);
            Node inside = position(order.keys()).isPresent()
                    ? math.iota(size)
                    : joins.search(ranks.sorted(), ranks.keys(), false);
            Range range = range(orders);
            sortKeys = math.add(sortKeys, wide(inside));
            from = math.add(first, wide(range.from()));
            to = math.add(first, wide(range.to()));
        }
        Node order = joins.order(sortKeys);
        Node sorted = math.gather(sortKeys, order, 0);
        Node sum =
                between(Optional.of(order), vector, joins.search(sorted, from, false), joins.search(sorted, to, false));
        return math.only(matched.orElseThrow(), sum);
    }

    private Node wide(Node x) {
        return graph.cast(x, DType.I64, Span.NONE);
    }
}
