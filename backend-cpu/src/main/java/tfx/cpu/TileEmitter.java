package tfx.cpu;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.objectweb.asm.Type;
import tfx.cpu.code.Expr;
import tfx.cpu.code.Method;
import tfx.cpu.code.Statement;
import tfx.ir.kernel.Exprs;
import tfx.ir.kernel.Kernel;
import tfx.ir.kernel.Neighbours;
import tfx.runtime.DType;
import tfx.runtime.Dim;

/// Stages that compute a value for each point of some axes and put it into a tile or a buffer.
final class TileEmitter {
    /// Where values go. Positions are prepared before the innermost loop.
    interface Sink {
        boolean vectorizes();

        void prepare(Values values, Expr low);

        void scalar(Expr.Local x, Expr value);

        void vector(Expr.Local x, Expr value);

        /// Whether vectors may work on what lies behind the end of a row too.
        default boolean fills(Values values, Kernel.Expr value) {
            return false;
        }

        /// Whether long rows of values go to memory.
        default boolean streams() {
            return false;
        }

        /// Has the runtime copy all values along the last axes, one or two, if it can; whether it does.
        default boolean copies(List<String> axes) {
            return false;
        }
    }

    private final KernelEmitter emitter;

    TileEmitter(KernelEmitter emitter) {
        this.emitter = emitter;
    }

    /// Sets every element of a tile.
    void let(Stage driver, String name, List<String> axes, Kernel.Expr value) {
        update(driver, name, emitter.tile(name), Neighbours.order(axes, value), value);
    }

    /// Sets a tile's elements while walking `order`, which may hold axes that the tile lacks.
    void update(Stage driver, String name, Tiles.Tile tile, List<String> order, Kernel.Expr value) {
        emitter.stage(driver, "let_" + name, stage -> {
            TileSink sink = new TileSink(stage, tile, order.isEmpty() ? "" : order.getLast());
            stage.prepare(List.of(value), List.of(), Set.of());
            if (order.size() == 2 && inColumns(stage, order.getLast(), tile, value)) {
                columns(stage, order, value, sink);
            } else {
                loops(stage, order, 0, value, sink);
            }
        });
    }

    /// Whether rows are a few vectors of long code: then a column of vectors is a longer loop than a row of them.
    private boolean inColumns(Stage stage, String axis, Tiles.Tile tile, Kernel.Expr value) {
        Values values = new Values(stage, axis, Expr.literal(0L));
        int vectors = emitter.tiles().extent(axis) / emitter.lanes();
        return stage.vector
                && tile.dtype() == DType.F32
                && tile.axes().getLast().equals(axis)
                && vectors > 0
                && vectors <= Values.MOST_COPIES
                && !values.fits(value, vectors)
                && values.vectorizes(value);
    }

    private void columns(Stage stage, List<String> axes, Kernel.Expr value, Sink sink) {
        Method m = stage.method;
        String axis = axes.getLast();
        Expr.Local low = m.let("low", stage.low(axis));
        Expr.Local points = m.let("n", stage.high(axis).minus(low).asInt());
        boolean filled = sink.fills(new Values(stage, axis, low), value);
        Expr.Local count = filled ? m.let("n", stage.filled(points)) : points;
        Expr.Local x = m.let("x", Expr.literal(0));
        m.counted(
                x,
                emitter.lanes(),
                count,
                () -> stage.outermostCounted(axes.getFirst(), () -> {
                    Values values = new Values(stage, axis, low);
                    values.hoist(value, true);
                    stage.bind(axis, low);
                    sink.prepare(values, low);
                    sink.vector(x, values.vector(value, x));
                }));
        if (filled || emitter.isMultiple(axis, 1)) {
            return;
        }
        Expr.Local first = m.let("first", x);
        m.choose(
                new Expr.Compare("<", first, count),
                () -> stage.outermost(axes.getFirst(), () -> {
                    Values values = new Values(stage, axis, low);
                    values.hoist(value, false);
                    stage.bind(axis, low);
                    sink.prepare(values, low);
                    m.set(x, first);
                    m.loop(x, Expr.literal(1), count, () -> sink.scalar(x, values.scalar(value, Optional.of(x))));
                }),
                () -> {});
    }

    void store(Stage driver, Kernel.Store store) {
        List<Dim> limits = store.lookups().stream().map(Kernel.Lookup::limit).toList();
        emitter.stage(driver, "store", stage -> {
            Sink sink = new BufferSink(stage, store);
            stage.prepare(Exprs.values(store), List.of(store.index(), limits), Set.of(store.buffer()));
            loops(stage, store.axes(), 0, store.value(), sink);
        });
    }

