package tfx.cpu;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;
import tfx.cpu.code.ClassCode;
import tfx.cpu.code.Expr;
import tfx.cpu.code.Method;
import tfx.cpu.code.Statement;
import tfx.ir.InternalError;
import tfx.runtime.DType;

/// The register tiles of matrix products, shared by all kernels of a program:
/// `C[rows, panel] (+)= A[rows, k] B[k, panel]`.
///
/// A and B lie in the scratch array or in memory; a row of B's panel is two vectors. C lies in the scratch array
/// and stays in registers along `k`. Every element is one chain of fused multiply-adds in the order of `k`, at
/// every width.
final class MicroKernels {
    /// Where an operand lies. In the scratch array, positions are indices and strides are constants of the code;
    /// in memory, positions are addresses, and rows of A are as far apart as the call says, forwards.
    ///
    /// @param stored how memory holds it: f32, or for B i8, f16 or bf16, which are widened as they are read
    /// @param row    elements between rows; 0 for A in memory
    /// @param column elements between columns; 1 for B
    record Operand(boolean scratch, DType stored, int row, int column) {
        static Operand scratch(int row, int column) {
            return new Operand(true, DType.F32, row, column);
        }

        static Operand memory(int row, int column) {
            return new Operand(false, DType.F32, row, column);
        }

        Type position() {
            return scratch ? Type.INT_TYPE : Type.LONG_TYPE;
        }

        /// A number of elements as a distance of positions.
        Expr distance(Expr elements) {
            return scratch ? elements : elements.asLong().times(Expr.literal((long) stored.bytes()));
        }

        Expr distance(int elements) {
            return distance(Expr.literal(elements));
        }

        /// How far behind the beginning of a piece of memory some steps along it start, if they go backwards.
        Expr behind(int stride, int steps) {
            return distance(Math.max(0, -stride) * (steps - 1));
        }

        /// A sum of positions as one.
        Expr at(Expr sum) {
            return scratch ? sum : Stage.address(sum);
        }

        /// How far `count` steps of `stride` elements reach.
        Expr distance(Expr count, int stride) {
            return scratch
                    ? stride == 1 ? count : count.times(Expr.literal(stride))
                    : count.asLong().times(Expr.literal((long) stride * stored.bytes()));
        }

        Expr element(Expr floats, Expr position, boolean twin) {
            if (scratch) {
                return new Expr.Element(floats, position);
            }
            Expr value = twin ? Stage.sharedLoad(stored, position) : Stage.load(stored, position);
            return stored == DType.I8 ? new Expr.Convert(Type.FLOAT_TYPE, value) : value;
        }

        /// The two vectors of a row of a panel. Those of 16-bit floats alternate: two elements are the halves of one
        /// int.
        List<Expr> pair(VectorLanes v, Expr floats, Expr position) {
            if (stored.isHalf()) {
                Expr bits = v.let(v.loadIntegers(position));
                return stored == DType.BF16
                        ? List.of(v.let(v.lowBrainFloats(bits)), v.let(v.highBrainFloats(bits)))
                        : List.of(v.let(v.lowHalfFloats(bits)), v.let(v.highHalfFloats(bits)));
            }
            Expr second = position.plus(distance(v.width()));
            return List.of(v.let(vector(v, floats, position)), v.let(vector(v, floats, second)));
        }

        /// How far column `j` of a panel is from its first.
        Expr column(Expr j, int lanes) {
            if (!stored.isHalf()) {
                return distance(j);
            }
            Expr inside = new Expr.Arithmetic("&", j, Expr.literal(lanes - 1)).times(Expr.literal(2));
            return distance(inside.plus(ScalarLanes.math("floorDiv", j, Expr.literal(lanes))));
        }

        private Expr vector(VectorLanes lanes, Expr floats, Expr position) {
            if (scratch) {
                return lanes.load(floats, position);
            }
            return switch (stored) {
                case I8 -> lanes.loadBytes(position);
                case F32 -> lanes.load(position);
                case F16, BF16, F64, I64, I32, U8, BOOL -> throw new InternalError("a vector of " + stored);
            };
        }

        private String text() {
            return (scratch ? "s" : "m") + (stored == DType.F32 ? "" : stored + "_") + row + "_" + column;
        }
    }

    /// A register tile.
    ///
    /// @param fresh   whether C begins as zeros, and not as what it holds
    record Tile(int rows, int panels, boolean fresh, Operand a, Operand b) {
        Tile(int rows, boolean fresh, Operand a, Operand b) {
            this(rows, 1, fresh, a, b);
        }

