package tfx.frontend.stage;

import tfx.ir.graph.Node;
import tfx.runtime.Dim;

/// A dimension of a tensor as the program sees it.
///
/// A ragged pair `[B, S*]` is stored packed: the graph's tensor has one dimension for both, with `total` rows, and
/// the `Batch` axis has no dimension of its own.
public sealed interface Axis {
    /// An ordinary dimension.
    record Plain(Dim size) implements Axis {
        @Override
        public String toString() {
            return size.toString();
        }
    }

    /// The batch dimension of a ragged pair; the graph's tensor has no such dimension.
    record Batch(Ragged ragged) implements Axis {
        @Override
        public String toString() {
            return ragged.batch().toString();
        }
    }

    /// The rows of all batch entries, one after another.
    record Rows(Ragged ragged) implements Axis {
        @Override
        public String toString() {
            return ragged.name() + "*";
        }
    }

    /// One ragged dimension of the program.
    ///
    /// @param name    the dimension's name in the source
    /// @param batch   how many rows-of-rows there are
    /// @param total   the sum of the lengths
    /// @param offsets `i32[batch + 1]`, where each entry's rows begin and end
    /// @param rowIds  `i32[total]`, the batch entry of each packed row
    record Ragged(String name, Dim batch, Dim total, Node offsets, Node rowIds) {}

    /// The dimension of the graph's tensor; not for `Batch`.
    default Dim stored() {
        return switch (this) {
            case Plain p -> p.size();
            case Rows r -> r.ragged().total();
            case Batch b -> throw new IllegalStateException("a packed batch dimension is not stored");
        };
    }

    default boolean isStored() {
        return !(this instanceof Batch);
    }

    default boolean isOne() {
        return this instanceof Plain p && p.size().isConstant(1);
    }
}
