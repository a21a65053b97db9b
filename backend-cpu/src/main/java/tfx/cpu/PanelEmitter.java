package tfx.cpu;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import tfx.cpu.RegisterTile.Operand;
import tfx.cpu.code.Expr;
import tfx.cpu.code.Method;
import tfx.cpu.code.Statement;
import tfx.ir.kernel.Kernel;

/// The right operand of a product in panels: packed ones of a weight, and those of the scratch array, which this
/// fills.
final class PanelEmitter {
    private final KernelEmitter emitter;
    private final Kernel.Dot dot;
    private final MicroKernels micro;
    private final String column;
    private final String over;

    PanelEmitter(KernelEmitter emitter, Kernel.Dot dot) {
        this.emitter = emitter;
        this.dot = dot;
        this.micro = emitter.micro();
        this.column = dot.axes().get(1);
        this.over = dot.over();
    }

    /// The packed weight that the right operand is.
    Optional<Kernel.Load> packed() {
        Kernel.Expr stored = dot.right() instanceof Kernel.Cast c ? c.x() : dot.right();
        return stored instanceof Kernel.Load l
                        && emitter.kernel().buffer(l.buffer()).panels() > 0
                ? Optional.of(l)
                : Optional.empty();
    }

    /// How register tiles read a packed weight.
    Operand operand(Kernel.Load load) {
        return new Operand(false, emitter.kernel().buffer(load.buffer()).dtype(), micro.panel(), 1);
    }

    /// Copies the right operand of this task and block into panels of the scratch array, as f32.
    void copy(Stage driver, int offset, int depth) {
        packed().ifPresentOrElse(
                        load -> emitter.stage(driver, "widen", stage -> widened(stage, load, offset, depth)),
                        () -> emitter.stage(driver, "right", stage -> copied(stage, offset, depth)));
    }

    private void copied(Stage stage, int offset, int depth) {
        Method m = stage.method;
        stage.empties(column);
        stage.prepare(List.of(dot.right()), List.of(), Set.of());
        Expr.Local low = m.let("low", stage.low(column));
        Expr.Local count = m.let("columns", stage.high(column).minus(low).asInt());
        Expr.Local from = m.let("low", stage.low(over));
        Expr.Local panel = m.let("panel", Expr.literal(0));
        Expr.Local to = m.let("to", Expr.literal(offset));
        m.loopWhile(new Expr.Compare("<", panel, count), () -> {
            Expr.Local first = m.let("first", low.plus(panel.asLong()));
            Expr.Local width = m.let("width", ScalarLanes.math("min", Expr.literal(micro.panel()), count.minus(panel)));
            Expr.Local k = m.let("k", from);
            m.loop(k, Expr.literal(1L), stage.high(over), () -> {
                stage.bind(over, k);
                stage.bind(KernelEmitter.relative(over), k.minus(from));
                Expr base = to.plus(k.minus(from).asInt().times(Expr.literal(micro.panel())));
                TileEmitter.Stretch stretch = new TileEmitter.Stretch(column, first, width, micro.panel());
                new TileEmitter(emitter).inner(stage, stretch, dot.right(), new PanelSink(stage, base));
            });
            m.set(panel, panel.plus(Expr.literal(micro.panel())));
            m.set(to, to.plus(Expr.literal(depth * micro.panel())));
        });
    }

    /// A row of a panel.
    private final class PanelSink implements TileEmitter.Sink {
        private final Stage stage;
        private Expr base;

        PanelSink(Stage stage, Expr base) {
            this.stage = stage;
            this.base = base;
        }

        @Override
        public boolean vectorizes() {
            return true;
        }

        @Override
        public void prepare(Values values, Expr low) {
            base = stage.method.let("to", base);
        }

        @Override
        public void scalar(Expr.Local x, Expr value) {
            stage.method.add(new Statement.SetElement(stage.floats, base.plus(x), value));
        }

        @Override
        public void vector(Expr.Local x, Expr value) {
            stage.method.call(stage.vectorLanes().store(value, stage.floats, base.plus(x)));
        }
    }

    /// Widens panels, several at once while there are as many.
    private void widened(Stage stage, Kernel.Load load, int offset, int depth) {
        Method m = stage.method;
        Operand panels = operand(load);
        stage.empties(column);
        Expr.Local columns =
                m.let("columns", stage.high(column).minus(stage.low(column)).asInt());
        Expr.Local count =
                m.let("depth", stage.high(over).minus(stage.low(over)).asInt());
        Expr.Local panel = m.let("panel", address(stage, load));
        Expr.Local to = m.let("to", Expr.literal(offset));
        Expr.Local j = m.let("j", Expr.literal(0));
        for (int several : new int[] {MicroKernels.ROW_PANELS, 1}) {
            Expr.Local limit = m.let("limit", columns.minus(Expr.literal((several - 1) * micro.panel())));
            m.loopWhile(new Expr.Compare("<", j, limit), () -> {
                Expr.Local k = m.let("k", Expr.literal(0));
                m.counted(k, 1, count, () -> {
                    Expr.Local row = m.let("row", panel.plus(panels.distance(k, panels.row())));
                    Expr.Local at = m.let("at", to.plus(k.times(Expr.literal(micro.panel()))));
                    for (int p = 0; p < several; p++) {
                        Expr far = Expr.literal(p * length(load));
                        Expr place = at.plus(Expr.literal(p * depth * micro.panel()));
                        widenedRow(stage, panels, row.plus(far), place);
                    }
                });
                m.set(j, j.plus(Expr.literal(several * micro.panel())));
                m.set(panel, panel.plus(Expr.literal(several * length(load))));
                m.set(to, to.plus(Expr.literal(several * depth * micro.panel())));
            });
        }
    }

    private void widenedRow(Stage stage, Operand panels, Expr row, Expr to) {
        Method m = stage.method;
        int lanes = emitter.lanes();
        if (stage.vector) {
            VectorLanes v = stage.vectorLanes();
            List<Expr> pair = panels.pair(v, stage.floats, Stage.address(row));
            m.call(v.store(pair.getFirst(), stage.floats, to));
            m.call(v.store(pair.getLast(), stage.floats, to.plus(Expr.literal(lanes))));
        } else {
            Expr.Local j = m.let("j", Expr.literal(0));
            m.loop(j, Expr.literal(1), Expr.literal(micro.panel()), () -> {
                Expr at = Stage.address(row.plus(panels.column(j, lanes)));
                Expr value = panels.element(stage.floats, at, emitter.isTwin(stage));
                m.add(new Statement.SetElement(stage.floats, to.plus(j), value));
            });
        }
    }

    /// Bytes of a packed panel.
    long length(Kernel.Load load) {
        Kernel.Buffer buffer = emitter.kernel().buffer(load.buffer());
        return buffer.shape().get(0).constant().orElseThrow()
                * micro.panel()
                * buffer.dtype().bytes();
    }

    /// The address of the first panel of this task, at the first row of this block.
    Expr address(Stage stage, Kernel.Load load) {
        Expr base = new Expr.Element(stage.frame, Expr.literal(emitter.bufferNumber(load.buffer())));
        Expr panel = ScalarLanes.math("floorDiv", stage.low(column), Expr.literal((long) micro.panel()));
        long row = (long) micro.panel()
                * emitter.kernel().buffer(load.buffer()).dtype().bytes();
        return base.plus(panel.times(Expr.literal(length(load))))
                .plus(stage.low(over).times(Expr.literal(row)));
    }
}
