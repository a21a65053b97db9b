package tfx.passes;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tfx.ir.BinaryFn;
import tfx.ir.ReduceFn;
import tfx.ir.Target;
import tfx.ir.kernel.Exprs;
import tfx.ir.kernel.Kernel;
import tfx.ir.kernel.Kernel.Expr;
import tfx.runtime.DType;
import tfx.runtime.Dim;

/// How the scores of a block of keys are computed, and how they lie.
final class BlockScores {
    /// Least factor of all scores that moves to the queries.
    private static final double LEAST_FACTOR = 0x1p-20;

    private final OnlineWalk walk;
    private final Puller puller;
    private final Target target;
    private final DType dtype;
    private final Form form;
    private final Optional<Kernel.Binary> factor;

    private enum Form {
        /// `[queries, keys]`, each a sum along its key.
        SUMS,
        /// `[keys, queries]`, a product of matrices.
        COLUMNS,
        /// `[queries, keys]`, a product of matrices.
        ROWS
    }

    BlockScores(OnlineWalk walk, Puller puller, Target target) {
        this.walk = walk;
        this.puller = puller;
        this.target = target;
        this.dtype = walk.dtype();
        this.form = inSums() ? Form.SUMS : inColumns() ? Form.COLUMNS : Form.ROWS;
        this.factor = form == Form.COLUMNS ? commonFactor() : Optional.empty();
    }

    /// Whether scores are sums along keys, as suits few queries.
    boolean areSums() {
        return form == Form.SUMS;
    }

    /// The axes of the tile of scores.
    List<String> axes() {
        return form == Form.COLUMNS ? List.of(walk.keys(), walk.query()) : List.of(walk.query(), walk.keys());
    }

    /// The widest row that a tile holds for each query: of values, or of the query itself.
    long width() {
        return Math.max(
                constant(walk.value()),
                form == Form.COLUMNS ? constant(walk.product().depth()) : 1);
    }

    private long constant(String axis) {
        return puller.axisSize(axis).flatMap(Dim::constant).orElse(1L);
    }

    /// What an expression is where the factor of all scores has moved to the queries, if it has.
    Expr withoutFactor(Expr expr) {
        return factor.map(f -> Exprs.replace(expr, Map.of(f, f.a()))).orElse(expr);
    }

    /// Sets the tile of scores.
    ///
    /// @param before takes what is computed once for all blocks
    Kernel.Statement product(List<Kernel.Statement> before) {
        OnlineWalk.ScoreProduct product = walk.product();
        String depth = product.depth();
        Expr queries = product.queries();
        return switch (form) {
            case SUMS -> {
                Expr near = liesAlongDepth(queries) ? queries : copied("q", List.of(walk.query(), depth), before);
                Expr terms = new Kernel.Binary(BinaryFn.MUL, near, product.keyRows());
                yield new Kernel.Reduce(walk.scores(), dtype, axes(), ReduceFn.SUM, depth, false, terms);
            }
            case COLUMNS -> dot(product.keyRows(), copied("qt", List.of(depth, walk.query()), before));
            case ROWS -> dot(queries, product.keyRows());
        };
    }

    private Kernel.Statement dot(Expr left, Expr right) {
        return new Kernel.Dot(walk.scores(), dtype, axes(), walk.product().depth(), false, left, right);
    }

    /// The queries in a tile, times the factor of all scores.
    private Expr copied(String name, List<String> axes, List<Kernel.Statement> before) {
        String tile = puller.fresh(name);
        Expr queries = walk.product().queries();
        before.add(new Kernel.Let(
                tile,
                dtype,
                axes,
                factor.<Expr>map(f -> new Kernel.Binary(BinaryFn.MUL, queries, f.b()))
                        .orElse(queries)));
        return new Kernel.Ref(tile);
    }

    /// Whether the queries are so few that a register tile would mostly work for nobody, as where one token is
    /// decoded after the other, and their keys need no more than to be read.
    private boolean inSums() {
        return liesAlongDepth(walk.product().keyRows())
                && walk.boundOfQueries(puller)
                        .filter(c -> c <= target.fewQueries())
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

    /// Whether rows of keys are read in place, and what is carried along the keys runs down columns, a vector of
    /// queries at once. Not where the width of heads is unknown, nor where scores read neighbours along the keys,
    /// such as a stored bias.
    private boolean inColumns() {
        boolean[] rows = new boolean[1];
        walk.readingScores()
                .forEach(expr -> Exprs.walk(expr, e -> {
                    if (e instanceof Kernel.Load l
                            && Exprs.symbols(l).containsAll(List.of(walk.query(), walk.keys()))) {
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

    /// The scores times a constant, if all that reads them first does that. Of at most 1, for queries times more
    /// might overflow where scores do not; and not so small that queries would be subnormal where scores are
    /// not.
    private Optional<Kernel.Binary> commonFactor() {
        Expr scores = new Kernel.Ref(walk.scores());
        Set<Kernel.Binary> factors = new HashSet<>();
        int[] plain = new int[1];
        for (Expr read : walk.readingScores()) {
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
}
