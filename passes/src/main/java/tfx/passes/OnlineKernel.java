package tfx.passes;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import tfx.ir.BinaryFn;
import tfx.ir.ReduceFn;
import tfx.ir.Target;
import tfx.ir.UnaryFn;
import tfx.ir.graph.Graph;
import tfx.ir.graph.Node;
import tfx.ir.kernel.Exprs;
import tfx.ir.kernel.Kernel;
import tfx.ir.kernel.Kernel.Expr;
import tfx.runtime.DType;
import tfx.runtime.Dim;

/// The kernel of an {@link OnlineWalk}: a task takes a tile of queries and walks the blocks of keys that its
/// selector leaves, with scores, maximum, sums and mixed values in tiles.
final class OnlineKernel {
    /// Operations that cost less than to store and read their result.
    private static final int CHEAP = 3;

    private final Graph body;
    private final Node root;
    private final Target target;
    private final Puller puller;
    private final OnlineWalk walk;
    private final DType dtype;
    private final String keys;
    private final BlockScores block;

    OnlineKernel(Graph body, Node root, Target target, Puller puller, OnlineWalk walk) {
        this.body = body;
        this.root = root;
        this.target = target;
        this.puller = puller;
        this.walk = walk;
        this.dtype = walk.dtype();
        this.keys = walk.keys();
        this.block = new BlockScores(walk, puller, target);
    }

    /// @param place  where the element of the second product at a query and column lands in the result
    /// @param result that element
    List<RegionLowering.Lowered> assemble(String name, List<Dim> place, Expr result) throws Illegal {
        List<Kernel.Axis> grid = new ArrayList<>();
        Set<String> ofKeys = Exprs.symbols(walk.product().keyRows());
        // Tasks that follow each other read the same keys.
        walk.outer().stream().filter(ofKeys::contains).forEach(a -> grid.add(axis(a, 1)));
        int others = grid.size();
        walk.outer().stream().filter(a -> !ofKeys.contains(a)).forEach(a -> grid.add(axis(a, 1)));
        long most = walk.boundOfQueries(puller).orElse(Long.MAX_VALUE);
        grid.add(axis(walk.query(), (int) Math.min(most, target.queries(block.width() * dtype.bytes()))));
        List<Expr> exact = new ArrayList<>();
        List<Expr> common = commonConditions();
        List<Restriction> limits = restrictions(common, grid, exact);
        common.removeAll(exact);
        Optional<Expr> where =
                common.stream().filter(this::telling).reduce((a, b) -> new Kernel.Binary(BinaryFn.AND, a, b));
        if (walk.mostQueries().isPresent()
                && (!block.areSums() || limits.stream().anyMatch(l -> l.split().isPresent()))) {
            throw new Illegal("no other form for few queries");
        }
        for (Restriction limit : limits) {
            if (limit.split().isPresent()) {
                grid.replaceAll(a -> a.name().equals(limit.splitAxis().orElseThrow())
                        ? new Kernel.Axis(a.name(), a.size(), a.tile(), limit.split())
                        : a);
            }
        }
        Optional<KeyChunks> chunks = KeyChunks.of(walk, puller, target, grid, others, limits);
        chunks.ifPresent(c -> grid.add(others, c.axis()));
        List<String> row = List.of(walk.query());
        List<String> cells = block.axes();
        List<String> mix = List.of(walk.query(), walk.value());
        List<Kernel.Statement> statements = new ArrayList<>();
        walk.largest()
                .ifPresent(m ->
                        statements.add(new Kernel.Let(m.tile(), dtype, row, number(dtype, Double.NEGATIVE_INFINITY))));
        walk.sums().forEach(s -> statements.add(new Kernel.Let(s.tile(), dtype, row, number(dtype, 0))));
        statements.add(new Kernel.Let(walk.mixed(), dtype, mix, number(dtype, 0)));
        List<Kernel.Statement> loop = new ArrayList<>();
        loop.add(block.product(statements));
        UnaryOperator<Expr> simpler = e -> block.withoutFactor(Exprs.assume(e, exact));
        Map<Expr, Expr> shared = new HashMap<>();
        String rescale = puller.fresh("scale");
        Expr stored = Exprs.replace(result, Map.of(new Kernel.Ref(walk.mixed()), finished()));
        walk.largest().ifPresent(m -> {
            Expr whole = simpler.apply(m.scores());
            shareScores(whole, cells, loop, shared);
            Expr scores = Exprs.replace(whole, shared);
            boolean ordered = onlyShifts(m.tile(), stored);
            maximum(m.tile(), ordered ? new Kernel.Known(Kernel.Fact.ORDERED, scores) : scores, rescale, row, loop);
        });
        Expr core = simpler.apply(walk.mixing().core());
        // In place of the scores, where nothing reads those later.
        boolean inPlace = walk.sums().stream()
                .allMatch(s -> simpler.apply(s.terms().core()).equals(core));
        String weights = inPlace ? walk.scores() : puller.fresh("p");
        loop.add(new Kernel.Let(weights, dtype, cells, Exprs.replace(oncePerRow(core, row, loop), shared)));
        for (OnlineWalk.Carried sum : walk.sums()) {
            if (sum.terms().shifted()) {
                loop.add(scaled(sum.tile(), row, rescale));
            }
            Expr terms = simpler.apply(sum.terms().core());
            loop.add(new Kernel.Reduce(
                    sum.tile(),
                    dtype,
                    row,
                    ReduceFn.SUM,
                    keys,
                    true,
                    terms.equals(core) ? new Kernel.Ref(weights) : Exprs.replace(terms, shared)));
        }
        if (walk.mixing().shifted()) {
            loop.add(scaled(walk.mixed(), mix, rescale));
        }
        loop.add(new Kernel.Dot(walk.mixed(), dtype, mix, keys, true, new Kernel.Ref(weights), walk.values()));
        chunks.ifPresent(c -> limits.add(c.range()));
        statements.add(new Kernel.Loop(keys, bound(limits, true), bound(limits, false), where, loop));

        Kernel.Buffer output = RegionLowering.result(puller.fresh("y"), root);
        Kernel.Statement store = new Kernel.Store(output.name(), place, mix, stored);
        if (chunks.isEmpty()) {
            statements.add(store);
            return List.of(kernel(name, grid, statements, Optional.empty(), output));
        }
        KeyChunks cut = chunks.get();
        statements.addAll(cut.stores());
        List<Kernel.Statement> join = cut.join();
        join.add(store);
        List<Kernel.Axis> whole = grid.stream().filter(a -> a != cut.axis()).toList();
        return List.of(
                kernel(name, grid, statements, Optional.empty(), cut.buffer()),
                kernel("join", whole, join, Optional.of(cut), output));
    }

