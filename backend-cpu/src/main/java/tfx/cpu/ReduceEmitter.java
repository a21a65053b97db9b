package tfx.cpu;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.BinaryOperator;
import java.util.function.UnaryOperator;
import org.objectweb.asm.Type;
import tfx.cpu.code.Expr;
import tfx.cpu.code.Method;
import tfx.cpu.code.Statement;
import tfx.ir.ReduceFn;
import tfx.ir.kernel.Kernel;
import tfx.ir.kernel.Neighbours;
import tfx.runtime.DType;

/// Stages that reduce over an axis.
///
/// Sums of f32 along rows run in as many partial sums as one or four vectors have lanes, element `x` in partial
/// sum `x` modulo their number, joined by halves at the end; down columns they run one after the other. The
/// scalar twin keeps the same partial sums, so both give the same bits.
final class ReduceEmitter {
    /// Vectors of columns that are reduced at once.
    private static final int COLUMNS = 4;

    /// Vectors of partial sums of a row.
    private static final int SUMS = 4;

    private final KernelEmitter emitter;

    ReduceEmitter(KernelEmitter emitter) {
        this.emitter = emitter;
    }

    void reduce(Stage driver, Kernel.Reduce reduce) {
        boolean columns = Neighbours.columnsFirst(
                emitter.kernel(), reduce, t -> emitter.tile(t).axes());
        if (columns && reduce.dtype() == DType.F32) {
            stage(driver, reduce, reduce.axes().subList(0, reduce.axes().size() - 1), this::columns);
            return;
        }
        if (columns) {
            TileEmitter tile = new TileEmitter(emitter);
            if (!reduce.accumulate()) {
                tile.let(driver, reduce.name(), reduce.axes(), identity(reduce));
            }
            List<String> order = new ArrayList<>(reduce.axes());
            order.add(order.size() - 1, reduce.over());
            Kernel.Expr joined =
                    new Kernel.Binary(reduce.fn().combine(), new Kernel.Ref(reduce.name()), reduce.value());
            tile.update(driver, reduce.name(), emitter.tile(reduce.name()), order, joined);
            return;
        }
        stage(driver, reduce, reduce.axes(), this::row);
    }

    private void stage(Stage driver, Kernel.Reduce reduce, List<String> axes, BiConsumer<Stage, Kernel.Reduce> body) {
        emitter.stage(driver, "reduce_" + reduce.name(), stage -> {
            stage.prepare(List.of(reduce.value()), List.of(), Set.of());
            if (axes.isEmpty()) {
                body.accept(stage, reduce);
            } else {
                stage.outermost(axes.getFirst(), () -> inside(stage, axes, 1, () -> body.accept(stage, reduce)));
            }
        });
    }

    private static Kernel.Expr identity(Kernel.Reduce reduce) {
        Number value = reduce.dtype().isFloat()
                ? (Number) reduce.fn().floatIdentity()
                : (Number) reduce.fn().integerIdentity(reduce.dtype());
        return new Kernel.Constant(reduce.dtype(), value);
    }

    /// Walks axes from the place `from` on, outermost first, around what `body` adds.
    private static void inside(Stage stage, List<String> axes, int from, Runnable body) {
        if (from == axes.size()) {
            body.run();
        } else {
            stage.walk(axes.get(from), () -> inside(stage, axes, from + 1, body));
        }
    }

