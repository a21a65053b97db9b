package tfx.ir.graph;

import java.util.List;
import java.util.Optional;
import tfx.ir.BinaryFn;
import tfx.ir.ReduceFn;
import tfx.ir.UnaryFn;
import tfx.runtime.Dim;

/// The kinds of graph operations. Families are enums (`UnaryFn`, `BinaryFn`, `ReduceFn`), structure is a record
/// each.
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
    /// wrap, `bool` is "not zero".
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

    /// `gather(table, indices)`: for tables `[batch.., rows, rest..]` and indices `[batch.., I..]`, the rows
    /// `[batch.., I.., rest..]` at the indices; the first `batch` dimensions of both are the same. An index
    /// outside fails the run.
    record Gather(int batch) implements Op {
        public Gather() {
            this(0);
        }
    }

    /// Every `step`-th element from `start` along each dimension; a negative step walks backwards. The result's
    /// shape says how many.
    record Slice(List<Dim> starts, List<Integer> steps) implements Op {
        public Slice {
            starts = List.copyOf(starts);
            steps = List.copyOf(steps);
        }
    }

    /// Overlapping windows along one dimension, which becomes two: element (i, j) is `i * stride + j * dilation`.
    record Window(int axis, int stride, int dilation) implements Op {}

    /// The operands one after the other along a dimension.
    record Concat(int axis) implements Op {}

    /// `scatter(x, indices, updates)`: x `[batch.., rows, rest..]` with the rows at `indices[batch.., I..]`
    /// replaced by `updates[batch.., I.., rest..]`, or combined with them; updates apply one after the other in
    /// row-major order of their index. An index outside fails the run.
    record Scatter(Optional<ReduceFn> combine, int batch) implements Op {}

    /// All partial reductions along a dimension: element i is that of elements 0..i; `exclusive` leaves i itself
    /// out, `reverse` begins at the end.
    record Scan(ReduceFn fn, int axis, boolean reverse, boolean exclusive) implements Op {}

    /// The stable order of the elements along a dimension, as i32 indices. NaN is above all numbers, -0 equals 0.
    record Sort(int axis, boolean descending) implements Op {}

    /// Runs `body` again and again on carried state. Inputs of the body: `0` the iteration (i32), then the
    /// state, then values from outside that stay the same; its outputs: the next state, then values that are
    /// stacked along a new first dimension of size `trips`. Operands: the first state, then the values from
    /// outside. With `test`, a graph of the same inputs and one bool output, the loop ends before the iteration
    /// where it is false. What the loop gives is read by `Result`: final state, then stacked values.
    record Loop(Optional<Dim> trips, int carried, Optional<Graph> test, Graph body) implements Op {}

    /// One of the values that a loop gives.
    record Result(int position) implements Op {}

    /// For row offsets `[B + 1]` (ascending, from 0), the row that each of the `offsets[B]` packed elements
    /// belongs to.
    record RowIds() implements Op {}

    /// Operations that become one kernel. The body's inputs `0`, `1`, ... are the operands; it has one output.
    record Region(String name, Graph body) implements Op {}

    /// Whether each element of the result depends on the elements of the operands at its own place alone.
    default boolean isElementwise() {
        return this instanceof Unary || this instanceof Binary || this instanceof Select || this instanceof Cast;
    }
}
