package tfx.cpu;

import java.util.List;
import java.util.Set;
import tfx.cpu.code.Expr;
import tfx.cpu.code.Method;
import tfx.cpu.code.Statement;
import tfx.ir.kernel.Kernel;
import tfx.runtime.DType;

/// Matrix products of f32 tiles: operands are brought to the layout of the register tiles where they are not in
/// it,
/// in
/// blocks along the summed axis, then register tiles cover the result.
final class DotEmitter {
    /// Longest block along the summed axis; a block of A and a panel of B then fit the second-level cache.
    private static final int MAX_DEPTH = 768;

    private static final int ROW_STRIDE = MAX_DEPTH + 16;

    private final KernelEmitter emitter;
    private final Stage driver;
    private final Kernel.Dot dot;
    private final MicroKernels micro;
    private final String row;
    private final String column;
    private final Tiles.Tile result;

    DotEmitter(KernelEmitter emitter, Stage driver, Kernel.Dot dot) {
        this.emitter = emitter;
        this.driver = driver;
        this.dot = dot;
        this.micro = emitter.micro();
        this.row = dot.axes().get(0);
        this.column = dot.axes().get(1);
        this.result = emitter.tile(dot.name());
    }

    void emit() {
        TileEmitter tile = new TileEmitter(emitter);
        if (!dot.accumulate()) {
            tile.let(driver, dot.name(), dot.axes(), new Kernel.Constant(DType.F32, 0.0));
        }
        boolean leftTile = dot.left() instanceof Kernel.Ref r
                && emitter.tile(r.name()).axes().equals(List.of(row, dot.over()));
        boolean rightPanels = dot.right() instanceof Kernel.Load l
                && emitter.kernel().buffer(l.buffer()).panels() > 0;
        int depth = leftTile ? emitter.tiles().extent(dot.over()) : Math.min(MAX_DEPTH, extent(dot.over()));
        int rows = emitter.tiles().extent(row);
        Tiles.Tile left = leftTile
                ? emitter.tile(((Kernel.Ref) dot.left()).name())
                : new Tiles.Tile(
                        DType.F32,
                        List.of(row, dot.over()),
                        emitter.tiles().reserve(Tiles.Kind.FLOATS, rows * ROW_STRIDE),
                        new int[] {ROW_STRIDE, 1});
        int panels = (emitter.tiles().extent(column) + micro.panel() - 1) / micro.panel();
        int right = rightPanels ? 0 : emitter.tiles().reserve(Tiles.Kind.FLOATS, panels * depth * micro.panel());

        Method m = driver.method;
        Expr.Local at = m.let("at", driver.low(dot.over()));
        Expr.Local first = m.let("first", at);
        Expr.Local end = m.let("end", driver.high(dot.over()));
        m.loopWhile(new Expr.Compare("<", at, end), () -> {
            Expr.Local stop = m.let("stop", ScalarLanes.math("min", end, at.plus(Expr.literal((long) depth))));
            emitter.range(driver, dot.over(), at, stop);
            if (!leftTile) {
                tile.update(driver, "left", left, List.of(row, dot.over()), dot.left());
            }
            if (!rightPanels) {
                packRight(right, depth);
            }
            products(left, rightPanels, right, depth);
            m.set(at, stop);
        });
        emitter.range(driver, dot.over(), first, end);
    }

    private int extent(String axis) {
        return emitter.kernel()
                .axis(axis)
                .orElseThrow()
                .size()
                .constant()
                .map(c -> (int) Math.clamp(c, 1L, MAX_DEPTH))
                .orElse(MAX_DEPTH);
    }

