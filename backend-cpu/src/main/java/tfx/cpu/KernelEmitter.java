package tfx.cpu;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.objectweb.asm.Type;
import tfx.cpu.code.ClassCode;
import tfx.cpu.code.Expr;
import tfx.cpu.code.Method;
import tfx.cpu.code.Statement;
import tfx.ir.BinaryFn;
import tfx.ir.Span;
import tfx.ir.kernel.Exprs;
import tfx.ir.kernel.Intervals;
import tfx.ir.kernel.Kernel;
import tfx.runtime.DType;
import tfx.runtime.Dim;
import tfx.runtime.program.CompiledKernel;
import tfx.runtime.program.Needs;

/// Kernel to class. The class walks its tasks in `run`; each statement is a method of its own, a *stage*, that
/// works on tiles in scratch arrays. Stages are small, so that the JIT compiler takes each of them.
final class KernelEmitter {
    /// A class and the scratch memory that it needs, in elements.
    record Emitted(ClassCode code, Needs needs) {}

    private final Kernel kernel;
    private final int lanes;
    private final boolean vector;
    private final Optional<Parts> parts;
    private final MicroKernels micro;
    private final ClassCode code;
    private final Tiles tiles;
    private final List<String> axes = new ArrayList<>();
    private final List<String> sizes = new ArrayList<>();
    private final Map<String, Integer> buffers = new HashMap<>();
    private int stages;
    private boolean tiled;

    /// @param lanes  floats in a vector; the order of sums follows it even without vectors
    /// @param vector whether to use vectors, or be their scalar twin
    /// @param parts  where each part is to have a scalar twin that works until it is hot
    KernelEmitter(
            Kernel kernel, int lanes, boolean vector, Optional<Parts> parts, MicroKernels micro, String className) {
        this.kernel = kernel;
        this.parts = parts;
        this.micro = micro;
        this.lanes = lanes;
        this.vector = vector && lanes > 1;
        this.code = new ClassCode(className, CompiledKernel.class, source(kernel));
        this.tiles = new Tiles(kernel, 2 * lanes);
        kernel.grid().forEach(a -> axes.add(a.name()));
        kernel.axes().forEach(a -> axes.add(a.name()));
        sizes.addAll(kernel.sizes());
        kernel.buffers().forEach(b -> buffers.put(b.name(), buffers.size()));
    }

    /// What stack traces name as the file: the source's, where the kernel has one.
    private static String source(Kernel kernel) {
        String name = kernel.span().source().name();
        return kernel.span() == Span.NONE ? kernel.name() + ".tfx" : name.substring(name.lastIndexOf('/') + 1);
    }

    /// A method of the class, whose lines are the kernel's line in the source.
    private Method method(boolean isStatic, String name, Type result) {
        Method method = code.method(isStatic, name, result);
        if (kernel.span() != Span.NONE) {
            method.add(new Statement.Line(kernel.span().line()));
        }
        return method;
    }

    Kernel kernel() {
        return kernel;
    }

    int lanes() {
        return lanes;
    }

    MicroKernels micro() {
        return micro;
    }

    Tiles tiles() {
        return tiles;
    }

    Tiles.Tile tile(String name) {
        return tiles.get(name);
    }

    int axisNumber(String axis) {
        return axes.indexOf(axis);
    }

    boolean isAxis(String name) {
        return axes.contains(name);
    }

    boolean isSize(String name) {
        return sizes.contains(name);
    }

    int sizeNumber(String name) {
        return buffers.size() + sizes.indexOf(name);
    }

    int bufferNumber(String name) {
        return buffers.get(name);
    }

    /// Whether a stage's range of an axis always fills so many vectors at once without a rest.
    boolean isMultiple(String axis, int vectors) {
        return kernel.isMultiple(axis, vectors * lanes);
    }

    DType dtype(Kernel.Expr e) {
        return Exprs.dtype(e, b -> kernel.buffer(b).dtype(), t -> tile(t).dtype());
    }

    /// The position of a tile's element at the current points of its axes, `inner` at its first.
    Expr tilePosition(Stage stage, Tiles.Tile tile, String inner) {
        Expr position = Expr.literal(tile.offset());
        for (String axis : tile.axes()) {
            if (!axis.equals(inner) && stage.isBound(relative(axis))) {
                Expr steps = stage.dim(Dim.symbol(relative(axis))).asInt();
                int stride = tile.stride(axis);
                position = position.plus(stride == 1 ? steps : steps.times(Expr.literal(stride)));
            }
        }
        return position;
    }

