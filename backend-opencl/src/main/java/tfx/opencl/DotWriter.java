package tfx.opencl;

import java.util.ArrayList;
import java.util.List;
import tfx.ir.BinaryFn;
import tfx.ir.kernel.Kernel;
import tfx.ir.kernel.Neighbours;
import tfx.runtime.DType;

/// Matrix products.
///
/// A work-item that does all of a task keeps register tiles: some rows by two vectors of columns, a sum each,
/// along the whole axis that is summed. Work-items that share a task each sum for a few points.
final class DotWriter {
    /// Rows of register tiles, the largest first; with two vectors of columns, twelve rows fill 24 of 32
    /// registers.
    private static final int[] ROWS = {12, 4, 2, 1};

    /// Most sums that a work-item of a group keeps.
    private static final int MOST_SUMS = 64;

    /// Most points along one side, so that stretches fit local memory.
    private static final int MOST_POINTS = 256;

    /// Points of the summed axis that a group brings into local memory at a time.
    private static final int DEPTH = 16;

    /// Points of the summed axis for which operands lie in tiles.
    private static final int STRETCH = 256;

    /// Vectors of columns, the most first.
    private static final int[] VECTORS = {2, 1};

    private final KernelWriter writer;
    private final Code code;
    private final int width;

    DotWriter(KernelWriter writer) {
        this.writer = writer;
        this.code = writer.code();
        this.width = writer.group().width();
    }

    void write(Kernel.Dot dot) {
        if (!writer.group().alone()) {
            shared(dot);
        } else if (dot.dtype() == DType.F32 && width > 1) {
            inRegisters(dot);
        } else {
            inColumns(dot);
        }
    }

    private static Kernel.Expr zero(Kernel.Dot dot) {
        return new Kernel.Constant(dot.dtype(), dot.dtype().isFloat() ? (Number) 0.0 : (Number) 0L);
    }

    /// One row of the right operand after the other, times elements of the left.
    private void inColumns(Kernel.Dot dot) {
        if (!dot.accumulate()) {
            writer.let(dot.name(), dot.axes(), zero(dot));
        }
        Kernel.Expr product = new Kernel.Binary(BinaryFn.MUL, dot.left(), dot.right());
        Kernel.Expr sum = new Kernel.Binary(BinaryFn.ADD, new Kernel.Ref(dot.name()), product);
        writer.let(dot.name(), List.of(dot.axes().get(0), dot.over(), dot.axes().get(1)), sum);
    }

    /// A work-item sums for one point after the other.
    private void pointwise(Kernel.Dot dot) {
        Kernel.Expr product = new Kernel.Binary(BinaryFn.MUL, dot.left(), dot.right());
        writer.items(dot.axes(), List.of(), values -> {
            String element = values.element(dot.name());
            String none = Types.literal((Kernel.Constant) zero(dot));
            String sum = code.variable(Types.register(dot.dtype()), "sum", dot.accumulate() ? element : none);
            along(dot, values, () -> {
                values.count(product);
                values.begin();
                String term = values.scalar(product);
                code.line(sum + " = " + Functions.binary(BinaryFn.ADD, dot.dtype(), sum, term, 1) + ";");
            });
            code.line(element + " = " + sum + ";");
        });
    }

    /// A loop along the summed axis.
    private void along(Kernel.Dot dot, Values values, Runnable body) {
        String at = code.fresh(writer.name(dot.over()));
        String from = writer.low(dot.over());
        code.block(
                "for (long " + at + " = " + from + "; " + at + " < " + writer.high(dot.over()) + "; " + at + "++)",
                () -> {
                    values.bind(dot.over(), at);
                    body.run();
                });
    }

    // ---- shared by the work-items of a group ----