    /// Copies the right operand into panels of the scratch array.
    private void packRight(int offset, int depth) {
        Stage stage = emitter.stage("right");
        Method m = stage.method;
        stage.prepare(List.of(dot.right()), List.of(), Set.of());
        Expr.Local low = m.let("low", stage.low(column));
        Expr.Local count = m.let("columns", stage.high(column).minus(low).asInt());
        Expr.Local from = m.let("low", stage.low(dot.over()));
        Expr.Local panel = m.let("panel", Expr.literal(0));
        Expr.Local to = m.let("to", Expr.literal(offset));
        m.loopWhile(new Expr.Compare("<", panel, count), () -> {
            Expr.Local first = m.let("first", low.plus(panel.asLong()));
            Expr.Local width = m.let("width", ScalarLanes.math("min", Expr.literal(micro.panel()), count.minus(panel)));
            Expr.Local k = m.let("k", from);
            m.loop(k, Expr.literal(1L), stage.high(dot.over()), () -> {
                stage.bind(dot.over(), k);
                stage.bind(KernelEmitter.relative(dot.over()), k.minus(from));
                Expr base = to.plus(k.minus(from).asInt().times(Expr.literal(micro.panel())));
                new TileEmitter(emitter).inner(stage, column, first, width, dot.right(), new PanelSink(stage, base));
            });
            m.set(panel, panel.plus(Expr.literal(micro.panel())));
            m.set(to, to.plus(Expr.literal(depth * micro.panel())));
        });
        emitter.run(driver, stage);
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
            stage.method.call(emitter.vectors(stage.method).store(value, stage.floats, base.plus(x)));
        }
    }

    /// Covers the result with register tiles.
    private void products(Tiles.Tile left, boolean rightPanels, int right, int depth) {
        Stage stage = emitter.stage("product_" + dot.name());
        Method m = stage.method;
        Expr.Local rows = m.let("rows", stage.high(row).minus(stage.low(row)).asInt());
        Expr.Local columns =
                m.let("columns", stage.high(column).minus(stage.low(column)).asInt());
        Expr.Local count = m.let(
                "depth", stage.high(dot.over()).minus(stage.low(dot.over())).asInt());
        int panel = micro.panel();
        Expr.Local b = rightPanels
                ? m.let("b", panelAddress(stage, (Kernel.Load) dot.right()))
                : m.let("b", Expr.literal(right));
        Expr.Local j = m.let("j", Expr.literal(0));
        m.loopWhile(new Expr.Compare("<", j, columns), () -> {
            Expr.Local i = m.let("i", Expr.literal(0));
            for (int tile : micro.tiles()) {
                m.loop(i, Expr.literal(tile), rows, () -> {
                    Expr a = Expr.literal(left.offset()).plus(i.times(Expr.literal(left.strides()[0])));
                    Expr c = Expr.literal(result.offset())
                            .plus(i.times(Expr.literal(result.strides()[0])))
                            .plus(j);
                    m.call(micro.invoke(
                            tile,
                            !rightPanels,
                            left.strides()[0],
                            stage.floats,
                            a,
                            b,
                            c,
                            Expr.literal(result.strides()[0]),
                            count));
                });
            }
            m.set(j, j.plus(Expr.literal(panel)));
            m.set(
                    b,
                    rightPanels
                            ? b.plus(panelBytes(stage, (Kernel.Load) dot.right()))
                            : b.plus(Expr.literal(depth * panel)));
        });
        emitter.run(driver, stage);
    }

    private Expr panelBytes(Stage stage, Kernel.Load load) {
        long depth =
                emitter.kernel().buffer(load.buffer()).shape().get(0).constant().orElseThrow();
        return Expr.literal(depth * micro.panel() * 4);
    }

    /// The address of the first panel of this task, at the first row of this block.
    private Expr panelAddress(Stage stage, Kernel.Load load) {
        Expr base = new Expr.Element(stage.frame, Expr.literal(emitter.bufferNumber(load.buffer())));
        Expr panel = ScalarLanes.math("floorDiv", stage.low(column), Expr.literal((long) micro.panel()));
        return base.plus(panel.times(panelBytes(stage, load)))
                .plus(stage.low(dot.over()).times(Expr.literal(4L * micro.panel())));
    }
}
