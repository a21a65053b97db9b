package tfx.ir.kernel;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import tfx.ir.BinaryFn;
import tfx.ir.UnaryFn;
import tfx.runtime.DType;
import tfx.runtime.Dim;

/// Code that bounds conditions and i32 values over all points of a block: interval arithmetic on the ends of its
/// axes, and the least and greatest of data along one axis. It never claims too much: what it cannot bound can be
/// anything. So a loop over blocks leaves out those where its condition holds nowhere, and does without it where
/// it holds everywhere.
///
/// @param <E> code of some target
public final class Intervals<E> {
    /// How a target says it. Numbers are 64-bit integers, truths 0 or 1.
    public interface Writer<E> {
        E number(long value);

        E truth(boolean value);

        E plus(E a, E b);

        E minus(E a, E b);

        E times(E a, E b);

        E min(E a, E b);

        E max(E a, E b);

        E floorDiv(E a, E b);

        E floorMod(E a, E b);

        /// The truth of a comparison of numbers: `<`, `<=` or `==`.
        E compare(String operator, E a, E b);

        E and(E a, E b);

        E or(E a, E b);

        E not(E truth);

        E choose(E truth, E a, E b);

        /// An index or size; the ends of axes have the symbols `a.first` and `a.last`.
        E dim(Dim dim);

        /// Whether the ends of an axis are known here.
        boolean hasEnds(String axis);

        /// Names a value so that using it twice computes it once.
        E let(E value);

        /// The least or greatest of neighbouring ints of a buffer.
        ///
        /// @param from the position of the first
        E extreme(Kernel.Buffer buffer, Dim from, Dim count, boolean greatest);

        /// Whether any, or all, of neighbouring bools of a buffer are true.
        ///
        /// @param from the position of the first
        E holds(Kernel.Buffer buffer, Dim from, Dim count, boolean any);
    }

    /// The ends of an interval: numbers for i32, truths for conditions.
    public record Interval<E>(E low, E high) {}

    private final Kernel kernel;
    private final Function<Kernel.Expr, DType> dtypes;
    private final Writer<E> writer;
    private final Map<Kernel.Expr, Interval<E>> known = new HashMap<>();

    /// @param dtypes the types of expressions of the kernel
    public Intervals(Kernel kernel, Function<Kernel.Expr, DType> dtypes, Writer<E> writer) {
        this.kernel = kernel;
        this.dtypes = dtypes;
        this.writer = writer;
    }

    private Interval<E> any() {
        return new Interval<>(writer.number(Integer.MIN_VALUE), writer.number(Integer.MAX_VALUE));
    }

    private Interval<E> maybe() {
        return new Interval<>(writer.truth(false), writer.truth(true));
    }

    /// Computes the parts that do not change along an axis.
    public void before(Kernel.Expr e, String axis) {
        if (!Exprs.symbols(e).contains(axis)) {
            of(e);
        } else {
            Exprs.parts(e).forEach(p -> before(p, axis));
        }
    }

    /// The interval of a condition or an i32 value.
    public Interval<E> of(Kernel.Expr e) {
        Interval<E> found = known.get(e);
        if (found == null) {
            found = dtypes.apply(e) == DType.BOOL ? condition(e) : number(e);
            found = new Interval<>(writer.let(found.low), writer.let(found.high));
            known.put(e, found);
        }
        return found;
    }

    private Interval<E> condition(Kernel.Expr e) {
        return switch (e) {
            case Kernel.Constant c -> {
                E value = writer.truth(c.value().intValue() != 0);
                yield new Interval<>(value, value);
            }
            case Kernel.Load l ->
                line(l).map(n -> new Interval<>(
                                writer.holds(n.buffer, n.from, n.count, false),
                                writer.holds(n.buffer, n.from, n.count, true)))
                        .orElse(maybe());
            case Kernel.Unary u when u.fn() == UnaryFn.NOT -> not(of(u.x()));
            case Kernel.Binary b
            when b.fn() == BinaryFn.AND -> {
                Interval<E> x = of(b.a());
                Interval<E> y = of(b.b());
                yield new Interval<>(writer.and(x.low, y.low), writer.and(x.high, y.high));
            }
            case Kernel.Binary b
            when b.fn() == BinaryFn.OR -> {
                Interval<E> x = of(b.a());
                Interval<E> y = of(b.b());
                yield new Interval<>(writer.or(x.low, y.low), writer.or(x.high, y.high));
            }
            case Kernel.Binary b
            when b.fn().isComparison() && dtypes.apply(b.a()) == DType.I32 -> compare(b.fn(), of(b.a()), of(b.b()));
            case Kernel.Binary _,
                    Kernel.Unary _,
                    Kernel.Select _,
                    Kernel.Cast _,
                    Kernel.Index _,
                    Kernel.Ref _,
                    Kernel.Known _ -> maybe();
        };
    }

