package tfx.passes;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tfx.ir.ReduceFn;
import tfx.ir.Target;
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
    /// Widest rows of values and of queries that lie in tiles.
    static final int MAX_WIDTH = 1024;

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
    private String query = "";

    OnlineLowering(Graph body, Node root, List<Node> contractions, Target target) {
        this.body = body;
        this.root = root;
        this.first = contractions.get(0);
        this.second = contractions.get(1);
        this.target = target;
        this.puller = new Puller(body, this::anchor);
    }

    List<RegionLowering.Lowered> lower(String name) throws Illegal {
        return lower(name, false);
    }

    /// Kernels for calls with few queries.
    RegionLowering.Few few(String name) throws Illegal {
        List<RegionLowering.Lowered> kernels = lower(name, true);
        return new RegionLowering.Few(puller.axisSize(query).orElseThrow(), target.fewQueries(), kernels);
    }

    /// @param few whether for calls with few queries
    private List<RegionLowering.Lowered> lower(String name, boolean few) throws Illegal {
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
        OnlineWalk.ScoreProduct product = scoreProduct();
        Set<String> ofKeys = Exprs.symbols(product.keyRows());
        char queries = few ? fewQueries(labels, ofKeys) : queries(labels, ofKeys);
        query = labels.axis(queries);

        List<String> maxima = reductions.values().stream()
                .filter(t -> functions.get(t) == ReduceFn.MAX)
                .toList();
        Optional<OnlineWalk.Maximum> largest = Optional.empty();
        List<OnlineWalk.Carried> sums = new ArrayList<>();
        for (String tile : reductions.values()) {
            if (functions.get(tile) == ReduceFn.MAX) {
                if (largest.isPresent() || !dependencies(bodies.get(tile)).isEmpty()) {
                    throw new Illegal("a second maximum, or one that depends on a reduction");
                }
                largest = Optional.of(new OnlineWalk.Maximum(tile, bodies.get(tile)));
            } else if (functions.get(tile) == ReduceFn.SUM) {
                sums.add(new OnlineWalk.Carried(
                        tile, Terms.of(bodies.get(tile), this::alongKeys, reductions.values(), maxima, dtype)));
            } else {
                throw new Illegal("no law for " + functions.get(tile).text());
            }
        }
        Terms mixing = Terms.of(weights, this::alongKeys, reductions.values(), maxima, dtype);
        if (largest.isPresent()) {
            Expr maximum = largest.get().scores();
            for (OnlineWalk.Carried sum : sums) {
                requireSameScores(sum.terms(), maximum, dtype);
            }
            requireSameScores(mixing, maximum, dtype);
        }
        mixed = puller.fresh("acc");
        mixedIndex = plain(labels.index(labels.op().result()));
        List<Dim> place = DotLowering.push(body, root, second, puller, mixedIndex);
        Expr result = puller.pull(root.id(), place);

        List<String> outer = new ArrayList<>();
        for (char c : (labels.batch() + labels.rows()).toCharArray()) {
            if (c != queries) {
                outer.add(labels.axis(c));
            }
        }
        Optional<Long> mostQueries = few ? Optional.of((long) target.fewQueries()) : Optional.empty();
        OnlineWalk walk = new OnlineWalk(
                dtype, outer, query, keys, value, product, scores, largest, sums, mixing, mixed, values, mostQueries);
        return new OnlineKernel(body, root, target, puller, walk).assemble(name, place, result);
    }

    /// The rows that a task takes several of: the last, or, where there is one query for each of those before it,
    /// the heads of a group. They have the same keys. Other rows are axes of the grid like batches.
    ///
    /// @param ofKeys axes that the keys have
    private char queries(Labels labels, Set<String> ofKeys) throws Illegal {
        String rows = labels.rows();
        char last = rows.charAt(rows.length() - 1);
        for (int i = rows.length() - 1; i >= 0; i--) {
            String axis = labels.axis(rows.charAt(i));
            boolean several =
                    puller.axisSize(axis).filter(size -> size.isConstant(1)).isEmpty();
            if (several && !ofKeys.contains(axis)) {
                return rows.charAt(i);
            }
        }
        if (ofKeys.contains(labels.axis(last))) {
            throw new Illegal("the first product mixes queries and keys");
        }
        return last;
    }

    /// The axis of queries whose number only a call knows. Where there are as many keys, few queries are little work
    /// in any form.
    private char fewQueries(Labels labels, Set<String> ofKeys) throws Illegal {
        List<Character> unknown = new ArrayList<>();
        for (char c : labels.rows().toCharArray()) {
            String axis = labels.axis(c);
            if (!ofKeys.contains(axis)
                    && puller.axisSize(axis).flatMap(Dim::constant).isEmpty()) {
                unknown.add(c);
            }
        }
        if (unknown.size() != 1) {
            throw new Illegal("no size of queries, or several, that only a call knows");
        }
        String axis = labels.axis(unknown.getFirst());
        if (puller.axisSize(axis).equals(puller.axisSize(keys))) {
            throw new Illegal("as many keys as queries");
        }
        return unknown.getFirst();
    }

    /// Exp-shift holds for terms `exp(t - m)` where `m` is the maximum of that very `t`, and where a score that
    /// the maximum leaves out is left out of the sum too: while nothing was seen, the carried sum must be 0.
    private static void requireSameScores(Terms terms, Expr maximum, DType dtype) throws Illegal {
        Expr none = OnlineKernel.number(dtype, Double.NEGATIVE_INFINITY);
        List<Expr> kept = new ArrayList<>(Restriction.conditions(terms.core(), OnlineKernel.number(dtype, 0)));
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

    private OnlineWalk.ScoreProduct scoreProduct() throws Illegal {
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
        if (Exprs.symbols(queries).contains(keys)) {
            throw new Illegal("the first product mixes queries and keys");
        }
        return new OnlineWalk.ScoreProduct(depth, queries, keyRows);
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

    private boolean alongKeys(Expr expr) {
        return OnlineWalk.changes(expr, keys, scores);
    }
}
