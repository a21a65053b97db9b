package tfx.cpu;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;
import tfx.cpu.code.ClassCode;
import tfx.cpu.code.Expr;
import tfx.cpu.code.Method;
import tfx.cpu.code.Statement;
import tfx.runtime.DType;

/// The register tiles of matrix products, shared by all kernels of a program:
/// `C[rows, panel] (+)= A[rows, k] B[k, panel]`.
///
/// A and B lie in the scratch array or in memory; a row of B's panel is two vectors. C lies in the scratch array
/// and stays in registers along `k`. Every element is one chain of fused multiply-adds in the order of `k`, at
/// every width.
final class MicroKernels {
    /// Where an operand lies. In the scratch array, positions are indices and strides are constants of the code;
    /// in memory, positions are addresses, and rows of A are as far apart as the call says.
    ///
    /// @param stored how memory holds it: f32, or for B i8 or bf16, which are widened as they are read
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

        /// How far `count` steps of `stride` elements reach.
        Expr distance(Expr count, int stride) {
            return stride == 1 ? distance(count) : distance(count.times(Expr.literal(stride)));
        }

        Expr element(Expr floats, Expr position) {
            if (scratch) {
                return new Expr.Element(floats, position);
            }
            Expr value = Stage.load(stored, position);
            return stored == DType.I8 ? new Expr.Convert(Type.FLOAT_TYPE, value) : value;
        }

        /// The two vectors of a row of a panel. 16-bit floats of both alternate, so that two of them are the
        /// halves of one int.
        List<Expr> pair(VectorLanes v, Expr floats, Expr position) {
            if (stored == DType.BF16) {
                Expr bits = v.let(v.loadIntegers(position));
                return List.of(v.let(v.lowBrainFloats(bits)), v.let(v.highBrainFloats(bits)));
            }
            Expr second = position.plus(distance(v.width()));
            return List.of(v.let(vector(v, floats, position)), v.let(vector(v, floats, second)));
        }

        /// How far column `j` of a panel is from its first.
        Expr column(Expr j, int lanes) {
            if (stored != DType.BF16) {
                return distance(j);
            }
            Expr inside = new Expr.Arithmetic("&", j, Expr.literal(lanes - 1)).times(Expr.literal(2));
            return distance(inside.plus(ScalarLanes.math("floorDiv", j, Expr.literal(lanes))));
        }

        private Expr vector(VectorLanes lanes, Expr floats, Expr position) {
            return stored == DType.I8
                    ? lanes.loadBytes(position)
                    : scratch ? lanes.load(floats, position) : lanes.load(position);
        }

