package tfx.passes.sequence;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import tfx.ir.BinaryFn;
import tfx.ir.ReduceFn;
import tfx.ir.Span;
import tfx.ir.UnaryFn;
import tfx.ir.graph.Algebra;
import tfx.ir.graph.GraphBuilder;
import tfx.ir.graph.Node;
import tfx.ir.sequence.AtomFn;
import tfx.ir.sequence.Kind;
import tfx.runtime.DType;
import tfx.runtime.Dim;
import tfx.runtime.TensorType;

/// Functions of numbers on vectors. Integers are i64 as long as they fit and floats f64; what must hold for that
/// to be what Python gives is collected as conditions, and a call where one fails is left to the evaluator.
final class ColumnMath {
    /// Integers stay below this; the sum of two still fits.
    static final double LARGEST = 0x1p62;

    private final GraphBuilder graph;
    private final Algebra math;
    private final Dim size;
    private final List<Node> conditions = new ArrayList<>();
    private final List<Node> precise = new ArrayList<>();

    ColumnMath(GraphBuilder graph, Dim size) {
        this.graph = graph;
        this.math = new Algebra(graph, Span.NONE);
        this.size = size;
    }

    /// Demands that a bool vector or scalar is true everywhere.
    void require(Node condition) {
        conditions.add(condition.type().rank() == 0 ? condition : all(condition));
    }

    /// Demands that no digits are lost to cancellation.
    void requirePrecise(Node condition) {
        precise.add(all(condition));
    }

    /// Demands that integers are at most this far from 0.
    void requireBelow(Node value, double limit) {
        require(compare(BinaryFn.LE, value, limit));
        require(compare(BinaryFn.GE, value, -limit));
    }

    Node all(Node condition) {
        return math.reduce(ReduceFn.ALL, condition, List.of(0));
    }

    /// Whether all that was demanded holds.
    Node regular() {
        return joined(conditions);
    }

    /// Whether no digits were lost.
    Node precise() {
        return joined(precise);
    }

    private Node joined(List<Node> all) {
        Node held = graph.constant(DType.BOOL, 1L, Span.NONE);
        for (Node condition : all) {
            held = math.of(BinaryFn.AND, held, condition);
        }
        return held;
    }

    Node fill(DType dtype, double value) {
        return math.fill(new TensorType(dtype, List.of(size)), value);
    }

    Node compare(BinaryFn fn, Node x, double value) {
        return math.of(fn, x, math.number(x, value));
    }

    /// Numbers as i64 or f64.
    Node number(Column x) {
        return x.is(Kind.TRUTH) ? graph.cast(x.value(), DType.I64, Span.NONE) : x.value();
    }

    /// Numbers as f64, exactly.
    Node real(Column x) {
        if (!x.isReal() && x.bound() > Column.EXACT) {
            requireBelow(number(x), Column.EXACT);
        }
        return graph.cast(number(x), DType.F64, Span.NONE);
    }

    private Column finite(Node value) {
        require(math.of(UnaryFn.ISFINITE, value));
        return Column.of(value, Kind.REAL, Double.POSITIVE_INFINITY);
    }

    /// An integer result, whose size is checked where it is not known: by what f64 makes of it.
    private Column whole(Node value, double bound, Node estimate) {
        if (bound <= LARGEST) {
            return Column.of(value, Kind.WHOLE, bound);
        }
        require(compare(BinaryFn.LE, math.of(UnaryFn.ABS, estimate), LARGEST));
        return Column.of(value, Kind.WHOLE, LARGEST);
    }

    private Node loosely(Column x) {
        return graph.cast(number(x), DType.F64, Span.NONE);
    }

    /// Which positions of a result are floats and which are ints; none where that is known.
    private Optional<Node> tagOf(Column a, Column b) {
        boolean mixed =
                a.kinds().contains(Kind.REAL) && !a.is(Kind.REAL) || b.kinds().contains(Kind.REAL) && !b.is(Kind.REAL);
        if (!mixed || a.is(Kind.REAL) || b.is(Kind.REAL)) {
            return Optional.empty();
        }
        Node real = math.of(BinaryFn.OR, isReal(a), isReal(b));
        return Optional.of(
                math.where(real, fill(DType.I32, Kind.REAL.ordinal()), fill(DType.I32, Kind.WHOLE.ordinal())));
    }

    private Node isReal(Column x) {
        if (x.tag().isEmpty()) {
            return fill(DType.BOOL, x.is(Kind.REAL) ? 1 : 0);
        }
        return compare(BinaryFn.EQ, x.tag().get(), Kind.REAL.ordinal());
    }

    /// Sums, differences and products.
    Column arithmetic(AtomFn fn, Column a, Column b) {
        BinaryFn op = switch (fn) {
            case ADD -> BinaryFn.ADD;
            case SUB -> BinaryFn.SUB;
            default -> BinaryFn.MUL;
        };
        double bound = fn == AtomFn.MUL ? a.bound() * b.bound() : a.bound() + b.bound();
        if (!a.isReal() && !b.isReal()) {
            Node value = math.of(op, number(a), number(b));
            return whole(value, bound, bound <= LARGEST ? value : math.of(op, loosely(a), loosely(b)));
        }
        Column result = finite(math.of(op, real(a), real(b)));
        return mixed(result, tagOf(a, b));
    }