    /// The work-items of a group lie in a rectangle over the tile, so many columns and rows of it each;
    /// stretches of the operands are brought into local memory together.
    private void shared(Kernel.Dot dot) {
        int items = writer.group().items();
        int across = 1 << (Integer.numberOfTrailingZeros(items) + 1) / 2;
        int down = items / across;
        int rowPoints = writer.kernel().extent(dot.axes().get(0));
        int columnPoints = writer.kernel().extent(dot.axes().get(1));
        int rows = Math.ceilDiv(rowPoints, down);
        int columns = Math.ceilDiv(columnPoints, across);
        boolean large = rows * columns > MOST_SUMS || rowPoints > MOST_POINTS || columnPoints > MOST_POINTS;
        if (dot.dtype() != DType.F32 || large) {
            pointwise(dot);
            return;
        }
        Operand left = operand(dot, dot.left(), dot.axes().get(0), rowPoints, "left");
        Operand right = operand(dot, dot.right(), dot.axes().get(1), columnPoints, "right");
        code.block("", () -> {
            String x = code.let("uint", "across", "item % " + across);
            String y = code.let("uint", "down", "item / " + across);
            List<String> sums = new ArrayList<>();
            for (int i = 0; i < rows * columns; i++) {
                sums.add(code.variable("float", "sum", "0.0f"));
            }
            String end = writer.high(dot.over());
            String base = code.fresh("base");
            String steps = "for (long " + base + " = " + writer.low(dot.over()) + "; " + base + " < " + end + "; "
                    + base + " += " + DEPTH + ")";
            code.block(steps, () -> {
                String depth = code.let("uint", "depth", "(uint)min(" + end + " - " + base + ", " + DEPTH + "L)");
                left.stage(base, depth);
                right.stage(base, depth);
                writer.barrier();
                String k = code.fresh("k");
                code.block("for (uint " + k + " = 0; " + k + " < " + depth + "; " + k + "++)", () -> {
                    List<String> lefts = new ArrayList<>();
                    for (int r = 0; r < rows; r++) {
                        lefts.add(code.let(
                                "float",
                                "left",
                                left.element(base, k, y + " + " + r * down, r == rows - 1 && rows * down > rowPoints)));
                    }
                    for (int c = 0; c < columns; c++) {
                        String b = code.let(
                                "float",
                                "right",
                                right.element(
                                        base,
                                        k,
                                        x + " + " + c * across,
                                        c == columns - 1 && columns * across > columnPoints));
                        for (int r = 0; r < rows; r++) {
                            String sum = sums.get(r * columns + c);
                            code.line(sum + " = fma(" + lefts.get(r) + ", " + b + ", " + sum + ");");
                        }
                    }
                });
                writer.barrier();
            });
            for (int r = 0; r < rows; r++) {
                for (int c = 0; c < columns; c++) {
                    keep(dot, y + " + " + r * down, x + " + " + c * across, sums.get(r * columns + c));
                }
            }
        });
    }

    /// Writes a sum to its point of the tile, where that is one of the current points.
    private void keep(Kernel.Dot dot, String y, String x, String sum) {
        String row = writer.low(dot.axes().get(0)) + " + " + y;
        String column = writer.low(dot.axes().get(1)) + " + " + x;
        Values values = new Values(writer);
        values.bind(dot.axes().get(0), "(" + row + ")");
        values.bind(dot.axes().get(1), "(" + column + ")");
        String element = values.element(dot.name());
        String inside = row + " < " + writer.high(dot.axes().get(0)) + " && " + column + " < "
                + writer.high(dot.axes().get(1));
        code.block("if (" + inside + ")", () -> code.line(element + (dot.accumulate() ? " += " : " = ") + sum + ";"));
    }

    private Operand operand(Kernel.Dot dot, Kernel.Expr value, String axis, int points, String side) {
        String array = "";
        if (!(value instanceof Kernel.Ref)) {
            array = code.fresh(dot.name() + "_" + side);
            writer.scratch("float", array, DEPTH * points);
        }
        return new Operand(dot.over(), value, axis, points, array);
    }

    /// One side of a product whose tile is shared.
    ///
    /// @param axis   its axis beside the summed one
    /// @param points the most points of it
    /// @param array  where a stretch of it is brought; empty for a tile, which is near already
    private final class Operand {
        private final String over;
        private final Kernel.Expr value;
        private final String axis;
        private final int points;
        private final String array;

