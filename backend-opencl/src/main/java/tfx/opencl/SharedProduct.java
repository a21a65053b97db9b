package tfx.opencl;

import java.util.ArrayList;
import java.util.List;
import tfx.ir.kernel.Kernel;
import tfx.ir.kernel.Neighbours;

/// A product of f32 that the work-items of a group share: they lie in a rectangle over the tile and keep some
/// sums of its columns and rows each; stretches of the operands are brought into local memory together.
final class SharedProduct {
    /// Most sums that a work-item keeps.
    private static final int MOST_SUMS = 64;

    /// Most points along one side, so that stretches fit local memory.
    private static final int MOST_POINTS = 256;

    /// Points of the summed axis in a stretch.
    private static final int DEPTH = 16;

    private final KernelWriter writer;
    private final Code code;
    private final Kernel.Dot dot;
    private final int across;
    private final int down;
    private final int rowPoints;
    private final int columnPoints;
    private final int rows;
    private final int columns;

    SharedProduct(KernelWriter writer, Kernel.Dot dot) {
        this.writer = writer;
        this.code = writer.code();
        this.dot = dot;
        int items = writer.group().items();
        this.across = 1 << (Integer.numberOfTrailingZeros(items) + 1) / 2;
        this.down = items / across;
        this.rowPoints = writer.kernel().extent(dot.axes().get(0));
        this.columnPoints = writer.kernel().extent(dot.axes().get(1));
        this.rows = Math.ceilDiv(rowPoints, down);
        this.columns = Math.ceilDiv(columnPoints, across);
    }

    /// Whether a work-item can keep its sums, and local memory the stretches.
    static boolean fits(KernelWriter writer, Kernel.Dot dot) {
        SharedProduct product = new SharedProduct(writer, dot);
        return product.rows * product.columns <= MOST_SUMS
                && product.rowPoints <= MOST_POINTS
                && product.columnPoints <= MOST_POINTS;
    }

    void write() {
        Operand left = operand(dot.left(), dot.axes().get(0), rowPoints, "left");
        Operand right = operand(dot.right(), dot.axes().get(1), columnPoints, "right");
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
                    keep(y + " + " + r * down, x + " + " + c * across, sums.get(r * columns + c));
                }
            }
        });
    }

    /// Writes a sum to its point of the tile, where that is one of the current points.
    private void keep(String y, String x, String sum) {
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

    private Operand operand(Kernel.Expr value, String axis, int points, String side) {
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
}
