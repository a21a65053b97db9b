package tfx.cpu;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.objectweb.asm.Type;
import tfx.cpu.code.Expr;
import tfx.ir.BinaryFn;
import tfx.ir.UnaryFn;
import tfx.ir.kernel.Exprs;
import tfx.ir.kernel.FloatMath;
import tfx.ir.kernel.Kernel;
import tfx.runtime.DType;
import tfx.runtime.Dim;

/// Code for kernel expressions inside the innermost loop of a stage. What does not change along the loop's axis is
/// computed before it; what changes is read with one stride where that is possible.
final class Values {
    /// A buffer element that moves by a fixed step along the axis.
    private record Moving(Expr base, Expr step, boolean unit) {}

    static final int MOST_COPIES = 8;
    private static final int MOST_OPERATIONS = 64;

    private final Stage stage;
    private final String axis;
    private final Expr low;
    private final ScalarFunctions functions;
    private final Map<Kernel.Expr, Expr> uniform = new HashMap<>();
    private final Map<Kernel.Expr, Expr> uniformVectors = new HashMap<>();
    private final Map<Kernel.Load, Moving> moving = new HashMap<>();
    private final Map<String, Expr> tileBases = new HashMap<>();
    private final Map<Kernel.Expr, Integer> counts = new HashMap<>();
    private Map<Kernel.Expr, Expr> memo = new HashMap<>();

    /// @param axis the innermost axis, empty for none
    /// @param low  its first point
    Values(Stage stage, String axis, Expr low) {
        this.stage = stage;
        this.axis = axis;
        this.low = low;
        this.functions = new ScalarFunctions(new ScalarLanes(stage.method));
    }

    /// Arithmetic on one float.
    Lanes scalars() {
        return new ScalarLanes(stage.method);
    }

    DType dtype(Kernel.Expr e) {
        return stage.emitter.dtype(e);
    }

    boolean varying(Kernel.Expr e) {
        return switch (e) {
            case Kernel.Load l ->
                l.index().stream().anyMatch(d -> d.symbols().contains(axis))
                        || l.lookups().stream().anyMatch(k -> varying(k.value()));
            case Kernel.Index i ->
                i.dim().symbols().contains(axis) || i.lookups().stream().anyMatch(k -> varying(k.value()));
            case Kernel.Ref r -> stage.emitter.tile(r.name()).axes().contains(axis);
            default -> Exprs.parts(e).stream().anyMatch(this::varying);
        };
    }

    /// The step of a load along the axis, in elements; empty if it has none.
    private Optional<Dim> step(Kernel.Load l) {
        if (l.lookups().stream().anyMatch(k -> varying(k.value()))) {
            return Optional.empty();
        }
        Kernel.Buffer buffer = stage.emitter.kernel().buffer(l.buffer());
        return stage.position(buffer, l.index()).linearFactor(axis);
    }

    /// Whether the code for `copies` vectors of a value may stand one after the other. Loops of few rounds cost as
    /// much as their bodies; but where a method is too long for the JIT's first compiler, it may stay interpreted.
    boolean fits(Kernel.Expr e, int copies) {
        int[] operations = new int[1];
        Exprs.walk(
                e,
                part -> operations[0] += switch (part) {
                    case Kernel.Unary u -> cost(u.fn());
                    case Kernel.Known _ -> 0;
                    default -> 1;
                });
        return copies <= MOST_COPIES && copies * operations[0] <= MOST_OPERATIONS;
    }

    private static int cost(UnaryFn fn) {
        return switch (fn) {
            case EXP, TANH, ERF, SIGMOID -> MOST_OPERATIONS;
            case ROUND, FLOOR, CEIL, TRUNC -> MOST_OPERATIONS / 4;
            default -> 1; // one instruction
        };
    }

