package tfx.passes.sequence;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tfx.ir.BinaryFn;
import tfx.ir.InternalError;
import tfx.ir.ReduceFn;
import tfx.ir.Span;
import tfx.ir.UnaryFn;
import tfx.ir.graph.Algebra;
import tfx.ir.graph.Graph;
import tfx.ir.graph.GraphBuilder;
import tfx.ir.graph.Node;
import tfx.ir.graph.Op;
import tfx.ir.sequence.Atom;
import tfx.ir.sequence.AtomFn;
import tfx.ir.sequence.Kind;
import tfx.ir.sequence.SequenceNode;
import tfx.ir.sequence.SequenceOp;
import tfx.runtime.DType;
import tfx.runtime.Dim;
import tfx.runtime.TensorType;

/// What: an s-op or a selector becomes a graph of vectors of one length, which every backend runs. Requires: the
/// kind of the input's tokens. Ensures: where the output `regular` is true, the others are what the evaluator
/// gives, up to the rounding of sums of floats; where `precise` is false, such sums lost digits to cancellation,
/// which sums over all pairs do not. Does not: report errors; a call that fails, or leaves the numbers that
/// vectors hold, is not regular, and the evaluator says why.
public final class SequenceLowering {
    /// A lowered program. Its outputs are `value`, `regular`, `precise`, and `tag` where positions differ in kind.
    ///
    /// @param kinds of the values; bools for a selector, queries by keys
    public record Lowered(Graph graph, List<Feed> feeds, Set<Kind> kinds, boolean tagged) {
        public Lowered {
            feeds = List.copyOf(feeds);
            kinds = Set.copyOf(kinds);
        }

        /// The names of the graph's inputs.
        public Set<String> inputs() {
            Set<String> names = new HashSet<>();
            for (Node node : graph.nodes()) {
                if (node.op() instanceof Op.Input i) {
                    names.add(i.name());
                }
            }
            return names;
        }
    }

    /// The integers that tokens may be: any two can be added and compared.
    public static final double LARGEST_TOKEN = 0x1p53;

    /// Larger programs take longer to compile than to run.
    private static final int MAX_NODES = 6000;

    /// More functions of strings than this are not tabulated: each table holds all strings.
    private static final int MAX_TABLES = 200;

    /// More numbers than this are not compared one by one.
    private static final int MAX_COMPARED = 64;

    /// Positions are i32.
    private static final double LARGEST_PLACE = 0x1p31;

    private final Dim size = Dim.symbol("n");
    private final Dim codes = Dim.symbol("codes");
    private final GraphBuilder graph = new GraphBuilder();
    private final Algebra math = new Algebra(graph, Span.NONE);
    private final ColumnMath columns = new ColumnMath(graph, size);
    private final SelectedSums sums;
    private final Kind input;
    private final List<Feed> feeds = new ArrayList<>();
    private final Map<SequenceNode, Column> done = new HashMap<>();

    private SequenceLowering(Kind input, boolean naive) {
        this.input = input;
        this.sums = new SelectedSums(graph, columns, size, done::get, naive);
        // The number of positions, for programs that read no tokens.
        feeds.add(new Feed.Positions(feed("positions")));
        input(feeds.getFirst().name(), DType.BOOL, List.of(size));
    }

    /// Lowers a node.
    ///
    /// @param input the kind of all tokens
    /// @param naive whether every selector is a sum over all pairs of positions
    /// @throws Irregular where there is no vector form
    public static Lowered lower(SequenceNode root, Kind input, boolean naive) {
        SequenceLowering lowering = new SequenceLowering(input, naive);
        List<SequenceNode> nodes = SequenceNode.closure(List.of(root));
        if (nodes.size() > MAX_NODES) {
            throw new Irregular("more than " + MAX_NODES + " operations");
        }
        for (SequenceNode node : nodes) {
            if (!node.isSelector()) {
                lowering.done.put(node, lowering.column(node));
            } else if (node.op() instanceof SequenceOp.Select s) {
                lowering.requireOrder(s.comparison(), node);
            }
        }
        return lowering.finish(root);
    }

    /// Strings and numbers are equal or not, and nothing else.
    private void requireOrder(AtomFn comparison, SequenceNode select) {
        boolean apart = done.get(select.operand(0)).isNumber()
                != done.get(select.operand(1)).isNumber();
        if (apart && comparison != AtomFn.EQ && comparison != AtomFn.NE) {
            throw new Irregular("strings and numbers have no order");
        }
    }

    private Lowered finish(SequenceNode root) {
        Column result = root.isSelector() ? Column.truth(sums.matrix(root)) : done.get(root);
        graph.output("value", result.value());
        result.tag().ifPresent(t -> graph.output("tag", t));
        graph.output("regular", columns.regular());
        graph.output("precise", columns.precise());
        Graph built = graph.build("sequence");
        return new Lowered(built, feeds, result.kinds(), result.tag().isPresent());
    }

