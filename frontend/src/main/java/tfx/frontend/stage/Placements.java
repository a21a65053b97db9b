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

/// Primitives that move elements: joining, looking up, scattering, sorting, scanning. They work along ordinary
/// dimensions.
final class Placements {
    private static final int MAX_LITERAL = 4096;

    private Placements() {}

    static void define(Scope scope) {
        Builtins.define(scope, "tensor", Placements::literal);
        Builtins.define(scope, "expand", Placements::expand);
        Builtins.define(scope, "squeeze", Placements::squeeze);
        Builtins.define(scope, "reverse", Placements::reverse);
        Builtins.define(scope, "concat", Placements::concat);
        Builtins.define(scope, "window", Placements::window);
        Builtins.define(scope, "broadcast_to", Placements::broadcastTo);
        Builtins.define(scope, "full", Placements::full);
        Builtins.define(scope, "take", Placements::take);
        Builtins.define(scope, "take_along", Placements::takeAlong);
        Builtins.define(scope, "gather_nd", Placements::gatherNd);
        Builtins.define(scope, "scatter", Placements::scatter);
        Builtins.define(scope, "scatter_along", Placements::scatterAlong);
        Builtins.define(scope, "scatter_nd", Placements::scatterNd);
        Builtins.define(scope, "argsort", Placements::argsort);
        for (ReduceFn fn : ReduceFn.values()) {
            Builtins.define(scope, "cum" + fn.text(), (s, a) -> scan(fn, s, a));
        }
    }

    /// The stored position of an ordinary axis.
    private static int stored(Arguments a, Value.Array x, int axis) {
        if (!(x.axes().get(axis) instanceof Axis.Plain)) {
            throw a.fail("axis " + axis + " of " + x.describe() + " is ragged");
        }
        return Tensors.positions(x.axes())[axis];
    }

    private static Value.Array tensor(Arguments a, Value value, String name) {
        if (value instanceof Value.Array array) {
            return array;
        }
        throw a.fail("argument '" + name + "' must hold tensors, not " + value.describe());
    }

    /// `tensor(values, dtype = f32)`: nested lists of numbers as a tensor.
    private static Value literal(Stager stager, Arguments a) {
        DType dtype = a.find(1, "dtype")
                .map(v -> v instanceof Value.TypeName t ? t.dtype() : noType(a))
                .orElse(DType.F32);
        List<Axis> axes = new ArrayList<>();
        Value level = a.get(0, "values");
        while (level instanceof Value.Items items) {
            axes.add(new Axis.Plain(Dim.of(items.items().size())));
            level = items.items().isEmpty()
                    ? new Value.Nothing()
                    : items.items().getFirst();
        }
        List<Integer> parts = new ArrayList<>();
        leaves(stager, a, a.get(0, "values"), axes, 0, dtype, parts);
        Node joined = parts.isEmpty()
                ? filled(stager, a, new Value.Whole(Dim.ZERO), dtype, List.of(new Axis.Plain(Dim.ZERO)))
                        .node()
                : stager.graph().add(new Op.Concat(0), parts, a.span());
        return stager.tensors().array(stager.graph().reshape(joined, Tensors.stored(axes), a.span()), axes);
    }

    private static void leaves(
            Stager stager, Arguments a, Value value, List<Axis> axes, int depth, DType dtype, List<Integer> into) {
        if (depth == axes.size()) {
            if (into.size() >= MAX_LITERAL) {
                throw a.fail("it holds at most " + MAX_LITERAL + " numbers; larger tensors are weights or arguments");
            }
            Value.Array scalar = stager.scalar(value, dtype, a.span());
            into.add(stager.graph()
                    .reshape(scalar.node(), List.of(Dim.ONE), a.span())
                    .id());
            return;
        }
        if (!(value instanceof Value.Items items)
                || !Dim.of(items.items().size()).equals(axes.get(depth).stored())) {
            throw a.fail("the lists differ in length or depth");
        }
        items.items().forEach(v -> leaves(stager, a, v, axes, depth + 1, dtype, into));
    }

