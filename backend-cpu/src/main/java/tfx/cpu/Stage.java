package tfx.cpu;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;
import tfx.cpu.code.Expr;
import tfx.cpu.code.Method;
import tfx.ir.kernel.Exprs;
import tfx.ir.kernel.Kernel;
import tfx.runtime.DType;
import tfx.runtime.Dim;
import tfx.runtime.program.Support;

/// One emitted method that works on tiles, and the names it can use: sizes, addresses, points of axes.
final class Stage {
    static final Type LONGS = Type.getType(long[].class);
    static final Type FLOATS = Type.getType(float[].class);
    static final Type DOUBLES = Type.getType(double[].class);
    static final String SUPPORT = Type.getInternalName(Support.class);
    private static final String SEGMENT = "java/lang/foreign/MemorySegment";

    /// The bits of an address, and of a distance between two.
    private static final long ADDRESS = Long.MAX_VALUE >> 1;

    private static final long DISTANCE = (1L << 40) - 1;

    private static final Expr ALL = new Expr.Static(SUPPORT, "ALL", Type.getObjectType(SEGMENT));

    final KernelEmitter emitter;
    final Method method;
    final Expr.Local frame;
    final Expr.Local floats;
    final Expr.Local doubles;
    final Expr.Local longs;
    final Expr.Local ranges;

    /// Whether it may use vectors, or is their scalar twin.
    final boolean vector;

    private boolean vectors;
    private Optional<Cut> cut = Optional.empty();
    private final Map<String, Expr> symbols = new HashMap<>();
    private final Map<String, Expr> addresses = new HashMap<>();

    private Stage(KernelEmitter emitter, Method method, boolean vector, Expr.Local frame, Expr.Local[] scratch) {
        this.emitter = emitter;
        this.vector = vector;
        this.method = method;
        this.frame = frame;
        this.floats = scratch[0];
        this.doubles = scratch[1];
        this.longs = scratch[2];
        this.ranges = scratch[3];
    }

    Stage(KernelEmitter emitter, Method method, boolean vector) {
        this(emitter, method, vector, method.parameter("frame", LONGS), new Expr.Local[] {
            method.parameter("floats", FLOATS),
            method.parameter("doubles", DOUBLES),
            method.parameter("longs", LONGS),
            method.parameter("ranges", LONGS)
        });
    }

    /// For a method that has a frame and nothing else.
    static Stage ofFrame(KernelEmitter emitter, Method method, Expr.Local frame) {
        return new Stage(emitter, method, false, frame, new Expr.Local[] {frame, frame, frame, frame});
    }

    /// The scratch array of an element type.
    Expr scratch(DType dtype) {
        return switch (Tiles.kind(dtype)) {
            case FLOATS -> floats;
            case DOUBLES -> doubles;
            case LONGS -> longs;
        };
    }

    /// First point of an axis in this task or step.
    Expr low(String axis) {
        return new Expr.Element(ranges, Expr.literal(2 * emitter.axisNumber(axis)));
    }

    /// One past the last point.
    Expr high(String axis) {
        return new Expr.Element(ranges, Expr.literal(2 * emitter.axisNumber(axis) + 1));
    }

    /// A number of points as that of whole vectors.
    Expr filled(Expr points) {
        int lanes = emitter.lanes();
        return new Expr.Arithmetic("&", points.plus(Expr.literal(lanes - 1)), Expr.literal(-lanes));
    }

    /// How a call of a stage works on less.
    ///
    /// @param axis    whose range may be empty: the stage then does nothing
    /// @param divides whether the stage can also leave out the first points of that axis
    record Cut(String axis, boolean divides) {}

    Optional<Cut> cut() {
        return cut;
    }

    /// Says that the stage does nothing where this axis has no points.
    void empties(String axis) {
        cut = Optional.of(new Cut(axis, false));
    }

    /// For vectors in the code of this stage, which it has from then on.
    VectorLanes vectorLanes() {
        vectors = true;
        return new VectorLanes(method, emitter.lanes());
    }

    /// Whether the code has vectors.
    boolean hasVectors() {
        return vectors;
    }

    /// Walks the outermost axis, of which a call may leave out the first points.
    void outermost(String axis, Runnable body) {
        cut = Optional.of(new Cut(axis, true));
        walk(axis, emitter.skipped(this), body);
    }

    /// The same in a loop that the JIT compiler counts, for vector code.
    void outermostCounted(String axis, Runnable body) {
        cut = Optional.of(new Cut(axis, true));
        walkCounted(axis, emitter.skipped(this), body);
    }

