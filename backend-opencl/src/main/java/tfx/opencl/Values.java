package tfx.opencl;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tfx.ir.BinaryFn;
import tfx.ir.kernel.Exprs;
import tfx.ir.kernel.Kernel;
import tfx.runtime.DType;
import tfx.runtime.Dim;

/// OpenCL C for kernel expressions at the points of a loop nest. Along one axis, the innermost, a value may be
/// taken for as many neighbours at once as a vector holds; what does not change along it is computed before.
final class Values {
    private final KernelWriter writer;
    private final Code code;
    private final Map<String, String> symbols = new HashMap<>();
    private final Map<Kernel.Expr, Integer> counts = new HashMap<>();
    private final Map<Kernel.Expr, String> hoisted = new HashMap<>();
    private final Map<String, String> lookedUp = new HashMap<>();
    private Map<Kernel.Expr, String> memo = new HashMap<>();
    private Map<Kernel.Expr, String> wide = new HashMap<>();
    private String axis = "";

    Values(KernelWriter writer) {
        this.writer = writer;
        this.code = writer.code();
    }

    /// Gives an axis or another symbol of index expressions its value.
    void bind(String symbol, String value) {
        symbols.put(symbol, value);
    }

    /// Names the innermost axis.
    void along(String innermost) {
        axis = innermost;
    }

    /// Begins a pass of a loop's body: what was named in an earlier one is not set here.
    void begin() {
        memo = new HashMap<>();
        wide = new HashMap<>();
    }

    int width() {
        return writer.group().width();
    }

    boolean varying(Kernel.Expr e) {
        return switch (e) {
            case Kernel.Load l ->
                l.index().stream().anyMatch(d -> d.symbols().contains(axis))
                        || l.lookups().stream().anyMatch(k -> varying(k.value()));
            case Kernel.Index i ->
                i.dim().symbols().contains(axis) || i.lookups().stream().anyMatch(k -> varying(k.value()));
            case Kernel.Ref r -> writer.tile(r.name()).axes().contains(axis);
            case Kernel.Constant _, Kernel.Unary _, Kernel.Binary _, Kernel.Select _, Kernel.Cast _, Kernel.Known _ ->
                Exprs.parts(e).stream().anyMatch(this::varying);
        };
    }

    // ---- sizes and positions ----

    /// An index or size.
    String dim(Dim dim) {
        StringBuilder sum = new StringBuilder();
        for (Dim.Term term : dim.terms()) {
            StringBuilder product = new StringBuilder();
            if (term.coefficient() != 1 || term.atoms().isEmpty()) {
                product.append(Types.ofLong(term.coefficient()));
            }
            for (Dim.Atom atom : term.atoms()) {
                product.append(product.isEmpty() ? "" : " * ").append(atom(atom));
            }
            sum.append(sum.isEmpty() ? "" : " + ").append(product);
        }
        return sum.isEmpty()
                ? "0L"
                : dim.terms().size() == 1 && dim.terms().getFirst().atoms().size() <= 1
                        ? sum.toString()
                        : "(" + sum + ")";
    }

    private String atom(Dim.Atom atom) {
        return switch (atom) {
            case Dim.Symbol s -> symbol(s.name());
            case Dim.Quotient q -> "tfx_quotient_i64(" + dim(q.dividend()) + ", " + dim(q.divisor()) + ")";
            case Dim.Remainder r -> "tfx_remainder_i64(" + dim(r.dividend()) + ", " + dim(r.divisor()) + ")";
        };
    }

    private String symbol(String name) {
        String value = symbols.get(name);
        return value != null ? value : lookedUp.getOrDefault(name, writer.symbol(name));
    }

    /// The position of an element in its buffer.
    String position(Kernel.Buffer buffer, List<Dim> index) {
        return dim(writer.kernel().position(buffer, index));
    }

    /// Checks looked-up indices and names them.
    void lookups(List<Kernel.Lookup> lookups) {
        for (Kernel.Lookup lookup : lookups) {
            if (!lookedUp.containsKey(lookup.symbol())) {
                symbols.put(lookup.symbol(), index(lookup));
            }
        }
    }

