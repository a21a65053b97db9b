package tfx.cpu;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.objectweb.asm.Type;
import tfx.cpu.code.Expr;
import tfx.ir.BinaryFn;
import tfx.ir.kernel.Exprs;
import tfx.ir.kernel.Kernel;
import tfx.runtime.DType;
import tfx.runtime.Dim;

/// Code that bounds conditions and i32 values over all points of a block: interval arithmetic on the ends of its
/// axes, and the least and greatest of data along one axis. It never claims too much: what it cannot bound can be
/// anything.
final class Intervals {
    /// The ends of an interval: longs for i32, for conditions ints that are 0 or 1.
    record Interval(Expr low, Expr high) {}

    private static final String SUPPORT = "tfx/runtime/program/Support";
    private static final Interval ANY =
            new Interval(Expr.literal((long) Integer.MIN_VALUE), Expr.literal((long) Integer.MAX_VALUE));
    private static final Interval MAYBE = new Interval(Expr.literal(0), Expr.literal(1));

    private final Stage driver;
    private final Map<Kernel.Expr, Interval> known = new HashMap<>();

    /// @param driver where axes have the symbols `a.first` and `a.last`
    Intervals(Stage driver) {
        this.driver = driver;
    }

    /// Computes the parts that do not change along an axis.
    void before(Kernel.Expr e, String axis) {
        if (!Exprs.symbols(e).contains(axis)) {
            of(e);
        } else {
            Exprs.parts(e).forEach(p -> before(p, axis));
        }
    }

    /// The interval of a condition or an i32 value.
    Interval of(Kernel.Expr e) {
        Interval found = known.get(e);
        if (found == null) {
            found = driver.emitter.dtype(e) == DType.BOOL ? condition(e) : number(e);
            found = new Interval(let(found.low), let(found.high));
            known.put(e, found);
        }
        return found;
    }

    private Expr let(Expr value) {
        return value instanceof Expr.Literal ? value : driver.method.let("b", value);
    }

    private Interval condition(Kernel.Expr e) {
        return switch (e) {
            case Kernel.Constant c -> {
                Expr value = Expr.literal(c.value().intValue());
                yield new Interval(value, value);
            }
            case Kernel.Load l -> bools(l);
            case Kernel.Unary u when u.fn() == tfx.ir.UnaryFn.NOT -> not(of(u.x()));
            case Kernel.Binary b when b.fn() == BinaryFn.AND -> both("&", of(b.a()), of(b.b()));
            case Kernel.Binary b when b.fn() == BinaryFn.OR -> both("|", of(b.a()), of(b.b()));
            case Kernel.Binary b
            when b.fn().isComparison() && driver.emitter.dtype(b.a()) == DType.I32 ->
                compare(b.fn(), of(b.a()), of(b.b()));
            case Kernel.Binary _, Kernel.Unary _, Kernel.Select _, Kernel.Cast _, Kernel.Index _, Kernel.Ref _ -> MAYBE;
        };
    }

    private static Interval both(String operator, Interval a, Interval b) {
        return new Interval(new Expr.Arithmetic(operator, a.low, b.low), new Expr.Arithmetic(operator, a.high, b.high));
    }

    private static Interval not(Interval x) {
        return new Interval(Expr.literal(1).minus(x.high), Expr.literal(1).minus(x.low));
    }

    private static Interval compare(BinaryFn fn, Interval a, Interval b) {
        return switch (fn) {
            case LT -> new Interval(new Expr.Compare("<", a.high, b.low), new Expr.Compare("<", a.low, b.high));
            case LE -> new Interval(new Expr.Compare("<=", a.high, b.low), new Expr.Compare("<=", a.low, b.high));
            case GT -> compare(BinaryFn.LT, b, a);
            case GE -> compare(BinaryFn.LE, b, a);
            case NE -> not(compare(BinaryFn.EQ, a, b));
            default -> {
                // One value on both sides: each is at most and at least the other everywhere.
                Expr single = new Expr.Arithmetic(
                        "&", new Expr.Compare("<=", a.high, b.low), new Expr.Compare("<=", b.high, a.low));
                Expr meet = new Expr.Arithmetic(
                        "&", new Expr.Compare("<=", a.low, b.high), new Expr.Compare("<=", b.low, a.high));
                yield new Interval(single, meet);
            }
        };
    }

    private Interval number(Kernel.Expr e) {
        if (driver.emitter.dtype(e) != DType.I32) {
            return ANY;
        }
        return switch (e) {
            case Kernel.Constant c -> {
                Expr value = Expr.literal(c.value().longValue());
                yield new Interval(value, value);
            }
            case Kernel.Index i ->
                i.lookups().isEmpty() ? ends(i.dim()).map(Intervals::wrapped).orElse(ANY) : ANY;
            case Kernel.Load l -> ints(l);
            case Kernel.Binary b -> binary(b);
            case Kernel.Unary u
            when u.fn() == tfx.ir.UnaryFn.NEG -> {
                Interval x = of(u.x());
                yield wrapped(new Interval(new Expr.Negate(x.high), new Expr.Negate(x.low)));
            }
            case Kernel.Unary _, Kernel.Select _, Kernel.Cast _, Kernel.Ref _ -> ANY;
        };
    }

