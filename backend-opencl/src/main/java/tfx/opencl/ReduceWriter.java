package tfx.opencl;

import java.util.ArrayList;
import java.util.List;
import tfx.ir.kernel.Exprs;
import tfx.ir.kernel.Kernel;
import tfx.ir.kernel.Neighbours;
import tfx.runtime.DType;

/// Reductions along one axis. A work-item that does all of a task sums in a few vectors; a group shares either the
/// points that are kept or, where these are few, each line.
final class ReduceWriter {
    /// Vectors that sum side by side, so that none waits for another.
    private static final int SUMS = 4;

    /// The longest values that are computed several times a pass.
    private static final int FEW_PARTS = 12;

    private final KernelWriter writer;
    private final Code code;
    private final Group group;

    ReduceWriter(KernelWriter writer) {
        this.writer = writer;
        this.code = writer.code();
        this.group = writer.group();
    }

    void write(Kernel.Reduce reduce) {
        if (group.alone()) {
            if (Neighbours.columnsFirst(
                    writer.kernel(), reduce, t -> writer.tile(t).axes())) {
                columns(reduce);
            } else {
                Values values = new Values(writer);
                code.block(
                        "",
                        () -> new Points(writer).walk(reduce.axes(), values, () -> {
                            values.count(reduce.value());
                            values.begin();
                            values.along(reduce.over());
                            keep(reduce, values, row(reduce, values));
                        }));
            }
            return;
        }
        if (!waits(reduce, writer)) {
            new Points(writer)
                    .items(reduce.axes(), List.of(), values -> keep(reduce, values, line(reduce, values, "0", "1")));
        } else {
            Values values = new Values(writer);
            code.block("", () -> new Points(writer).walk(reduce.axes(), values, () -> together(reduce, values)));
        }
    }

    /// Whether work-items wait for each other inside a reduction: they share each line, for there are few.
    static boolean waits(Kernel.Reduce reduce, KernelWriter writer) {
        int points = reduce.axes().stream().mapToInt(writer.kernel()::extent).reduce(1, (a, b) -> a * b);
        boolean step = writer.kernel().body().stream()
                .anyMatch(s -> s instanceof Kernel.Loop l && l.axis().equals(reduce.over()));
        return !writer.group().alone() && points < writer.group().items() / 2 && !step;
    }

    private String join(Kernel.Reduce reduce, String a, String b, int width) {
        return Functions.binary(reduce.fn().combine(), reduce.dtype(), a, b, width);
    }

    private static String identity(Kernel.Reduce reduce) {
        return Types.literal((Kernel.Constant) neutral(reduce));
    }

    private static Kernel.Expr neutral(Kernel.Reduce reduce) {
        Number value = reduce.dtype().isFloat()
                ? (Number) reduce.fn().floatIdentity()
                : (Number) reduce.fn().integerIdentity(reduce.dtype());
        return new Kernel.Constant(reduce.dtype(), value);
    }

    /// Sets the tile's element at the current point.
    private void keep(Kernel.Reduce reduce, Values values, String sum) {
        String element = values.element(reduce.name());
        code.line(element + " = " + (reduce.accumulate() ? join(reduce, element, sum, 1) : sum) + ";");
    }

    /// Down columns: a row of sums, joined with one row after the other.
    private void columns(Kernel.Reduce reduce) {
        if (!reduce.accumulate()) {
            new TileWriter(writer).let(reduce.name(), reduce.axes(), neutral(reduce));
        }
        List<String> order = new ArrayList<>(reduce.axes());
        order.add(order.size() - 1, reduce.over());
        Kernel.Expr joined = new Kernel.Binary(reduce.fn().combine(), new Kernel.Ref(reduce.name()), reduce.value());
        new TileWriter(writer).let(reduce.name(), order, joined);
    }

