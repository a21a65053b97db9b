package tfx.passes;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tfx.ir.BinaryFn;
import tfx.ir.ReduceFn;
import tfx.ir.Target;
import tfx.ir.UnaryFn;
import tfx.ir.graph.Graph;
import tfx.ir.graph.Node;
import tfx.ir.graph.Op;
import tfx.ir.kernel.Exprs;
import tfx.ir.kernel.Kernel;
import tfx.ir.kernel.Kernel.Expr;
import tfx.runtime.DType;
import tfx.runtime.Dim;

/// Two contractions with reductions between them over the axis that the second sums, in one walk along that axis.
///
/// A sum whose terms depend on an earlier reduction `m` can be carried along while `m` still changes if a law says
/// how the sum changes with it. Two laws are known, and no others are assumed:
///
/// * *exp-shift*: terms with the factor `exp(t - m)`, `m` a maximum, change by the factor `exp(m_old - m_new)`
///   (Milakov and Gimelshein 2018, arXiv 1805.02867; Rabe and Staats 2021, arXiv 2112.05682).
/// * *scale*: a factor or divisor that does not depend on the axis moves out of the sum.
///
/// Softmax attention is what this gives; nothing here knows that word. Terms outside the laws are illegal, and the
/// operations stay separate kernels.
final class OnlineLowering {
    /// A sum carried along the walk.
    private record Carried(String tile, Terms terms) {}

    private static final int MAX_WIDTH = 1024;

    /// Operations that cost less than to store and read their result.
    private static final int CHEAP = 3;

    private final Graph body;
    private final Node root;
    private final Node first;
    private final Node second;
    private final Target target;
    private final Puller puller;
    private final Map<Integer, String> reductions = new LinkedHashMap<>();
    private final Map<String, Expr> bodies = new HashMap<>();
    private final Map<String, ReduceFn> functions = new HashMap<>();
    private String keys = "";
    private List<Dim> rowIndex = List.of();
    private List<Dim> scoreIndex = List.of();
    private String scores = "";
    private String mixed = "";
    private List<Dim> mixedIndex = List.of();

    OnlineLowering(Graph body, Node root, List<Node> contractions, Target target) {
        this.body = body;
        this.root = root;
        this.first = contractions.get(0);
        this.second = contractions.get(1);
        this.target = target;
        this.puller = new Puller(body, this::anchor);
    }

    RegionLowering.Lowered lower(String name) throws Illegal {
        DType dtype = second.type().dtype();
        if (dtype != DType.F32 && dtype != DType.F64) {
            throw new Illegal("online reductions are for floats");
        }
        Labels labels = Labels.of(second, body, puller);
        if (labels.summed().length() != 1
                || labels.rows().isEmpty()
                || labels.columns().length() != 1) {
            throw new Illegal("the second product has no rows, or several columns or sums");
        }
        keys = labels.axis(labels.summed().charAt(0));
        // Rows before the last, such as the heads of a group, are axes of the grid like batches.
        String query = labels.axis(labels.rows().charAt(labels.rows().length() - 1));
        String value = labels.axis(labels.columns().charAt(0));
        if (puller.axisSize(value)
                .flatMap(Dim::constant)
                .filter(c -> c <= MAX_WIDTH)
                .isEmpty()) {
            throw new Illegal("the width of the values is not known, or beyond " + MAX_WIDTH);
        }
        List<Dim> weightsIndex = plain(labels.index(labels.op().lhs()));
        rowIndex = weightsIndex.stream()
                .filter(d ->
                        d.constant().isEmpty() && !d.symbolName().orElse("").equals(keys))
                .toList();

        Expr weights = puller.pull(second.operands().get(0), weightsIndex);
        if (scores.isEmpty()) {
            throw new Illegal("the first product does not feed the left side of the second");
        }
        Expr values =
                puller.pull(second.operands().get(1), labels.index(labels.op().rhs()));
        if (!Exprs.refs(values).isEmpty()) {
            throw new Illegal("the right side of the second product depends on a reduction");
        }
        ScoreProduct product = scoreProduct(query);

        List<String> maxima = reductions.values().stream()
                .filter(t -> functions.get(t) == ReduceFn.MAX)
                .toList();
        Optional<String> largest = Optional.empty();
        List<Carried> sums = new ArrayList<>();
        for (String tile : reductions.values()) {
            if (functions.get(tile) == ReduceFn.MAX) {
                if (largest.isPresent() || !dependencies(bodies.get(tile)).isEmpty()) {
                    throw new Illegal("a second maximum, or one that depends on a reduction");
                }
                largest = Optional.of(tile);
            } else if (functions.get(tile) == ReduceFn.SUM) {
                sums.add(new Carried(
                        tile, Terms.of(bodies.get(tile), this::alongKeys, reductions.values(), maxima, dtype)));
            } else {
                throw new Illegal("no law for " + functions.get(tile).text());
            }
        }
        Terms mixing = Terms.of(weights, this::alongKeys, reductions.values(), maxima, dtype);
        if (largest.isPresent()) {
            Expr maximum = bodies.get(largest.get());
            for (Carried sum : sums) {
                requireSameScores(sum.terms(), maximum, dtype);
            }
            requireSameScores(mixing, maximum, dtype);
        }
        mixed = puller.fresh("acc");
        mixedIndex = plain(labels.index(labels.op().result()));
        List<Dim> place = DotLowering.push(body, root, second, puller, mixedIndex);
        Expr result = puller.pull(root.id(), place);

        return assemble(
                name, dtype, labels, new Shape(query, value), product, largest, sums, mixing, values, place, result);
    }

