package tfx.passes;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tfx.ir.kernel.Exprs;
import tfx.ir.kernel.Kernel.Expr;
import tfx.runtime.DType;
import tfx.runtime.Dim;

/// What {@link OnlineLowering} found between two contractions, and {@link OnlineKernel} walks along the keys.
///
/// @param outer   axes of which a task has one point: batches, heads
/// @param query   the axis of queries; `keys` and `value` likewise
/// @param scores  the tile of the first product
/// @param largest the maximum that exponents are shifted by
/// @param mixing  the terms of the second product's left side
/// @param mixed   the tile of the second product
/// @param values  its right side
/// @param mostQueries how many queries there are at most, in kernels for calls with few
record OnlineWalk(
        DType dtype,
        List<String> outer,
        String query,
        String keys,
        String value,
        ScoreProduct product,
        String scores,
        Optional<Maximum> largest,
        List<Carried> sums,
        Terms mixing,
        String mixed,
        Expr values,
        Optional<Long> mostQueries) {
    /// The product of queries and keys, summed over `depth`.
    record ScoreProduct(String depth, Expr queries, Expr keyRows) {}

    /// The maximum of scores that is carried along the walk.
    record Maximum(String tile, Expr scores) {}

    /// A sum carried along the walk.
    record Carried(String tile, Terms terms) {}

    /// Whether an expression changes along the keys.
    static boolean changes(Expr expr, String keys, String scores) {
        return Exprs.symbols(expr).contains(keys) || Exprs.refs(expr).contains(scores);
    }

    boolean alongKeys(Expr expr) {
        return changes(expr, keys, scores);
    }

    /// The most queries that there are, where that is known.
    Optional<Long> boundOfQueries(Puller puller) {
        return mostQueries.or(() -> puller.axisSize(query).flatMap(Dim::constant));
    }

    /// What reads scores.
    List<Expr> readingScores() {
        List<Expr> reading = new ArrayList<>();
        largest.ifPresent(m -> reading.add(m.scores));
        sums.forEach(s -> reading.add(s.terms.core()));
        reading.add(mixing.core());
        return reading;
    }

    /// The tiles that reductions fill.
    List<String> reduced() {
        List<String> tiles = new ArrayList<>();
        largest.ifPresent(m -> tiles.add(m.tile));
        sums.forEach(s -> tiles.add(s.tile));
        return tiles;
    }
}