        Operand(String over, Kernel.Expr value, String axis, int points, String array) {
            this.over = over;
            this.value = value;
            this.axis = axis;
            this.points = points;
            this.array = array;
        }

        /// Brings a stretch; neighbours in memory go to neighbouring work-items.
        void stage(String base, String depth) {
            if (array.isEmpty()) {
                return;
            }
            boolean alongOver =
                    Neighbours.order(List.of(over, axis), value).getLast().equals(over);
            String p = code.fresh("p");
            String loop = "for (uint " + p + " = item; " + p + " < " + DEPTH * points + "; " + p + " += "
                    + writer.group().items() + ")";
            code.block(loop, () -> {
                String k = code.let("uint", "k", alongOver ? p + " % " + DEPTH : p + " / " + points);
                String at = code.let("uint", "point", alongOver ? p + " / " + DEPTH : p + " % " + points);
                Values values = new Values(writer);
                values.bind(over, "(" + base + " + " + k + ")");
                values.bind(axis, "(" + writer.low(axis) + " + " + at + ")");
                String element = code.variable("float", "element", "0.0f");
                code.block(
                        "if (" + k + " < " + depth + " && " + writer.low(axis) + " + " + at + " < " + writer.high(axis)
                                + ")",
                        () -> {
                            values.count(value);
                            values.begin();
                            code.line(element + " = " + values.scalar(value) + ";");
                        });
                code.line(array + "[" + k + " * " + points + " + " + at + "] = " + element + ";");
            });
        }

        /// An element of the stretch.
        ///
        /// @param last whether the point may lie beyond what the array has
        String element(String base, String k, String point, boolean last) {
            String at = last ? "min(" + point + ", " + (points - 1) + "u)" : point;
            if (!array.isEmpty()) {
                return array + "[" + k + " * " + points + " + " + at + "]";
            }
            Values values = new Values(writer);
            values.bind(over, "(" + base + " + " + k + ")");
            values.bind(axis, "(" + writer.low(axis) + " + " + at + ")");
            return values.scalar(value);
        }
    }

    // ---- register tiles ----

    /// Where vectors of the right operand come from.
    private enum Right {
        /// Panels, padded with zeros to whole ones.
        PANELS,
        /// A tile whose rows are padded to whole vectors.
        TILE,
        /// Memory that ends where the matrix does.
        MEMORY
    }

    private void inRegisters(Kernel.Dot dot) {
        String column = dot.axes().get(1);
        boolean copyLeft = !plain(dot.left());
        Right kind = Right.TILE;
        if (panels(dot.right()) > 0) {
            kind = Right.PANELS;
        } else if (inMemory(dot.right(), column)) {
            kind = Right.MEMORY;
        }
        boolean rows =
                dot.right() instanceof Kernel.Ref r && writer.tile(r.name()).stride(column) == 1;
        boolean copyRight = kind == Right.TILE && !rows;
        if (!copyLeft && !copyRight) {
            Right from = kind;
            code.block("", () -> columns(dot, from));
            return;
        }
        // Operands that are more than memory are computed into tiles, a stretch of the summed axis at a time.
        if (!dot.accumulate()) {
            writer.let(dot.name(), dot.axes(), zero(dot));
        }
        List<String> leftAxes = List.of(dot.axes().get(0), dot.over());
        List<String> rightAxes = List.of(dot.over(), column);
        Kernel.Expr left = copyLeft ? operand("left", dot, leftAxes) : dot.left();
        Kernel.Expr right = copyRight ? operand("right", dot, rightAxes) : dot.right();
        Kernel.Dot product = new Kernel.Dot(dot.name(), dot.dtype(), dot.axes(), dot.over(), true, left, right);
        Right from = kind;
        String end = code.let("long", "end", writer.high(dot.over()));
        String at = code.variable("long", "stretch", writer.low(dot.over()));
        code.block("for (; " + at + " < " + end + "; " + at + " += " + STRETCH + ")", () -> {
            writer.range(dot.over(), at, "min(" + end + ", " + at + " + " + STRETCH + ")");
            if (copyLeft) {
                writer.let(((Kernel.Ref) left).name(), Neighbours.order(leftAxes, dot.left()), dot.left());
            }
            if (copyRight) {
                writer.let(((Kernel.Ref) right).name(), Neighbours.order(rightAxes, dot.right()), dot.right());
            }
            columns(product, from);
        });
    }

