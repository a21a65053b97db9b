package tfx.cpu;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.objectweb.asm.Type;
import tfx.cpu.code.Expr;
import tfx.cpu.code.Method;
import tfx.cpu.code.Statement;
import tfx.ir.kernel.Kernel;
import tfx.runtime.DType;
import tfx.runtime.Dim;

/// Stages that work along one axis, line by line, where each element depends on those before it: scans and sorts.
final class LineEmitter {
    private static final String SUPPORT = "tfx/runtime/program/Support";
    private static final Type KEYS = Type.getType(long[].class);

    private final KernelEmitter emitter;

    LineEmitter(KernelEmitter emitter) {
        this.emitter = emitter;
    }

    /// What a stage does with one line.
    private interface Line {
        void emit(Stage stage, Values values, Expr.Local count);
    }

    private void lines(
            Stage driver,
            String name,
            List<String> axes,
            String over,
            List<Dim> index,
            Kernel.Expr value,
            String buffer,
            Line line) {
        emitter.stage(driver, name, stage -> {
            stage.prepare(List.of(value), List.of(index), Set.of(buffer));
            nest(stage, axes, 0, () -> {
                Expr.Local low = stage.method.let("low", stage.low(over));
                Expr.Local count =
                        stage.method.let("n", stage.high(over).minus(low).asInt());
                Values values = new Values(stage, over, low);
                values.hoist(value, false);
                line.emit(stage, values, count);
            });
        });
    }

    private static void nest(Stage stage, List<String> axes, int depth, Runnable line) {
        if (depth == axes.size()) {
            line.run();
            return;
        }
        stage.walk(axes.get(depth), () -> nest(stage, axes, depth + 1, line));
    }

    void scan(Stage driver, Kernel.Scan scan) {
        Kernel.Buffer buffer = emitter.kernel().buffer(scan.buffer());
        DType dtype = buffer.dtype().accumulator();
        lines(
                driver,
                "scan",
                scan.axes(),
                scan.over(),
                scan.index(),
                scan.value(),
                scan.buffer(),
                (stage, values, count) -> {
                    Method m = stage.method;
                    Number identity = dtype.isFloat()
                            ? (Number) scan.fn().floatIdentity()
                            : (Number) scan.fn().integerIdentity(dtype);
                    Expr.Local sum =
                            m.let("sum", values.scalar(new Kernel.Constant(dtype, identity), Optional.empty()));
                    Expr.Local x = m.let("x", Expr.literal(0));
                    Expr.Local step = m.let("step", Expr.literal(0));
                    m.loop(step, Expr.literal(1), count, () -> {
                        m.set(x, scan.reverse() ? count.minus(step).minus(Expr.literal(1)) : step);
                        Expr value = m.let("v", values.scalar(scan.value(), Optional.of(x)));
                        if (scan.exclusive()) {
                            write(stage, values, buffer, scan.index(), scan.over(), x, sum);
                        }
                        m.set(sum, values.binary(scan.fn().combine(), dtype, sum, value));
                        if (!scan.exclusive()) {
                            write(stage, values, buffer, scan.index(), scan.over(), x, sum);
                        }
                    });
                });
    }

    private static void write(
            Stage stage, Values values, Kernel.Buffer buffer, List<Dim> index, String over, Expr.Local x, Expr value) {
        stage.bind(over, values.point(Optional.of(x)));
        stage.method.call(Stage.store(buffer.dtype(), stage.address(buffer, stage.position(buffer, index)), value));
    }

    void sort(Stage driver, Kernel.Sort sort) {
        Kernel.Buffer buffer = emitter.kernel().buffer(sort.buffer());
        DType dtype = emitter.dtype(sort.value());
        boolean narrow = dtype != DType.F64 && dtype != DType.I64;
        lines(
                driver,
                "sort",
                sort.axes(),
                sort.over(),
                sort.index(),
                sort.value(),
                sort.buffer(),
                (stage, values, count) -> {
                    Method m = stage.method;
                    Expr.Local keys = m.let("keys", ScalarLanes.invoke(SUPPORT, "keys", KEYS, count));
                    Expr.Local x = m.let("x", Expr.literal(0));
                    m.loop(x, Expr.literal(1), count, () -> {
                        Expr value = values.scalar(sort.value(), Optional.of(x));
                        m.add(new Statement.SetElement(
                                keys, x, ScalarLanes.invoke(SUPPORT, "key", Type.LONG_TYPE, value)));
                    });
                    Dim position = stage.position(buffer, sort.index());
                    stage.bind(sort.over(), Expr.literal(0L));
                    Expr first = stage.address(buffer, position);
                    Expr step = stage.dim(position.linearFactor(sort.over())
                            .orElseThrow()
                            .times(buffer.dtype().bytes()));
                    m.call(ScalarLanes.invoke(
                            SUPPORT,
                            "sort",
                            Type.VOID_TYPE,
                            new Type[] {
                                KEYS,
                                Type.INT_TYPE,
                                Type.BOOLEAN_TYPE,
                                Type.BOOLEAN_TYPE,
                                Type.LONG_TYPE,
                                Type.LONG_TYPE
                            },
                            keys,
                            count,
                            Expr.literal(narrow ? 1 : 0),
                            Expr.literal(sort.descending() ? 1 : 0),
                            first,
                            step));
                });
    }
}
