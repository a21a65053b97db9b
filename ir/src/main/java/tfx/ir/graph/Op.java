package tfx.ir.graph;

import java.util.List;
import tfx.ir.BinaryFn;
import tfx.ir.Dim;
import tfx.ir.ReduceFn;
import tfx.ir.UnaryFn;

/// The kinds of graph operations. Families are enums (`UnaryFn`, `BinaryFn`, `ReduceFn`), structure is a record each.
public sealed interface Op {
    /// An argument of the program, bound by name.
    record Input(String name) implements Op {}

    /// A named tensor of the weight source, the same for every call.
    record Weight(String name) implements Op {}

    /// A scalar: a `Double` for floating types, a `Long` for integers and bools (0 or 1).
    record Constant(Number value) implements Op {}

    /// 0, 1, 2, ... along a vector.
    record Iota() implements Op {}

    /// A size as a number.
    record DimSize(Dim dim) implements Op {}

    /// A function of each element.
    record Unary(UnaryFn fn) implements Op {}

    /// A function of two tensors of one shape, element by element.
    record Binary(BinaryFn fn) implements Op {}

    /// `select(condition, a, b)`: a where the bool is true, else b; the other arm never reaches the result.
    record Select() implements Op {}

    /// Conversion to the result's element type: floats to integers truncate and saturate (NaN gives 0), integers
    /// wrap,
    /// `bool` is "not zero".
    record Cast() implements Op {}

    /// Reduction over `axes` (ascending), which the result does not have.
    record Reduce(ReduceFn fn, List<Integer> axes) implements Op {
        public Reduce {
            axes = List.copyOf(axes);
        }
    }

    /// Sum of products: `ik,kj->ij` is a matrix product. Labels are letters; one that the result lacks is summed
    /// over.
    record Contract(String lhs, String rhs, String result) implements Op {
        /// The labels summed over.
        public String summed() {
            StringBuilder labels = new StringBuilder();
            lhs.chars()
                    .filter(c -> rhs.indexOf(c) >= 0 && result.indexOf(c) < 0)
                    .forEach(c -> labels.append((char) c));
            return labels.toString();
        }
    }

    /// The same elements in row-major order under another shape.
    record Reshape() implements Op {}

    /// Result dimension `i` is operand dimension `permutation[i]`.
    record Transpose(List<Integer> permutation) implements Op {
        public Transpose {
            permutation = List.copyOf(permutation);
        }
    }

    /// Operand dimension `i` becomes result dimension `axes[i]` (ascending); the result repeats along the others.
    record Broadcast(List<Integer> axes) implements Op {
        public Broadcast {
            axes = List.copyOf(axes);
        }
    }

    /// `gather(table, indices)`: rows of the table's first dimension; an index outside fails the run.
    record Gather() implements Op {}

    /// For row offsets `[B + 1]` (ascending, from 0), the row that each of the `offsets[B]` packed elements belongs
    /// to.
    record RowIds() implements Op {}

    /// Operations that become one kernel. The body's inputs `0`, `1`, ... are the operands; it has one output.
    record Region(String name, Graph body) implements Op {}
}
