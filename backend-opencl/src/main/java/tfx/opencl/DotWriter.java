package tfx.opencl;

import java.util.List;
import tfx.ir.BinaryFn;
import tfx.ir.kernel.Kernel;
import tfx.runtime.DType;

/// Matrix products.
///
/// Products of f32 have forms of their own: {@link RegisterTiles} where one work-item does all of a task,
/// {@link SharedProduct} where several share it. The others are plain loops.
final class DotWriter {
    private final KernelWriter writer;
    private final Code code;

    DotWriter(KernelWriter writer) {
        this.writer = writer;
        this.code = writer.code();
    }

    void write(Kernel.Dot dot) {
        boolean single = dot.dtype() == DType.F32;
        if (writer.group().alone()) {
            if (single && writer.group().width() > 1) {
                new RegisterTiles(writer, dot).write();
            } else {
                inColumns(dot);
            }
        } else if (single && SharedProduct.fits(writer, dot)) {
            new SharedProduct(writer, dot).write();
        } else {
            pointwise(dot);
        }
    }

    static Kernel.Expr zero(Kernel.Dot dot) {
        return new Kernel.Constant(dot.dtype(), dot.dtype().isFloat() ? (Number) 0.0 : (Number) 0L);
    }

    /// One row of the right operand after the other, times elements of the left.
    private void inColumns(Kernel.Dot dot) {
        if (!dot.accumulate()) {
            new TileWriter(writer).let(dot.name(), dot.axes(), zero(dot));
        }
        Kernel.Expr product = new Kernel.Binary(BinaryFn.MUL, dot.left(), dot.right());
        Kernel.Expr sum = new Kernel.Binary(BinaryFn.ADD, new Kernel.Ref(dot.name()), product);
        new TileWriter(writer)
                .let(
                        dot.name(),
                        List.of(dot.axes().get(0), dot.over(), dot.axes().get(1)),
                        sum);
    }

    /// A work-item sums for one point after the other.
    private void pointwise(Kernel.Dot dot) {
        Kernel.Expr product = new Kernel.Binary(BinaryFn.MUL, dot.left(), dot.right());
        new Points(writer).items(dot.axes(), List.of(), values -> {
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

    private void along(Kernel.Dot dot, Values values, Runnable body) {
        along(writer, dot, values, body);
    }

    /// A loop along the summed axis.
    static void along(KernelWriter writer, Kernel.Dot dot, Values values, Runnable body) {
        Code code = writer.code();
        String at = code.fresh(writer.name(dot.over()));
        String from = writer.low(dot.over());
        code.block(
                "for (long " + at + " = " + from + "; " + at + " < " + writer.high(dot.over()) + "; " + at + "++)",
                () -> {
                    values.bind(dot.over(), at);
                    body.run();
                });
    }
}