    private String index(Kernel.Lookup lookup) {
        String value = "tfx_index(" + scalar(lookup.value()) + ", " + dim(lookup.limit()) + ", failed, launch)";
        return code.let("long", "row", value);
    }

    /// Where all lookups of a load found their place: a dimension of no elements has none.
    private Optional<String> guard(List<Kernel.Lookup> lookups) {
        return lookups.stream()
                .filter(k -> k.limit().constant().filter(c -> c > 0).isEmpty())
                .map(k -> dim(k.limit()) + " > 0")
                .distinct()
                .reduce((a, b) -> a + " && " + b);
    }

    // ---- before the innermost loop ----

    /// Counts how often each part is used, so that what is used twice is named.
    void count(Kernel.Expr e) {
        if (counts.merge(e, 1, Integer::sum) == 1) {
            Exprs.parts(e).forEach(this::count);
        }
    }

    /// Computes what does not change along the innermost axis.
    void hoist(Kernel.Expr e) {
        if (!varying(e)) {
            if (!(e instanceof Kernel.Constant) && !hoisted.containsKey(e)) {
                hoisted.put(e, code.let(Types.register(writer.dtype(e)), "u", scalar(e)));
            }
            return;
        }
        Exprs.parts(e).forEach(this::hoist);
        if (e instanceof Kernel.Load l) {
            for (Kernel.Lookup lookup : l.lookups()) {
                if (!varying(lookup.value()) && !lookedUp.containsKey(lookup.symbol())) {
                    lookedUp.put(lookup.symbol(), index(lookup));
                }
            }
        }
    }

    // ---- one element ----

    /// The value at the current point.
    String scalar(Kernel.Expr e) {
        String known = hoisted.getOrDefault(e, memo.get(e));
        if (known != null) {
            return known;
        }
        String value = scalarParts(e);
        boolean leaf = e instanceof Kernel.Constant;
        if (!leaf && counts.getOrDefault(e, 0) > 1) {
            value = code.let(Types.register(writer.dtype(e)), "c", value);
            memo.put(e, value);
        }
        return value;
    }

    private String scalarParts(Kernel.Expr e) {
        return switch (e) {
            case Kernel.Constant c -> Types.literal(c);
            case Kernel.Index i -> {
                lookups(i.lookups());
                yield Functions.convert(dim(i.dim()), DType.I64, i.dtype(), 1);
            }
            case Kernel.Ref r -> element(r.name());
            case Kernel.Load l -> {
                lookups(l.lookups());
                Kernel.Buffer buffer = writer.kernel().buffer(l.buffer());
                String element = loaded(buffer, position(buffer, l.index()));
                yield guard(l.lookups())
                        .map(g -> "(" + g + " ? " + element + " : 0)")
                        .orElse(element);
            }
            case Kernel.Unary u -> Functions.unary(u.fn(), writer.dtype(u.x()), scalar(u.x()), 1);
            case Kernel.Binary b -> Functions.binary(b.fn(), writer.dtype(b.a()), scalar(b.a()), scalar(b.b()), 1);
            case Kernel.Select s -> "(" + scalar(s.condition()) + " ? " + scalar(s.a()) + " : " + scalar(s.b()) + ")";
            case Kernel.Cast c -> Functions.convert(scalar(c.x()), writer.dtype(c.x()), c.dtype(), 1);
            case Kernel.Known k -> scalar(k.x());
        };
    }

    /// The element of a tile at the current point.
    String element(String tile) {
        return writer.name(tile) + "[" + place(tile) + "]";
    }

    /// The position in its tile of the element at the current point.
    String place(String tile) {
        KernelWriter.Tile t = writer.tile(tile);
        StringBuilder place = new StringBuilder();
        for (int i = 0; i < t.axes().size(); i++) {
            String name = t.axes().get(i);
            String at = symbols.get(name);
            if (at != null) {
                String low = writer.low(name);
                String steps = low.equals("0") ? at : "(" + at + " - " + low + ")";
                place.append(place.isEmpty() ? "" : " + ").append(steps);
                place.append(t.strides()[i] == 1 ? "" : " * " + t.strides()[i]);
            }
        }
        return place.isEmpty() ? "0" : place.toString();
    }

