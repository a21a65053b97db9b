package tfx.passes;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
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

    /// Least factor of all scores that moves to the queries.
    private static final double LEAST_FACTOR = 0x1p-20;

    private final Graph body;
    private final Node root;
    private final Target target;
    private final Puller puller;
    private final OnlineWalk walk;
    private final DType dtype;
    private final String keys;
    private final Form form;

    /// How the scores of a block are computed and lie.
    private enum Form {
        /// `[queries, keys]`, each a sum along its key.
        SUMS,
        /// `[keys, queries]`, a product of matrices.
        COLUMNS,
        /// `[queries, keys]`, a product of matrices.
        ROWS
    }

    OnlineKernel(Graph body, Node root, Target target, Puller puller, OnlineWalk walk) {
        this.body = body;
        this.root = root;
        this.target = target;
        this.puller = puller;
        this.walk = walk;
        this.dtype = walk.dtype();
        this.keys = walk.keys();
        this.form = few() ? Form.SUMS : inColumns() ? Form.COLUMNS : Form.ROWS;
    }

    /// @param place  where the element of the second product at a query and column lands in the result
    /// @param result that element
    List<RegionLowering.Lowered> assemble(String name, List<Dim> place, Expr result) {
        List<Kernel.Axis> grid = new ArrayList<>();
        for (String axis : walk.outer()) {
            grid.add(new Kernel.Axis(axis, puller.axisSize(axis).orElseThrow(), 1));
        }
        Kernel.Axis queries = new Kernel.Axis(
                walk.query(), puller.axisSize(walk.query()).orElseThrow(), target.queries(width() * dtype.bytes()));
        grid.add(queries);
        List<Expr> exact = new ArrayList<>();
        List<Expr> common = commonConditions();
        List<Restriction> limits = restrictions(common, grid, exact);
        common.removeAll(exact);
        Optional<Expr> where =
                common.stream().filter(this::telling).reduce((a, b) -> new Kernel.Binary(BinaryFn.AND, a, b));
        for (Restriction limit : limits) {
            if (limit.split().isPresent()) {
                grid.replaceAll(a -> a.name().equals(limit.splitAxis().orElseThrow())
                        ? new Kernel.Axis(a.name(), a.size(), a.tile(), limit.split())
                        : a);
            }
        }
        Optional<KeyChunks> chunks = KeyChunks.of(walk, puller, target, grid, limits);
        chunks.ifPresent(c -> grid.add(grid.size() - 1, c.axis()));
        List<String> row = List.of(walk.query());
        List<String> cells = form == Form.COLUMNS ? List.of(keys, walk.query()) : List.of(walk.query(), keys);
        List<String> mix = List.of(walk.query(), walk.value());
        List<Kernel.Statement> statements = new ArrayList<>();
        walk.largest()
                .ifPresent(m ->
                        statements.add(new Kernel.Let(m.tile(), dtype, row, number(dtype, Double.NEGATIVE_INFINITY))));
        walk.sums().forEach(s -> statements.add(new Kernel.Let(s.tile(), dtype, row, number(dtype, 0))));
        statements.add(new Kernel.Let(walk.mixed(), dtype, mix, number(dtype, 0)));
        List<Kernel.Statement> loop = new ArrayList<>();
        Optional<Kernel.Binary> scaled = form == Form.COLUMNS ? scaledScores() : Optional.empty();
        product(scaled, cells, statements, loop);
        UnaryOperator<Expr> simpler = e -> Exprs.replace(
                Exprs.assume(e, exact),
                scaled.<Map<Expr, Expr>>map(s -> Map.of(s, s.a())).orElse(Map.of()));
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

        Kernel.Buffer output =
                RegionLowering.result(puller.fresh("y"), root, root.type().shape());
        Kernel.Statement store = new Kernel.Store(output.name(), place, mix, stored);
        chunks.ifPresentOrElse(c -> statements.addAll(c.stores()), () -> statements.add(store));

        Kernel.Axis value =
                new Kernel.Axis(walk.value(), puller.axisSize(walk.value()).orElseThrow(), target.block());
        List<Kernel.Axis> local = new ArrayList<>();
        local.add(new Kernel.Axis(keys, puller.axisSize(keys).orElseThrow(), target.keyTile()));
        local.add(value);
        String depth = walk.product().depth();
        local.add(new Kernel.Axis(depth, puller.axisSize(depth).orElseThrow(), target.block()));
        Kernel.Buffer first = chunks.map(KeyChunks::buffer).orElse(output);
        List<RegionLowering.Lowered> kernels = new ArrayList<>();
        kernels.add(RegionLowering.assemble(name, body, puller, grid, local, statements, Optional.empty(), first));
        chunks.ifPresent(c -> {
            List<Kernel.Statement> join = new ArrayList<>(c.join());
            join.add(store);
            grid.remove(c.axis());
            kernels.add(RegionLowering.assemble(
                    "join", body, puller, grid, List.of(c.axis(), value), join, Optional.of(first), output));
        });
        return kernels;
    }

    /// The widest row that a tile holds for each query: of values, or of the query itself.
    private long width() {
        return Math.max(
                constant(walk.value()),
                form == Form.COLUMNS ? constant(walk.product().depth()) : 1);
    }

    private long constant(String axis) {
        return puller.axisSize(axis).flatMap(Dim::constant).orElse(1L);
    }

    /// The scores times a constant, if all that reads them first does that. Of at most 1, for queries times more
    /// might overflow where scores do not; and not so small that queries would be subnormal where scores are
    /// not.
    private Optional<Kernel.Binary> scaledScores() {
        Expr scores = new Kernel.Ref(walk.scores());
        Set<Kernel.Binary> factors = new HashSet<>();
        int[] plain = new int[1];
        for (Expr read : reads()) {
            Exprs.walk(read, e -> {
                plain[0] += e.equals(scores) ? 1 : 0;
                if (e instanceof Kernel.Binary b
                        && b.fn() == BinaryFn.MUL
                        && b.a().equals(scores)
                        && b.b() instanceof Kernel.Constant c
                        && Math.abs(c.value().doubleValue()) <= 1
                        && Math.abs(c.value().doubleValue()) >= LEAST_FACTOR) {
                    factors.add(b);
                    plain[0]--;
                }
            });
        }
        return plain[0] == 0 && factors.size() == 1 ? factors.stream().findFirst() : Optional.empty();
    }

    /// What reads scores.
    private List<Expr> reads() {
        List<Expr> read = new ArrayList<>();
        walk.largest().ifPresent(m -> read.add(m.scores()));
        walk.sums().forEach(s -> read.add(s.terms().core()));
        read.add(walk.mixing().core());
        return read;
    }

    /// Whether scores are sums along keys: the queries are so few that a register tile would mostly work for
    /// nobody, as where one token is decoded after the other, and their keys need no more than to be read.
    private boolean few() {
        return liesAlongDepth(walk.product().keyRows())
                && puller.axisSize(walk.query())
                        .flatMap(Dim::constant)
                        .filter(c -> c <= Math.max(target.panel() / 4, 1))
                        .isPresent();
    }

    /// Whether an operand of the scores is in memory, the elements that a product joins side by side.
    private boolean liesAlongDepth(Expr operand) {
        return operand instanceof Kernel.Load l
                && l.lookups().isEmpty()
                && l.index()
                        .getLast()
                        .linearFactor(walk.product().depth())
                        .filter(f -> f.isConstant(1))
                        .isPresent();
    }

    /// The scores of a block. Where queries are copied, to be turned, `scaled` moves to them. The products of few
    /// queries with a key are summed along the key, which is read in place.
    private void product(
            Optional<Kernel.Binary> scaled,
            List<String> cells,
            List<Kernel.Statement> before,
            List<Kernel.Statement> loop) {
        OnlineWalk.ScoreProduct product = walk.product();
        if (form == Form.SUMS) {
            Expr queries = product.queries();
            if (!liesAlongDepth(queries)) {
                String once = puller.fresh("q");
                before.add(new Kernel.Let(once, dtype, List.of(walk.query(), product.depth()), queries));
                queries = new Kernel.Ref(once);
            }
            Expr terms = new Kernel.Binary(BinaryFn.MUL, queries, product.keyRows());
            loop.add(new Kernel.Reduce(walk.scores(), dtype, cells, ReduceFn.SUM, product.depth(), false, terms));
            return;
        }
        Expr left = product.queries();
        Expr right = product.keyRows();
        if (form == Form.COLUMNS) {
            String turned = puller.fresh("qt");
            Expr queries = scaled.<Expr>map(s -> new Kernel.Binary(BinaryFn.MUL, product.queries(), s.b()))
                    .orElse(product.queries());
            before.add(new Kernel.Let(turned, dtype, List.of(product.depth(), walk.query()), queries));
            left = product.keyRows();
            right = new Kernel.Ref(turned);
        }
        loop.add(new Kernel.Dot(walk.scores(), dtype, cells, product.depth(), false, left, right));
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

    /// Whether scores lie as `[keys, queries]`: rows of keys are read in place, and what is carried along the keys
    /// runs down columns, a vector of queries at once. Not where the width of heads is unknown, nor where scores
    /// read neighbours along the keys, such as a stored bias.
    private boolean inColumns() {
        boolean[] rows = new boolean[1];
        reads().forEach(expr -> Exprs.walk(expr, e -> {
            if (e instanceof Kernel.Load l && Exprs.symbols(l).containsAll(List.of(walk.query(), keys))) {
                Dim last = l.index().getLast();
                rows[0] |= last.linearFactor(walk.query())
                        .filter(f -> f.isConstant(1))
                        .isEmpty();
            }
        }));
        return !rows[0]
                && puller.axisSize(walk.product().depth())
                        .flatMap(Dim::constant)
                        .filter(c -> c <= OnlineLowering.MAX_WIDTH)
                        .isPresent();
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