    /// The symbol for how far an axis is from its first point in this task.
    static String relative(String axis) {
        return axis + ".relative";
    }

    /// A stage, and its call from the driver. If it has vectors, and says how a call works on less ({@link
    /// Stage#cut}), it gets a twin; without, vectors run from the first call on, as in a sum of everything.
    ///
    /// @param body what the stage does; it is asked again for the twin, so it adds nothing to the driver
    void stage(Stage driver, String base, Consumer<Stage> body) {
        String name = base + "_" + stages++;
        Stage stage = new Stage(this, method(true, name, Type.VOID_TYPE), vector);
        body.accept(stage);
        Method method = stage.method;
        if (parts.isPresent() && stage.hasVectors() && stage.cut().isPresent()) {
            Stage twin = new Stage(this, method(true, name + "_twin", Type.VOID_TYPE), false);
            body.accept(twin);
            method = either(name + "_either", stage, twin.method);
        }
        driver.method.call(call(method, driver));
    }

    /// Whether a stage is the scalar twin of one with vectors.
    boolean isTwin(Stage stage) {
        return parts.isPresent() && !stage.vector;
    }

    /// A stage's vector code where that is hot, else its scalar twin.
    private Method either(String name, Stage vectors, Method twin) {
        Parts.Part part = parts.orElseThrow()
                .add(
                        vectors.method,
                        twin,
                        (m, c) -> invoke(m, c.frame(), c.floats(), c.doubles(), c.longs(), c.ranges()));
        Stage.Cut cut = vectors.cut().orElseThrow();
        Expr axis = Expr.literal(2 * axisNumber(cut.axis()));
        Expr skip = Expr.literal(cut.divides() ? skipNumber() : -1);
        Stage stage = new Stage(this, method(true, name, Type.VOID_TYPE), true);
        Method m = stage.method;
        Expr cold = part.tell("stage", axis, skip, stage.frame, stage.floats, stage.doubles, stage.longs, stage.ranges);
        m.choose(part.hot(), () -> m.call(call(vectors.method, stage)), () -> m.call(cold));
        return m;
    }

    /// The place in the ranges of how many points of its outermost axis a stage leaves out.
    private int skipNumber() {
        return 2 * axes.size();
    }

    /// How many points of its outermost axis a stage leaves out, where that may be asked.
    Optional<Expr> skipped(Stage stage) {
        return parts.isPresent()
                ? Optional.of(new Expr.Element(stage.ranges, Expr.literal(skipNumber())))
                : Optional.empty();
    }

    private Expr call(Method method, Stage from) {
        return invoke(method, from.frame, from.floats, from.doubles, from.longs, from.ranges);
    }

    /// A call of a static method of this class.
    Expr invoke(Method method, Expr... arguments) {
        return code.call(method, List.of(arguments));
    }

    Emitted emit() {
        tasks();
        Method run = method(false, "run", Type.VOID_TYPE);
        Stage driver = new Stage(this, run, vector);
        Expr.Local from = run.parameter("from", Type.LONG_TYPE);
        Expr.Local to = run.parameter("to", Type.LONG_TYPE);
        List<Kernel.Expr> bounds = new ArrayList<>();
        kernel.body().forEach(s -> bounds(s, bounds));
        Set<String> splits = new TreeSet<>();
        kernel.grid()
                .forEach(a -> a.split().ifPresent(s -> {
                    splits.add(s.rowIds());
                    splits.add(s.offsets());
                }));
        List<Dim> axisSizes = new ArrayList<>();
        kernel.grid().forEach(a -> axisSizes.add(a.size()));
        kernel.axes().forEach(a -> axisSizes.add(a.size()));
        driver.prepare(bounds, List.of(axisSizes), splits);
        if (parts.isPresent()) {
            run.add(new Statement.SetElement(driver.ranges, Expr.literal(skipNumber()), Expr.literal(0L)));
        }
        for (Kernel.Axis axis : kernel.axes()) {
            range(driver, axis.name(), Expr.literal(0L), driver.dim(axis.size()));
        }
        Expr.Local task = run.let("task", from);
        run.loop(task, Expr.literal(1L), to, () -> {
            Expr rest = task;
            for (Kernel.Axis axis : kernel.grid().reversed()) {
                Expr count = run.let("count", count(driver, axis));
                Expr low = run.let(
                        "low", ScalarLanes.math("floorMod", rest, count).times(Expr.literal((long) axis.tile())));
                rest = run.let("rest", ScalarLanes.math("floorDiv", rest, count));
                Expr end = ScalarLanes.math("min", low.plus(Expr.literal((long) axis.tile())), driver.dim(axis.size()));
                range(driver, axis.name(), low, end);
            }
            split(
                    driver,
                    kernel.grid().stream().filter(a -> a.split().isPresent()).toList());
        });
        if (tiled) {
            micro.loadWith(code);
        }
        return new Emitted(
                code,
                new Needs(
                        tiles.used(Tiles.Kind.FLOATS),
                        tiles.used(Tiles.Kind.DOUBLES),
                        tiles.used(Tiles.Kind.LONGS),
                        skipNumber() + 1));
    }