    private Kernel.Expr operand(String side, Kernel.Dot dot, List<String> axes) {
        return new Kernel.Ref(writer.scratchTile(
                dot.name() + "_" + side,
                dot.dtype(),
                axes,
                a -> a.equals(dot.over()) ? STRETCH : writer.kernel().extent(a)));
    }

    /// Whether a value costs no more than reading it.
    private static boolean plain(Kernel.Expr e) {
        return e instanceof Kernel.Ref
                || e instanceof Kernel.Load l && l.lookups().isEmpty();
    }

    private int panels(Kernel.Expr right) {
        Kernel.Expr stored = right instanceof Kernel.Cast c ? c.x() : right;
        return stored instanceof Kernel.Load l
                ? writer.kernel().buffer(l.buffer()).panels()
                : 0;
    }

    private boolean inMemory(Kernel.Expr right, String column) {
        Values values = new Values(writer);
        values.along(column);
        return plain(right) && values.varying(right) && values.vectorizes(right);
    }

    private void columns(Kernel.Dot dot, Right kind) {
        String column = dot.axes().get(1);
        String high = writer.high(column);
        String at = code.variable("long", writer.name(column), writer.low(column));
        int most = writer.kernel().extent(column);
        for (int vectors : VECTORS) {
            if ((vectors - 1) * width >= most) {
                continue;
            }
            // Where the operand is padded, the last vector may be taken whole; a single one where that is enough.
            int least = kind == Right.MEMORY ? vectors * width : (vectors - 1) * width + 1;
            String more = least == 1 ? at + " < " + high : at + " + " + least + " <= " + high;
            code.block(
                    "for (; " + more + "; " + at + " += " + vectors * width + ")", () -> rows(dot, kind, at, vectors));
        }
        if (kind == Right.MEMORY) {
            code.block("for (; " + at + " < " + high + "; " + at + "++)", () -> rows(dot, kind, at, 0));
        }
    }

    private void rows(Kernel.Dot dot, Right kind, String column, int vectors) {
        String row = dot.axes().get(0);
        String at = code.variable("long", writer.name(row), writer.low(row));
        for (int rows : ROWS) {
            if (rows > writer.kernel().extent(row)) {
                continue;
            }
            String more = at + " + " + rows + " <= " + writer.high(row);
            code.block(
                    "for (; " + more + "; " + at + " += " + rows + ")",
                    () -> tile(dot, kind, at, rows, column, vectors));
        }
    }

    /// One register tile.
    ///
    /// @param vectors of columns; 0 for a single column
    private void tile(Kernel.Dot dot, Right kind, String row, int rows, String column, int vectors) {
        String type = vectors == 0 ? "float" : "float" + width;
        int across = Math.max(1, vectors);
        List<String> sums = new ArrayList<>();
        for (int r = 0; r < rows; r++) {
            for (int v = 0; v < across; v++) {
                String before = vectors == 0 ? place(dot, row, r, column, v) : load(dot, row, r, column, v);
                sums.add(code.variable(type, "sum", dot.accumulate() ? before : "0.0f"));
            }
        }
        Values values = new Values(writer);
        values.bind(dot.axes().get(1), column);
        along(dot, values, () -> {
            List<String> right = right(dot, kind, values, column, vectors);
            for (int r = 0; r < rows; r++) {
                values.bind(dot.axes().get(0), plus(row, r));
                values.begin();
                String left = code.let("float", "left", values.scalar(dot.left()));
                for (int v = 0; v < across; v++) {
                    String sum = sums.get(r * across + v);
                    String wide = vectors == 0 ? left : "(" + type + ")(" + left + ")";
                    code.line(sum + " = fma(" + wide + ", " + right.get(v) + ", " + sum + ");");
                }
            }
        });
        for (int r = 0; r < rows; r++) {
            for (int v = 0; v < across; v++) {
                String sum = sums.get(r * across + v);
                code.line(
                        vectors == 0
                                ? place(dot, row, r, column, v) + " = " + sum + ";"
                                : "vstore" + width + "(" + sum + ", 0, &" + place(dot, row, r, column, v) + ");");
            }
        }
    }