        String name() {
            String several = panels == 1 ? "" : "x" + panels;
            return (fresh ? "tile" : "add") + rows + several + "_" + a.text() + "_" + b.text();
        }
    }

    /// Panels that a few rows take at once. A single row of one panel would wait for its own sums; and of weights
    /// that come from memory, two streams arrive at half the speed of four.
    static final int ROW_PANELS = 4;

    private static final String SUPPORT = "tfx/runtime/program/Support";
    private static final String LOAD = "load";

    /// Steps along the summed axis of a trial. The JIT compiler gives registers to loops that it saw run for long.
    private static final int STEPS = 32;

    /// Elements that a trial reaches along the summed axis.
    private static final int FARTHEST = 1 << 16;

    /// Calls after which the JIT compiler takes a method.
    private static final int FIRST_CALLS = 300;

    /// Rows and columns of the scalar twin's blocks.
    private static final int SCALAR_BLOCK = 4;

    /// Panels of the tiles with the most products for each element read.
    static final int WIDE_PANELS = 2;

    /// Rows of A that are read before those that are multiplied. Once C2 has made 18 000 nodes for a method, it
    /// leaves methods of the JDK that do not ask to be inlined as calls, until it meets one that does. A read of
    /// memory ends in two of the former, which a product has none of. Six rows of four products reach that limit
    /// near their end, where no row is to be read any more. With sums to read before, all rows of memory are read
    /// before the first product, and before a panel of f16, which takes the most nodes.
    private static final int READ_AHEAD = 2;

    /// Rows of the register tiles of one panel, largest first. Registers would hold 12 rows, but the code for 12
    /// lies at the limit of nodes up to which the JIT compiler inlines: in some runs vectors stay objects.
    private final int[] tiles;

    /// Rows of the tiles of {@link #WIDE_PANELS} panels, where there are 32 registers.
    private final int[] wideTiles;

    /// The same, where A lies in the scratch array: the JIT compiler then reads all rows of a column first, which
    /// takes as many registers.
    private final int[] scratchTiles;

    private final int lanes;
    private final boolean vector;
    private final Optional<Parts> parts;
    private final ClassCode code;
    private final Map<Tile, Method> methods = new LinkedHashMap<>();
    private final Map<Tile, Method> blocks = new LinkedHashMap<>();
    private final Map<Tile, Parts.Part> tileParts = new HashMap<>();

    /// @param parts where each tile is to have a scalar twin that works until it is hot
    MicroKernels(int lanes, boolean vector, Optional<Parts> parts, String className) {
        this.lanes = lanes;
        this.parts = parts;
        this.vector = vector && lanes > 1;
        this.wideTiles = lanes >= 16 ? new int[] {6, 5, 4, 3, 2, 1} : new int[0];
        this.scratchTiles = lanes >= 16 ? new int[] {5, 4, 2, 1} : new int[0];
        this.tiles = lanes >= 16 ? new int[] {8, 4, 2, 1} : new int[] {6, 4, 2, 1};
        this.code = new ClassCode(className, Object.class, "product.tfx");
    }

    /// Ends the class, once all tiles are known.
    ClassCode finish() {
        if (!vector || parts.isPresent()) {
            initialize();
        }
        return code;
    }

    int[] tiles() {
        return tiles;
    }

    int[] wideTiles(Operand a) {
        return a.scratch ? scratchTiles : wideTiles;
    }

    /// Whether sizes of tiles, largest first, cover two rows more than the largest without one of two.
    boolean leavesNoTwo(int[] sizes) {
        return IntStream.of(sizes).anyMatch(s -> s == sizes[0] - 1)
                && IntStream.of(sizes).anyMatch(s -> s == 3);
    }

    /// The most rows that take {@link #ROW_PANELS} panels: their sums stay in registers.
    int fewRows() {
        return lanes >= 16 ? 3 : 1;
    }

    int panel() {
        return 2 * lanes;
    }

    /// A call of a register tile.
    ///
    /// @param a    position of A's first element
    /// @param aRow elements between rows of A, where it lies in memory
    /// @param b    position of the panel's first element
    /// @param next how far the panels of B are from each other, where the tile has several
    /// @param c    index of C's first element, whose rows are `cRow` elements apart
    Expr invoke(Tile tile, Expr floats, Expr a, Expr aRow, Expr b, Expr next, Expr c, Expr cRow, Expr depth) {
        return call(methods.computeIfAbsent(tile, this::make), List.of(floats, a, aRow, b, next, c, cRow, depth));
    }