    private Interval<E> not(Interval<E> x) {
        return new Interval<>(writer.not(x.high), writer.not(x.low));
    }

    private Interval<E> compare(BinaryFn fn, Interval<E> a, Interval<E> b) {
        return switch (fn) {
            case LT -> new Interval<>(writer.compare("<", a.high, b.low), writer.compare("<", a.low, b.high));
            case LE -> new Interval<>(writer.compare("<=", a.high, b.low), writer.compare("<=", a.low, b.high));
            case GT -> compare(BinaryFn.LT, b, a);
            case GE -> compare(BinaryFn.LE, b, a);
            case NE -> not(compare(BinaryFn.EQ, a, b));
            case EQ -> {
                // One value on both sides: each is at most and at least the other everywhere.
                E single = writer.and(writer.compare("<=", a.high, b.low), writer.compare("<=", b.high, a.low));
                E meet = writer.and(writer.compare("<=", a.low, b.high), writer.compare("<=", b.low, a.high));
                yield new Interval<>(single, meet);
            }
            case ADD,
                    SUB,
                    MUL,
                    DIV,
                    FLOORDIV,
                    MOD,
                    POW,
                    ATAN2,
                    LOGADDEXP,
                    MIN,
                    MAX,
                    BIT_AND,
                    BIT_OR,
                    BIT_XOR,
                    SHIFT_LEFT,
                    SHIFT_RIGHT,
                    THREEFRY,
                    AND,
                    OR -> throw new IllegalArgumentException(fn.text() + " is no comparison");
        };
    }

    private Interval<E> number(Kernel.Expr e) {
        if (dtypes.apply(e) != DType.I32) {
            return any();
        }
        return switch (e) {
            case Kernel.Constant c -> {
                E value = writer.number(c.value().longValue());
                yield new Interval<>(value, value);
            }
            case Kernel.Index i ->
                i.lookups().isEmpty() ? ends(i.dim()).map(this::wrapped).orElse(any()) : any();
            case Kernel.Load l ->
                line(l).map(n -> new Interval<>(
                                writer.extreme(n.buffer, n.from, n.count, false),
                                writer.extreme(n.buffer, n.from, n.count, true)))
                        .orElse(any());
            case Kernel.Binary b -> binary(b);
            case Kernel.Unary u
            when u.fn() == UnaryFn.NEG -> {
                Interval<E> x = of(u.x());
                E none = writer.number(0);
                yield wrapped(new Interval<>(writer.minus(none, x.high), writer.minus(none, x.low)));
            }
            case Kernel.Unary _, Kernel.Select _, Kernel.Cast _, Kernel.Ref _, Kernel.Known _ -> any();
        };
    }

    private Interval<E> binary(Kernel.Binary b) {
        Interval<E> x = of(b.a());
        Interval<E> y = of(b.b());
        return switch (b.fn()) {
            case ADD -> wrapped(new Interval<>(writer.plus(x.low, y.low), writer.plus(x.high, y.high)));
            case SUB -> wrapped(new Interval<>(writer.minus(x.low, y.high), writer.minus(x.high, y.low)));
            case MIN -> new Interval<>(writer.min(x.low, y.low), writer.min(x.high, y.high));
            case MAX -> new Interval<>(writer.max(x.low, y.low), writer.max(x.high, y.high));
            case MUL -> {
                E a = writer.let(writer.times(x.low, y.low));
                E c = writer.let(writer.times(x.low, y.high));
                E d = writer.let(writer.times(x.high, y.low));
                E f = writer.let(writer.times(x.high, y.high));
                yield wrapped(new Interval<>(
                        writer.min(writer.min(a, c), writer.min(d, f)),
                        writer.max(writer.max(a, c), writer.max(d, f))));
            }
            case FLOORDIV ->
                positive(b.b()) ? new Interval<>(writer.floorDiv(x.low, y.low), writer.floorDiv(x.high, y.low)) : any();
            case MOD -> positive(b.b()) ? remainder(x, y.low) : any();
            case DIV,
                    POW,
                    ATAN2,
                    LOGADDEXP,
                    BIT_AND,
                    BIT_OR,
                    BIT_XOR,
                    SHIFT_LEFT,
                    SHIFT_RIGHT,
                    THREEFRY,
                    EQ,
                    NE,
                    LT,
                    LE,
                    GT,
                    GE,
                    AND,
                    OR -> any();
        };
    }