    private static String plus(String at, int steps) {
        return steps == 0 ? at : "(" + at + " + " + steps + ")";
    }

    private String place(Kernel.Dot dot, String row, int r, String column, int vector) {
        Values values = new Values(writer);
        values.bind(dot.axes().get(0), plus(row, r));
        values.bind(dot.axes().get(1), plus(column, vector * width));
        return values.element(dot.name());
    }

    private String load(Kernel.Dot dot, String row, int r, String column, int vector) {
        return "vload" + width + "(0, &" + place(dot, row, r, column, vector) + ")";
    }

    /// Vectors of a row of the right operand.
    private List<String> right(Kernel.Dot dot, Right kind, Values values, String column, int vectors) {
        if (kind == Right.PANELS) {
            return panel(dot, values, column, vectors);
        }
        List<String> right = new ArrayList<>();
        values.along(dot.axes().get(1));
        if (vectors == 0) {
            values.begin();
            right.add(code.let("float", "right", values.scalar(dot.right())));
        }
        for (int v = 0; v < vectors; v++) {
            values.bind(dot.axes().get(1), plus(column, v * width));
            values.begin();
            right.add(code.let("float" + width, "right", values.vector(dot.right())));
        }
        values.bind(dot.axes().get(1), column);
        values.along("");
        return right;
    }

    /// A row of a panel: the panel's columns begin at a multiple of its width.
    private List<String> panel(Kernel.Dot dot, Values values, String column, int vectors) {
        Kernel.Load load = (Kernel.Load) (dot.right() instanceof Kernel.Cast c ? c.x() : dot.right());
        Kernel.Buffer buffer = writer.kernel().buffer(load.buffer());
        String depth = values.dim(buffer.shape().get(0));
        String over = values.dim(load.index().get(0));
        String first = values.dim(load.index().get(1));
        int wide = buffer.panels();
        String name = writer.name(buffer.name());
        String at = name + " + (" + first + " / " + wide + " * " + depth + " + " + over + ") * " + wide + " + " + first
                + " % " + wide;
        List<String> right = new ArrayList<>();
        switch (buffer.dtype()) {
            case F32 -> {
                for (int v = 0; v < vectors; v++) {
                    right.add(code.let("float" + width, "right", "vload" + width + "(" + v + ", " + at + ")"));
                }
            }
            case I8 -> {
                for (int v = 0; v < vectors; v++) {
                    right.add(code.let(
                            "float" + width,
                            "right",
                            "convert_float" + width + "(vload" + width + "(" + v + ", " + at + "))"));
                }
            }
            case BF16 -> {
                // The two halves of a row alternate: a pair of elements is a word.
                String row = name + " + (" + first + " / " + wide + " * " + depth + " + " + over + ") * " + wide;
                String pair =
                        code.let("uint" + width, "pair", "vload" + width + "(0, (global const uint *)(" + row + "))");
                String low = "as_float" + width + "(" + pair + " << 16)";
                String high = "as_float" + width + "(" + pair + " & 0xffff0000u)";
                boolean begins = vectors == 2;
                right.add(code.let(
                        "float" + width,
                        "right",
                        begins ? low : "(" + first + " % " + wide + " == 0 ? " + low + " : " + high + ")"));
                if (begins) {
                    right.add(code.let("float" + width, "right", high));
                }
            }
            case F64, F16, I64, I32, U8, BOOL -> throw new IllegalStateException("panels of " + buffer.dtype());
        }
        return right;
    }
}