    private Interval binary(Kernel.Binary b) {
        Interval x = of(b.a());
        Interval y = of(b.b());
        return switch (b.fn()) {
            case ADD -> wrapped(new Interval(x.low.plus(y.low), x.high.plus(y.high)));
            case SUB -> wrapped(new Interval(x.low.minus(y.high), x.high.minus(y.low)));
            case MIN -> new Interval(math("min", x.low, y.low), math("min", x.high, y.high));
            case MAX -> new Interval(math("max", x.low, y.low), math("max", x.high, y.high));
            case MUL -> {
                Expr a = let(x.low.times(y.low));
                Expr c = let(x.low.times(y.high));
                Expr d = let(x.high.times(y.low));
                Expr f = let(x.high.times(y.high));
                yield wrapped(new Interval(
                        math("min", math("min", a, c), math("min", d, f)),
                        math("max", math("max", a, c), math("max", d, f))));
            }
            case FLOORDIV ->
                positive(b.b()) ? new Interval(math("floorDiv", x.low, y.low), math("floorDiv", x.high, y.low)) : ANY;
            case MOD -> positive(b.b()) ? remainder(x, y.low) : ANY;
            default -> ANY;
        };
    }

    private static boolean positive(Kernel.Expr e) {
        return e instanceof Kernel.Constant c && c.value().longValue() > 0;
    }

    /// The remainders of neighbours are neighbours while their quotient is the same.
    private Interval remainder(Interval x, Expr divisor) {
        Expr same = let(new Expr.Compare("==", math("floorDiv", x.low, divisor), math("floorDiv", x.high, divisor)));
        return new Interval(
                new Expr.Choose(same, math("floorMod", x.low, divisor), Expr.literal(0L)),
                new Expr.Choose(same, math("floorMod", x.high, divisor), divisor.minus(Expr.literal(1L))));
    }

    private static Expr math(String name, Expr a, Expr b) {
        return ScalarLanes.math(name, a, b);
    }

    private static Interval wrapped(Interval x) {
        return new Interval(
                ScalarLanes.invoke(SUPPORT, "lower", Type.LONG_TYPE, x.low, x.high),
                ScalarLanes.invoke(SUPPORT, "upper", Type.LONG_TYPE, x.low, x.high));
    }

    /// The ends of an index that is linear in axes.
    private Optional<Interval> ends(Dim dim) {
        Map<String, Dim> least = new HashMap<>();
        Map<String, Dim> greatest = new HashMap<>();
        for (String name : dim.symbols()) {
            if (driver.emitter.isAxis(name)) {
                Optional<Long> factor = dim.linearFactor(name).flatMap(Dim::constant);
                if (factor.isEmpty() || !driver.isBound(name + ".first")) {
                    return Optional.empty();
                }
                boolean up = factor.get() >= 0;
                least.put(name, Dim.symbol(name + (up ? ".first" : ".last")));
                greatest.put(name, Dim.symbol(name + (up ? ".last" : ".first")));
            }
        }
        return Optional.of(new Interval(at(dim, least), at(dim, greatest)));
    }

    private Expr at(Dim dim, Map<String, Dim> points) {
        return driver.dim(dim.substitute(s -> Optional.ofNullable(points.get(s)), s -> Optional.empty()));
    }

    /// Data along an axis of the block: where its first point's lies, and how many there are.
    private record Line(Expr address, Expr count) {}

    private Optional<Line> line(Kernel.Load load) {
        if (!load.lookups().isEmpty()) {
            return Optional.empty();
        }
        Kernel.Buffer buffer = driver.emitter.kernel().buffer(load.buffer());
        Dim position = driver.position(buffer, load.index());
        List<String> axes = position.symbols().stream()
                .filter(s -> driver.emitter.isAxis(s) && driver.emitter.tiles().extent(s) > 1)
                .toList();
        boolean unit = axes.size() == 1
                && position.linearFactor(axes.getFirst())
                        .filter(d -> d.isConstant(1))
                        .isPresent()
                && driver.isBound(axes.getFirst() + ".first");
        if (!axes.isEmpty() && !unit) {
            return Optional.empty();
        }
        if (axes.isEmpty()) {
            return Optional.of(new Line(driver.address(buffer, position), Expr.literal(1)));
        }
        String axis = axes.getFirst();
        Dim first = Dim.symbol(axis + ".first");
        Dim start =
                position.substitute(s -> s.equals(axis) ? Optional.of(first) : Optional.empty(), s -> Optional.empty());
        Expr count = driver.dim(Dim.symbol(axis + ".last").minus(first).plus(1)).asInt();
        return Optional.of(new Line(driver.address(buffer, start), count));
    }

    private Interval ints(Kernel.Load load) {
        return line(load)
                .map(l -> new Interval(
                        ScalarLanes.invoke(SUPPORT, "least", Type.LONG_TYPE, l.address, l.count),
                        ScalarLanes.invoke(SUPPORT, "greatest", Type.LONG_TYPE, l.address, l.count)))
                .orElse(ANY);
    }

    private Interval bools(Kernel.Load load) {
        return line(load)
                .map(l -> new Interval(holds(l, false), holds(l, true)))
                .orElse(MAYBE);
    }

    private static Expr holds(Line line, boolean any) {
        Type[] types = {Type.LONG_TYPE, Type.INT_TYPE, Type.BOOLEAN_TYPE};
        return ScalarLanes.invoke(
                SUPPORT, "holds", Type.INT_TYPE, types, line.address, line.count, Expr.literal(any ? 1 : 0));
    }
}
