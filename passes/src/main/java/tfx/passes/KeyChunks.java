package tfx.passes;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import tfx.ir.BinaryFn;
import tfx.ir.ReduceFn;
import tfx.ir.Target;
import tfx.ir.kernel.Exprs;
import tfx.ir.kernel.Kernel;
import tfx.ir.kernel.Kernel.Expr;
import tfx.runtime.DType;
import tfx.runtime.Dim;

/// Keys cut into chunks that are tasks of their own, for few queries, as where one token is decoded after the other.
/// Few heads would leave threads without work; and a chunk stays in the cache for all heads that share it. Each task
/// leaves what it carried, and a second kernel joins the chunks by the laws of {@link OnlineLowering}
/// (Flash-Decoding: Dao, Haziza, Massa, Sizov 2023).
///
/// A row of the buffer between them is the mixed values of a query, the maximum if there is one, and the sums.
final class KeyChunks {
    /// With so many heads, threads have enough to do.
    private static final long ENOUGH_TASKS = 32;

    private final OnlineWalk walk;
    private final DType dtype;
    private final Kernel.Axis axis;
    private final Kernel.Buffer buffer;
    private final List<String> outer;
    private final int length;
    private final Dim width;

    /// @param length how many keys a chunk has
    private KeyChunks(OnlineWalk walk, Puller puller, List<Kernel.Axis> grid, int length) {
        this.walk = walk;
        this.dtype = walk.dtype();
        this.length = length;
        this.width = puller.axisSize(walk.value()).orElseThrow();
        Dim count = puller.axisSize(walk.keys())
                .orElseThrow()
                .plus(length - 1)
                .floorDivide(Dim.of(length), puller::axisSize);
        this.axis = new Kernel.Axis(puller.axis("chunk", count), count, 1);
        this.outer =
                grid.subList(0, grid.size() - 1).stream().map(Kernel.Axis::name).toList();
        List<Dim> shape = new ArrayList<>();
        grid.forEach(a -> shape.add(a.size()));
        walk.boundOfQueries(puller).ifPresent(most -> shape.set(shape.size() - 1, Dim.of(most)));
        shape.add(shape.size() - 1, count);
        shape.add(width.plus(walk.reduced().size()));
        this.buffer = new Kernel.Buffer(puller.fresh("chunks"), true, dtype, shape, 0);
    }

    /// The chunks of a walk's keys, where it gains by them.
    ///
    /// @param grid   the grid without them, queries last
    /// @param others from where on its axes are not of keys
    /// @param limits the ranges of keys that a task walks
    static Optional<KeyChunks> of(
            OnlineWalk walk,
            Puller puller,
            Target target,
            List<Kernel.Axis> grid,
            int others,
            List<Restriction> limits) {
        Kernel.Axis queries = grid.getLast();
        boolean oneTile =
                walk.boundOfQueries(puller).filter(c -> c <= queries.tile()).isPresent();
        double tasks = grid.subList(0, grid.size() - 1).stream()
                .mapToDouble(a -> a.size().constant().orElse(1L))
                .reduce(1, (a, b) -> a * b);
        boolean sharedKeys = grid.subList(others, grid.size() - 1).stream()
                .anyMatch(a -> !a.size().isConstant(1));
        boolean severalChunks = puller.axisSize(walk.keys())
                .flatMap(Dim::constant)
                .filter(c -> c <= target.keyChunk())
                .isEmpty();
        // Entries of a ragged dimension have few of all keys.
        boolean ofEntries = limits.stream()
                .anyMatch(l -> l.from().filter(KeyChunks::readsMemory).isPresent());
        return oneTile && (tasks < ENOUGH_TASKS || sharedKeys) && severalChunks && !ofEntries
                ? Optional.of(new KeyChunks(walk, puller, grid, target.keyChunk()))
                : Optional.empty();
    }

    private static boolean readsMemory(Expr expr) {
        boolean[] found = new boolean[1];
        Exprs.walk(expr, e -> found[0] |= e instanceof Kernel.Load);
        return found[0];
    }

    Kernel.Axis axis() {
        return axis;
    }

    /// What the tasks of chunks fill: `[outer..., chunks, queries, values and reductions]`.
    Kernel.Buffer buffer() {
        return buffer;
    }

    /// The keys of a chunk.
    Restriction range() {
        Dim first = Dim.symbol(axis.name()).times(length);
        return new Restriction(
                Optional.of(new Kernel.Index(DType.I32, first)),
                Optional.of(new Kernel.Index(DType.I32, first.plus(length))),
                Optional.empty(),
                Optional.empty(),
                true);
    }

    /// Stores what a task carried.
    List<Kernel.Statement> stores() {
        List<Kernel.Statement> stores = new ArrayList<>();
        stores.add(store(Dim.symbol(walk.value()), List.of(walk.query(), walk.value()), walk.mixed()));
        List<String> reduced = walk.reduced();
        for (int i = 0; i < reduced.size(); i++) {
            stores.add(store(width.plus(i), List.of(walk.query()), reduced.get(i)));
        }
        return stores;
    }

    private Kernel.Statement store(Dim column, List<String> axes, String tile) {
        return new Kernel.Store(buffer.name(), place(column), axes, new Kernel.Ref(tile));
    }

    private List<Dim> place(Dim column) {
        List<Dim> place = new ArrayList<>();
        outer.forEach(o -> place.add(Dim.symbol(o)));
        place.add(Dim.symbol(axis.name()));
        place.add(Dim.symbol(walk.query()));
        place.add(column);
        return place;
    }

    /// Sets the tiles of the walk to what they are once all chunks have been walked.
    List<Kernel.Statement> join() {
        List<String> row = List.of(walk.query());
        List<String> reduced = walk.reduced();
        Function<String, Expr> chunk = tile -> read(width.plus(reduced.indexOf(tile)));
        List<Kernel.Statement> statements = new ArrayList<>();
        walk.largest().ifPresent(m -> statements.add(joined(m.tile(), row, ReduceFn.MAX, chunk.apply(m.tile()))));
        for (OnlineWalk.Carried sum : walk.sums()) {
            Expr terms = shifted(chunk.apply(sum.tile()), sum.terms(), chunk);
            statements.add(joined(sum.tile(), row, ReduceFn.SUM, terms));
        }
        Expr mixed = shifted(read(Dim.symbol(walk.value())), walk.mixing(), chunk);
        statements.add(joined(walk.mixed(), List.of(walk.query(), walk.value()), ReduceFn.SUM, mixed));
        return statements;
    }

    private Kernel.Statement joined(String tile, List<String> axes, ReduceFn fn, Expr value) {
        return new Kernel.Reduce(tile, dtype, axes, fn, axis.name(), false, value);
    }

    /// A chunk's sum, shifted by the maximum of all chunks.
    private Expr shifted(Expr sum, Terms terms, Function<String, Expr> chunk) {
        if (!terms.shifted()) {
            return sum;
        }
        String m = walk.largest().orElseThrow().tile();
        return new Kernel.Binary(BinaryFn.MUL, sum, OnlineKernel.change(dtype, chunk.apply(m), new Kernel.Ref(m)));
    }

    private Expr read(Dim column) {
        return new Kernel.Load(buffer.name(), place(column), List.of());
    }
}