    private Node input(String name, DType dtype, List<Dim> shape) {
        return graph.input(name, new TensorType(dtype, shape), Span.NONE);
    }

    private String feed(String what) {
        return what + feeds.size();
    }

    /// How vectors hold a kind.
    public static DType dtype(Kind kind) {
        return switch (kind) {
            case TRUTH -> DType.BOOL;
            case WHOLE -> DType.I64;
            case REAL -> DType.F64;
            case TEXT -> DType.I32;
        };
    }

    private Column column(SequenceNode node) {
        return switch (node.op()) {
            case SequenceOp.Tokens t -> tokens(t.conversion());
            case SequenceOp.Indices i ->
                Column.of(graph.cast(math.iota(size), DType.I64, Span.NONE), Kind.WHOLE, LARGEST_PLACE);
            case SequenceOp.Constant c -> constant(c.value());
            case SequenceOp.Map m -> map(m.fn(), node);
            case SequenceOp.Choose c ->
                columns.choose(truth(done.get(node.operand(0))), done.get(node.operand(1)), done.get(node.operand(2)));
            case SequenceOp.Lookup l -> lookup(l, node);
            case SequenceOp.Among a -> among(a, node);
            case SequenceOp.Aggregate a -> aggregate(a, node.operand(0), done.get(node.operand(1)));
            case SequenceOp.Width w -> Column.of(count(node.operand(0)), Kind.WHOLE, LARGEST_PLACE);
            case SequenceOp.Selector s -> throw new InternalError("a selector is no column: " + node);
        };
    }

    private Column tokens(SequenceOp.Conversion conversion) {
        Kind kind = switch (conversion) {
            case ASIS -> input;
            case STR -> Kind.TEXT;
            case INT -> Kind.WHOLE;
            case FLOAT -> Kind.REAL;
            case BOOL -> Kind.TRUTH;
        };
        String name = feed("tokens");
        feeds.add(new Feed.Tokens(name, conversion, kind));
        return Column.of(input(name, dtype(kind), List.of(size)), kind, LARGEST_TOKEN);
    }

    private Column constant(Atom value) {
        if (value instanceof Atom.Text t) {
            return Column.of(graph.broadcast(code(t.value()), List.of(size), List.of(), Span.NONE), Kind.TEXT, 0);
        }
        if (value instanceof Atom.Whole w) {
            if (w.value().bitLength() > 62) {
                throw new Irregular("an int of " + w.value().bitLength() + " bits");
            }
            Node number = graph.constant(DType.I64, w.value().longValue(), Span.NONE);
            return Column.of(
                    graph.broadcast(number, List.of(size), List.of(), Span.NONE),
                    Kind.WHOLE,
                    Math.abs(w.value().doubleValue()));
        }
        if (!Double.isFinite(Feed.number(value))) {
            throw new Irregular("a float that is not finite");
        }
        return Column.of(columns.fill(dtype(value.kind()), Feed.number(value)), value.kind(), 1);
    }

    private Node code(String text) {
        for (Feed feed : feeds) {
            if (feed instanceof Feed.Code c && c.text().equals(text)) {
                return input(c.name(), DType.I32, List.of());
            }
        }
        String name = feed("code");
        feeds.add(new Feed.Code(name, text));
        return input(name, DType.I32, List.of());
    }

    /// `bool(x)`.
    private Node truth(Column x) {
        if (x.isNumber()) {
            return columns.truth(x);
        }
        Node empty = graph.broadcast(code(""), List.of(size), List.of(), Span.NONE);
        return math.of(BinaryFn.NE, x.value(), empty);
    }

    private Column map(AtomFn fn, SequenceNode node) {
        Column a = done.get(node.operands().getFirst());
        Column b = done.get(node.operands().getLast());
        return switch (fn) {
            case NOT -> Column.truth(math.of(UnaryFn.NOT, truth(a)));
            case INDICATOR -> Column.of(graph.cast(truth(a), DType.I64, Span.NONE), Kind.WHOLE, 1);
            case AND -> Column.truth(math.of(BinaryFn.AND, truth(a), truth(b)));
            case OR -> Column.truth(math.of(BinaryFn.OR, truth(a), truth(b)));
            case EQ, NE, LT, LE, GT, GE -> compare(fn, a, b);
            case ADD, SUB, MUL -> a.isNumber() && b.isNumber() ? columns.arithmetic(fn, a, b) : text(fn, node, a, b);
            case NEG -> columns.negate(numbers(a));
            case POS -> columns.plain(numbers(a));
            case ROUND -> columns.round(numbers(a));
            case DIV -> columns.divide(numbers(a), numbers(b));
            case MOD -> columns.remainder(numbers(a), numbers(b));
            case POW -> columns.power(numbers(a), numbers(b));
        };
    }