    /// Exp-shift holds for terms `exp(t - m)` where `m` is the maximum of that very `t`, and where a score that
    /// the maximum leaves out is left out of the sum too: while nothing was seen, the carried sum must be 0.
    private static void requireSameScores(Terms terms, Expr maximum, DType dtype) throws Illegal {
        Expr none = number(dtype, Double.NEGATIVE_INFINITY);
        List<Expr> kept = new ArrayList<>(Restriction.conditions(terms.core(), number(dtype, 0)));
        for (Expr t : terms.shiftedTerms()) {
            kept.addAll(Restriction.conditions(t, none));
            if (!peeled(t, none).equals(peeled(maximum, none))) {
                throw new Illegal("the exponent is shifted by the maximum of something else");
            }
        }
        if (terms.shifted() && !kept.containsAll(Restriction.conditions(maximum, none))) {
            throw new Illegal("the sum has terms that its maximum leaves out");
        }
    }

    private static Expr peeled(Expr value, Expr identity) {
        Expr inner = value;
        while (inner instanceof Kernel.Select s && s.b().equals(identity)) {
            inner = s.a();
        }
        return inner;
    }

    private record Shape(String query, String value) {}

    private RegionLowering.Lowered assemble(
            String name,
            DType dtype,
            Labels labels,
            Shape shape,
            ScoreProduct product,
            Optional<String> largest,
            List<Carried> sums,
            Terms mixing,
            Expr values,
            List<Dim> place,
            Expr result)
            throws Illegal {
        List<Kernel.Axis> grid = new ArrayList<>();
        String leading = labels.rows().substring(0, labels.rows().length() - 1);
        for (char c : (labels.batch() + leading).toCharArray()) {
            grid.add(new Kernel.Axis(
                    labels.axis(c), puller.axisSize(labels.axis(c)).orElseThrow(), 1));
        }
        grid.add(new Kernel.Axis(shape.query(), puller.axisSize(shape.query()).orElseThrow(), target.queryTile()));
        List<Expr> exact = new ArrayList<>();
        List<Expr> common = commonConditions(largest, sums, mixing, dtype);
        List<Restriction> limits = restrictions(common, grid, exact);
        common.removeAll(exact);
        Optional<Expr> where = common.stream()
                .filter(c -> telling(c, shape.query()))
                .reduce((a, b) -> new Kernel.Binary(BinaryFn.AND, a, b));
        for (Restriction limit : limits) {
            if (limit.split().isPresent()) {
                grid.replaceAll(a -> a.name().equals(limit.splitAxis().orElseThrow())
                        ? new Kernel.Axis(a.name(), a.size(), a.tile(), limit.split())
                        : a);
            }
        }
        boolean columns = inColumns(product, shape.query(), sums, mixing);
        List<String> row = List.of(shape.query());
        List<String> cells = columns ? List.of(keys, shape.query()) : List.of(shape.query(), keys);
        List<String> mix = List.of(shape.query(), shape.value());
        List<Kernel.Statement> statements = new ArrayList<>();
        largest.ifPresent(m -> statements.add(new Kernel.Let(m, dtype, row, number(dtype, Double.NEGATIVE_INFINITY))));
        sums.forEach(s -> statements.add(new Kernel.Let(s.tile(), dtype, row, number(dtype, 0))));
        statements.add(new Kernel.Let(mixed, dtype, mix, number(dtype, 0)));
        List<Kernel.Statement> loop = new ArrayList<>();
        if (columns) {
            String turned = puller.fresh("qt");
            statements.add(new Kernel.Let(turned, dtype, List.of(product.depth(), shape.query()), product.queries()));
            loop.add(new Kernel.Dot(
                    scores, dtype, cells, product.depth(), false, product.keyRows(), new Kernel.Ref(turned)));
        } else {
            loop.add(
                    new Kernel.Dot(scores, dtype, cells, product.depth(), false, product.queries(), product.keyRows()));
        }

        Map<Expr, Expr> shared = new HashMap<>();
        String rescale = puller.fresh("scale");
        if (largest.isPresent()) {
            String m = largest.get();
            String before = puller.fresh("before");
            Expr whole = Exprs.assume(bodies.get(m), exact);
            shareScores(whole, dtype, cells, loop, shared);
            Expr body = Exprs.replace(whole, shared);
            loop.add(new Kernel.Let(before, dtype, row, new Kernel.Ref(m)));
            loop.add(new Kernel.Reduce(m, dtype, row, ReduceFn.MAX, keys, true, body));
            Expr nothing =
                    new Kernel.Binary(BinaryFn.EQ, new Kernel.Ref(before), number(dtype, Double.NEGATIVE_INFINITY));
            Expr change = new Kernel.Unary(
                    UnaryFn.EXP, new Kernel.Binary(BinaryFn.SUB, new Kernel.Ref(before), new Kernel.Ref(m)));
            loop.add(new Kernel.Let(rescale, dtype, row, new Kernel.Select(nothing, number(dtype, 0), change)));
        }
        String weights = puller.fresh("p");
        Expr core = Exprs.assume(mixing.core(), exact);
        loop.add(new Kernel.Let(weights, dtype, cells, Exprs.replace(oncePerRow(core, dtype, row, loop), shared)));
        for (Carried sum : sums) {
            if (sum.terms().shifted()) {
                loop.add(scaled(sum.tile(), dtype, row, rescale));
            }
            Expr terms = Exprs.assume(sum.terms().core(), exact);
            loop.add(new Kernel.Reduce(
                    sum.tile(),
                    dtype,
                    row,
                    ReduceFn.SUM,
                    keys,
                    true,
                    terms.equals(core) ? new Kernel.Ref(weights) : Exprs.replace(terms, shared)));
        }
        if (mixing.shifted()) {
            loop.add(scaled(mixed, dtype, mix, rescale));
        }
        loop.add(new Kernel.Dot(mixed, dtype, mix, keys, true, new Kernel.Ref(weights), values));
        statements.add(new Kernel.Loop(keys, bound(limits, true), bound(limits, false), where, loop));

        Map<Expr, Expr> finals = new HashMap<>();
        for (Carried sum : sums) {
            Expr tile = new Kernel.Ref(sum.tile());
            finals.put(tile, Exprs.replace(sum.terms().finish(tile), finals));
        }
        Expr finished = overNothing(Exprs.replace(mixing.finish(new Kernel.Ref(mixed)), finals), dtype);
        Expr stored = Exprs.replace(result, Map.of(new Kernel.Ref(mixed), finished));
        String output = puller.fresh("y");
        statements.add(new Kernel.Store(output, place, mix, stored));

        List<Kernel.Axis> local = new ArrayList<>();
        local.add(new Kernel.Axis(keys, puller.axisSize(keys).orElseThrow(), target.keyTile()));
        local.add(new Kernel.Axis(shape.value(), puller.axisSize(shape.value()).orElseThrow(), target.block()));
        String depth = product.depth();
        local.add(new Kernel.Axis(depth, puller.axisSize(depth).orElseThrow(), target.block()));
        return RegionLowering.assemble(
                name, body, puller, grid, local, statements, output, root.type().shape());
    }