    private void loops(Stage stage, List<String> axes, int depth, Kernel.Expr value, Sink sink) {
        Method m = stage.method;
        if (axes.isEmpty()) {
            inner(stage, new Stretch("", Expr.literal(0L), m.let("n", Expr.literal(1)), 1), value, sink);
            return;
        }
        if (depth >= axes.size() - 2 && sink.copies(axes.subList(depth, axes.size()))) {
            return;
        }
        String axis = axes.get(depth);
        if (depth == axes.size() - 1) {
            if (depth == 0) {
                stage.empties(axis);
            }
            Expr.Local low = m.let("low", stage.low(axis));
            Expr.Local count = m.let("n", stage.high(axis).minus(low).asInt());
            inner(stage, new Stretch(axis, low, count, emitter.tiles().extent(axis)), value, sink);
            return;
        }
        Runnable inside = () -> loops(stage, axes, depth + 1, value, sink);
        if (depth == 0) {
            stage.outermost(axis, inside);
        } else {
            stage.walk(axis, inside);
        }
    }

    /// Neighbours along an axis.
    ///
    /// @param axis empty for a single point
    /// @param most points that there may be, whole vectors; all stretches of a stage's range but the last have
    ///             as many
    record Stretch(String axis, Expr low, Expr.Local count, int most) {}

    /// The innermost loop: vectors while they fit, then one element after the other.
    void inner(Stage stage, Stretch stretch, Kernel.Expr value, Sink sink) {
        Method m = stage.method;
        String axis = stretch.axis;
        Expr low = stretch.low;
        Values values = new Values(stage, axis, low);
        boolean vector = stage.vector
                && !axis.isEmpty()
                && sink.vectorizes()
                && emitter.dtype(value) == DType.F32
                && values.vectorizes(value);
        values.hoist(value, vector);
        stage.bind(axis, low);
        sink.prepare(values, low);
        boolean filled = vector && sink.fills(values, value);
        Expr.Local count = filled ? m.let("n", stage.filled(stretch.count)) : stretch.count;
        Expr.Local x = m.let("x", Expr.literal(0));
        if (vector) {
            int lanes = emitter.lanes();
            int unrolled = Math.min(stretch.most, emitter.tiles().extent(axis)) / lanes;
            boolean repeats = unrolled > 1 && values.fits(value, unrolled);
            if (repeats) {
                m.counted(x, unrolled * lanes, count, () -> {
                    for (int i = 0; i < unrolled; i++) {
                        Expr.Local at = m.let("x", x.plus(Expr.literal(i * lanes)));
                        values.begin();
                        sink.vector(at, values.vector(value, at));
                    }
                });
            }
            values.begin();
            if (repeats && emitter.isMultiple(axis, unrolled)) {
                return;
            }
            if (sink.streams()) {
                m.loop(x, Expr.literal(lanes), count, () -> {
                    // Cut to what it is, for the JIT compiler knows less of a loop that it does not count.
                    Expr.Local at = m.let("x", new Expr.Arithmetic("&", x, Expr.literal(Integer.MAX_VALUE)));
                    sink.vector(at, values.vector(value, at));
                });
            } else {
                m.counted(x, lanes, count, () -> sink.vector(x, values.vector(value, x)));
            }
            if (filled || emitter.isMultiple(axis, 1)) {
                return;
            }
        }
        values.begin();
        m.loop(x, Expr.literal(1), count, () -> sink.scalar(x, values.scalar(value, Optional.of(x))));
    }

    /// Elements of a tile.
    private final class TileSink implements Sink {
        private final Stage stage;
        private final Tiles.Tile tile;
        private final String axis;
        private Expr base = Expr.literal(0);

        TileSink(Stage stage, Tiles.Tile tile, String axis) {
            this.stage = stage;
            this.tile = tile;
            this.axis = axis;
        }

        private int step() {
            return tile.axes().contains(axis) ? tile.stride(axis) : 0;
        }

        @Override
        public boolean vectorizes() {
            return step() == 1;
        }

        @Override
        public boolean fills(Values values, Kernel.Expr value) {
            return values.fillsVectors(value);
        }

        @Override
        public void prepare(Values values, Expr low) {
            base = stage.method.let("to", emitter.tilePosition(stage, tile, axis));
        }

        @Override
        public void scalar(Expr.Local x, Expr value) {
            Expr at = step() == 0 ? base : base.plus(step() == 1 ? x : x.times(Expr.literal(step())));
            Expr stored = Tiles.kind(tile.dtype()) == Tiles.Kind.LONGS ? value.asLong() : value;
            stage.method.add(new Statement.SetElement(stage.scratch(tile.dtype()), at, stored));
        }

        @Override
        public void vector(Expr.Local x, Expr value) {
            stage.method.call(stage.vectorLanes().store(value, stage.floats, base.plus(x)));
        }
    }

    /// Elements of a buffer.
    private final class BufferSink implements Sink {
        private final Stage stage;
        private final Kernel.Store store;
        private final Kernel.Buffer buffer;
        private final Dim position;
        private final String axis;
        private boolean lookedUp;
        private Optional<Dim> step;
        private Optional<Values> values = Optional.empty();
        private Expr base = Expr.literal(0L);
        private Expr bytes = Expr.literal(0L);
        private Expr low = Expr.literal(0L);