    private static Column numbers(Column x) {
        if (!x.isNumber()) {
            throw new Irregular("arithmetic on strings");
        }
        return x;
    }

    private Column compare(AtomFn fn, Column a, Column b) {
        if (a.isNumber() == b.isNumber()) {
            return Column.truth(columns.compare(fn, a, b));
        }
        if (fn != AtomFn.EQ && fn != AtomFn.NE) {
            throw new Irregular("strings and numbers have no order");
        }
        return Column.truth(columns.fill(DType.BOOL, fn == AtomFn.NE ? 1 : 0));
    }

    /// A string made of one string, or of two.
    private Column text(AtomFn fn, SequenceNode node, Column a, Column b) {
        boolean left = node.operand(0).op() instanceof SequenceOp.Constant;
        boolean right = node.operand(1).op() instanceof SequenceOp.Constant;
        if (left && !b.isNumber()) {
            return table(node, 1, b, Kind.TEXT);
        }
        if (right && !a.isNumber()) {
            return table(node, 0, a, Kind.TEXT);
        }
        if (fn != AtomFn.ADD || a.isNumber() || b.isNumber()) {
            throw new Irregular("a string is repeated a number of times that positions differ in");
        }
        String name = feed("pairs");
        feeds.add(new Feed.PairTable(name, node));
        Node table = input(name, DType.I32, List.of(codes, codes));
        Node flat = graph.reshape(table, List.of(codes.times(codes)), Span.NONE);
        Node stride = graph.add(new Op.DimSize(codes), List.of(), new TensorType(DType.I32, List.of()), Span.NONE);
        Node rows = math.mul(a.value(), graph.broadcast(stride, List.of(size), List.of(), Span.NONE));
        return checked(math.gather(flat, math.add(rows, b.value()), 0), Kind.TEXT);
    }

    /// Codes, of which negative ones stand for strings that the call did not foresee.
    private Column checked(Node code, Kind kind) {
        columns.require(math.of(BinaryFn.GE, code, math.number(code, 0)));
        return Column.of(code, kind, 0);
    }

    private Column table(SequenceNode node, int operand, Column text, Kind kind) {
        if (feeds.size() > MAX_TABLES) {
            throw new Irregular("more than " + MAX_TABLES + " functions of strings");
        }
        String name = feed("table");
        Feed.Table feed = new Feed.Table(name, name + ".valid", node, operand, kind);
        feeds.add(feed);
        Node values = input(name, dtype(kind), List.of(codes));
        Node valid = input(feed.valid(), DType.BOOL, List.of(codes));
        columns.require(math.gather(valid, text.value(), 0));
        return Column.of(math.gather(values, text.value(), 0), kind, LARGEST_TOKEN);
    }

    private static Kind single(Set<Kind> kinds) {
        if (kinds.size() != 1) {
            throw new Irregular("a list or dict mixes kinds of values");
        }
        return kinds.iterator().next();
    }

    private Column among(SequenceOp.Among among, SequenceNode node) {
        Column x = done.get(node.operand(0));
        if (!x.isNumber()) {
            return table(node, 0, x, Kind.TRUTH);
        }
        Node found = columns.fill(DType.BOOL, 0);
        if (among.items().size() > MAX_COMPARED) {
            throw new Irregular("more than " + MAX_COMPARED + " items");
        }
        for (Atom item : among.items()) {
            if (item.kind() != Kind.TEXT) {
                found = math.of(BinaryFn.OR, found, columns.compare(AtomFn.EQ, x, constant(item)));
            }
        }
        return Column.truth(found);
    }

    /// A list as a vector, a dict of numbers by one comparison for each of its keys.
    private Column lookup(SequenceOp.Lookup lookup, SequenceNode node) {
        Column index = done.get(node.operand(0));
        Kind kind = single(node.kinds());
        if (!index.isNumber()) {
            return table(node, 0, index, kind);
        }
        if (lookup.isList()) {
            return listed(lookup, index, kind);
        }
        List<Atom> keys = lookup.keys();
        int count = keys.size();
        if (count > MAX_COMPARED) {
            throw new Irregular("more than " + MAX_COMPARED + " keys");
        }
        Node found = columns.fill(DType.BOOL, 0);
        Column value = constant(lookup.values().getFirst());
        for (int i = 0; i < count; i++) {
            if (keys.get(i).kind() == Kind.TEXT) {
                continue;
            }
            Node here = columns.compare(AtomFn.EQ, index, constant(keys.get(i)));
            value = columns.choose(here, constant(lookup.values().get(i)), value);
            found = math.of(BinaryFn.OR, found, here);
        }
        columns.require(found);
        return value;
    }