    private static Kernel.Statement scaled(String tile, DType dtype, List<String> axes, String scale) {
        return new Kernel.Let(
                tile, dtype, axes, new Kernel.Binary(BinaryFn.MUL, new Kernel.Ref(tile), new Kernel.Ref(scale)));
    }

    /// A product over no keys is 0, also where what was moved out of it divides by a sum of nothing.
    private Expr overNothing(Expr finished, DType dtype) {
        Dim size = puller.axisSize(keys).orElseThrow();
        if (size.constant().filter(c -> c > 0).isPresent() || finished.equals(new Kernel.Ref(mixed))) {
            return finished;
        }
        Expr none =
                new Kernel.Binary(BinaryFn.EQ, new Kernel.Index(DType.I64, size), new Kernel.Constant(DType.I64, 0L));
        return new Kernel.Select(none, number(dtype, 0), finished);
    }

    private static Expr number(DType dtype, double value) {
        return new Kernel.Constant(dtype, value);
    }

    private static Optional<Expr> bound(List<Restriction> limits, boolean from) {
        return limits.stream()
                .map(l -> from ? l.from() : l.to())
                .flatMap(Optional::stream)
                .reduce((a, b) -> new Kernel.Binary(from ? BinaryFn.MAX : BinaryFn.MIN, a, b));
    }