    private static void bounds(Kernel.Statement statement, List<Kernel.Expr> into) {
        if (statement instanceof Kernel.Loop loop) {
            loop.from().ifPresent(into::add);
            loop.to().ifPresent(into::add);
            loop.where().ifPresent(into::add);
            loop.body().forEach(s -> bounds(s, into));
        }
    }

    private static Expr count(Stage stage, Kernel.Axis axis) {
        Expr up = stage.dim(axis.size().plus(axis.tile() - 1));
        return ScalarLanes.math(
                "max", ScalarLanes.math("floorDiv", up, Expr.literal((long) axis.tile())), Expr.literal(0L));
    }

    private void tasks() {
        Method method = method(false, "tasks", Type.LONG_TYPE);
        Expr.Local frame = method.parameter("frame", Stage.LONGS);
        Stage stage = Stage.ofFrame(this, method, frame);
        Expr product = Expr.literal(1L);
        for (Kernel.Axis axis : kernel.grid()) {
            stage.prepare(List.of(), List.of(List.of(axis.size())), Set.of());
            product = product.times(count(stage, axis));
        }
        method.add(new Statement.Return(product));
    }

    void range(Stage stage, String axis, Expr low, Expr high) {
        int at = 2 * axisNumber(axis);
        stage.method.add(new Statement.SetElement(stage.ranges, Expr.literal(at), low));
        stage.method.add(new Statement.SetElement(stage.ranges, Expr.literal(at + 1), high));
    }

    /// Cuts the task at the row boundaries of the axes that ask for it, then runs the body.
    private void split(Stage driver, List<Kernel.Axis> remaining) {
        if (remaining.isEmpty()) {
            statements(driver, kernel.body());
            return;
        }
        Kernel.Axis axis = remaining.getFirst();
        Kernel.Split split = axis.split().orElseThrow();
        Method m = driver.method;
        Expr.Local at = m.let("cut", driver.low(axis.name()));
        Expr.Local end = m.let("end", driver.high(axis.name()));
        Kernel.Buffer rows = kernel.buffer(split.rowIds());
        Kernel.Buffer offsets = kernel.buffer(split.offsets());
        m.loopWhile(new Expr.Compare("<", at, end), () -> {
            driver.bind("cut", at);
            Expr row = Stage.load(DType.I32, driver.address(rows, Dim.symbol("cut")))
                    .asLong();
            driver.bind("row", m.let("row", row));
            Expr next = Stage.load(
                            DType.I32, driver.address(offsets, Dim.symbol("row").plus(1)))
                    .asLong();
            Expr.Local stop = m.let("stop", ScalarLanes.math("min", end, next));
            range(driver, axis.name(), at, stop);
            split(driver, remaining.subList(1, remaining.size()));
            m.set(at, stop);
        });
    }

    private void statements(Stage driver, List<Kernel.Statement> body) {
        for (Kernel.Statement statement : body) {
            statement(driver, statement);
        }
    }