    /// Values of a list, whose places count from -1 at its end too.
    private Column listed(SequenceOp.Lookup lookup, Column index, Kind kind) {
        if (index.isReal()) {
            throw new Irregular("a float is no place in a list");
        }
        int count = lookup.values().size();
        String name = feed("list");
        feeds.add(new Feed.Values(name, lookup.values(), kind));
        Node values = input(name, dtype(kind), List.of(Dim.of(count)));
        Node place = columns.number(index);
        Node wrapped = math.where(columns.compare(BinaryFn.LT, place, 0), math.plus(place, count), place);
        Node inside = math.of(
                BinaryFn.AND, columns.compare(BinaryFn.GE, wrapped, 0), columns.compare(BinaryFn.LT, wrapped, count));
        columns.require(inside);
        Node there = graph.cast(math.only(inside, wrapped), DType.I32, Span.NONE);
        double bound = lookup.values().stream()
                .mapToDouble(v -> kind == Kind.TEXT ? 0 : Math.abs(Feed.number(v)))
                .max()
                .orElse(0);
        return Column.of(math.gather(values, there, 0), kind, bound);
    }

    private Node count(SequenceNode selector) {
        return sums.sum(selector, columns.fill(DType.I64, 1));
    }

    private Column aggregate(SequenceOp.Aggregate op, SequenceNode selector, Column x) {
        Node count = count(selector);
        Node none = math.of(BinaryFn.EQ, count, math.number(count, 0));
        Column result = switch (op.reduction()) {
            case MEAN -> meanOrOne(selector, x, count);
            case MAX -> extreme(ReduceFn.MAX, selector, x, none);
            case MIN -> extreme(ReduceFn.MIN, selector, x, none);
        };
        if (x.isNumber() != (op.otherwise().kind() != Kind.TEXT)) {
            // A sequence of strings and numbers is an error, unless no position selects anything.
            columns.require(math.of(UnaryFn.NOT, none));
            return result;
        }
        return columns.choose(none, constant(op.otherwise()), result);
    }

    private Column extreme(ReduceFn fn, SequenceNode selector, Column x, Node none) {
        if (x.kinds().size() != 1) {
            throw new Irregular("the largest or smallest of several kinds of numbers");
        }
        Kind kind = x.kinds().iterator().next();
        Node values = kind == Kind.REAL ? x.value() : graph.cast(x.value(), DType.I64, Span.NONE);
        Node found = math.where(none, math.number(values, 0), sums.extreme(fn, selector, values));
        return switch (kind) {
            case TRUTH -> Column.truth(columns.compare(BinaryFn.NE, found, 0));
            case TEXT -> Column.of(graph.cast(found, DType.I32, Span.NONE), kind, 0);
            case WHOLE, REAL -> Column.of(found, kind, x.bound());
        };
    }

    private Column meanOrOne(SequenceNode selector, Column x, Node count) {
        Node one = math.of(BinaryFn.EQ, count, math.number(count, 1));
        boolean means = x.kinds().contains(Kind.WHOLE) || x.kinds().contains(Kind.REAL);
        Column result = moved(selector, x, one);
        if (!means) {
            // There is no mean of strings or bools.
            columns.require(math.of(BinaryFn.LE, count, math.number(count, 1)));
        } else if (!sums.isSingle(selector)) {
            result = columns.choose(one, result, mean(selector, x, count));
        }
        return result;
    }

    /// The value of the one position that is selected.
    private Column moved(SequenceNode selector, Column x, Node one) {
        if (x.is(Kind.WHOLE)) {
            return Column.of(math.only(one, sums.sum(selector, x.value())), Kind.WHOLE, x.bound());
        }
        Node places = graph.cast(math.iota(size), DType.I64, Span.NONE);
        Node place = math.only(one, sums.sum(selector, places));
        return sums.moved(x, graph.cast(place, DType.I32, Span.NONE));
    }

    private Column mean(SequenceNode selector, Column x, Node count) {
        if (x.kinds().contains(Kind.TRUTH)) {
            throw new Irregular("a mean of what may be bools alone");
        }
        if (!x.isReal() && x.bound() * LARGEST_PLACE > ColumnMath.LARGEST) {
            columns.requireBelow(x.value(), LARGEST_PLACE);
        }
        Node sum = sums.sum(selector, columns.number(x));
        Column total =
                x.isReal() ? Column.of(sum, Kind.REAL, 0) : Column.of(sum, Kind.WHOLE, x.bound() * LARGEST_PLACE);
        Node divisor = math.of(BinaryFn.MAX, count, math.number(count, 1));
        Node mean = math.div(columns.real(total), graph.cast(divisor, DType.F64, Span.NONE));
        columns.require(math.of(UnaryFn.ISFINITE, mean));
        return new Column(mean, EnumSet.of(Kind.REAL), Optional.empty(), 0);
    }
}