        private String text() {
            return (scratch ? "s" : "m") + (stored == DType.F32 ? "" : stored + "_") + row + "_" + column;
        }
    }

    /// A register tile.
    ///
    /// @param between positions between the panels of B, where there are several
    /// @param fresh   whether C begins as zeros, and not as what it holds
    record Tile(int rows, int panels, long between, boolean fresh, Operand a, Operand b) {
        Tile(int rows, boolean fresh, Operand a, Operand b) {
            this(rows, 1, 0, fresh, a, b);
        }

        String name() {
            String several = panels == 1 ? "" : "x" + panels + "_" + between;
            return (fresh ? "tile" : "add") + rows + several + "_" + a.text() + "_" + b.text();
        }
    }

    /// Panels that a single row takes at once: one panel alone would wait for its own sums.
    static final int ROW_PANELS = 4;

    /// Rows and columns of the scalar twin's blocks.
    private static final int SCALAR_BLOCK = 4;

    /// Rows of A that share a base address: a processor addresses base + 1 x and 2 x stride for free.
    private static final int SHARED = 3;

    /// Panels of the tiles with the most products for each element read.
    static final int WIDE_PANELS = 2;

    /// Rows of the register tiles of one panel, largest first. Registers would hold 12 rows, but the code for 12
    /// lies at the limit of nodes up to which the JIT compiler inlines: in some runs it stops there, and vectors
    /// stay objects.
    private final int[] tiles;

    /// Rows of the tiles of {@link #WIDE_PANELS} panels, where there are 32 registers.
    private final int[] wideTiles;

    private final int lanes;
    private final boolean vector;
    private final ClassCode code;
    private final Map<Tile, Method> methods = new LinkedHashMap<>();

    MicroKernels(int lanes, boolean vector, String className) {
        this.lanes = lanes;
        this.vector = vector && lanes > 1;
        this.wideTiles = lanes >= 16 ? new int[] {6, 4, 2, 1} : new int[0];
        this.tiles = lanes >= 16 ? new int[] {8, 4, 2, 1} : new int[] {6, 4, 2, 1};
        this.code = new ClassCode(className, Object.class, "product.tfx");
    }

    ClassCode code() {
        return code;
    }

    int[] tiles() {
        return tiles;
    }

    int[] wideTiles() {
        return wideTiles;
    }

    int panel() {
        return 2 * lanes;
    }

    /// A call of a register tile.
    ///
    /// @param a    position of A's first element
    /// @param aRow elements between rows of A, where it lies in memory
    /// @param b    position of the panel's first element
    /// @param c    index of C's first element, whose rows are `cRow` elements apart
    Expr invoke(Tile tile, Expr floats, Expr a, Expr aRow, Expr b, Expr c, Expr cRow, Expr depth) {
        Method method = methods.computeIfAbsent(tile, this::make);
        return new Expr.Call(
                Opcodes.INVOKESTATIC,
                code.internalName(),
                method.name(),
                method.signature(),
                List.of(floats, a, aRow, b, c, cRow, depth));
    }

    private Method make(Tile tile) {
        Method m = code.method(true, tile.name(), Type.VOID_TYPE);
        Expr.Local floats = m.parameter("floats", Stage.FLOATS);
        Expr.Local a = m.parameter("a", tile.a.position());
        Expr.Local aRow = m.parameter("aRow", Type.INT_TYPE);
        Expr.Local b = m.parameter("b", tile.b.position());
        Expr.Local c = m.parameter("c", Type.INT_TYPE);
        Expr.Local cRow = m.parameter("cRow", Type.INT_TYPE);
        Expr.Local depth = m.parameter("depth", Type.INT_TYPE);
        if (vector) {
            vectors(tile, m, floats, a, aRow, b, c, cRow, depth);
        } else {
            scalars(tile, m, floats, a, aRow, b, c, cRow, depth);
        }
        return m;
    }

    private void vectors(Tile tile, Method m, Expr floats, Expr a, Expr aRow, Expr b, Expr c, Expr cRow, Expr depth) {
        VectorLanes v = new VectorLanes(m, lanes);
        int width = 2 * tile.panels;
        List<Expr.Local> sums = new ArrayList<>();
        for (int r = 0; r < tile.rows; r++) {
            Expr row = c.plus(cRow.times(Expr.literal(r)));
            for (int i = 0; i < width; i++) {
                sums.add(m.let("sum", tile.fresh ? v.constant(0f) : v.load(floats, row.plus(Expr.literal(i * lanes)))));
            }
        }
        List<Expr> rows = rows(tile, m, a, aRow);
        Expr.Local k = m.let("k", Expr.literal(0));
        m.loop(k, Expr.literal(1), depth, () -> {
            Expr panel = b.plus(tile.b.distance(k, tile.b.row));
            List<Expr> right = new ArrayList<>();
            for (int i = 0; i < tile.panels; i++) {
                right.addAll(tile.b.pair(v, floats, panel.plus(between(tile, i))));
            }
            for (int r = 0; r < tile.rows; r++) {
                Expr at = rows.get(r).plus(tile.a.distance(k, tile.a.column));
                Expr.Local wide = m.let("a", v.broadcast(tile.a.element(floats, at)));
                for (int i = 0; i < width; i++) {
                    Expr.Local sum = sums.get(width * r + i);
                    m.set(sum, v.fma(wide, right.get(i), sum));
                }
            }
        });
        for (int r = 0; r < tile.rows; r++) {
            Expr row = c.plus(cRow.times(Expr.literal(r)));
            for (int i = 0; i < width; i++) {
                m.call(v.store(sums.get(width * r + i), floats, row.plus(Expr.literal(i * lanes))));
            }
        }
    }

    /// How far a panel of B is from the first.
    private static Expr between(Tile tile, int panel) {
        long distance = panel * tile.between;
        return tile.b.scratch ? Expr.literal((int) distance) : Expr.literal(distance);
    }

    /// Where the rows of A begin.
    private static List<Expr> rows(Tile tile, Method m, Expr a, Expr aRow) {
        List<Expr> rows = new ArrayList<>();
        if (tile.a.scratch) {
            for (int r = 0; r < tile.rows; r++) {
                rows.add(a.plus(Expr.literal(r * tile.a.row)));
            }
            return rows;
        }
        Expr.Local stride = m.let("stride", tile.a.distance(aRow));
        Expr.Local twice = m.let("twice", stride.plus(stride));
        Expr.Local base = m.let("base", a);
        for (int r = 0; r < tile.rows; r++) {
            if (r > 0 && r % SHARED == 0) {
                base = m.let("base", base.plus(twice).plus(stride));
            }
            rows.add(r % SHARED == 0 ? base : base.plus(r % SHARED == 1 ? stride : twice));
        }
        return rows;
    }

    private void scalars(Tile tile, Method m, Expr floats, Expr a, Expr aRow, Expr b, Expr c, Expr cRow, Expr depth) {
        int width = Math.min(SCALAR_BLOCK, 2 * lanes);
        Expr between = tile.a.scratch ? Expr.literal(tile.a.row) : aRow;
        for (int first = 0; first < tile.rows; first += SCALAR_BLOCK) {
            int rows = Math.min(SCALAR_BLOCK, tile.rows - first);
            List<Expr> left = new ArrayList<>();
            List<Expr> result = new ArrayList<>();
            for (int r = first; r < first + rows; r++) {
                left.add(m.let("row", a.plus(tile.a.distance(between.times(Expr.literal(r))))));
                result.add(m.let("to", c.plus(cRow.times(Expr.literal(r)))));
            }
            for (int panel = 0; panel < tile.panels; panel++) {
                Expr right = b.plus(between(tile, panel));
                int column = panel * 2 * lanes;
                Expr.Local j = m.let("j", Expr.literal(0));
                m.loop(j, Expr.literal(width), Expr.literal(2 * lanes), () -> {
                    List<Expr> to = result.stream()
                            .map(x -> x.plus(j).plus(Expr.literal(column)))
                            .toList();
                    scalarBlock(tile, m, floats, left, right, j, to, width, depth);
                });
            }
        }
    }

    /// A few rows by a few columns from `j` on, whose sums stay in registers.
    private void scalarBlock(
            Tile tile,
            Method m,
            Expr floats,
            List<Expr> left,
            Expr right,
            Expr.Local j,
            List<Expr> result,
            int width,
            Expr depth) {
        ScalarLanes s = new ScalarLanes(m);
        List<Expr.Local> sums = new ArrayList<>();
        for (Expr to : result) {
            for (int i = 0; i < width; i++) {
                Expr before = new Expr.Element(floats, to.plus(Expr.literal(i)));
                sums.add(m.let("sum", tile.fresh ? new Expr.Literal(0f) : before));
            }
        }
        List<Expr> columns = new ArrayList<>();
        for (int i = 0; i < width; i++) {
            columns.add(m.let("column", right.plus(tile.b.column(j.plus(Expr.literal(i)), lanes))));
        }
        Expr.Local k = m.let("k", Expr.literal(0));
        m.loop(k, Expr.literal(1), depth, () -> {
            Expr.Local at = m.let("at", tile.b.distance(k, tile.b.row));
            List<Expr> values = new ArrayList<>();
            for (Expr column : columns) {
                values.add(m.let("b", tile.b.element(floats, column.plus(at))));
            }
            for (int r = 0; r < left.size(); r++) {
                Expr from = left.get(r).plus(tile.a.distance(k, tile.a.column));
                Expr.Local value = m.let("a", tile.a.element(floats, from));
                for (int i = 0; i < width; i++) {
                    Expr.Local sum = sums.get(r * width + i);
                    m.set(sum, s.fma(value, values.get(i), sum));
                }
            }
        });
        for (int r = 0; r < result.size(); r++) {
            for (int i = 0; i < width; i++) {
                Expr to = result.get(r).plus(Expr.literal(i));
                m.add(new Statement.SetElement(floats, to, sums.get(r * width + i)));
            }
        }
    }
}