    /// Walks an axis.
    void walk(String axis, Runnable body) {
        walk(axis, Optional.empty(), body);
    }

    private void walkCounted(String axis, Optional<Expr> skipped, Runnable body) {
        Expr.Local low = method.let("low", low(axis));
        Expr.Local count = method.let("count", high(axis).minus(low).asInt());
        Expr.Local step = method.let("step", skipped.map(Expr::asInt).orElse(Expr.literal(0)));
        method.counted(step, 1, count, () -> {
            bind(axis, low.plus(step.asLong()));
            bind(KernelEmitter.relative(axis), step.asLong());
            body.run();
        });
    }

    private void walk(String axis, Optional<Expr> skipped, Runnable body) {
        Expr.Local low = method.let("low", low(axis));
        Expr.Local at = method.let("at", skipped.isPresent() ? low.plus(skipped.get()) : low);
        method.loop(at, Expr.literal(1L), high(axis), () -> {
            bind(axis, at);
            bind(KernelEmitter.relative(axis), at.minus(low));
            body.run();
        });
    }

    /// Reads what expressions need before any loop: sizes, addresses, and the points of axes that no loop here
    /// walks.
    void prepare(List<Kernel.Expr> values, List<List<Dim>> indices, Set<String> buffers) {
        Set<String> names = new TreeSet<>();
        Set<String> read = new TreeSet<>(buffers);
        for (Kernel.Expr value : values) {
            names.addAll(Exprs.symbols(value));
            Exprs.walk(value, e -> {
                if (e instanceof Kernel.Load l) {
                    read.add(l.buffer());
                }
            });
        }
        indices.forEach(index -> index.forEach(d -> names.addAll(d.symbols())));
        for (String buffer : read) {
            addresses.put(
                    buffer,
                    method.let(
                            "at_" + buffer + "_", new Expr.Element(frame, Expr.literal(emitter.bufferNumber(buffer)))));
            emitter.kernel().buffer(buffer).shape().forEach(d -> names.addAll(d.symbols()));
        }
        for (String name : names) {
            if (symbols.containsKey(name)) {
                continue;
            }
            if (emitter.isSize(name)) {
                symbols.put(name, method.let("size_", new Expr.Element(frame, Expr.literal(emitter.sizeNumber(name)))));
            } else if (emitter.isAxis(name)) {
                symbols.put(name, method.let("point_", low(name)));
            }
        }
    }

    /// Binds a symbol of index expressions to a value.
    void bind(String symbol, Expr value) {
        symbols.put(symbol, value);
    }

    boolean isBound(String symbol) {
        return symbols.containsKey(symbol);
    }

    /// An index or size as a `long`.
    Expr dim(Dim dim) {
        Expr sum = null;
        for (Dim.Term term : dim.terms()) {
            Expr product = null;
            for (Dim.Atom atom : term.atoms()) {
                Expr factor = switch (atom) {
                    case Dim.Symbol s -> symbol(s.name());
                    case Dim.Quotient q -> ScalarLanes.math("floorDiv", dim(q.dividend()), dim(q.divisor()));
                    case Dim.Remainder r -> ScalarLanes.math("floorMod", dim(r.dividend()), dim(r.divisor()));
                };
                product = product == null ? factor : product.times(factor);
            }
            Expr coefficient = Expr.literal(term.coefficient());
            Expr value = product == null ? coefficient : term.coefficient() == 1 ? product : product.times(coefficient);
            sum = sum == null ? value : sum.plus(value);
        }
        return sum == null ? Expr.literal(0L) : sum;
    }

    private Expr symbol(String name) {
        Expr value = symbols.get(name);
        if (value == null) {
            throw new tfx.ir.InternalError("symbol " + name + " has no value in kernel "
                    + emitter.kernel().name());
        }
        return value;
    }

    /// The row-major (or panel) position of an element, in elements.
    Dim position(Kernel.Buffer buffer, List<Dim> index) {
        return emitter.kernel().position(buffer, index);
    }

    /// The address of an element.
    Expr address(Kernel.Buffer buffer, Dim position) {
        return address(addresses.get(buffer.name()).plus(dim(position).times(Expr.literal((long)
                buffer.dtype().bytes()))));
    }

    /// A sum as an address: cut to {@link #ADDRESS}, from which the JIT compiler knows that it lies within memory.
    static Expr address(Expr sum) {
        return new Expr.Arithmetic("&", sum, Expr.literal(ADDRESS));
    }

