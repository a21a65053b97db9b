package tfx.ir.graph;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import tfx.ir.BinaryFn;
import tfx.ir.ReduceFn;
import tfx.ir.Span;
import tfx.runtime.DType;
import tfx.runtime.RunException;
import tfx.runtime.Sizes;

/// The evaluator's definitions of operations that move elements: lookups, slices, scans, orders.
final class Arrangements {
    private Arrangements() {}

    private static int product(long[] shape, int from, int to) {
        int product = 1;
        for (int i = from; i < to; i++) {
            product = Math.toIntExact(product * shape[i]);
        }
        return product;
    }

    private static int row(String what, Nd indices, int k, long rows, Span span) {
        long row = indices.longs()[k];
        if (row < 0 || row >= rows) {
            throw new RunException(what + ": index " + row + " is outside 0.." + (rows - 1) + " (" + span + ")");
        }
        return (int) row;
    }

    static void gather(Op.Gather op, List<Nd> operands, Nd result, Span span) {
        Nd table = operands.get(0);
        Nd indices = operands.get(1);
        int rows = (int) table.shape()[op.batch()];
        int width = product(table.shape(), op.batch() + 1, table.shape().length);
        int each = product(indices.shape(), op.batch(), indices.shape().length);
        for (int k = 0; k < indices.count(); k++) {
            int from = k / each * rows + row("gather", indices, k, rows, span);
            for (int i = 0; i < width; i++) {
                result.copy(k * width + i, table, from * width + i);
            }
        }
    }

    static void scatter(Op.Scatter op, List<Nd> operands, Nd result, Span span) {
        Nd x = operands.get(0);
        Nd indices = operands.get(1);
        Nd updates = operands.get(2);
        for (int k = 0; k < x.count(); k++) {
            result.copy(k, x, k);
        }
        int rows = (int) x.shape()[op.batch()];
        int width = product(x.shape(), op.batch() + 1, x.shape().length);
        int each = product(indices.shape(), op.batch(), indices.shape().length);
        for (int k = 0; k < indices.count(); k++) {
            int to = k / each * rows + row("scatter", indices, k, rows, span);
            for (int i = 0; i < width; i++) {
                if (op.combine().isEmpty()) {
                    result.copy(to * width + i, updates, k * width + i);
                } else {
                    combine(op.combine().get(), result, to * width + i, updates, k * width + i);
                }
            }
        }
    }

    private static void combine(ReduceFn fn, Nd into, int to, Nd from, int at) {
        BinaryFn join = fn.combine();
        DType dtype = into.dtype();
        if (dtype.isFloat()) {
            into.floats()[to] = dtype.round(join.apply(into.floats()[to], from.floats()[at]));
        } else {
            into.longs()[to] = dtype.wrap(join.apply(dtype, into.longs()[to], from.longs()[at]));
        }
    }

    static void slice(Op.Slice op, Nd x, Nd result, Sizes sizes) {
        int[] own = result.strides();
        int[] from = x.strides();
        for (int k = 0; k < result.count(); k++) {
            long at = 0;
            for (int i = 0; i < own.length; i++) {
                long place = k / own[i] % result.shape()[i];
                at += (sizes.evaluate(op.starts().get(i)) + place * op.steps().get(i)) * from[i];
            }
            result.copy(k, x, (int) at);
        }
    }

    static void window(Op.Window op, Nd x, Nd result) {
        int[] own = result.strides();
        int[] from = x.strides();
        for (int k = 0; k < result.count(); k++) {
            long at = 0;
            for (int i = 0; i < own.length; i++) {
                long place = k / own[i] % result.shape()[i];
                long step = i < op.axis()
                        ? from[i]
                        : i == op.axis()
                                ? (long) from[i] * op.stride()
                                : i == op.axis() + 1 ? (long) from[i - 1] * op.dilation() : from[i - 1];
                at += place * step;
            }
            result.copy(k, x, (int) at);
        }
    }

    static void concat(Op.Concat op, List<Nd> operands, Nd result) {
        int outer = product(result.shape(), 0, op.axis());
        int all = product(result.shape(), op.axis(), result.shape().length);
        int before = 0;
        for (Nd x : operands) {
            int own = product(x.shape(), op.axis(), x.shape().length);
            for (int i = 0; i < outer; i++) {
                for (int j = 0; j < own; j++) {
                    result.copy(i * all + before + j, x, i * own + j);
                }
            }
            before += own;
        }
    }

    /// Calls `row` with the first place and the step of each line along an axis.
    private static void lines(Nd x, int axis, Line row) {
        int step = product(x.shape(), axis + 1, x.shape().length);
        int size = (int) x.shape()[axis];
        int outer = product(x.shape(), 0, axis);
        for (int i = 0; i < outer; i++) {
            for (int j = 0; j < step; j++) {
                row.at(i * size * step + j, step, size);
            }
        }
    }

    private interface Line {
        void at(int first, int step, int size);
    }

    static void scan(Op.Scan op, Nd x, Nd result) {
        ReduceFn fn = op.fn();
        DType dtype = x.dtype();
        lines(x, op.axis(), (first, step, size) -> {
            double floats = fn.floatIdentity();
            long longs = fn.integerIdentity(dtype);
            for (int n = 0; n < size; n++) {
                int at = first + (op.reverse() ? size - 1 - n : n) * step;
                double before = floats;
                long beforeLong = longs;
                if (dtype.isFloat()) {
                    floats = fn.combine().apply(floats, x.floats()[at]);
                    result.floats()[at] = dtype.round(op.exclusive() ? before : floats);
                } else {
                    longs = dtype.wrap(fn.combine().apply(dtype, longs, x.longs()[at]));
                    result.longs()[at] = op.exclusive() ? beforeLong : longs;
                }
            }
        });
    }

    static void sort(Op.Sort op, Nd x, Nd result) {
        lines(x, op.axis(), (first, step, size) -> {
            List<Integer> order = new ArrayList<>();
            for (int i = 0; i < size; i++) {
                order.add(i);
            }
            // Adding 0 makes -0 equal to 0; Double.compare puts NaN last.
            Comparator<Integer> comparator = x.dtype().isFloat()
                    ? Comparator.comparingDouble(i -> x.floats()[first + i * step] + 0.0)
                    : Comparator.comparingLong(i -> x.longs()[first + i * step]);
            order.sort(op.descending() ? comparator.reversed() : comparator);
            for (int i = 0; i < size; i++) {
                result.longs()[first + i * step] = order.get(i);
            }
        });
    }
}
