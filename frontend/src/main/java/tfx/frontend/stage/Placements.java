package tfx.frontend.stage;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tfx.ir.ReduceFn;
import tfx.ir.graph.Node;
import tfx.ir.graph.Op;
import tfx.runtime.DType;
import tfx.runtime.Dim;
import tfx.runtime.TensorType;

/// Primitives that place elements: joining, cutting, repeating, sorting, scanning. They work along ordinary
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
        Builtins.define(scope, "argsort", Placements::argsort);
        for (ReduceFn fn : ReduceFn.values()) {
            Builtins.define(scope, "cum" + fn.text(), (s, a) -> scan(fn, s, a));
        }
    }

    /// The stored position of an ordinary axis.
    static int stored(Arguments a, Value.Array x, int axis) {
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
            if (scalar.rank() != 0 || scalar.dtype() != dtype) {
                throw a.fail("it holds numbers, not " + scalar.describe() + "; stack joins tensors");
            }
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
