package tfx.frontend.stage;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;
import tfx.ir.BinaryFn;
import tfx.ir.ReduceFn;
import tfx.ir.graph.GraphBuilder;
import tfx.ir.graph.Node;
import tfx.ir.graph.Op;
import tfx.runtime.DType;
import tfx.runtime.Dim;
import tfx.runtime.TensorType;

/// Primitives that look up by indices, and their reverses that scatter, in the three modes that are easily
/// confused.
final class Lookups {
    private Lookups() {}

    static void define(Scope scope) {
        Builtins.define(scope, "take", Lookups::take);
        Builtins.define(scope, "take_along", Lookups::takeAlong);
        Builtins.define(scope, "gather_nd", Lookups::gatherNd);
        Builtins.define(scope, "scatter", Lookups::scatter);
        Builtins.define(scope, "scatter_along", Lookups::scatterAlong);
        Builtins.define(scope, "scatter_nd", Lookups::scatterNd);
    }

    /// The order that brings an axis to a place and keeps the others in theirs.
    private static List<Integer> moved(int rank, int axis, int to) {
        List<Integer> order = new ArrayList<>(
                IntStream.range(0, rank).filter(i -> i != axis).boxed().toList());
        order.add(to, axis);
        return order;
    }

    private static List<Integer> inverse(List<Integer> order) {
        return IntStream.range(0, order.size()).map(order::indexOf).boxed().toList();
    }

    private static void dense(Arguments a, Value.Array x) {
        if (x.axes().stream().anyMatch(axis -> !(axis instanceof Axis.Plain))) {
            throw a.fail("it takes no ragged tensor such as " + x.describe());
        }
    }

    /// `take(x, indices, axis = 0)`: the same indices for everything beside the axis (NumPy's `take`, ONNX's
    /// `Gather`).
    private static Value take(Stager stager, Arguments a) {
        Value.Array x = a.array(0, "x");
        Value.Array indices = a.array(1, "indices");
        int axis = a.axis(2, "axis", x, 0);
        Placements.stored(a, x, axis);
        if (axis > 0) {
            dense(a, indices);
        }
        Value.Array rows = stager.tensors()
                .gather(stager.tensors().permute(x, moved(x.rank(), axis, 0), a.span()), indices, a.span());
        List<Integer> order = new ArrayList<>();
        IntStream.range(0, axis).forEach(i -> order.add(indices.rank() + i));
        IntStream.range(0, indices.rank()).forEach(order::add);
        IntStream.range(indices.rank() + axis, rows.rank()).forEach(order::add);
        return stager.tensors().permute(rows, order, a.span());
    }

    /// `take_along(x, indices, axis = -1)`: own indices for each line along the axis (PyTorch's `gather`, ONNX's
    /// `GatherElements`, NumPy's `take_along_axis`).
    private static Value takeAlong(Stager stager, Arguments a) {
        Value.Array x = a.array(0, "x");
        Value.Array indices = a.array(1, "indices");
        int axis = a.axis(2, "axis", x, -1);
        Tensors.requireIndex(indices, a.span());
        requireLines(a, x, indices, axis);
        List<Integer> order = moved(x.rank(), axis, x.rank() - 1);
        Value.Array table = stager.tensors().permute(x, order, a.span());
        Value.Array at = stager.tensors().permute(indices, order, a.span());
        Node node = stager.graph()
                .add(
                        new Op.Gather(table.node().type().rank() - 1),
                        List.of(table.node().id(), at.node().id()),
                        a.span());
        return stager.tensors().permute(stager.tensors().array(node, at.axes()), inverse(order), a.span());
    }

    private static void requireLines(Arguments a, Value.Array x, Value.Array indices, int axis) {
        Placements.stored(a, x, axis);
        List<Axis> other = new ArrayList<>(indices.axes());
        if (indices.rank() == x.rank()) {
            other.set(axis, x.axes().get(axis));
        }
        if (!other.equals(x.axes())) {
            throw StagingError.of(
                    "TFX0301",
                    a.span(),
                    "indices " + indices.describe() + " and " + x.describe() + " must agree in all dimensions but "
                            + axis,
                    "take uses the same indices everywhere; gather_nd takes whole coordinates");
        }
    }