        BufferSink(Stage stage, Kernel.Store store) {
            this.stage = stage;
            this.store = store;
            this.buffer = emitter.kernel().buffer(store.buffer());
            this.position = stage.position(buffer, store.index());
            this.axis = store.axes().isEmpty() ? "" : store.axes().getLast();
            this.step = position.linearFactor(axis);
        }

        @Override
        public boolean vectorizes() {
            return store.lookups().isEmpty()
                    && store.combine().isEmpty()
                    && step.filter(s -> s.isConstant(1)).isPresent();
        }

        @Override
        public boolean streams() {
            return true;
        }

        @Override
        public void prepare(Values given, Expr first) {
            low = first;
            values = Optional.of(given);
            lookedUp = store.lookups().stream().anyMatch(k -> given.varying(k.value()));
            store.lookups().forEach(k -> given.hoist(k.value(), false));
            if (lookedUp) {
                step = Optional.empty();
            } else {
                given.lookups(store.lookups(), Optional.empty());
            }
            if (step.isPresent()) {
                base = stage.method.let("to", stage.address(buffer, position));
                Expr wide = stage.dim(step.get().times(buffer.dtype().bytes()));
                bytes = wide instanceof Expr.Literal ? wide : stage.method.let("d", wide);
            }
        }

        private Expr at(Expr.Local x) {
            if (step.isPresent()) {
                return base.plus(x.asLong().times(bytes));
            }
            if (lookedUp) {
                values.orElseThrow().lookups(store.lookups(), Optional.of(x));
            }
            stage.bind(axis, low.plus(x.asLong()));
            return stage.address(buffer, position);
        }

        @Override
        public void scalar(Expr.Local x, Expr value) {
            if (store.combine().isEmpty()) {
                stage.method.call(stage.write(buffer.dtype(), at(x), value));
                return;
            }
            Expr place = stage.method.let("at", at(x));
            Expr before = stage.read(buffer.dtype(), place);
            Expr joined = values.orElseThrow().binary(store.combine().get(), buffer.dtype(), before, value);
            stage.method.call(stage.write(buffer.dtype(), place, joined));
        }

        @Override
        public void vector(Expr.Local x, Expr value) {
            stage.method.call(stage.vectorLanes().store(value, at(x)));
        }

        /// It can where elements are evenly spaced on both sides and no vectors take them.
        @Override
        public boolean copies(List<String> axes) {
            if (!(store.value() instanceof Kernel.Load load)
                    || !load.lookups().isEmpty()
                    || !store.lookups().isEmpty()
                    || store.combine().isPresent()
                    || buffer.dtype().bytes() != Integer.BYTES) {
                return false;
            }
            Kernel.Buffer source = emitter.kernel().buffer(load.buffer());
            Dim read = stage.position(source, load.index());
            List<Optional<Dim>> steps = new ArrayList<>();
            for (Dim place : List.of(position, read)) {
                steps.add(axes.size() == 1 ? Optional.of(Dim.ZERO) : even(place, axes.getFirst(), axes));
                steps.add(even(place, axes.getLast(), axes));
            }
            boolean vectors = (stage.vector || emitter.isTwin(stage))
                    && buffer.dtype() == DType.F32
                    && vectorizes()
                    && steps.get(3)
                            .filter(s -> s.isConstant(1) || s.isConstant(0))
                            .isPresent();
            if (source.dtype() != buffer.dtype() || vectors || steps.stream().anyMatch(Optional::isEmpty)) {
                return false;
            }
            Method m = stage.method;
            List<Expr> counts = new ArrayList<>();
            for (String axis : axes) {
                Expr.Local first = m.let("low", stage.low(axis));
                counts.add(stage.high(axis).minus(first).asInt());
                stage.bind(axis, first);
            }
            if (axes.size() == 1) {
                counts.addFirst(Expr.literal(1));
            }
            List<Expr> bytes = steps.stream()
                    .map(s -> stage.dim(s.orElseThrow().times(Integer.BYTES)))
                    .toList();
            m.call(ScalarLanes.invoke(
                    Stage.SUPPORT,
                    "copy",
                    Type.VOID_TYPE,
                    stage.address(buffer, position),
                    bytes.get(0),
                    bytes.get(1),
                    stage.address(source, read),
                    bytes.get(2),
                    bytes.get(3),
                    counts.get(0),
                    counts.get(1)));
            return true;
        }

        /// The distance of neighbours along one of the axes, where it is the same everywhere on them.
        private static Optional<Dim> even(Dim place, String axis, List<String> axes) {
            return place.linearFactor(axis)
                    .filter(step -> axes.stream().noneMatch(a -> step.symbols().contains(a)));
        }
    }
}
