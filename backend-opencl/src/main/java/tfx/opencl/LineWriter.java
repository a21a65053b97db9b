package tfx.opencl;

import java.util.List;
import java.util.function.Consumer;
import tfx.ir.kernel.Kernel;
import tfx.runtime.DType;

/// What works along one axis, line by line: scans and sorts. The lines of a task come one after the other, each
/// shared by the work-items of the group.
final class LineWriter {
    private final KernelWriter writer;
    private final Code code;
    private final int items;

    LineWriter(KernelWriter writer) {
        this.writer = writer;
        this.code = writer.code();
        this.items = writer.group().items();
    }

    private void lines(List<String> axes, Kernel.Expr value, Consumer<Values> line) {
        Values values = new Values(writer);
        values.count(value);
        code.block("", () -> new Points(writer).walk(axes, values, () -> line.accept(values)));
    }

    // ---- scans ----

    /// Each work-item reduces a stretch of the line; what comes before its stretch is then the reduction of the
    /// stretches before.
    void scan(Kernel.Scan scan) {
        Kernel.Buffer buffer = writer.kernel().buffer(scan.buffer());
        DType dtype = buffer.dtype().accumulator();
        Number neutral = dtype.isFloat()
                ? (Number) scan.fn().floatIdentity()
                : (Number) scan.fn().integerIdentity(dtype);
        lines(scan.axes(), scan.value(), values -> {
            String sum = code.variable(Types.register(dtype), "sum", Types.literal(dtype, neutral));
            String count = code.let("long", "count", writer.high(scan.over()) + " - " + writer.low(scan.over()));
            if (writer.group().alone()) {
                stretch(scan, values, buffer, dtype, sum, "0", count, count, true);
                return;
            }
            String shared = writer.shared(dtype);
            String length = code.let("long", "length", "(" + count + " + " + (items - 1) + ") / " + items);
            String begin = code.let("long", "begin", "min(" + count + ", item * " + length + ")");
            String end = code.let("long", "end", "min(" + count + ", " + begin + " + " + length + ")");
            stretch(scan, values, buffer, dtype, sum, begin, end, count, false);
            code.line(shared + "[item] = " + sum + ";");
            writer.barrier();
            code.line(sum + " = " + Types.literal(dtype, neutral) + ";");
            String before = code.fresh("before");
            code.block(
                    "for (uint " + before + " = 0; " + before + " < item; " + before + "++)",
                    () -> code.line(sum + " = "
                            + Functions.binary(scan.fn().combine(), dtype, sum, shared + "[" + before + "]", 1) + ";"));
            stretch(scan, values, buffer, dtype, sum, begin, end, count, true);
            writer.barrier();
        });
    }

    private void stretch(
            Kernel.Scan scan,
            Values values,
            Kernel.Buffer buffer,
            DType dtype,
            String sum,
            String begin,
            String end,
            String count,
            boolean write) {
        String step = code.fresh("step");
        code.block("for (long " + step + " = " + begin + "; " + step + " < " + end + "; " + step + "++)", () -> {
            String low = writer.low(scan.over());
            String at = code.let(
                    "long",
                    writer.name(scan.over()),
                    scan.reverse() ? low + " + " + count + " - 1 - " + step : low + " + " + step);
            values.bind(scan.over(), at);
            values.begin();
            String value = code.let(Types.register(dtype), "value", values.scalar(scan.value()));
            Runnable put = () -> values.store(buffer, values.position(buffer, scan.index()), sum);
            if (write && scan.exclusive()) {
                put.run();
            }
            code.line(sum + " = " + Functions.binary(scan.fn().combine(), dtype, sum, value, 1) + ";");
            if (write && !scan.exclusive()) {
                put.run();
            }
        });
    }

    // ---- sorts ----

