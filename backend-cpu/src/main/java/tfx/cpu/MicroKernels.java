package tfx.cpu;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntConsumer;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.objectweb.asm.Type;
import tfx.cpu.code.ClassCode;
import tfx.cpu.code.Expr;
import tfx.cpu.code.Method;
import tfx.runtime.DType;

/// The register tiles of matrix products, shared by all kernels of a program.
final class MicroKernels {
    /// Panels that a few rows take at once. A single row of one panel would wait for its own sums; and of weights
    /// that come from memory, two streams arrive at half the speed of four.
    static final int ROW_PANELS = 4;

    private static final String LOAD = "load";

    /// Steps along the summed axis of a trial. The JIT compiler gives registers to loops that it saw run for long.
    private static final int STEPS = 32;

    /// Elements that a trial reaches along the summed axis.
    private static final int FARTHEST = 1 << 16;

    /// Panels of the tiles with the most products for each element read.
    static final int WIDE_PANELS = 2;

    /// Rows of A that are read before those that are multiplied. Once C2 has made 18 000 nodes for a method, it
    /// leaves methods of the JDK that do not ask to be inlined as calls, until it meets one that does. A read of
    /// memory ends in two of the former, which a product has none of. Six rows of four products reach that limit
    /// near their end, where no row is to be read any more. Where sums are read first, all rows of memory are read
    /// before the first product; and a panel of f16, which takes the most nodes, always comes after all rows.
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
    private final ScalarBlocks scalar;
    private final Map<RegisterTile, Method> methods = new LinkedHashMap<>();
    private final Map<RegisterTile, Parts.Part> tileParts = new HashMap<>();