    /// Whether a vector of neighbours along the axis can be computed at once.
    boolean vectorizes(Kernel.Expr e) {
        if (!varying(e)) {
            return dtype(e) == DType.F32 || dtype(e) == DType.BOOL;
        }
        return switch (e) {
            case Kernel.Load l ->
                dtype(l) == DType.F32 && step(l).filter(d -> d.isConstant(1)).isPresent();
            case Kernel.Ref r ->
                dtype(r) == DType.F32 && stage.emitter.tile(r.name()).stride(axis) == 1;
            case Kernel.Unary u ->
                switch (u.fn()) {
                    case NEG, ABS, EXP, SQRT, TANH, ERF, SIGMOID, ROUND, FLOOR, CEIL, TRUNC ->
                        dtype(u.x()) == DType.F32 && vectorizes(u.x());
                    case NOT -> vectorizes(u.x());
                    default -> false; // what has no vector form runs one element at a time
                };
            case Kernel.Binary b
            when b.fn().isComparison() && dtype(b.a()) == DType.I32 -> integers(b.a()) && integers(b.b());
            case Kernel.Binary b ->
                hasVectorForm(b.fn())
                        && (dtype(b.a()) == DType.F32 || dtype(b.a()) == DType.BOOL && !b.fn().isComparison())
                        && vectorizes(b.a())
                        && vectorizes(b.b());
            case Kernel.Select s ->
                dtype(s) == DType.F32 && vectorizes(s.condition()) && vectorizes(s.a()) && vectorizes(s.b());
            case Kernel.Constant c -> true;
            case Kernel.Index i -> false;
            case Kernel.Cast c -> c.dtype() == DType.F32 && integers(c.x());
            case Kernel.Known k -> vectorizes(k.x());
        };
    }

    /// Whether vectors may work on what lies behind the end of a row along the axis: there may be something, and
    /// nothing that changes along it comes from memory. Rows of scratch have room for whole vectors, and nothing
    /// reads what these leave there.
    boolean fillsVectors(Kernel.Expr e) {
        boolean[] loads = new boolean[1];
        Exprs.walk(e, part -> loads[0] |= part instanceof Kernel.Load l && varying(l));
        return !loads[0] && !stage.emitter.isMultiple(axis, 1);
    }

    /// Whether a function is the same for one float and for a vector of them.
    static boolean hasVectorForm(BinaryFn fn) {
        return switch (fn) {
            case ADD, SUB, MUL, DIV, MIN, MAX, AND, OR, EQ, NE, LT, LE, GT, GE -> true;
            case FLOORDIV, MOD, POW, ATAN2, LOGADDEXP, BIT_AND, BIT_OR, BIT_XOR, SHIFT_LEFT, SHIFT_RIGHT, THREEFRY ->
                false;
        };
    }

    /// Whether neighbours along the axis are ints that vectors can hold: positions, row ids, and arithmetic on
    /// them.
    private boolean integers(Kernel.Expr e) {
        if (dtype(e) != DType.I32 || !varying(e)) {
            return dtype(e) == DType.I32;
        }
        return switch (e) {
            case Kernel.Index i ->
                i.lookups().isEmpty()
                        && i.dim()
                                .linearFactor(axis)
                                .flatMap(Dim::constant)
                                .filter(c -> c == (int) (long) c)
                                .isPresent();
            case Kernel.Load l -> step(l).filter(d -> d.isConstant(1)).isPresent();
            case Kernel.Binary b ->
                switch (b.fn()) {
                    case ADD, SUB, MUL, MIN, MAX -> integers(b.a()) && integers(b.b());
                    case MOD, FLOORDIV -> integers(b.a()) && divisor(b.b()) > 0;
                    default -> false; // what has no vector form runs one element at a time
                };
            case Kernel.Unary u -> (u.fn() == UnaryFn.NEG || u.fn() == UnaryFn.ABS) && integers(u.x());
            case Kernel.Constant _, Kernel.Ref _, Kernel.Select _, Kernel.Cast _, Kernel.Known _ -> false;
        };
    }

    /// A constant that vectors divide by; 0 for what they do not.
    private static int divisor(Kernel.Expr e) {
        boolean small = e instanceof Kernel.Constant c
                && c.value().longValue() >= 1
                && c.value().longValue() <= VectorLanes.MAX_DIVISOR;
        return small ? ((Kernel.Constant) e).value().intValue() : 0;
    }