    private static Value.Array coordinate(Stager stager, Arguments a, Value.Array indices, int position) {
        List<Dim> shape = indices.node().type().shape();
        List<Dim> starts = new ArrayList<>(java.util.Collections.nCopies(shape.size(), Dim.ZERO));
        List<Integer> steps = new ArrayList<>(java.util.Collections.nCopies(shape.size(), 1));
        starts.set(shape.size() - 1, Dim.of(position));
        List<Dim> one = new ArrayList<>(shape);
        one.set(shape.size() - 1, Dim.ONE);
        GraphBuilder graph = stager.graph();
        Node slice = graph.add(
                new Op.Slice(starts, steps),
                List.of(indices.node().id()),
                new TensorType(indices.dtype(), one),
                a.span());
        List<Axis> axes = indices.axes().subList(0, indices.rank() - 1);
        return stager.tensors().array(graph.reshape(slice, Tensors.stored(axes), a.span()), axes);
    }

    private static int coordinates(Arguments a, Value.Array x, Value.Array indices) {
        Tensors.requireIndex(indices, a.span());
        dense(a, x);
        dense(a, indices);
        Optional<Long> count = indices.rank() == 0
                ? Optional.empty()
                : indices.axes().getLast().stored().constant();
        return count.filter(c -> c >= 1 && c <= x.rank())
                .map(Long::intValue)
                .orElseThrow(() -> a.fail("the last dimension of the indices holds 1 to " + x.rank()
                        + " coordinates, not " + indices.describe()));
    }

    /// `gather_nd(x, indices)`: the last dimension of the indices holds coordinates of the first dimensions of x
    /// (ONNX's `GatherND`).
    private static Value gatherNd(Stager stager, Arguments a) {
        Value.Array x = a.array(0, "x");
        Value.Array indices = a.array(1, "indices");
        int count = coordinates(a, x, indices);
        int batch = indices.rank() - 1;
        Node rows = x.node();
        for (int i = 0; i < count; i++) {
            Node at = coordinate(stager, a, indices, i).node();
            rows = stager.graph().add(new Op.Gather(i == 0 ? 0 : batch), List.of(rows.id(), at.id()), a.span());
        }
        List<Axis> axes = new ArrayList<>(indices.axes().subList(0, batch));
        axes.addAll(x.axes().subList(count, x.rank()));
        return stager.tensors().array(rows, axes);
    }

    /// How updates meet what is there: they replace it, or join it.
    private static Optional<ReduceFn> combine(Arguments a, int position) {
        Value by = a.find(position, "by").orElse(new Value.Nothing());
        if (by instanceof Value.Nothing) {
            return Optional.empty();
        }
        for (ReduceFn fn : List.of(ReduceFn.SUM, ReduceFn.PROD, ReduceFn.MAX, ReduceFn.MIN)) {
            if (by instanceof Value.Text t && t.value().equals(fn.text().toLowerCase(Locale.ROOT))) {
                return Optional.of(fn);
            }
        }
        throw a.fail("argument 'by' is \"sum\", \"prod\", \"max\", \"min\" or none");
    }

    private static Value.Array scattered(
            Stager stager, Arguments a, Value.Array x, Value.Array indices, Value.Array updates, int batch, int by) {
        Optional<ReduceFn> fn = combine(a, by);
        Tensors.requireIndex(indices, a.span());
        List<Axis> due = new ArrayList<>(indices.axes());
        due.addAll(x.axes().subList(batch + 1, x.rank()));
        if (!updates.axes().equals(due) || updates.dtype() != x.dtype()) {
            throw StagingError.of(
                    "TFX0301",
                    a.span(),
                    "updates " + updates.describe() + " do not fit: " + x.dtype() + due + " are due",
                    "broadcast_to and f32(x) bring them there");
        }
        if (fn.filter(f -> !f.accepts(x.dtype())).isPresent()) {
            throw StagingError.of("TFX0303", a.span(), fn.get().text() + " is not defined on " + x.dtype(), "");
        }
        Node node = stager.graph()
                .add(
                        new Op.Scatter(fn, batch),
                        List.of(
                                x.node().id(),
                                indices.node().id(),
                                updates.node().id()),
                        a.span());
        return stager.tensors().array(node, x.axes());
    }