    private static Value expand(Stager stager, Arguments a) {
        Value.Array x = a.array(0, "x");
        int given = a.integer(1, "axis");
        int axis = given < 0 ? given + x.rank() + 1 : given;
        if (axis < 0 || axis > x.rank()) {
            throw a.fail("axis " + given + " has no place in " + x.describe());
        }
        List<Axis> axes = new ArrayList<>(x.axes());
        axes.add(axis, new Axis.Plain(Dim.ONE));
        return stager.tensors().reshape(x, axes, a.span());
    }

    private static Value squeeze(Stager stager, Arguments a) {
        Value.Array x = a.array(0, "x");
        int axis = a.axis(1, "axis", x, -1);
        if (!x.axes().get(axis).isOne()) {
            throw a.fail("axis " + axis + " of " + x.describe() + " is not of size 1");
        }
        List<Axis> axes = new ArrayList<>(x.axes());
        axes.remove(axis);
        return stager.tensors().reshape(x, axes, a.span());
    }

    private static Value reverse(Stager stager, Arguments a) {
        Value.Array x = a.array(0, "x");
        int axis = a.axis(1, "axis", x, -1);
        int stored = stored(a, x, axis);
        List<Dim> shape = x.node().type().shape();
        List<Dim> starts = new ArrayList<>(java.util.Collections.nCopies(shape.size(), Dim.ZERO));
        List<Integer> steps = new ArrayList<>(java.util.Collections.nCopies(shape.size(), 1));
        starts.set(stored, shape.get(stored).plus(-1));
        steps.set(stored, -1);
        Op op = new Op.Slice(starts, steps);
        return stager.tensors()
                .array(stager.graph().add(op, List.of(x.node().id()), x.node().type(), a.span()), x.axes());
    }

    private static Value concat(Stager stager, Arguments a) {
        List<Value> parts = a.items(0, "parts");
        if (parts.isEmpty()) {
            throw a.fail("it joins at least one tensor");
        }
        Value.Array first = tensor(a, parts.getFirst(), "parts");
        int axis = a.axis(1, "axis", first, -1);
        int stored = stored(a, first, axis);
        Dim size = Dim.ZERO;
        List<Integer> operands = new ArrayList<>();
        for (Value part : parts) {
            Value.Array x = tensor(a, part, "parts");
            List<Axis> other = new ArrayList<>(x.axes());
            boolean fits = x.rank() == first.rank() && x.dtype() == first.dtype();
            if (fits) {
                stored(a, x, axis);
                size = size.plus(other.get(axis).stored());
                other.set(axis, first.axes().get(axis));
            }
            if (!fits || !other.equals(first.axes())) {
                throw StagingError.of(
                        "TFX0301",
                        a.span(),
                        "concat along axis " + axis + ": " + first.describe() + " and " + x.describe() + " do not fit",
                        "all other dimensions and the element types must be equal");
            }
            operands.add(x.node().id());
        }
        List<Axis> axes = new ArrayList<>(first.axes());
        axes.set(axis, new Axis.Plain(size));
        return stager.tensors().array(stager.graph().add(new Op.Concat(stored), operands, a.span()), axes);
    }