    private RegionLowering.Lowered kernel(
            String name,
            List<Kernel.Axis> grid,
            List<Kernel.Statement> statements,
            Optional<KeyChunks> joined,
            Kernel.Buffer output) {
        List<Kernel.Axis> local = new ArrayList<>();
        if (joined.isPresent()) {
            local.add(joined.get().axis());
        } else {
            local.add(axis(keys, target.keyTile()));
            local.add(axis(walk.product().depth(), target.block()));
        }
        local.add(axis(walk.value(), target.block()));
        return RegionLowering.assemble(
                name, body, puller, grid, local, statements, joined.map(KeyChunks::buffer), output);
    }

    private Kernel.Axis axis(String name, int tile) {
        return new Kernel.Axis(name, puller.axisSize(name).orElseThrow(), tile);
    }

    /// The maximum with a block, and by what sums change with it.
    private void maximum(String m, Expr scores, String rescale, List<String> row, List<Kernel.Statement> loop) {
        String before = puller.fresh("before");
        loop.add(new Kernel.Let(before, dtype, row, new Kernel.Ref(m)));
        loop.add(new Kernel.Reduce(m, dtype, row, ReduceFn.MAX, keys, true, scores));
        loop.add(new Kernel.Let(rescale, dtype, row, change(dtype, new Kernel.Ref(before), new Kernel.Ref(m))));
    }

    /// By what a sum of exponentials changes where a larger maximum shifts them.
    static Expr change(DType dtype, Expr before, Expr now) {
        Expr nothing = new Kernel.Binary(BinaryFn.EQ, before, number(dtype, Double.NEGATIVE_INFINITY));
        Expr difference = new Kernel.Binary(BinaryFn.SUB, before, now);
        Expr factor = new Kernel.Unary(UnaryFn.EXP, new Kernel.Known(Kernel.Fact.NONPOSITIVE, difference));
        return new Kernel.Select(nothing, number(dtype, 0), factor);
    }

    /// Whether the maximum does nothing but shift exponents, and every sum has a term for each of its scores. A
    /// score that is NaN then makes NaN of all that is stored, whatever the maximum.
    private boolean onlyShifts(String m, Expr stored) {
        return !Exprs.refs(stored).contains(m)
                && Stream.concat(walk.sums().stream().map(OnlineWalk.Carried::terms), Stream.of(walk.mixing()))
                        .allMatch(t -> t.shifted() && leavesOutNoMore(t.core()));
    }

    /// Whether terms are there for all scores of the maximum.
    private boolean leavesOutNoMore(Expr core) {
        Expr maximum = walk.largest().orElseThrow().scores();
        List<Expr> allowed = Restriction.conditions(maximum, number(dtype, Double.NEGATIVE_INFINITY));
        Expr inner = core;
        while (inner instanceof Kernel.Select s
                && s.b().equals(number(dtype, 0))
                && allowed.containsAll(Exprs.conjuncts(s.condition()))) {
            inner = s.a();
        }
        boolean[] chooses = new boolean[1];
        Exprs.walk(inner, e -> chooses[0] |= e instanceof Kernel.Select && walk.alongKeys(e));
        return !chooses[0];
    }