    /// `scatter(x, indices, updates, axis = 0, by = none)`: the reverse of `take`.
    private static Value scatter(Stager stager, Arguments a) {
        Value.Array x = a.array(0, "x");
        Value.Array indices = a.array(1, "indices");
        Value.Array updates = a.array(2, "updates");
        int axis = a.axis(3, "axis", x, 0);
        dense(a, x);
        dense(a, indices);
        dense(a, updates);
        if (updates.rank() != x.rank() - 1 + indices.rank()) {
            throw a.fail("updates " + updates.describe() + " do not fit " + x.describe() + " at " + indices.describe());
        }
        List<Integer> order = moved(x.rank(), axis, 0);
        List<Integer> toFront = new ArrayList<>();
        IntStream.range(axis, axis + indices.rank()).forEach(toFront::add);
        IntStream.range(0, updates.rank()).filter(i -> !toFront.contains(i)).forEach(toFront::add);
        Value.Array rows = stager.tensors().permute(x, order, a.span());
        Value.Array values = stager.tensors().permute(updates, toFront, a.span());
        return stager.tensors().permute(scattered(stager, a, rows, indices, values, 0, 4), inverse(order), a.span());
    }

    /// `scatter_along(x, indices, updates, axis = -1, by = none)`: the reverse of `take_along`.
    private static Value scatterAlong(Stager stager, Arguments a) {
        Value.Array x = a.array(0, "x");
        Value.Array indices = a.array(1, "indices");
        Value.Array updates = a.array(2, "updates");
        int axis = a.axis(3, "axis", x, -1);
        dense(a, x);
        requireLines(a, x, indices, axis);
        List<Integer> order = moved(x.rank(), axis, x.rank() - 1);
        if (updates.rank() != x.rank()) {
            throw a.fail("updates " + updates.describe() + " must have the shape of the indices");
        }
        Value.Array made = scattered(
                stager,
                a,
                stager.tensors().permute(x, order, a.span()),
                stager.tensors().permute(indices, order, a.span()),
                stager.tensors().permute(updates, order, a.span()),
                x.rank() - 1,
                4);
        return stager.tensors().permute(made, inverse(order), a.span());
    }

    /// `scatter_nd(x, indices, updates, by = none)`: the reverse of `gather_nd`. The coordinates become one index
    /// into the first dimensions taken as one; a coordinate outside its dimension makes that index -1, which fails
    /// the run.
    private static Value scatterNd(Stager stager, Arguments a) {
        Value.Array x = a.array(0, "x");
        Value.Array indices = a.array(1, "indices");
        Value.Array updates = a.array(2, "updates");
        int count = coordinates(a, x, indices);
        Operatives ops = new Operatives(stager, a);
        Value.Array inside = ops.number(new Value.Truth(true), DType.BOOL);
        Value.Array flat = ops.number(new Value.Whole(Dim.ZERO), DType.I64);
        Dim rows = Dim.ONE;
        for (int i = 0; i < count; i++) {
            Value.Array at =
                    (Value.Array) stager.operators().cast(coordinate(stager, a, indices, i), DType.I64, a.span());
            Value.Array size = ops.number(new Value.Whole(x.axes().get(i).stored()), DType.I64);
            Value.Array zero = ops.number(new Value.Whole(Dim.ZERO), DType.I64);
            inside = ops.join(BinaryFn.AND, inside, ops.join(BinaryFn.GE, at, zero));
            inside = ops.join(BinaryFn.AND, inside, ops.join(BinaryFn.LT, at, size));
            flat = ops.join(BinaryFn.ADD, ops.join(BinaryFn.MUL, flat, size), at);
            rows = rows.times(x.axes().get(i).stored());
        }
        Value.Array safe =
                stager.tensors().select(inside, flat, ops.number(new Value.Whole(Dim.of(-1)), DType.I64), a.span());
        List<Axis> merged = new ArrayList<>(List.of(new Axis.Plain(rows)));
        merged.addAll(x.axes().subList(count, x.rank()));
        Value.Array table = stager.tensors().reshape(x, merged, a.span());
        return stager.tensors().reshape(scattered(stager, a, table, safe, updates, 0, 3), x.axes(), a.span());
    }

    /// Arithmetic on tensors in one call.
    private record Operatives(Stager stager, Arguments a) {
        Value.Array number(Value value, DType dtype) {
            return stager.scalar(value, dtype, a.span());
        }

        Value.Array join(BinaryFn fn, Value.Array x, Value.Array y) {
            return stager.tensors().binary(fn, x, y, a.span());
        }
    }
}