    /// A tile as a part of the program, where it has a twin.
    Optional<Parts.Part> part(Tile tile) {
        methods.computeIfAbsent(tile, this::make);
        return Optional.ofNullable(tileParts.get(tile));
    }

    private Expr call(Method method, List<Expr> arguments) {
        return new Expr.Call(Opcodes.INVOKESTATIC, code.internalName(), method.name(), method.signature(), arguments);
    }

    private Method make(Tile tile) {
        if (!vector) {
            return made(tile, tile.name(), p -> scalars(tile, p));
        }
        if (parts.isEmpty()) {
            return made(tile, tile.name(), p -> vectors(tile, p));
        }
        Method vectors = made(tile, tile.name(), p -> {
            // A warm-up's call, which counts and does nothing.
            Expr some = new Expr.Compare(">=", p.depth, Expr.literal(0));
            p.method.choose(some, () -> vectors(tile, p), () -> {});
        });
        Method twin = made(tile, tile.name() + "_twin", p -> scalars(tile, p));
        return made(tile, tile.name() + "_either", p -> either(tile, vectors, twin, p));
    }

    /// A register tile's method and its parameters.
    private record Parameters(
            Method method,
            Expr.Local floats,
            Expr.Local a,
            Expr.Local aRow,
            Expr.Local b,
            Expr.Local next,
            Expr.Local c,
            Expr.Local cRow,
            Expr.Local depth) {
        List<Expr> all() {
            return List.of(floats, a, aRow, b, next, c, cRow, depth);
        }
    }

    private Method made(Tile tile, String name, Consumer<Parameters> body) {
        Method m = code.method(true, name, Type.VOID_TYPE);
        body.accept(new Parameters(
                m,
                m.parameter("floats", Stage.FLOATS),
                m.parameter("a", tile.a.position()),
                m.parameter("aRow", Type.INT_TYPE),
                m.parameter("b", tile.b.position()),
                m.parameter("next", tile.b.position()),
                m.parameter("c", Type.INT_TYPE),
                m.parameter("cRow", Type.INT_TYPE),
                m.parameter("depth", Type.INT_TYPE)));
        return m;
    }

    /// A tile's vector code where that is hot, else its scalar twin.
    private void either(Tile tile, Method vectors, Method twin, Parameters p) {
        Expr zero = Expr.literal(0);
        int columns = tile.panels * panel();
        int reach = Math.max(1, Math.max(Math.abs(tile.a.column), Math.abs(tile.b.row)));
        int steps = Math.clamp(FARTHEST / reach, 2, STEPS);
        Parts.Part part = parts.orElseThrow().add(vectors, twin, (m, c) -> {
            Expr address = new Expr.Element(c.frame(), zero);
            Expr depth = new Expr.Element(c.frame(), Expr.literal(1)).asInt();
            Expr a = tile.a.scratch ? zero : address.plus(tile.a.behind(tile.a.column, steps));
            Expr b = tile.b.scratch ? zero : address.plus(tile.b.behind(tile.b.row, steps));
            Expr next = tile.b.scratch ? zero : Expr.literal(0L);
            return call(m, List.of(c.floats(), a, Expr.literal(steps), b, next, zero, Expr.literal(columns), depth));
        });
        tileParts.put(tile, part);
        int left = tile.rows * Math.max(tile.a.row, steps) + steps * Math.abs(tile.a.column);
        int right = steps * Math.abs(tile.b.row) + panel();
        int scratch = Math.max(tile.a.scratch ? left : 0, tile.b.scratch ? right : 0);
        int memory = Math.max(tile.a.scratch ? 1 : left, tile.b.scratch ? 1 : right);
        Expr floats = Expr.literal(Math.max(tile.rows * columns, scratch));
        Expr bytes = Expr.literal(Float.BYTES * memory);
        parts.orElseThrow().loaded(part.tell("tile", floats, bytes, Expr.literal(steps)));
        int[] wide = wideTiles(tile.a);
        boolean largest = wide.length == 0
                ? tile.panels == 1 && tile.rows == tiles[0]
                : tile.panels == WIDE_PANELS && tile.rows == wide[0];
        if (largest && !tile.b.scratch) { // products with weights need it at once, attention if texts are long
            parts.orElseThrow().loaded(part.tell("want", Expr.literal(Integer.MAX_VALUE)));
        }
        Method m = p.method;
        m.choose(part.hot(), () -> m.call(call(vectors, p.all())), () -> {
            m.call(part.tell("want", p.depth));
            m.call(call(twin, p.all()));
        });
    }