    private void statement(Stage driver, Kernel.Statement statement) {
        switch (statement) {
            case Kernel.Let s -> new TileEmitter(this).let(driver, s.name(), s.axes(), s.value());
            case Kernel.Store s -> new TileEmitter(this).store(driver, s);
            case Kernel.Scan s -> new LineEmitter(this).scan(driver, s);
            case Kernel.Sort s -> new LineEmitter(this).sort(driver, s);
            case Kernel.Reduce s -> new ReduceEmitter(this).reduce(driver, s);
            case Kernel.Dot s -> {
                if (s.dtype() == DType.F32) {
                    tiled = true;
                    new DotEmitter(this, driver, s).emit();
                } else {
                    plainDot(driver, s);
                }
            }
            case Kernel.Loop s -> loop(driver, s);
        }
    }

    /// A product of other element types: one loop after the other, no register tiles.
    private void plainDot(Stage driver, Kernel.Dot dot) {
        TileEmitter tile = new TileEmitter(this);
        if (!dot.accumulate()) {
            Number zero = dot.dtype().isFloat() ? (Number) 0.0 : (Number) 0L;
            tile.let(driver, dot.name(), dot.axes(), new Kernel.Constant(dot.dtype(), zero));
        }
        Kernel.Expr product = new Kernel.Binary(BinaryFn.MUL, dot.left(), dot.right());
        Kernel.Expr sum = new Kernel.Binary(BinaryFn.ADD, new Kernel.Ref(dot.name()), product);
        List<String> order = List.of(dot.axes().get(0), dot.over(), dot.axes().get(1));
        tile.update(driver, dot.name(), tile(dot.name()), order, sum);
    }

    private void loop(Stage driver, Kernel.Loop loop) {
        Kernel.Axis axis = kernel.axis(loop.axis()).orElseThrow();
        Method m = driver.method;
        for (Kernel.Axis outer : kernel.grid()) {
            driver.bind(outer.name(), m.let("point", driver.low(outer.name())));
            driver.bind(outer.name() + ".first", driver.low(outer.name()));
            driver.bind(outer.name() + ".last", driver.high(outer.name()).minus(Expr.literal(1L)));
        }
        Expr size = m.let("size", driver.dim(axis.size()));
        Expr low = Expr.literal(0L);
        Expr high = size;
        if (loop.from().isPresent()) {
            low = ScalarLanes.math("max", low, bound(driver, loop.from().get()));
        }
        if (loop.to().isPresent()) {
            high = ScalarLanes.math("min", high, bound(driver, loop.to().get()));
        }
        Intervals<Expr> intervals = new Intervals<>(kernel, this::dtype, new BlockEmitter(driver));
        loop.where().ifPresent(e -> intervals.before(e, axis.name()));
        Expr.Local at = m.let("at", low);
        Expr.Local end = m.let("end", high);
        m.loopWhile(new Expr.Compare("<", at, end), () -> {
            Expr.Local stop = m.let("stop", ScalarLanes.math("min", end, at.plus(Expr.literal((long) axis.tile()))));
            range(driver, axis.name(), at, stop);
            if (loop.where().isPresent()) {
                driver.bind(axis.name() + ".first", at);
                driver.bind(axis.name() + ".last", stop.minus(Expr.literal(1L)));
                step(driver, loop, intervals.of(loop.where().get()));
            } else {
                statements(driver, loop.body());
            }
            m.set(at, stop);
        });
        range(driver, axis.name(), Expr.literal(0L), size);
    }

    /// Runs a step unless its condition holds nowhere; where it holds everywhere, without its arithmetic.
    private void step(Stage driver, Kernel.Loop loop, Intervals.Interval<Expr> where) {
        Method m = driver.method;
        List<Kernel.Expr> holding = Exprs.conjuncts(loop.where().orElseThrow());
        m.choose(
                where.high(),
                () -> {
                    for (Kernel.Statement statement : loop.body()) {
                        Kernel.Statement whole = Exprs.rebuild(statement, (Kernel.Expr e) -> Exprs.assume(e, holding));
                        if (whole.equals(statement)) {
                            statement(driver, statement);
                        } else {
                            m.choose(where.low(), () -> statement(driver, whole), () -> statement(driver, statement));
                        }
                    }
                },
                () -> {});
    }

    private static Expr bound(Stage driver, Kernel.Expr value) {
        return driver.method.let(
                "bound",
                new Values(driver, "", Expr.literal(0L))
                        .scalar(value, Optional.empty())
                        .asLong());
    }
}
