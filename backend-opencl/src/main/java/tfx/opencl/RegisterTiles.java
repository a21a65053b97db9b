package tfx.opencl;

import java.util.ArrayList;
import java.util.List;
import tfx.ir.kernel.Kernel;
import tfx.ir.kernel.Neighbours;
import tfx.runtime.DType;

/// A product of f32 by one work-item in register tiles: some rows by two vectors of columns, a sum each, along the
/// whole axis that is summed.
final class RegisterTiles {
    /// Rows of register tiles, the largest first; with two vectors of columns, twelve rows fill 24 of 32
    /// registers.
    private static final int[] ROWS = {12, 4, 2, 1};

    /// Points of the summed axis for which operands lie in tiles.
    private static final int STRETCH = 256;

    /// Vectors of columns, the most first.
    private static final int[] VECTORS = {2, 1};

    private final KernelWriter writer;
    private final Code code;
    private final Kernel.Dot dot;
    private final int width;

    RegisterTiles(KernelWriter writer, Kernel.Dot dot) {
        this.writer = writer;
        this.code = writer.code();
        this.dot = dot;
        this.width = writer.group().width();
    }

    /// Where vectors of the right operand come from.
    private enum Right {
        /// Panels, padded with zeros to whole ones.
        PANELS,
        /// A tile whose rows are padded to whole vectors.
        TILE,
        /// Memory that ends where the matrix does.
        MEMORY
    }

    void write() {
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
            new TileWriter(writer).let(dot.name(), dot.axes(), DotWriter.zero(dot));
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
                new TileWriter(writer)
                        .let(((Kernel.Ref) left).name(), Neighbours.order(leftAxes, dot.left()), dot.left());
            }
            if (copyRight) {
                new TileWriter(writer)
                        .let(((Kernel.Ref) right).name(), Neighbours.order(rightAxes, dot.right()), dot.right());
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
        DotWriter.along(writer, dot, values, () -> {
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
            case BF16, F16 -> {
                // The two halves of a row alternate: a pair of elements is a word.
                String row = name + " + (" + first + " / " + wide + " * " + depth + " + " + over + ") * " + wide;
                String pair =
                        code.let("uint" + width, "pair", "vload" + width + "(0, (global const uint *)(" + row + "))");
                boolean brain = buffer.dtype() == DType.BF16;
                String low = brain ? "as_float" + width + "(" + pair + " << 16)" : f16(pair + " & 0xffffu");
                String high = brain ? "as_float" + width + "(" + pair + " & 0xffff0000u)" : f16(pair + " >> 16");
                boolean begins = vectors == 2;
                right.add(code.let(
                        "float" + width,
                        "right",
                        begins ? low : "(" + first + " % " + wide + " == 0 ? " + low + " : " + high + ")"));
                if (begins) {
                    right.add(code.let("float" + width, "right", high));
                }
            }
            case F64, I64, I32, U8, BOOL -> throw new IllegalStateException("panels of " + buffer.dtype());
        }
        return right;
    }

    /// The f16 that words hold in their low halves, as floats.
    private String f16(String words) {
        return Functions.library("from_f16", width, "convert_ushort" + width + "(" + words + ")");
    }
}