    private void vectors(Tile tile, Parameters p) {
        Method m = p.method;
        Expr floats = p.floats;
        VectorLanes v = new VectorLanes(m, lanes);
        int width = 2 * tile.panels;
        List<Expr.Local> sums = new ArrayList<>();
        // One zero for all: one each would be 3 000 nodes of the JIT compiler's.
        Optional<Expr.Local> zero = tile.fresh ? Optional.of(m.let("zero", v.constant(0f))) : Optional.empty();
        for (int r = 0; r < tile.rows; r++) {
            Expr row = p.c.plus(p.cRow.times(Expr.literal(r)));
            for (int i = 0; i < width; i++) {
                Expr at = row.plus(Expr.literal(i * lanes));
                sums.add(m.let("sum", zero.<Expr>map(z -> z).orElseGet(() -> v.load(floats, at))));
            }
        }
        Expr between = tile.a.scratch ? Expr.literal(tile.a.row) : tile.a.distance(p.aRow);
        List<Expr> left = multiples(tile.a, m, between, tile.rows);
        List<Expr> panels = multiples(tile.b, m, p.next, tile.panels);
        Expr.Local k = m.let("k", Expr.literal(0));
        int ahead = tile.fresh || tile.a.scratch ? READ_AHEAD : tile.rows;
        m.counted(k, 1, p.depth, () -> {
            Expr.Local row = m.let("row", tile.b.at(p.b.plus(tile.b.distance(k, tile.b.row))));
            List<Expr> right = new ArrayList<>();
            Runnable readPanels = () -> panels.forEach(panel -> right.addAll(tile.b.pair(v, floats, row.plus(panel))));
            boolean before = tile.b.stored == DType.F16;
            if (!before) {
                readPanels.run();
            }
            Expr.Local column = m.let("column", tile.a.at(p.a.plus(tile.a.distance(k, tile.a.column))));
            List<Expr> elements = new ArrayList<>();
            IntConsumer read = rows -> {
                while (elements.size() < Math.min(rows, tile.rows)) {
                    Expr at = column.plus(left.get(elements.size()));
                    elements.add(m.let("a", tile.a.element(floats, at, false)));
                }
            };
            if (before) {
                read.accept(tile.rows);
                readPanels.run();
            }
            for (int r = 0; r < tile.rows; r++) {
                read.accept(r + 1 + ahead);
                Expr.Local wide = m.let("wide", v.broadcast(elements.get(r)));
                for (int i = 0; i < width; i++) {
                    Expr.Local sum = sums.get(width * r + i);
                    m.set(sum, v.fma(wide, right.get(i), sum));
                }
            }
        });
        UnaryOperator<Expr> known = v.known();
        for (int r = 0; r < tile.rows; r++) {
            Expr row = p.c.plus(p.cRow.times(Expr.literal(r)));
            for (int i = 0; i < width; i++) {
                m.call(v.store(known.apply(sums.get(width * r + i)), floats, row.plus(Expr.literal(i * lanes))));
            }
        }
    }