    /// `window(x, axis, size, stride = 1, dilation = 1)`: one dimension becomes two, windows and places in them.
    private static Value window(Stager stager, Arguments a) {
        Value.Array x = a.array(0, "x");
        int axis = a.axis(1, "axis", x, -1);
        int stored = stored(a, x, axis);
        int size = a.integer(2, "size");
        int stride = a.integer(3, "stride", 1);
        int dilation = a.integer(4, "dilation", 1);
        if (size < 1 || stride < 1 || dilation < 1) {
            throw a.fail("size, stride and dilation are at least 1");
        }
        Dim reach = Dim.of((size - 1L) * dilation + 1);
        Dim count = x.axes()
                .get(axis)
                .stored()
                .minus(reach)
                .floorDivide(Dim.of(stride), s -> Optional.empty())
                .plus(1);
        if (count.constant().filter(c -> c < 0).isPresent()) {
            throw a.fail("a window of " + reach + " elements does not fit " + x.describe());
        }
        List<Axis> axes = new ArrayList<>(x.axes());
        axes.set(axis, new Axis.Plain(count));
        axes.add(axis + 1, new Axis.Plain(Dim.of(size)));
        TensorType type = new TensorType(x.dtype(), Tensors.stored(axes));
        Op op = new Op.Window(stored, stride, dilation);
        return stager.tensors().array(stager.graph().add(op, List.of(x.node().id()), type, a.span()), axes);
    }

    private static Value broadcastTo(Stager stager, Arguments a) {
        Value.Array x = a.array(0, "x");
        List<Axis> shape = Builtins.sizes(a, 1, "shape");
        Value.Array like = filled(stager, a, new Value.Truth(true), DType.BOOL, shape);
        if (x.rank() > shape.size()) {
            throw a.fail("the shape has fewer dimensions than " + x.describe());
        }
        return stager.tensors().align(List.of(x, like), a.span()).getFirst();
    }

    private static Value full(Stager stager, Arguments a) {
        List<Axis> shape = Builtins.sizes(a, 0, "shape");
        Value value = a.get(1, "value");
        DType dtype = a.find(2, "dtype")
                .map(v -> v instanceof Value.TypeName t ? t.dtype() : noType(a))
                .orElse(
                        value instanceof Value.Array x
                                ? x.dtype()
                                : value instanceof Value.Truth ? DType.BOOL : DType.F32);
        return filled(stager, a, value, dtype, shape);
    }

    private static DType noType(Arguments a) {
        throw a.fail("argument 'dtype' must be an element type, such as f32");
    }

    private static Value.Array filled(Stager stager, Arguments a, Value value, DType dtype, List<Axis> shape) {
        Value.Array scalar = stager.scalar(value, dtype, a.span());
        if (scalar.rank() != 0 || scalar.dtype() != dtype) {
            throw a.fail("the value must be one " + dtype + ", not " + scalar.describe());
        }
        return stager.tensors()
                .array(stager.graph().broadcast(scalar.node(), Tensors.stored(shape), List.of(), a.span()), shape);
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
        stored(a, x, axis);
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
        stored(a, x, axis);
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
    /// (ONNX's
    /// `GatherND`).
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
    /// into
    /// the first dimensions taken as one; a coordinate outside its dimension makes that index -1, which fails the
    /// run.
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

    /// `argsort(x, axis = -1, descending = False)`: stable; NaN is above all numbers.
    private static Value argsort(Stager stager, Arguments a) {
        Value.Array x = a.array(0, "x");
        int axis = a.axis(1, "axis", x, -1);
        Op op = new Op.Sort(stored(a, x, axis), a.truth(2, "descending", false));
        return stager.tensors().array(stager.graph().add(op, List.of(x.node().id()), a.span()), x.axes());
    }

    private static Value scan(ReduceFn fn, Stager stager, Arguments a) {
        Value.Array x = a.array(0, "x");
        int axis = a.axis(1, "axis", x, -1);
        if (!fn.accepts(x.dtype())) {
            throw StagingError.of(
                    "TFX0303",
                    a.span(),
                    "cum" + fn.text() + " is not defined on " + x.dtype(),
                    Tensors.castHelp(x.dtype()));
        }
        boolean reverse = a.truth(2, "reverse", false);
        Op op = new Op.Scan(fn, stored(a, x, axis), reverse, a.truth(3, "exclusive", false));
        return stager.tensors().array(stager.graph().add(op, List.of(x.node().id()), a.span()), x.axes());
    }
}