    /// Reduces down columns: a few vectors of neighbouring columns at once stay in registers along the axis. The
    /// columns that fill no vector, all of them without vectors, keep their sums in a row of scratch.
    private void columns(Stage stage, Kernel.Reduce reduce) {
        Method m = stage.method;
        String column = reduce.axes().getLast();
        if (reduce.axes().size() == 1) {
            stage.empties(column);
        }
        Expr.Local low = m.let("low", stage.low(column));
        Expr.Local points = m.let("n", stage.high(column).minus(low).asInt());
        Tiles.Tile tile = emitter.tile(reduce.name());
        Expr to = m.let("to", emitter.tilePosition(stage, tile, column));
        Expr.Local x = m.let("x", Expr.literal(0));
        Values probe = new Values(stage, column, low);
        boolean vector = stage.vector
                && Values.hasVectorForm(reduce.fn().combine())
                && probe.varying(reduce.value())
                && probe.vectorizes(reduce.value());
        boolean filled = vector && probe.fillsVectors(reduce.value());
        Expr.Local count = filled ? m.let("n", stage.filled(points)) : points;
        if (vector) {
            boolean wide = probe.fits(reduce.value(), COLUMNS);
            if (wide) {
                vectors(stage, reduce, COLUMNS, x, low, count, to);
            }
            if (!wide || !emitter.isMultiple(column, COLUMNS)) {
                vectors(stage, reduce, 1, x, low, count, to);
            }
            if (filled || emitter.isMultiple(column, 1)) {
                return;
            }
        }
        int partial = emitter.tiles().reserve(Tiles.Kind.FLOATS, emitter.tiles().extent(column));
        Expr.Local first = m.let("first", x);
        Expr neutral = new Expr.Literal((float) reduce.fn().floatIdentity());
        Expr sums = Expr.literal(partial);
        m.choose(
                new Expr.Compare("<", first, count),
                () -> {
                    m.loop(
                            x,
                            Expr.literal(1),
                            count,
                            () -> m.add(new Statement.SetElement(stage.floats, sums.plus(x), neutral)));
                    stage.walk(reduce.over(), () -> {
                        Values values = new Values(stage, column, low);
                        values.hoist(reduce.value(), false);
                        m.set(x, first);
                        m.loop(x, Expr.literal(1), count, () -> {
                            Expr value = values.scalar(reduce.value(), Optional.of(x));
                            Expr sum = new Expr.Element(stage.floats, sums.plus(x));
                            Expr joined = joined(values, reduce, sum, value);
                            m.add(new Statement.SetElement(stage.floats, sums.plus(x), joined));
                        });
                    });
                    m.set(x, first);
                    m.loop(x, Expr.literal(1), count, () -> {
                        Expr sum = new Expr.Element(stage.floats, sums.plus(x));
                        Expr before = new Expr.Element(stage.floats, to.plus(x));
                        Expr result = reduce.accumulate() ? joined(probe, reduce, before, sum) : sum;
                        m.add(new Statement.SetElement(stage.floats, to.plus(x), result));
                    });
                },
                () -> {});
    }

    /// The columns from `x` on, `together` vectors at a time. Sums are arguments: see {@link VectorLanes#known}.
    private void vectors(
            Stage stage, Kernel.Reduce reduce, int together, Expr.Local x, Expr low, Expr.Local count, Expr to) {
        Method m = stage.method;
        VectorLanes lanes = stage.vectorLanes();
        int width = emitter.lanes();
        m.counted(x, together * width, count, () -> {
            List<Expr.Local> sums = new ArrayList<>();
            List<Expr.Local> points = new ArrayList<>();
            for (int i = 0; i < together; i++) {
                sums.add(m.let("sum", lanes.constant((float) reduce.fn().floatIdentity())));
                points.add(m.let("x", x.plus(Expr.literal(i * width))));
            }
            stage.walk(reduce.over(), () -> {
                Values values = new Values(stage, reduce.axes().getLast(), low);
                values.hoist(reduce.value(), true);
                for (int i = 0; i < together; i++) {
                    Expr value = values.vector(reduce.value(), points.get(i));
                    m.set(sums.get(i), joined(lanes, reduce, sums.get(i), value));
                    values.begin();
                }
            });
            UnaryOperator<Expr> known = lanes.known();
            for (int i = 0; i < together; i++) {
                Expr at = m.let("at", to.plus(points.get(i)));
                Expr sum = known.apply(sums.get(i));
                Expr result = reduce.accumulate() ? joined(lanes, reduce, lanes.load(stage.floats, at), sum) : sum;
                m.call(lanes.store(result, stage.floats, at));
            }
        });
    }

    private void row(Stage stage, Kernel.Reduce reduce) {
        Method m = stage.method;
        Tiles.Tile tile = emitter.tile(reduce.name());
        Expr.Local low = m.let("low", stage.low(reduce.over()));
        Expr.Local count = m.let("n", stage.high(reduce.over()).minus(low).asInt());
        Values values = new Values(stage, reduce.over(), low);
        Expr position = m.let("to", emitter.tilePosition(stage, tile, ""));
        Expr result =
                reduce.dtype() == DType.F32 ? lanes(stage, reduce, values, count) : plain(stage, reduce, values, count);
        if (reduce.accumulate()) {
            Expr before = new Expr.Element(stage.scratch(tile.dtype()), position);
            Expr narrow = Stage.type(tile.dtype()).equals(Type.INT_TYPE) ? before.asInt() : before;
            result = joined(values, reduce, narrow, result);
        }
        Expr stored = Tiles.kind(tile.dtype()) == Tiles.Kind.LONGS ? result.asLong() : result;
        m.add(new Statement.SetElement(stage.scratch(tile.dtype()), position, stored));
    }

