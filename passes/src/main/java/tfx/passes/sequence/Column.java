package tfx.passes.sequence;

import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import tfx.ir.graph.Node;
import tfx.ir.sequence.Kind;
import tfx.runtime.DType;

/// An s-op as a vector: bools are bool, ints i64, floats f64, strings i32 codes whose order is that of the
/// strings. Where a vector mixes kinds of numbers, it holds all as i64, or as f64 if there are floats, and `tag`
/// says which position is which.
///
/// @param tag   i32, the ordinal of each position's kind; none where all have one kind
/// @param bound ints are at most this far from 0
record Column(Node value, Set<Kind> kinds, Optional<Node> tag, double bound) {
    /// From here on f64 does not hold all integers.
    static final double EXACT = 0x1p53;

    static Column of(Node value, Kind kind, double bound) {
        return new Column(value, EnumSet.of(kind), Optional.empty(), bound);
    }

    static Column truth(Node value) {
        return of(value, Kind.TRUTH, 1);
    }

    boolean is(Kind kind) {
        return kinds.size() == 1 && kinds.contains(kind);
    }

    boolean isNumber() {
        return !kinds.contains(Kind.TEXT);
    }

    boolean isReal() {
        return value.type().dtype() == DType.F64;
    }
}