    private static boolean positive(Kernel.Expr e) {
        return e instanceof Kernel.Constant c && c.value().longValue() > 0;
    }

    /// The remainders of neighbours are neighbours while their quotient is the same.
    private Interval<E> remainder(Interval<E> x, E divisor) {
        E same = writer.let(writer.compare("==", writer.floorDiv(x.low, divisor), writer.floorDiv(x.high, divisor)));
        return new Interval<>(
                writer.choose(same, writer.floorMod(x.low, divisor), writer.number(0)),
                writer.choose(same, writer.floorMod(x.high, divisor), writer.minus(divisor, writer.number(1))));
    }

    /// An interval of i32 results; all of i32 where they may wrap around.
    private Interval<E> wrapped(Interval<E> x) {
        E low = writer.let(x.low);
        E high = writer.let(x.high);
        E fits = writer.let(writer.and(
                writer.compare("<=", writer.number(Integer.MIN_VALUE), low),
                writer.compare("<=", high, writer.number(Integer.MAX_VALUE))));
        return new Interval<>(
                writer.choose(fits, low, writer.number(Integer.MIN_VALUE)),
                writer.choose(fits, high, writer.number(Integer.MAX_VALUE)));
    }

    /// The ends of an index that is linear in axes.
    private Optional<Interval<E>> ends(Dim dim) {
        Map<String, Dim> least = new HashMap<>();
        Map<String, Dim> greatest = new HashMap<>();
        for (String name : dim.symbols()) {
            if (kernel.axis(name).isPresent()) {
                Optional<Long> factor = dim.linearFactor(name).flatMap(Dim::constant);
                if (factor.isEmpty() || !writer.hasEnds(name)) {
                    return Optional.empty();
                }
                boolean up = factor.get() >= 0;
                least.put(name, Dim.symbol(name + (up ? ".first" : ".last")));
                greatest.put(name, Dim.symbol(name + (up ? ".last" : ".first")));
            }
        }
        return Optional.of(new Interval<>(at(dim, least), at(dim, greatest)));
    }

    private E at(Dim dim, Map<String, Dim> points) {
        return writer.dim(dim.substitute(s -> Optional.ofNullable(points.get(s)), s -> Optional.empty()));
    }

    /// Data along an axis of the block: where its first point's lies, and how many there are.
    private record Line(Kernel.Buffer buffer, Dim from, Dim count) {}

    private Optional<Line> line(Kernel.Load load) {
        if (!load.lookups().isEmpty()) {
            return Optional.empty();
        }
        Kernel.Buffer buffer = kernel.buffer(load.buffer());
        Dim position = kernel.position(buffer, load.index());
        List<String> axes = position.symbols().stream()
                .filter(s -> kernel.axis(s).isPresent() && kernel.extent(s) > 1)
                .toList();
        if (axes.isEmpty()) {
            return Optional.of(new Line(buffer, position, Dim.ONE));
        }
        String axis = axes.getFirst();
        boolean unit = axes.size() == 1
                && position.linearFactor(axis).filter(d -> d.isConstant(1)).isPresent()
                && writer.hasEnds(axis);
        if (!unit) {
            return Optional.empty();
        }
        Dim first = Dim.symbol(axis + ".first");
        Dim from =
                position.substitute(s -> s.equals(axis) ? Optional.of(first) : Optional.empty(), s -> Optional.empty());
        return Optional.of(
                new Line(buffer, from, Dim.symbol(axis + ".last").minus(first).plus(1)));
    }
}