    /// A vector of floats and ints, all as f64.
    private Column mixed(Column x, Optional<Node> tag) {
        if (tag.isEmpty()) {
            return x;
        }
        require(math.of(
                BinaryFn.OR,
                compare(BinaryFn.EQ, tag.get(), Kind.REAL.ordinal()),
                compare(BinaryFn.LE, math.of(UnaryFn.ABS, x.value()), Column.EXACT)));
        return new Column(unsigned(x.value(), tag.get()), EnumSet.of(Kind.WHOLE, Kind.REAL), tag, Column.EXACT);
    }

    /// Ints among floats, of which 0 has no sign.
    private Node unsigned(Node value, Node tag) {
        Node zero =
                math.of(BinaryFn.AND, compare(BinaryFn.NE, tag, Kind.REAL.ordinal()), compare(BinaryFn.EQ, value, 0));
        return math.where(zero, math.number(value, 0), value);
    }

    Column negate(Column x) {
        Node value = math.neg(number(x));
        if (!x.isReal()) {
            return Column.of(value, Kind.WHOLE, x.bound());
        }
        Optional<Node> tag = x.tag().map(this::wholes);
        return new Column(tag.map(t -> unsigned(value, t)).orElse(value), numbers(x), tag, x.bound());
    }

    /// `+x`: bools become ints.
    Column plain(Column x) {
        return x.isReal()
                ? new Column(x.value(), numbers(x), x.tag().map(this::wholes), x.bound())
                : Column.of(number(x), Kind.WHOLE, x.bound());
    }

    private static Set<Kind> numbers(Column x) {
        return x.is(Kind.REAL) ? EnumSet.of(Kind.REAL) : EnumSet.of(Kind.WHOLE, Kind.REAL);
    }

    /// Tags of what arithmetic made of bools: ints.
    private Node wholes(Node tag) {
        return math.of(BinaryFn.MAX, tag, math.number(tag, Kind.WHOLE.ordinal()));
    }

    Column divide(Column a, Column b) {
        Node divisor = real(b);
        require(compare(BinaryFn.NE, divisor, 0));
        return finite(math.div(real(a), divisor));
    }

    Column remainder(Column a, Column b) {
        if (!a.isReal() && !b.isReal()) {
            require(compare(BinaryFn.NE, number(b), 0));
            return Column.of(math.of(BinaryFn.MOD, number(a), number(b)), Kind.WHOLE, b.bound());
        }
        Node divisor = real(b);
        require(compare(BinaryFn.NE, divisor, 0));
        Node rest = math.of(BinaryFn.MOD, real(a), divisor);
        // A remainder of 0 has the sign of the divisor too.
        Node signed = math.where(compare(BinaryFn.EQ, rest, 0), math.scaled(divisor, 0), rest);
        return mixed(finite(signed), tagOf(a, b));
    }

    /// Powers of ints that stay ints.
    Column power(Column a, Column b) {
        if (a.isReal() || b.isReal()) {
            throw new Irregular("powers of floats round as the C library does");
        }
        require(compare(BinaryFn.GE, number(b), 0));
        Node value = math.of(BinaryFn.POW, number(a), number(b));
        return whole(value, Double.POSITIVE_INFINITY, math.of(BinaryFn.POW, loosely(a), loosely(b)));
    }

    Column round(Column x) {
        if (!x.isReal()) {
            return Column.of(number(x), Kind.WHOLE, x.bound());
        }
        Node value = math.of(UnaryFn.ROUND, x.value());
        Node whole = graph.cast(value, DType.I64, Span.NONE);
        return whole(whole, Double.POSITIVE_INFINITY, value);
    }

    /// `bool(x)` of numbers.
    Node truth(Column x) {
        return x.is(Kind.TRUTH) ? x.value() : compare(BinaryFn.NE, x.value(), 0);
    }

    /// Both sides of a comparison in one dtype.
    List<Node> comparable(Column a, Column b) {
        if (!a.isNumber()) {
            return List.of(a.value(), b.value());
        }
        return a.isReal() || b.isReal() ? List.of(real(a), real(b)) : List.of(number(a), number(b));
    }

    /// A comparison of two numbers or two strings.
    Node compare(AtomFn fn, Column a, Column b) {
        List<Node> both = comparable(a, b);
        return math.of(comparison(fn), both.get(0), both.get(1));
    }

    static BinaryFn comparison(AtomFn fn) {
        return switch (fn) {
            case EQ -> BinaryFn.EQ;
            case NE -> BinaryFn.NE;
            case LT -> BinaryFn.LT;
            case LE -> BinaryFn.LE;
            case GT -> BinaryFn.GT;
            default -> BinaryFn.GE;
        };
    }

    /// `a` where the condition holds, else `b`.
    Column choose(Node condition, Column a, Column b) {
        if (a.isNumber() != b.isNumber()) {
            throw new Irregular("a conditional mixes strings and numbers");
        }
        Set<Kind> kinds = EnumSet.copyOf(a.kinds());
        kinds.addAll(b.kinds());
        double bound = Math.max(a.bound(), b.bound());
        if (kinds.size() == 1) {
            return new Column(math.where(condition, a.value(), b.value()), kinds, Optional.empty(), bound);
        }
        boolean real = kinds.contains(Kind.REAL);
        Node value = math.where(condition, real ? real(a) : number(a), real ? real(b) : number(b));
        Node tag = math.where(condition, tag(a), tag(b));
        return new Column(value, kinds, Optional.of(tag), real ? Math.min(bound, Column.EXACT) : bound);
    }

    /// The kind of each position.
    Node tag(Column x) {
        return x.tag()
                .orElseGet(() -> fill(DType.I32, x.kinds().iterator().next().ordinal()));
    }
}