    /// The second product once the walk has ended.
    private Expr finished() {
        Map<Expr, Expr> finals = new HashMap<>();
        for (OnlineWalk.Carried sum : walk.sums()) {
            Expr tile = new Kernel.Ref(sum.tile());
            finals.put(tile, Exprs.replace(sum.terms().finish(tile), finals));
        }
        return overNothing(Exprs.replace(walk.mixing().finish(new Kernel.Ref(walk.mixed())), finals));
    }

    private Kernel.Statement scaled(String tile, List<String> axes, String scale) {
        return new Kernel.Let(
                tile, dtype, axes, new Kernel.Binary(BinaryFn.MUL, new Kernel.Ref(tile), new Kernel.Ref(scale)));
    }

    /// A product over no keys is 0, also where what was moved out of it divides by a sum of nothing.
    private Expr overNothing(Expr finished) {
        Dim size = puller.axisSize(keys).orElseThrow();
        if (size.constant().filter(c -> c > 0).isPresent() || finished.equals(new Kernel.Ref(walk.mixed()))) {
            return finished;
        }
        Expr none =
                new Kernel.Binary(BinaryFn.EQ, new Kernel.Index(DType.I64, size), new Kernel.Constant(DType.I64, 0L));
        return new Kernel.Select(none, number(dtype, 0), finished);
    }

    static Expr number(DType dtype, double value) {
        return new Kernel.Constant(dtype, value);
    }

    private static Optional<Expr> bound(List<Restriction> limits, boolean from) {
        return limits.stream()
                .map(l -> from ? l.from() : l.to())
                .flatMap(Optional::stream)
                .reduce((a, b) -> new Kernel.Binary(from ? BinaryFn.MAX : BinaryFn.MIN, a, b));
    }

    /// The conditions without which a key changes nothing that is carried.
    private List<Expr> commonConditions() {
        List<Expr> common = new ArrayList<>(Restriction.conditions(walk.mixing().core(), number(dtype, 0)));
        walk.sums()
                .forEach(s -> common.retainAll(Restriction.conditions(s.terms().core(), number(dtype, 0))));
        walk.largest()
                .ifPresent(m ->
                        common.retainAll(Restriction.conditions(m.scores(), number(dtype, Double.NEGATIVE_INFINITY))));
        return common;
    }

    /// Whether a condition can be known of a whole block of queries and keys: it reads positions, and data of
    /// queries or of keys, not of both.
    private boolean telling(Expr condition) {
        boolean[] known = {true};
        Exprs.walk(condition, e -> {
            boolean pairs = e instanceof Kernel.Load l && Exprs.symbols(l).containsAll(List.of(walk.query(), keys));
            known[0] &= !(e instanceof Kernel.Ref) && !pairs && Exprs.lookups(e).isEmpty();
        });
        return known[0];
    }

    /// The ranges that conditions allow; those that a range says in full go into `exact`.
    private List<Restriction> restrictions(List<Expr> common, List<Kernel.Axis> grid, List<Expr> exact) {
        List<Restriction> found = new ArrayList<>();
        for (Expr condition : common) {
            Restriction.of(condition, keys, body, puller, grid).ifPresent(r -> {
                boolean fits = r.split().isEmpty()
                        || found.stream().noneMatch(f -> f.split().isPresent());
                if (fits) {
                    found.add(r);
                    if (r.exact()) {
                        exact.add(condition);
                    }
                }
            });
        }
        return found;
    }

    /// Computes the parts that do not change along the keys before the others.
    private Expr oncePerRow(Expr expr, List<String> row, List<Kernel.Statement> loop) {
        boolean leaf = Exprs.parts(expr).isEmpty();
        boolean ofRow = Exprs.refs(expr).stream().anyMatch(walk.reduced()::contains);
        if (!leaf && ofRow && !walk.alongKeys(expr) && expr instanceof Kernel.Select) {
            String tile = puller.fresh("shift");
            loop.add(new Kernel.Let(tile, dtype, row, expr));
            return new Kernel.Ref(tile);
        }
        return Exprs.rebuild(expr, e -> oncePerRow(e, row, loop));
    }

    /// Computes score arithmetic that stands under the maximum once, for the maximum and for the terms, where it
    /// costs more than to store and read it.
    private void shareScores(Expr largest, List<String> cells, List<Kernel.Statement> loop, Map<Expr, Expr> shared) {
        Expr scored = largest;
        while (scored instanceof Kernel.Select s && s.b().equals(number(dtype, Double.NEGATIVE_INFINITY))) {
            scored = s.a();
        }
        int[] operations = new int[1];
        Exprs.walk(scored, e -> operations[0] += Exprs.parts(e).isEmpty() ? 0 : e instanceof Kernel.Binary ? 1 : CHEAP);
        if (operations[0] >= CHEAP) {
            String tile = puller.fresh("w");
            loop.add(new Kernel.Let(tile, dtype, cells, scored));
            shared.put(scored, new Kernel.Ref(tile));
        }
    }
}