    private Expr integerVector(Kernel.Expr e, Expr.Local x) {
        VectorLanes lanes = stage.vectorLanes();
        if (!varying(e)) {
            return lanes.integers(uniform.get(e), 0);
        }
        return switch (e) {
            case Kernel.Index i -> {
                stage.bind(axis, point(Optional.of(x)));
                int step = (int)
                        (long) i.dim().linearFactor(axis).flatMap(Dim::constant).orElseThrow();
                yield lanes.integers(stage.dim(i.dim()).asInt(), step);
            }
            case Kernel.Load l -> {
                Moving m = moving.get(l);
                yield lanes.loadIntegers(m.base().plus(x.asLong().times(m.step())));
            }
            case Kernel.Binary b
            when b.fn() == BinaryFn.MOD -> lanes.integerRemainder(integerVector(b.a(), x), divisor(b.b()));
            case Kernel.Binary b
            when b.fn() == BinaryFn.FLOORDIV -> lanes.integerQuotient(integerVector(b.a(), x), divisor(b.b()));
            case Kernel.Binary b ->
                lanes.integerBinary(b.fn().text(), integerVector(b.a(), x), integerVector(b.b(), x));
            case Kernel.Unary u -> lanes.integerUnary(u.fn().text(), integerVector(u.x(), x));
            default -> throw new IllegalArgumentException(e.toString());
        };
    }

    /// Emits what can be computed before the loop.
    void hoist(Kernel.Expr e, boolean vector) {
        count(e);
        hoistParts(e, vector);
    }

    private void count(Kernel.Expr e) {
        if (counts.merge(e, 1, Integer::sum) == 1) {
            Exprs.parts(e).forEach(this::count);
        }
    }

    private void hoistParts(Kernel.Expr e, boolean vector) {
        if (!varying(e)) {
            if (!uniform.containsKey(e)) {
                Expr value = scalar(e, Optional.empty());
                uniform.put(e, value instanceof Expr.Literal ? value : stage.method.let("u", value));
            }
            if (vector && !uniformVectors.containsKey(e) && (dtype(e) == DType.F32 || dtype(e) == DType.BOOL)) {
                VectorLanes lanes = stage.vectorLanes();
                Expr value = uniform.get(e);
                Expr wide = dtype(e) == DType.BOOL ? lanes.mask(value) : lanes.broadcast(value);
                uniformVectors.put(e, stage.method.let("w", wide));
            }
            return;
        }
        Exprs.parts(e).forEach(p -> hoistParts(p, vector && !(e instanceof Kernel.Load)));
        if (e instanceof Kernel.Load l && !moving.containsKey(l)) {
            Optional<Dim> step = step(l);
            if (step.isPresent()) {
                lookups(l.lookups(), Optional.empty());
                Kernel.Buffer buffer = stage.emitter.kernel().buffer(l.buffer());
                stage.bind(axis, low);
                Expr base = stage.method.let("b", stage.address(buffer, stage.position(buffer, l.index())));
                Expr bytes = stage.dim(step.get().times(buffer.dtype().bytes()));
                moving.put(
                        l,
                        new Moving(
                                base,
                                bytes instanceof Expr.Literal ? bytes : stage.method.let("d", bytes),
                                step.get().isConstant(1)));
            }
        }
        if (e instanceof Kernel.Ref r) {
            tileBase(r.name());
        }
    }

    /// The position in its scratch array of a tile's element at the axis's first point.
    private Expr tileBase(String name) {
        Expr known = tileBases.get(name);
        if (known == null) {
            known = stage.method.let("t", stage.emitter.tilePosition(stage, stage.emitter.tile(name), axis));
            tileBases.put(name, known);
        }
        return known;
    }

    /// Begins a new pass of the loop body: values named in an earlier one are not set here.
    void begin() {
        memo = new HashMap<>();
    }

    /// The value at point `low + x`, or the same for all points.
    Expr scalar(Kernel.Expr e, Optional<Expr.Local> x) {
        Expr known = uniform.get(e);
        if (known == null) {
            known = memo.get(e);
        }
        if (known != null) {
            return known;
        }
        Expr value = scalarParts(e, x);
        boolean leaf = e instanceof Kernel.Constant || e instanceof Kernel.Ref && !varying(e);
        if (!leaf && counts.getOrDefault(e, 0) > 1) {
            value = stage.method.let("c", value);
            memo.put(e, value);
        }
        return value;
    }