    private Expr plain(Stage stage, Kernel.Reduce reduce, Values values, Expr.Local count) {
        Method m = stage.method;
        values.hoist(reduce.value(), false);
        Expr.Local sum = m.let("sum", values.scalar(identity(reduce), Optional.empty()));
        Expr.Local x = m.let("x", Expr.literal(0));
        m.loop(x, Expr.literal(1), count, () -> {
            Expr value = values.scalar(reduce.value(), Optional.of(x));
            m.set(sum, joined(values, reduce, sum, value));
        });
        return sum;
    }

    /// A sum of f32 in partial sums: those of one vector, or of several where the code for as many is short, which
    /// then need not wait for each other.
    private Expr lanes(Stage stage, Kernel.Reduce reduce, Values values, Expr.Local count) {
        int vectors = values.fits(reduce.value(), SUMS) ? SUMS : 1;
        int partial = emitter.tiles().reserve(Tiles.Kind.FLOATS, vectors * emitter.lanes());
        boolean vector =
                stage.vector && Values.hasVectorForm(reduce.fn().combine()) && values.vectorizes(reduce.value());
        values.hoist(reduce.value(), vector);
        Expr.Local x = stage.method.let("x", Expr.literal(0));
        return vector
                ? vectorSum(stage, reduce, values, count, x, vectors, partial)
                : scalarSum(stage, reduce, values, count, x, vectors, partial);
    }

    /// The scalar twin of {@link #vectorSum}: partial sums lie in the scratch array.
    private Expr scalarSum(
            Stage stage, Kernel.Reduce reduce, Values values, Expr count, Expr.Local x, int vectors, int partial) {
        Method m = stage.method;
        int sums = vectors * emitter.lanes();
        Expr neutral = new Expr.Literal((float) reduce.fn().floatIdentity());
        Expr.Local first = m.let("lane", Expr.literal(0));
        m.loop(
                first,
                Expr.literal(1),
                Expr.literal(sums),
                () -> m.add(new Statement.SetElement(
                        stage.floats, Expr.literal(partial).plus(first), neutral)));
        rest(stage, reduce, values, count, x, sums, partial);
        for (int half = sums / 2; half >= emitter.lanes(); half /= 2) {
            Expr.Local lane = m.let("lane", Expr.literal(partial));
            Expr other = new Expr.Element(stage.floats, lane.plus(Expr.literal(half)));
            m.loop(lane, Expr.literal(1), Expr.literal(partial + half), () -> join(stage, reduce, values, lane, other));
        }
        List<Expr> parts = new ArrayList<>();
        for (int lane = 0; lane < emitter.lanes(); lane++) {
            parts.add(m.let("part", new Expr.Element(stage.floats, Expr.literal(partial + lane))));
        }
        return halved(parts, (a, b) -> m.let("part", joined(values, reduce, a, b)));
    }

    /// Adds the elements from `x` on, one by one, to partial sums in the scratch array.
    private static void rest(
            Stage stage, Kernel.Reduce reduce, Values values, Expr count, Expr.Local x, int sums, int partial) {
        Method m = stage.method;
        values.begin();
        m.loop(x, Expr.literal(1), count, () -> {
            Expr lane = Expr.literal(partial).plus(new Expr.Arithmetic("&", x, Expr.literal(sums - 1)));
            Expr.Local at = m.let("p", lane);
            Expr value = values.scalar(reduce.value(), Optional.of(x));
            join(stage, reduce, values, at, value);
        });
    }

    /// Joins the first half of some parts with the second, until there is one.
    private static Expr halved(List<Expr> parts, BinaryOperator<Expr> joined) {
        List<Expr> left = parts;
        while (left.size() > 1) {
            int half = left.size() / 2;
            List<Expr> pairs = new ArrayList<>();
            for (int i = 0; i < half; i++) {
                pairs.add(joined.apply(left.get(i), left.get(i + half)));
            }
            left = pairs;
        }
        return left.getFirst();
    }

    /// Two partial results as one.
    private static Expr joined(Values values, Kernel.Reduce reduce, Expr sum, Expr value) {
        return isOrdered(reduce)
                ? larger(values.scalars(), sum, value)
                : values.binary(reduce.fn().combine(), reduce.dtype(), sum, value);
    }

    private static Expr joined(VectorLanes lanes, Kernel.Reduce reduce, Expr sum, Expr value) {
        return isOrdered(reduce)
                ? larger(lanes, sum, value)
                : Values.vectorBinary(lanes, reduce.fn().combine(), value, sum);
    }

    private static boolean isOrdered(Kernel.Reduce reduce) {
        return reduce.fn() == ReduceFn.MAX && reduce.dtype() == DType.F32 && Kernel.Fact.ORDERED.isOf(reduce.value());
    }