    /// Reads one element of a buffer.
    String loaded(Kernel.Buffer buffer, String position) {
        String name = writer.name(buffer.name());
        return switch (buffer.dtype()) {
            case F64, F32, I64, I32 -> name + "[" + position + "]";
            case I8, U8, BOOL -> "(int)" + name + "[" + position + "]";
            case F16 -> "vload_half(" + position + ", (global const half *)" + name + ")";
            case BF16 -> "tfx_from_bf16(" + name + "[" + position + "])";
        };
    }

    /// Writes one element of a buffer.
    void store(Kernel.Buffer buffer, String position, String value) {
        String name = writer.name(buffer.name());
        code.line(
                switch (buffer.dtype()) {
                    case F64, F32, I64, I32 -> name + "[" + position + "] = " + value + ";";
                    case I8, U8, BOOL ->
                        name + "[" + position + "] = (" + Types.stored(buffer.dtype()) + ")(" + value + ");";
                    case F16 -> "vstore_half_rte(" + value + ", " + position + ", (global half *)" + name + ");";
                    case BF16 -> name + "[" + position + "] = tfx_to_bf16(" + value + ");";
                });
    }

    // ---- neighbours along the innermost axis ----

    /// Whether neighbours along the innermost axis can be computed at once.
    boolean vectorizes(Kernel.Expr e) {
        DType dtype = writer.dtype(e);
        boolean wide = dtype == DType.F32 || dtype == DType.I32 || dtype == DType.BOOL || dtype.isHalf();
        if (!wide || !varying(e)) {
            return wide;
        }
        return switch (e) {
            case Kernel.Load l ->
                l.lookups().stream().noneMatch(k -> varying(k.value()))
                        && step(l.buffer(), l.index())
                                .filter(d -> d.isConstant(1))
                                .isPresent();
            case Kernel.Ref r -> writer.tile(r.name()).stride(axis) == 1;
            case Kernel.Index i ->
                dtype == DType.I32
                        && i.lookups().isEmpty()
                        && i.dim()
                                .linearFactor(axis)
                                .flatMap(Dim::constant)
                                .filter(c -> c == (int) (long) c)
                                .isPresent();
            case Kernel.Unary u -> vectorizes(u.x()) && Functions.hasVectorForm(u.fn(), writer.dtype(u.x()));
            case Kernel.Binary b ->
                Functions.hasVectorForm(b.fn(), writer.dtype(b.a()))
                        && (writer.dtype(b.a()) != DType.I32 || !divides(b.fn()) || positive(b.b()))
                        && vectorizes(b.a())
                        && vectorizes(b.b());
            case Kernel.Select s -> vectorizes(s.condition()) && vectorizes(s.a()) && vectorizes(s.b());
            case Kernel.Cast c -> dtype != DType.BOOL && vectorizes(c.x());
            case Kernel.Known k -> vectorizes(k.x());
            case Kernel.Constant c -> true;
        };
    }

    private static boolean divides(BinaryFn fn) {
        return fn == BinaryFn.FLOORDIV || fn == BinaryFn.MOD;
    }

    private static boolean positive(Kernel.Expr e) {
        return e instanceof Kernel.Constant c && c.value().longValue() > 0;
    }

    /// How far neighbours along the innermost axis lie apart; empty where that changes.
    Optional<Dim> step(String buffer, List<Dim> index) {
        Kernel.Buffer b = writer.kernel().buffer(buffer);
        return writer.kernel().position(b, index).linearFactor(axis);
    }

    /// The values at the current point and its neighbours.
    String vector(Kernel.Expr e) {
        String known = wide.get(e);
        if (known != null) {
            return known;
        }
        DType dtype = writer.dtype(e);
        String type = Types.vector(dtype, width());
        if (!varying(e)) {
            String one = scalar(e);
            return "(" + type + ")(" + (dtype == DType.BOOL ? "-(" + one + ")" : one) + ")";
        }
        String value = vectorParts(e);
        if (counts.getOrDefault(e, 0) > 1) {
            value = code.let(type, "c", value);
            wide.put(e, value);
        }
        return value;
    }