    /// A sum as a distance between addresses, which is not negative.
    static Expr distance(Expr sum) {
        return new Expr.Arithmetic("&", sum, Expr.literal(DISTANCE));
    }

    /// Reads one element: 16-bit floats come as float, narrow integers and bools (0 or 1) as int.
    static Expr load(DType dtype, Expr address) {
        Expr layout = layout(dtype);
        Expr value = new Expr.Call(
                Opcodes.INVOKEINTERFACE,
                SEGMENT,
                "get",
                Type.getMethodType(memoryType(dtype), layout.type(), Type.LONG_TYPE),
                List.of(ALL, layout, address));
        return switch (dtype) {
            case F16 -> numbers("fromF16", Type.FLOAT_TYPE, value);
            case BF16 -> numbers("fromBf16", Type.FLOAT_TYPE, value);
            case I8, BOOL -> new Expr.Convert(Type.INT_TYPE, value);
            case U8 -> new Expr.Arithmetic("&", new Expr.Convert(Type.INT_TYPE, value), Expr.literal(255));
            case F64, F32, I64, I32 -> value;
        };
    }

    /// Reads one element as this stage does: a twin by what all twins share, floats at least.
    Expr read(DType dtype, Expr address) {
        return emitter.isTwin(this) ? sharedLoad(dtype, address) : load(dtype, address);
    }

    /// Writes one element, likewise.
    Expr write(DType dtype, Expr address, Expr value) {
        Optional<Expr> type = emitter.isTwin(this) ? sharedType(dtype) : Optional.empty();
        return type.isPresent()
                ? ScalarLanes.invoke(SUPPORT, "write", Type.VOID_TYPE, type.get(), address, value)
                : store(dtype, address, value);
    }

    /// Reads one element of a twin.
    static Expr sharedLoad(DType dtype, Expr address) {
        return sharedType(dtype)
                .map(type -> ScalarLanes.invoke(SUPPORT, "read", Type.FLOAT_TYPE, type, address))
                .orElseGet(() -> load(dtype, address));
    }

    private static Optional<Expr> sharedType(DType dtype) {
        return switch (dtype) {
            case F32 -> Optional.of(Expr.literal(Support.F32));
            case F16 -> Optional.of(Expr.literal(Support.F16));
            case BF16 -> Optional.of(Expr.literal(Support.BF16));
            case F64, I64, I32, I8, U8, BOOL -> Optional.empty();
        };
    }

    /// A call of the arithmetic that the JDK lacks.
    static Expr numbers(String name, Type result, Expr... arguments) {
        return ScalarLanes.invoke("tfx/runtime/Numbers", name, result, arguments);
    }

    /// Writes one element.
    static Expr store(DType dtype, Expr address, Expr value) {
        Expr layout = layout(dtype);
        Expr stored = switch (dtype) {
            case F16 -> numbers("toF16", Type.SHORT_TYPE, value);
            case BF16 -> numbers("toBf16", Type.SHORT_TYPE, value);
            case I8, U8, BOOL -> new Expr.Convert(Type.BYTE_TYPE, value);
            case F64, F32, I64, I32 -> value;
        };
        return new Expr.Call(
                Opcodes.INVOKEINTERFACE,
                SEGMENT,
                "set",
                Type.getMethodType(Type.VOID_TYPE, layout.type(), Type.LONG_TYPE, memoryType(dtype)),
                List.of(ALL, layout, address, stored));
    }

    private static Expr layout(DType dtype) {
        String name = switch (dtype) {
            case F32 -> "Float";
            case F64 -> "Double";
            case F16, BF16 -> "Short";
            case I32 -> "Int";
            case I64 -> "Long";
            case I8, U8, BOOL -> "Byte";
        };
        String constant = "JAVA_" + name.toUpperCase(java.util.Locale.ROOT) + (dtype.bytes() == 1 ? "" : "_UNALIGNED");
        return new Expr.Static(
                "java/lang/foreign/ValueLayout",
                constant,
                Type.getObjectType("java/lang/foreign/ValueLayout$Of" + name));
    }

    private static Type memoryType(DType dtype) {
        return dtype.bytes() == 1 ? Type.BYTE_TYPE : dtype.isHalf() ? Type.SHORT_TYPE : type(dtype);
    }

    /// The JVM type of a value in registers.
    static Type type(DType dtype) {
        return switch (dtype) {
            case F32, F16, BF16 -> Type.FLOAT_TYPE;
            case F64 -> Type.DOUBLE_TYPE;
            case I64 -> Type.LONG_TYPE;
            case I32, I8, U8, BOOL -> Type.INT_TYPE;
        };
    }
}