    /// @param parts where each tile is to have a scalar twin that works until it is hot
    MicroKernels(int lanes, boolean vector, Optional<Parts> parts, String className) {
        this.lanes = lanes;
        this.parts = parts;
        this.vector = vector && lanes > 1;
        this.wideTiles = lanes >= 16 ? new int[] {6, 5, 4, 3, 2, 1} : new int[0];
        this.scratchTiles = lanes >= 16 ? new int[] {5, 4, 2, 1} : new int[0];
        this.tiles = lanes >= 16 ? new int[] {8, 4, 2, 1} : new int[] {6, 4, 2, 1};
        this.code = new ClassCode(className, Object.class, "product.tfx");
        this.scalar = new ScalarBlocks(lanes, parts.isPresent(), code);
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

    int[] wideTiles(RegisterTile.Operand a) {
        return a.scratch() ? scratchTiles : wideTiles;
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
    Expr invoke(RegisterTile tile, Expr floats, Expr a, Expr aRow, Expr b, Expr next, Expr c, Expr cRow, Expr depth) {
        return code.call(methods.computeIfAbsent(tile, this::make), List.of(floats, a, aRow, b, next, c, cRow, depth));
    }

    /// A tile as a part of the program, where it has a twin.
    Optional<Parts.Part> part(RegisterTile tile) {
        methods.computeIfAbsent(tile, this::make);
        return Optional.ofNullable(tileParts.get(tile));
    }

    private Method make(RegisterTile tile) {
        if (!vector) {
            return tile.method(code, tile.name(), p -> scalar.emit(tile, p));
        }
        if (parts.isEmpty()) {
            return tile.method(code, tile.name(), p -> vectors(tile, p));
        }
        Method vectors = tile.method(code, tile.name(), p -> {
            // A warm-up's call, which counts and does nothing.
            Expr some = new Expr.Compare(">=", p.depth(), Expr.literal(0));
            p.method().choose(some, () -> vectors(tile, p), () -> {});
        });
        Method twin = tile.method(code, tile.name() + "_twin", p -> scalar.emit(tile, p));
        return tile.method(code, tile.name() + "_either", p -> either(tile, vectors, twin, p));
    }

    /// A tile's vector code where that is hot, else its scalar twin.
    private void either(RegisterTile tile, Method vectors, Method twin, RegisterTile.Parameters p) {
        Expr zero = Expr.literal(0);
        int columns = tile.panels() * panel();
        int reach = Math.max(
                1, Math.max(Math.abs(tile.a().column()), Math.abs(tile.b().row())));
        int steps = Math.clamp(FARTHEST / reach, 2, STEPS);
        Parts.Part part = parts.orElseThrow().add(vectors, twin, (m, c) -> {
            Expr address = new Expr.Element(c.frame(), zero);
            Expr depth = new Expr.Element(c.frame(), Expr.literal(1)).asInt();
            Expr a = tile.a().scratch()
                    ? zero
                    : address.plus(tile.a().behind(tile.a().column(), steps));
            Expr b = tile.b().scratch()
                    ? zero
                    : address.plus(tile.b().behind(tile.b().row(), steps));
            Expr next = tile.b().scratch() ? zero : Expr.literal(0L);
            return code.call(
                    m, List.of(c.floats(), a, Expr.literal(steps), b, next, zero, Expr.literal(columns), depth));
        });
        tileParts.put(tile, part);
        int left = tile.rows() * Math.max(tile.a().row(), steps)
                + steps * Math.abs(tile.a().column());
        int right = steps * Math.abs(tile.b().row()) + panel();
        int scratch = Math.max(tile.a().scratch() ? left : 0, tile.b().scratch() ? right : 0);
        int memory = Math.max(tile.a().scratch() ? 1 : left, tile.b().scratch() ? 1 : right);
        Expr floats = Expr.literal(Math.max(tile.rows() * columns, scratch));
        Expr bytes = Expr.literal(Float.BYTES * memory);
        parts.orElseThrow().loaded(part.tell("tile", floats, bytes, Expr.literal(steps)));
        int[] wide = wideTiles(tile.a());
        boolean largest = wide.length == 0
                ? tile.panels() == 1 && tile.rows() == tiles[0]
                : tile.panels() == WIDE_PANELS && tile.rows() == wide[0];
        if (largest && !tile.b().scratch()) { // products with weights need it at once, attention if texts are long
            parts.orElseThrow().loaded(part.tell("want", Expr.literal(Integer.MAX_VALUE)));
        }
        Method m = p.method();
        m.choose(part.hot(), () -> m.call(code.call(vectors, p.all())), () -> {
            m.call(part.tell("want", p.depth()));
            m.call(code.call(twin, p.all()));
        });
    }

    private void vectors(RegisterTile tile, RegisterTile.Parameters p) {
        Method m = p.method();
        RegisterTile.Operand left = tile.a();
        RegisterTile.Operand right = tile.b();
        Expr floats = p.floats();
        VectorLanes v = new VectorLanes(m, lanes);
        int width = 2 * tile.panels();
        List<Expr.Local> sums = new ArrayList<>();
        // One zero for all: one each would be 3 000 nodes of the JIT compiler's.
        Optional<Expr.Local> zero = tile.fresh() ? Optional.of(m.let("zero", v.constant(0f))) : Optional.empty();
        for (int r = 0; r < tile.rows(); r++) {
            Expr row = p.c().plus(p.cRow().times(Expr.literal(r)));
            for (int i = 0; i < width; i++) {
                Expr at = row.plus(Expr.literal(i * lanes));
                sums.add(m.let("sum", zero.<Expr>map(z -> z).orElseGet(() -> v.load(floats, at))));
            }
        }
        Expr between = left.scratch() ? Expr.literal(left.row()) : left.distance(p.aRow());
        List<Expr> rows = multiples(left, m, between, tile.rows());
        List<Expr> panels = multiples(right, m, p.next(), tile.panels());
        Expr.Local k = m.let("k", Expr.literal(0));
        int ahead = tile.fresh() || left.scratch() ? READ_AHEAD : tile.rows();
        m.counted(k, 1, p.depth(), () -> {
            Expr.Local row = m.let("row", right.at(p.b().plus(right.distance(k, right.row()))));
            List<Expr> vectors = new ArrayList<>();
            Runnable readPanels = () -> panels.forEach(panel -> vectors.addAll(right.pair(v, floats, row.plus(panel))));
            boolean rowsFirst = right.stored() == DType.F16;
            if (!rowsFirst) {
                readPanels.run();
            }
            Expr.Local column = m.let("column", left.at(p.a().plus(left.distance(k, left.column()))));
            List<Expr> elements = new ArrayList<>();
            IntConsumer read = count -> {
                while (elements.size() < Math.min(count, tile.rows())) {
                    Expr at = column.plus(rows.get(elements.size()));
                    elements.add(m.let("a", left.element(floats, at, false)));
                }
            };
            if (rowsFirst) {
                read.accept(tile.rows());
                readPanels.run();
            }
            for (int r = 0; r < tile.rows(); r++) {
                read.accept(r + 1 + ahead);
                Expr.Local wide = m.let("wide", v.broadcast(elements.get(r)));
                for (int i = 0; i < width; i++) {
                    Expr.Local sum = sums.get(width * r + i);
                    m.set(sum, v.fma(wide, vectors.get(i), sum));
                }
            }
        });
        UnaryOperator<Expr> known = v.known();
        for (int r = 0; r < tile.rows(); r++) {
            Expr row = p.c().plus(p.cRow().times(Expr.literal(r)));
            for (int i = 0; i < width; i++) {
                m.call(v.store(known.apply(sums.get(width * r + i)), floats, row.plus(Expr.literal(i * lanes))));
            }
        }
    }

    /// 0, `step`, twice `step`, ...: where rows of A or panels of B lie. A step of memory is not negative.
    private static List<Expr> multiples(RegisterTile.Operand operand, Method m, Expr step, int count) {
        List<Expr> multiples = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Expr factor = operand.scratch() ? Expr.literal(i) : Expr.literal((long) i);
            Expr far = i == 0 ? factor : step.times(factor);
            multiples.add(operand.scratch() || i == 0 ? far : m.let("far", Stage.distance(far)));
        }
        return multiples;
    }

    private void initialize() {
        Method m = code.initializer();
        scalar.start(m);
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