    private String vectorParts(Kernel.Expr e) {
        int width = width();
        return switch (e) {
            case Kernel.Load l -> {
                lookups(l.lookups());
                Kernel.Buffer buffer = writer.kernel().buffer(l.buffer());
                String vector = loadedVector(buffer, position(buffer, l.index()));
                String none = "(" + Types.vector(buffer.dtype(), width) + ")(0)";
                yield guard(l.lookups())
                        .map(g -> "(" + g + " ? " + vector + " : " + none + ")")
                        .orElse(vector);
            }
            case Kernel.Ref r -> {
                String element = "vload" + width + "(0, " + writer.name(r.name()) + " + " + place(r.name()) + ")";
                yield writer.dtype(r) == DType.BOOL ? "(" + element + " != 0)" : element;
            }
            case Kernel.Index i -> {
                long step = i.dim().linearFactor(axis).flatMap(Dim::constant).orElseThrow();
                String lanes = "(int" + width + ")(" + lanes(width) + ")";
                yield "((int)(" + dim(i.dim()) + ") + " + lanes + (step == 1 ? "" : " * " + step) + ")";
            }
            case Kernel.Unary u -> Functions.unary(u.fn(), writer.dtype(u.x()), vector(u.x()), width);
            case Kernel.Binary b -> {
                DType dtype = writer.dtype(b.a());
                String x = vector(b.a());
                String y = vector(b.b());
                if (dtype == DType.I32 && divides(b.fn())) {
                    String name = b.fn() == BinaryFn.MOD ? "remainder" : "quotient";
                    yield "tfx_" + name + "_i32_" + width + "(" + x + ", " + y + ")";
                }
                yield Functions.binary(b.fn(), dtype, x, y, width);
            }
            case Kernel.Select s -> "(" + vector(s.condition()) + " ? " + vector(s.a()) + " : " + vector(s.b()) + ")";
            case Kernel.Cast c -> Functions.convert(vector(c.x()), writer.dtype(c.x()), c.dtype(), width);
            case Kernel.Known k -> vector(k.x());
            case Kernel.Constant c -> throw new IllegalArgumentException("a constant does not vary");
        };
    }

    private static String lanes(int width) {
        StringBuilder lanes = new StringBuilder("0");
        for (int i = 1; i < width; i++) {
            lanes.append(", ").append(i);
        }
        return lanes.toString();
    }

    private String loadedVector(Kernel.Buffer buffer, String position) {
        int width = width();
        String name = writer.name(buffer.name());
        String plain = "vload" + width + "(0, " + name + " + " + position + ")";
        return switch (buffer.dtype()) {
            case F32, I32 -> plain;
            case F16 -> "vload_half" + width + "(0, (global const half *)" + name + " + " + position + ")";
            case BF16 -> "tfx_from_bf16_" + width + "(" + plain + ")";
            case BOOL -> "(convert_int" + width + "(" + plain + ") != 0)";
            case I8, U8, F64, I64 -> throw new IllegalArgumentException(buffer.dtype() + " has no vectors here");
        };
    }

    /// Writes neighbours along the innermost axis.
    void storeVector(Kernel.Buffer buffer, String position, String value) {
        int width = width();
        String to = writer.name(buffer.name()) + " + " + position;
        code.line(
                switch (buffer.dtype()) {
                    case F32, I32 -> "vstore" + width + "(" + value + ", 0, " + to + ");";
                    case F16 -> "vstore_half" + width + "_rte(" + value + ", 0, (global half *)" + to + ");";
                    case BF16 -> "vstore" + width + "(tfx_to_bf16_" + width + "(" + value + "), 0, " + to + ");";
                    case BOOL -> "vstore" + width + "(convert_uchar" + width + "(" + value + " & 1), 0, " + to + ");";
                    case I8, U8, F64, I64 ->
                        throw new IllegalArgumentException(buffer.dtype() + " has no vectors here");
                });
    }
}