    /// A bitonic sort of positions, in place (Batcher 1968, "Sorting networks and their applications"): each round
    /// merges pairs of sorted runs, first by comparing mirrored places, then places ever closer. All comparisons
    /// put the lower value at the lower place, so what lies beyond the end counts as above everything and is never
    /// touched. Equal values are ordered by their positions, which makes the sort stable.
    void sort(Kernel.Sort sort) {
        Kernel.Buffer buffer = writer.kernel().buffer(sort.buffer());
        lines(sort.axes(), sort.value(), values -> {
            String over = sort.over();
            String count = code.let("long", "count", writer.high(over) + " - " + writer.low(over));
            String at = code.fresh(writer.name(over));
            code.block(
                    "for (long " + at + " = " + first() + "; " + at + " < " + count + "; " + at + " += " + items + ")",
                    () -> {
                        values.bind(over, at);
                        values.store(buffer, values.position(buffer, sort.index()), "(int)" + at);
                    });
            writer.barrier();
            String size = code.variable("long", "size", "1");
            code.block("while (" + size + " < " + count + ")", () -> code.line(size + " *= 2;"));
            String run = code.fresh("run");
            code.block("for (long " + run + " = 2; " + run + " <= " + size + "; " + run + " *= 2)", () -> {
                String half = code.let("long", "half_run", run + " / 2");
                pairs(size, pair -> {
                    String block = code.let("long", "block", pair + " / " + half + " * " + run);
                    String a = code.let("long", "a", block + " + " + pair + " % " + half);
                    String b = code.let("long", "b", block + " + " + run + " - 1 - " + pair + " % " + half);
                    exchange(sort, values, buffer, a, b, count);
                });
                String gap = code.fresh("gap");
                code.block(
                        "for (long " + gap + " = " + half + " / 2; " + gap + " > 0; " + gap + " /= 2)",
                        () -> pairs(size, pair -> {
                            String a = code.let(
                                    "long", "a", pair + " / " + gap + " * 2 * " + gap + " + " + pair + " % " + gap);
                            String b = code.let("long", "b", a + " + " + gap);
                            exchange(sort, values, buffer, a, b, count);
                        }));
            });
        });
    }

    private String first() {
        return writer.group().alone() ? "0" : "item";
    }

    private void pairs(String size, Consumer<String> body) {
        String pair = code.fresh("pair");
        code.block(
                "for (long " + pair + " = " + first() + "; " + pair + " < " + size + " / 2; " + pair + " += " + items
                        + ")",
                () -> body.accept(pair));
        writer.barrier();
    }

    /// Swaps the positions at places `a` and `b`, where `a` is the lower, if they are out of order.
    private void exchange(Kernel.Sort sort, Values values, Kernel.Buffer buffer, String a, String b, String count) {
        code.block("if (" + b + " < " + count + ")", () -> {
            String placeA = code.let("long", "place", position(sort, values, buffer, a));
            String placeB = code.let("long", "place", position(sort, values, buffer, b));
            String name = writer.name(buffer.name());
            String low = code.let("int", "low", name + "[" + placeA + "]");
            String high = code.let("int", "high", name + "[" + placeB + "]");
            String x = key(sort, values, low);
            String y = key(sort, values, high);
            String above = sort.descending() ? x + " < " + y : x + " > " + y;
            code.block("if (" + above + " || (" + x + " == " + y + " && " + low + " > " + high + "))", () -> {
                code.line(name + "[" + placeA + "] = " + high + ";");
                code.line(name + "[" + placeB + "] = " + low + ";");
            });
        });
    }

    private static String position(Kernel.Sort sort, Values values, Kernel.Buffer buffer, String at) {
        values.bind(sort.over(), at);
        return values.position(buffer, sort.index());
    }

    private String key(Kernel.Sort sort, Values values, String position) {
        values.bind(sort.over(), position);
        values.begin();
        DType dtype = writer.dtype(sort.value());
        String value = values.scalar(sort.value());
        String key = dtype.isFloat() ? "tfx_key_" + (dtype == DType.F64 ? "f64" : "f32") + "(" + value + ")" : value;
        return code.let(Types.bytes(dtype) == 8 ? "long" : "int", "key", key);
    }
}