    private Expr scalarParts(Kernel.Expr e, Optional<Expr.Local> x) {
        return switch (e) {
            case Kernel.Constant c -> ScalarFunctions.literal(c);
            case Kernel.Index i -> {
                lookups(i.lookups(), x);
                stage.bind(axis, point(x));
                Expr value = stage.dim(i.dim());
                yield ScalarFunctions.convert(value, DType.I64, i.dtype());
            }
            case Kernel.Ref r -> {
                Tiles.Tile tile = stage.emitter.tile(r.name());
                Expr at = varying(r)
                        ? tileBase(r.name()).plus(scaled(x.orElseThrow(), tile.stride(axis)))
                        : stage.emitter.tilePosition(stage, tile, axis);
                Expr value = new Expr.Element(stage.scratch(tile.dtype()), at);
                yield Stage.type(tile.dtype()).equals(Type.INT_TYPE) ? value.asInt() : value;
            }
            case Kernel.Load l -> {
                Moving m = moving.get(l);
                if (m != null && x.isPresent()) {
                    yield stage.read(dtype(l), m.base().plus(x.get().asLong().times(m.step())));
                }
                lookups(l.lookups(), x);
                stage.bind(axis, point(x));
                Kernel.Buffer buffer = stage.emitter.kernel().buffer(l.buffer());
                yield stage.read(buffer.dtype(), stage.address(buffer, stage.position(buffer, l.index())));
            }
            case Kernel.Unary u -> functions.unary(u.fn(), dtype(u.x()), scalar(u.x(), x));
            case Kernel.Binary b -> binary(b.fn(), dtype(b.a()), scalar(b.a(), x), scalar(b.b(), x));
            case Kernel.Select s -> new Expr.Choose(scalar(s.condition(), x), scalar(s.a(), x), scalar(s.b(), x));
            case Kernel.Cast c -> ScalarFunctions.convert(scalar(c.x(), x), dtype(c.x()), c.dtype());
            case Kernel.Known k -> scalar(k.x(), x);
        };
    }

    /// The index at `low + x`.
    Expr point(Optional<Expr.Local> x) {
        return x.isPresent() ? low.plus(x.get().asLong()) : low;
    }

    private static Expr scaled(Expr x, int stride) {
        return stride == 1 ? x : x.times(Expr.literal(stride));
    }

    /// Gives the symbols of lookups their values at a point.
    void lookups(List<Kernel.Lookup> lookups, Optional<Expr.Local> x) {
        for (Kernel.Lookup lookup : lookups) {
            boolean changes = varying(lookup.value());
            if (!changes && stage.isBound(lookup.symbol()) && uniform.containsKey(lookup.value())) {
                continue;
            }
            Expr row = scalar(lookup.value(), x).asLong();
            Expr checked = ScalarLanes.invoke(
                    "tfx/runtime/program/Support", "index", Type.LONG_TYPE, row, stage.dim(lookup.limit()));
            stage.bind(lookup.symbol(), stage.method.let("g", checked));
        }
    }

    /// A binary function of two scalars.
    Expr binary(BinaryFn fn, DType dtype, Expr a, Expr b) {
        return functions.binary(fn, dtype, a, b);
    }

    /// The values at points `low + x` to `low + x + lanes - 1`.
    Expr vector(Kernel.Expr e, Expr.Local x) {
        Expr known = uniformVectors.get(e);
        if (known == null) {
            known = memo.get(e);
        }
        if (known != null) {
            return known;
        }
        Expr value = vectorParts(e, x);
        if (counts.getOrDefault(e, 0) > 1) {
            value = stage.method.let("c", value);
            memo.put(e, value);
        }
        return value;
    }