    /// 0, `step`, twice `step`, ...: where rows of A or panels of B lie. A step of memory is not negative.
    private static List<Expr> multiples(Operand operand, Method m, Expr step, int count) {
        List<Expr> multiples = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Expr factor = operand.scratch ? Expr.literal(i) : Expr.literal((long) i);
            Expr far = i == 0 ? factor : step.times(factor);
            multiples.add(operand.scratch || i == 0 ? far : m.let("far", Stage.distance(far)));
        }
        return multiples;
    }

    /// A tile in blocks of a few rows and columns. Tiles share the methods of blocks, so that the JIT compiler has
    /// few to compile, and soon.
    private void scalars(Tile tile, Parameters p) {
        Method m = p.method;
        Expr between = tile.a.scratch ? Expr.literal(tile.a.row) : p.aRow;
        for (int first = 0; first < tile.rows; ) {
            int rows = Integer.highestOneBit(Math.min(SCALAR_BLOCK, tile.rows - first));
            Tile shape = new Tile(rows, tile.fresh, tile.a, tile.b);
            Method block = blocks.computeIfAbsent(shape, t -> made(t, t.name() + "_block", q -> block(t, q)));
            Expr.Local a = m.let("row", p.a.plus(tile.a.distance(between.times(Expr.literal(first)))));
            Expr.Local c = m.let("to", p.c.plus(p.cRow.times(Expr.literal(first))));
            Expr.Local right = m.let("right", p.b);
            for (int panel = 0; panel < tile.panels; panel++) {
                if (panel > 0) {
                    m.set(right, right.plus(p.next));
                }
                Expr to = c.plus(Expr.literal(panel * panel()));
                Expr.Local j = m.let("j", Expr.literal(0));
                m.loop(j, Expr.literal(blockColumns()), Expr.literal(panel()), () -> {
                    Expr b = right.plus(tile.b.column(j, lanes));
                    m.call(call(block, List.of(p.floats, a, p.aRow, b, p.next, to.plus(j), p.cRow, p.depth)));
                });
            }
            first += rows;
        }
    }

    private int blockColumns() {
        return Math.min(SCALAR_BLOCK, panel());
    }

    /// A few rows by a few columns, whose sums stay in registers.
    private void block(Tile tile, Parameters p) {
        Method m = p.method;
        boolean twin = parts.isPresent();
        ScalarLanes s = new ScalarLanes(m);
        Expr between = tile.a.scratch ? Expr.literal(tile.a.row) : p.aRow;
        int width = blockColumns();
        List<Expr> left = new ArrayList<>();
        List<Expr> result = new ArrayList<>();
        List<Expr.Local> sums = new ArrayList<>();
        for (int r = 0; r < tile.rows; r++) {
            left.add(m.let("row", p.a.plus(tile.a.distance(between.times(Expr.literal(r))))));
            Expr.Local to = m.let("to", p.c.plus(p.cRow.times(Expr.literal(r))));
            for (int i = 0; i < width; i++) {
                Expr at = to.plus(Expr.literal(i));
                result.add(at);
                sums.add(m.let("sum", tile.fresh ? new Expr.Literal(0f) : new Expr.Element(p.floats, at)));
            }
        }
        List<Expr> columns = new ArrayList<>();
        for (int i = 0; i < width; i++) {
            columns.add(m.let("column", p.b.plus(tile.b.column(Expr.literal(i), lanes))));
        }
        Expr.Local k = m.let("k", Expr.literal(0));
        m.loop(k, Expr.literal(1), p.depth, () -> {
            Expr.Local at = m.let("at", tile.b.distance(k, tile.b.row));
            List<Expr> right = new ArrayList<>();
            for (Expr column : columns) {
                right.add(m.let("b", tile.b.element(p.floats, tile.b.at(column.plus(at)), twin)));
            }
            for (int r = 0; r < tile.rows; r++) {
                Expr from = tile.a.at(left.get(r).plus(tile.a.distance(k, tile.a.column)));
                Expr.Local value = m.let("a", tile.a.element(p.floats, from, twin));
                for (int i = 0; i < width; i++) {
                    Expr.Local sum = sums.get(r * width + i);
                    m.set(sum, s.fma(value, right.get(i), sum));
                }
            }
        });
        for (int i = 0; i < result.size(); i++) {
            m.add(new Statement.SetElement(p.floats, result.get(i), sums.get(i)));
        }
    }

    /// Calls each block with nothing to add when the class is loaded, so that the JIT compiler takes it before it
    /// has work: interpreted, the first products would take longer than all else of a first call.
    private void initialize() {
        Method m = code.initializer();
        Expr.Local floats = m.let("floats", ScalarLanes.invoke(SUPPORT, "block", Stage.FLOATS));
        Expr.Local i = m.let("i", Expr.literal(0));
        m.loop(
                i,
                Expr.literal(1),
                Expr.literal(FIRST_CALLS),
                () -> blocks.forEach((tile, block) -> {
                    Expr a = tile.a.scratch ? Expr.literal(0) : Expr.literal(0L);
                    Expr b = tile.b.scratch ? Expr.literal(0) : Expr.literal(0L);
                    Expr zero = Expr.literal(0);
                    m.call(call(block, List.of(floats, a, zero, b, b, zero, zero, zero)));
                }));
        parts.ifPresent(p -> p.classes().forEach(c -> m.call(Parts.warmup(c))));
        code.method(true, LOAD, Type.VOID_TYPE);
    }

    /// Has the class loaded with one that uses its tiles; nothing where no tile is scalar code.
    void loadWith(ClassCode user) {
        if (!vector || parts.isPresent()) {
            user.initializer().call(ScalarLanes.invoke(code.internalName(), LOAD, Type.VOID_TYPE));
        }
    }
}