    /// A comparison and a choice are two instructions; a maximum that keeps NaN and orders zeros is six.
    private static Expr larger(Lanes lanes, Expr sum, Expr value) {
        Expr a = lanes.let(sum);
        Expr b = lanes.let(value);
        return lanes.choose(lanes.compare("<=", b, a), a, b);
    }

    /// Joins a value into an element of the scratch array.
    private static void join(Stage stage, Kernel.Reduce reduce, Values values, Expr at, Expr value) {
        Expr joined = joined(values, reduce, new Expr.Element(stage.floats, at), value);
        stage.method.add(new Statement.SetElement(stage.floats, at, joined));
    }

    /// Sums a row in vectors and joins its partial sums in registers.
    private Expr vectorSum(
            Stage stage, Kernel.Reduce reduce, Values values, Expr count, Expr.Local x, int vectors, int partial) {
        VectorLanes v = stage.vectorLanes();
        int lanes = emitter.lanes();
        int extent = emitter.tiles().extent(reduce.over());
        boolean whole = extent % lanes == 0
                && emitter.kernel().isMultiple(reduce.over(), extent)
                && values.fits(reduce.value(), extent / lanes);
        List<Expr> parts = whole
                ? shortRow(stage, reduce, values, extent / lanes, vectors)
                : longRow(stage, reduce, values, count, x, vectors, partial);
        Expr sum = halved(parts, (a, b) -> v.let(joined(v, reduce, a, b)));
        for (int half = lanes / 2; half > 0; half /= 2) {
            sum = v.let(joined(v, reduce, sum, v.turned(sum, half)));
        }
        return v.first(sum);
    }

    /// The partial sums of a row of some whole vectors, always as many: code without a loop.
    private List<Expr> shortRow(Stage stage, Kernel.Reduce reduce, Values values, int count, int vectors) {
        VectorLanes v = stage.vectorLanes();
        List<Expr> sums = new ArrayList<>(Collections.nCopies(
                vectors, v.let(v.constant((float) reduce.fn().floatIdentity()))));
        for (int i = 0; i < count; i++) {
            Expr.Local at = stage.method.let("x", Expr.literal(i * emitter.lanes()));
            values.begin();
            Expr value = values.vector(reduce.value(), at);
            sums.set(i % vectors, v.let(joined(v, reduce, sums.get(i % vectors), value)));
        }
        return sums;
    }

    /// The partial sums of whole vectors from `x` on, and of what is left, by way of the scratch array. Sums are
    /// arguments: see {@link VectorLanes#known}.
    private List<Expr> longRow(
            Stage stage, Kernel.Reduce reduce, Values values, Expr count, Expr.Local x, int vectors, int partial) {
        Method m = stage.method;
        VectorLanes v = stage.vectorLanes();
        int lanes = emitter.lanes();
        List<Expr.Local> sums = new ArrayList<>();
        for (int i = 0; i < vectors; i++) {
            sums.add(m.let("sum", v.constant((float) reduce.fn().floatIdentity())));
        }
        m.counted(x, vectors * lanes, count, () -> {
            for (int i = 0; i < vectors; i++) {
                Expr.Local at = m.let("x", x.plus(Expr.literal(i * lanes)));
                values.begin();
                Expr value = values.vector(reduce.value(), at);
                m.set(sums.get(i), joined(v, reduce, sums.get(i), value));
            }
        });
        UnaryOperator<Expr> known = v.known();
        List<Expr> parts = new ArrayList<>();
        sums.forEach(sum -> parts.add(v.let(known.apply(sum))));
        if (emitter.isMultiple(reduce.over(), vectors)) {
            return parts;
        }
        for (int i = 0; i < vectors; i++) {
            m.call(v.store(parts.get(i), stage.floats, Expr.literal(partial + i * lanes)));
        }
        if (vectors > 1) {
            values.begin();
            m.counted(x, lanes, count, () -> {
                Expr lane = new Expr.Arithmetic("&", x, Expr.literal(vectors * lanes - 1));
                Expr.Local at = m.let("p", Expr.literal(partial).plus(lane));
                Expr sum = v.load(stage.floats, at);
                m.call(v.store(joined(v, reduce, sum, values.vector(reduce.value(), x)), stage.floats, at));
            });
        }
        if (!emitter.isMultiple(reduce.over(), 1)) {
            rest(stage, reduce, values, count, x, vectors * lanes, partial);
        }
        for (int i = 0; i < vectors; i++) {
            parts.set(i, v.let(v.load(stage.floats, Expr.literal(partial + i * lanes))));
        }
        return parts;
    }
}