    /// Along a row, by one work-item, in vectors where that is possible.
    private String row(Kernel.Reduce reduce, Values values) {
        String over = reduce.over();
        DType dtype = reduce.dtype();
        int width = group.width();
        String sum = code.variable(Types.register(dtype), "sum", identity(reduce));
        code.block("if (" + writer.low(over) + " < " + writer.high(over) + ")", () -> {
            values.hoist(reduce.value());
            String at = code.variable("long", writer.name(over), writer.low(over));
            values.bind(over, at);
            if (width > 1 && values.varying(reduce.value()) && values.vectorizes(reduce.value())) {
                vectors(reduce, values, at, sum);
            }
            code.block("for (; " + at + " < " + writer.high(over) + "; " + at + "++)", () -> {
                values.begin();
                code.line(sum + " = " + join(reduce, sum, values.scalar(reduce.value()), 1) + ";");
            });
        });
        return sum;
    }

    private void vectors(Kernel.Reduce reduce, Values values, String at, String sum) {
        int width = group.width();
        String type = Types.vector(reduce.dtype(), width);
        int[] parts = new int[1];
        Exprs.walk(reduce.value(), e -> parts[0]++);
        int together = parts[0] <= FEW_PARTS ? SUMS : 1;
        List<String> sums = new ArrayList<>();
        String neutral = "(" + type + ")(" + (reduce.dtype() == DType.BOOL ? "-" : "") + identity(reduce) + ")";
        for (int i = 0; i < together; i++) {
            sums.add(code.variable(type, "sums", neutral));
        }
        if (together > 1) {
            vectorLoop(reduce, values, at, sums);
        }
        vectorLoop(reduce, values, at, sums.subList(0, 1));
        for (int half = together / 2; half > 0; half /= 2) {
            for (int i = 0; i < half; i++) {
                code.line(sums.get(i) + " = " + join(reduce, sums.get(i), sums.get(i + half), width) + ";");
            }
        }
        String folded = sums.getFirst();
        for (int half = width / 2; half > 0; half /= 2) {
            String joined = join(reduce, folded + ".lo", folded + ".hi", half);
            folded = code.let(Types.vector(reduce.dtype(), half), "half", joined);
        }
        code.line(sum + " = " + folded + (reduce.dtype() == DType.BOOL ? " & 1" : "") + ";");
    }

    private void vectorLoop(Kernel.Reduce reduce, Values values, String at, List<String> sums) {
        int width = group.width();
        int step = width * sums.size();
        code.block(
                "for (; " + at + " + " + step + " <= " + writer.high(reduce.over()) + "; " + at + " += " + step + ")",
                () -> {
                    for (int i = 0; i < sums.size(); i++) {
                        values.bind(reduce.over(), i == 0 ? at : "(" + at + " + " + i * width + ")");
                        values.begin();
                        code.line(sums.get(i) + " = " + join(reduce, sums.get(i), values.vector(reduce.value()), width)
                                + ";");
                    }
                });
        values.bind(reduce.over(), at);
    }

    /// Along a line, every `step`th element from the `first` on.
    private String line(Kernel.Reduce reduce, Values values, String first, String step) {
        String over = reduce.over();
        String sum = code.variable(Types.register(reduce.dtype()), "sum", identity(reduce));
        String at = code.fresh(writer.name(over));
        String loop = "for (long " + at + " = " + writer.low(over) + " + " + first + "; " + at + " < "
                + writer.high(over) + "; " + at + " += " + step + ")";
        code.block(loop, () -> {
            values.bind(over, at);
            values.count(reduce.value());
            values.begin();
            code.line(sum + " = " + join(reduce, sum, values.scalar(reduce.value()), 1) + ";");
        });
        return sum;
    }

    /// Along a line, by all work-items of the group.
    private void together(Kernel.Reduce reduce, Values values) {
        String shared = writer.shared(reduce.dtype());
        code.line(shared + "[item] = " + line(reduce, values, "item", String.valueOf(group.items())) + ";");
        writer.barrier();
        String half = code.fresh("half_");
        code.block("for (uint " + half + " = " + group.items() / 2 + "; " + half + " > 0; " + half + " /= 2)", () -> {
            String joined = join(reduce, shared + "[item]", shared + "[item + " + half + "]", 1);
            code.block("if (item < " + half + ")", () -> code.line(shared + "[item] = " + joined + ";"));
            writer.barrier();
        });
        code.block("if (item == 0)", () -> keep(reduce, values, shared + "[0]"));
        writer.barrier();
    }
}