    private Expr vectorParts(Kernel.Expr e, Expr.Local x) {
        VectorLanes lanes = stage.vectorLanes();
        return switch (e) {
            case Kernel.Load l -> {
                Moving m = moving.get(l);
                yield lanes.load(m.base().plus(x.asLong().times(m.step())));
            }
            case Kernel.Ref r -> lanes.load(stage.floats, tileBase(r.name()).plus(x));
            case Kernel.Unary u -> {
                Expr v = vector(u.x(), x);
                yield switch (u.fn()) {
                    case NEG -> lanes.neg(v);
                    case ABS -> lanes.abs(v);
                    case EXP ->
                        Kernel.Fact.NONPOSITIVE.isOf(u.x())
                                ? FloatMath.expOfNonpositive(lanes, v)
                                : FloatMath.exp(lanes, v);
                    case SQRT -> lanes.sqrt(v);
                    case TANH -> FloatMath.tanh(lanes, v);
                    case ERF -> FloatMath.erf(lanes, v);
                    case SIGMOID -> FloatMath.sigmoid(lanes, v);
                    case ROUND -> FloatMath.round(lanes, v);
                    case FLOOR -> FloatMath.floor(lanes, v);
                    case CEIL -> FloatMath.ceil(lanes, v);
                    case TRUNC -> FloatMath.trunc(lanes, v);
                    case NOT -> lanes.not(v);
                    default -> throw new IllegalArgumentException(u.fn().text() + " has no vector form");
                };
            }
            case Kernel.Binary b
            when b.fn().isComparison() && dtype(b.a()) == DType.I32 ->
                lanes.compareIntegers(
                        ScalarFunctions.comparison(b.fn()), integerVector(b.a(), x), integerVector(b.b(), x));
            case Kernel.Binary(BinaryFn fn, Kernel.Expr a, Kernel.Constant c)
            when limits(fn, c) -> limit(lanes, fn, vector(a, x), vector(c, x), c);
            case Kernel.Binary(BinaryFn fn, Kernel.Constant c, Kernel.Expr b)
            when limits(fn, c) -> limit(lanes, fn, vector(b, x), vector(c, x), c);
            case Kernel.Binary b -> vectorBinary(lanes, b.fn(), vector(b.a(), x), vector(b.b(), x));
            case Kernel.Select s -> lanes.choose(vector(s.condition(), x), vector(s.a(), x), vector(s.b(), x));
            case Kernel.Constant c -> throw new IllegalArgumentException("a constant is hoisted");
            case Kernel.Index i -> throw new IllegalArgumentException("an index does not vectorize");
            case Kernel.Cast c -> lanes.toFloats(integerVector(c.x(), x));
            case Kernel.Known k -> vector(k.x(), x);
        };
    }

    /// Whether a function is a maximum or minimum with a constant: two instructions, where the general one, which
    /// keeps NaN of either side and orders zeros, is six.
    private static boolean limits(BinaryFn fn, Kernel.Constant c) {
        return (fn == BinaryFn.MAX || fn == BinaryFn.MIN)
                && !Float.isNaN(c.value().floatValue());
    }

    private static Expr limit(Lanes lanes, BinaryFn fn, Expr x, Expr wide, Kernel.Constant c) {
        boolean max = fn == BinaryFn.MAX;
        // Of two zeros, the maximum is 0 and the minimum -0; a comparison takes them as equal.
        boolean zero = Float.compare(c.value().floatValue(), max ? 0f : -0f) == 0;
        Expr value = lanes.let(x);
        return lanes.choose(lanes.compare((max ? "<" : ">") + (zero ? "=" : ""), value, wide), wide, value);
    }

    static Expr vectorBinary(Lanes lanes, BinaryFn fn, Expr a, Expr b) {
        return switch (fn) {
            case ADD -> lanes.add(a, b);
            case SUB -> lanes.sub(a, b);
            case MUL -> lanes.mul(a, b);
            case DIV -> lanes.div(a, b);
            case MIN -> lanes.min(a, b);
            case MAX -> lanes.max(a, b);
            case AND -> lanes.and(a, b);
            case OR -> lanes.or(a, b);
            case EQ, NE, LT, LE, GT, GE -> lanes.compare(ScalarFunctions.comparison(fn), a, b);
            case FLOORDIV, MOD, POW, ATAN2, LOGADDEXP, BIT_AND, BIT_OR, BIT_XOR, SHIFT_LEFT, SHIFT_RIGHT, THREEFRY ->
                throw new IllegalArgumentException(fn.text());
        };
    }
}