    /// The conditions without which a key changes nothing that is carried.
    private List<Expr> commonConditions(Optional<String> largest, List<Carried> sums, Terms mixing, DType dtype) {
        List<Expr> common = new ArrayList<>(Restriction.conditions(mixing.core(), number(dtype, 0)));
        sums.forEach(s -> common.retainAll(Restriction.conditions(s.terms().core(), number(dtype, 0))));
        largest.ifPresent(
                m -> common.retainAll(Restriction.conditions(bodies.get(m), number(dtype, Double.NEGATIVE_INFINITY))));
        return common;
    }

    /// Whether a condition can be known of a whole block of queries and keys: it reads positions, and data of
    /// queries or of keys, not of both.
    private boolean telling(Expr condition, String query) {
        boolean[] known = {true};
        Exprs.walk(condition, e -> {
            boolean pairs = e instanceof Kernel.Load l && Exprs.symbols(l).containsAll(List.of(query, keys));
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

    /// The product of queries and keys, summed over `depth`.
    private record ScoreProduct(String depth, Expr queries, Expr keyRows) {}

    /// Whether scores lie as `[keys, queries]`: rows of keys are read in place, and what is carried along the keys
    /// runs down columns, a vector of queries at once. Not where the width of heads is unknown, nor where scores
    /// read neighbours along the keys, such as a stored bias.
    private boolean inColumns(ScoreProduct product, String query, List<Carried> sums, Terms mixing) {
        boolean[] rows = new boolean[1];
        List<Expr> read = new ArrayList<>(bodies.values());
        sums.forEach(s -> read.add(s.terms().core()));
        read.add(mixing.core());
        read.forEach(expr -> Exprs.walk(expr, e -> {
            if (e instanceof Kernel.Load l && Exprs.symbols(l).containsAll(List.of(query, keys))) {
                Dim last = l.index().getLast();
                rows[0] |= last.linearFactor(query).filter(f -> f.isConstant(1)).isEmpty();
            }
        }));
        return !rows[0]
                && puller.axisSize(product.depth())
                        .flatMap(Dim::constant)
                        .filter(c -> c <= MAX_WIDTH)
                        .isPresent();
    }

    private ScoreProduct scoreProduct(String query) throws Illegal {
        Labels labels = Labels.of(first, body, puller);
        Map<String, Dim> names = new HashMap<>();
        List<Dim> own = labels.index(labels.op().result());
        for (int i = 0; i < own.size(); i++) {
            names.put(own.get(i).symbolName().orElseThrow(), scoreIndex.get(i));
        }
        if (labels.summed().length() != 1) {
            throw new Illegal("the first product sums over several axes");
        }
        String depth = labels.axis(labels.summed().charAt(0));
        List<Dim> left = renamed(labels.index(labels.op().lhs()), names);
        List<Dim> right = renamed(labels.index(labels.op().rhs()), names);
        boolean swapped = left.contains(Dim.symbol(keys));
        Expr a = puller.pull(first.operands().get(0), left);
        Expr b = puller.pull(first.operands().get(1), right);
        Expr queries = swapped ? b : a;
        Expr keyRows = swapped ? a : b;
        if (Exprs.symbols(queries).contains(keys) || Exprs.symbols(keyRows).contains(query)) {
            throw new Illegal("the first product mixes queries and keys");
        }
        return new ScoreProduct(depth, queries, keyRows);
    }

    private static List<Dim> renamed(List<Dim> index, Map<String, Dim> names) {
        return index.stream()
                .map(d -> d.symbolName().map(s -> names.getOrDefault(s, d)).orElse(d))
                .toList();
    }

    /// An index without the axes that have one point: views drop and add those at will.
    private List<Dim> plain(List<Dim> index) {
        return index.stream()
                .map(d -> d.symbolName()
                                .filter(s -> !s.equals(keys))
                                .flatMap(puller::axisSize)
                                .filter(size -> size.isConstant(1))
                                .isPresent()
                        ? Dim.ZERO
                        : d)
                .toList();
    }

    private Expr anchor(Node node, List<Dim> read) throws Illegal {
        List<Dim> index = plain(read);
        if (node.id() == second.id() && !mixed.isEmpty()) {
            if (!index.equals(mixedIndex)) {
                throw new Illegal("the product is read at another place");
            }
            return new Kernel.Ref(mixed);
        }
        if (node.id() == first.id()) {
            boolean points = index.stream().allMatch(d -> d.symbolName().isPresent() || d.isConstant(0));
            if (!scores.isEmpty() && !scoreIndex.equals(index) || !points || !index.contains(Dim.symbol(keys))) {
                throw new Illegal("the first product is read at several places");
            }
            scoreIndex = index;
            scores = scores.isEmpty() ? puller.fresh("s") : scores;
            return new Kernel.Ref(scores);
        }
        if (!(node.op() instanceof Op.Reduce reduce) || reduce.axes().size() != 1 || keys.isEmpty()) {
            throw new Illegal("a reduction that is not over the keys");
        }
        if (node.type().dtype() != second.type().dtype()) {
            throw new Illegal("a reduction of another type than the products");
        }
        List<Dim> inner = new ArrayList<>(index);
        inner.add(reduce.axes().getFirst(), Dim.symbol(keys));
        List<Dim> rows = index.stream().filter(d -> d.constant().isEmpty()).toList();
        if (!List.copyOf(rows).equals(rowIndex)
                || !puller.axisSize(keys)
                        .equals(Optional.of(body.node(node.operands().getFirst())
                                .type()
                                .shape()
                                .get(reduce.axes().getFirst())))) {
            throw new Illegal("a reduction over other rows");
        }
        String known = reductions.get(node.id());
        if (known == null) {
            Expr terms = puller.pull(node.operands().getFirst(), inner);
            known = puller.fresh("t" + reductions.size());
            reductions.put(node.id(), known);
            bodies.put(known, terms);
            functions.put(known, reduce.fn());
        }
        return new Kernel.Ref(known);
    }

    private List<String> dependencies(Expr expr) {
        return Exprs.refs(expr).stream().filter(reductions.values()::contains).toList();
    }

    /// Whether an expression changes along the keys.
    private boolean alongKeys(Expr expr) {
        return Exprs.symbols(expr).contains(keys) || Exprs.refs(expr).contains(scores);
    }

    /// Computes the parts that do not change along the keys before the others.
    private Expr oncePerRow(Expr expr, DType dtype, List<String> row, List<Kernel.Statement> loop) {
        boolean leaf = Exprs.parts(expr).isEmpty();
        boolean ofRow = Exprs.refs(expr).stream().anyMatch(reductions::containsValue);
        if (!leaf && ofRow && !alongKeys(expr) && expr instanceof Kernel.Select) {
            String tile = puller.fresh("shift");
            loop.add(new Kernel.Let(tile, dtype, row, expr));
            return new Kernel.Ref(tile);
        }
        return Exprs.rebuild(expr, e -> oncePerRow(e, dtype, row, loop));
    }

    /// Computes score arithmetic that stands under the maximum once, for the maximum and for the terms, where it
    /// costs more than to store and read it.
    private void shareScores(
            Expr body, DType dtype, List<String> cells, List<Kernel.Statement> loop, Map<Expr, Expr> shared) {
        Expr scored = body;
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
