package tfx.frontend.stage;

import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;
import tfx.ir.BinaryFn;
import tfx.ir.ReduceFn;
import tfx.ir.Span;
import tfx.ir.UnaryFn;
import tfx.ir.sequence.AtomFn;
import tfx.ir.sequence.SequenceGraph;
import tfx.runtime.DType;
import tfx.runtime.Dim;

/// The functions every program sees. Whatever can be written in tfx is in the stdlib instead.
public final class Builtins {
    /// What a primitive does.
    @FunctionalInterface
    public interface Body {
        Value apply(Stager stager, Arguments arguments);
    }

    private Builtins() {}

    /// A scope with all primitives.
    public static Scope scope(SequenceGraph graph) {
        Scope scope = new Scope();
        Sequences.define(scope, graph);
        for (DType dtype : DType.values()) {
            scope.set(dtype.toString(), new Value.TypeName(dtype));
        }
        scope.set("inf", new Value.Real(Double.POSITIVE_INFINITY));
        scope.set("pi", new Value.Real(Math.PI));
        for (UnaryFn fn : UnaryFn.values()) {
            if (fn != UnaryFn.NEG && fn != UnaryFn.NOT) {
                define(scope, fn.text(), (s, a) -> unary(fn, s, a));
            }
        }
        for (ReduceFn fn : List.of(ReduceFn.SUM, ReduceFn.PROD, ReduceFn.ANY, ReduceFn.ALL)) {
            define(scope, fn.text(), (s, a) -> reduce(fn, s, a));
        }
        define(scope, "max", (s, a) -> extreme(ReduceFn.MAX, s, a));
        define(scope, "min", (s, a) -> extreme(ReduceFn.MIN, s, a));
        define(scope, "mean", Builtins::mean);
        define(scope, "where", Builtins::where);
        define(scope, "select", Builtins::select);
        define(scope, "positions", Builtins::positions);
        define(scope, "transpose", Builtins::transpose);
        define(scope, "permute", Builtins::permute);
        define(scope, "reshape", Builtins::reshape);
        define(scope, "unflatten", Builtins::unflatten);
        define(scope, "flatten", Builtins::flatten);
        define(scope, "einsum", Einsum::apply);
        define(scope, "size", Builtins::size);
        define(
                scope,
                "is_float",
                (s, a) -> new Value.Truth(a.array(0, "x").dtype().isFloat()));
        define(scope, "dtype", (s, a) -> new Value.TypeName(a.array(0, "x").dtype()));
        for (BinaryFn fn : List.of(
                BinaryFn.ATAN2,
                BinaryFn.LOGADDEXP,
                BinaryFn.BIT_AND,
                BinaryFn.BIT_OR,
                BinaryFn.BIT_XOR,
                BinaryFn.SHIFT_LEFT,
                BinaryFn.SHIFT_RIGHT,
                BinaryFn.THREEFRY)) {
            define(scope, fn.text(), (s, a) -> binary(fn, s, a));
        }
        Placements.define(scope);
        Lookups.define(scope);
        Loops.define(scope);
        define(scope, "rank", (s, a) -> new Value.Whole(Dim.of(a.array(0, "x").rank())));
        define(scope, "range", Builtins::range);
        define(scope, "len", (s, a) -> new Value.Whole(Dim.of(a.items(0, "list").size())));
        return scope;
    }

    static void define(Scope scope, String name, Body body) {
        scope.set(name, new Value.Primitive(name, (stager, arguments) -> {
            Value value = body.apply(stager, arguments);
            arguments.done();
            return value;
        }));
    }

    private static Value unary(UnaryFn fn, Stager stager, Arguments a) {
        Value x = a.get(0, "x");
        if (x instanceof Value.Array array) {
            return stager.tensors().unary(fn, array, a.span());
        }
        if (x instanceof Value.Sequence && fn == UnaryFn.ROUND) {
            return Sequences.map(AtomFn.ROUND, x, a.span());
        }
        DoubleUnaryOperator reference = fn::apply;
        double number =
                Operators.real(x).orElseThrow(() -> a.fail("it takes a tensor or a number, not " + x.describe()));
        return new Value.Real(reference.applyAsDouble(number));
    }

    private static Value binary(BinaryFn fn, Stager stager, Arguments a) {
        Value left = a.get(0, "a");
        Value right = a.get(1, "b");
        DType dtype = left instanceof Value.Array x
                ? x.dtype()
                : right instanceof Value.Array y ? y.dtype() : fail(a, "a", "one side must be a tensor");
        return stager.tensors()
                .binary(fn, stager.scalar(left, dtype, a.span()), stager.scalar(right, dtype, a.span()), a.span());
    }

    private static DType fail(Arguments a, String name, String why) {
        throw a.fail("argument '" + name + "': " + why);
    }

    private static Value reduce(ReduceFn fn, Stager stager, Arguments a) {
        Value.Array x = a.array(0, "x");
        if (a.find(1, "axis").orElse(new Value.Nothing()) instanceof Value.Items axes) {
            return several(fn, stager, a, x, axes);
        }
        int axis = a.axis(1, "axis", x, -1);
        Value.Array result = stager.products().reduce(fn, x, axis, a.span());
        return a.truth(2, "keep", false) ? keep(stager, result, axis, a.span()) : result;
    }

    /// Reduces over a list of axes, the last first.
    private static Value several(ReduceFn fn, Stager stager, Arguments a, Value.Array x, Value.Items axes) {
        List<Integer> sorted = axes.items().stream()
                .map(v -> a.resolve("axis", v, x))
                .distinct()
                .sorted(java.util.Comparator.reverseOrder())
                .toList();
        boolean keep = a.truth(2, "keep", false);
        Value.Array result = x;
        for (int axis : sorted) {
            result = stager.products().reduce(fn, result, axis, a.span());
            result = keep ? keep(stager, result, axis, a.span()) : result;
        }
        return result;
    }

    /// Puts a dimension of size 1 where one was reduced.
    private static Value.Array keep(Stager stager, Value.Array x, int axis, Span span) {
        List<Axis> axes = new ArrayList<>(x.axes());
        axes.add(axis, new Axis.Plain(Dim.ONE));
        return stager.tensors().reshape(x, axes, span);
    }

    /// `max(x, axis=-1, keep=False)` reduces; `max(a, b)` is element by element.
    private static Value extreme(ReduceFn fn, Stager stager, Arguments a) {
        if (a.count() < 2) {
            return reduce(fn, stager, a);
        }
        Value left = a.get(0, "a");
        Value right = a.get(1, "b");
        if (left instanceof Value.Array || right instanceof Value.Array) {
            DType dtype = left instanceof Value.Array x ? x.dtype() : ((Value.Array) right).dtype();
            Value.Array x = stager.scalar(left, dtype, a.span());
            Value.Array y = stager.scalar(right, dtype, a.span());
            return stager.tensors().binary(fn.combine(), x, y, a.span());
        }
        double x = Operators.real(left).orElseThrow(() -> a.fail("it takes numbers or tensors"));
        double y = Operators.real(right).orElseThrow(() -> a.fail("it takes numbers or tensors"));
        return fn.combine().apply(x, y) == x ? left : right;
    }

    private static Value mean(Stager stager, Arguments a) {
        Value.Array x = a.array(0, "x");
        int axis = a.axis(1, "axis", x, -1);
        if (!x.dtype().isFloat()) {
            throw StagingError.of(
                    "TFX0303", a.span(), "mean is not defined on " + x.dtype(), Tensors.castHelp(x.dtype()));
        }
        Value.Array total = stager.products().reduce(ReduceFn.SUM, x, axis, a.span());
        Value count = x.axes().get(axis) instanceof Axis.Rows rows
                ? lengths(stager, total, rows.ragged(), x.dtype(), a.span())
                : new Value.Whole(x.axes().get(axis).stored());
        Value.Array mean =
                stager.tensors().binary(BinaryFn.DIV, total, stager.scalar(count, x.dtype(), a.span()), a.span());
        return a.truth(2, "keep", false) ? keep(stager, mean, axis, a.span()) : mean;
    }

    /// The lengths of a ragged dimension, shaped to divide a tensor reduced over it.
    private static Value lengths(Stager stager, Value.Array total, Axis.Ragged ragged, DType dtype, Span span) {
        Value.Array lengths = (Value.Array) stager.operators().cast(new Value.RaggedSize(ragged), dtype, span);
        List<Axis> axes = new ArrayList<>();
        for (Axis axis : total.axes()) {
            boolean batch = axis instanceof Axis.Batch b && b.ragged().equals(ragged)
                    || axis.equals(new Axis.Plain(ragged.batch()));
            if (batch || !axes.isEmpty()) {
                axes.add(axes.isEmpty() ? new Axis.Plain(ragged.batch()) : new Axis.Plain(Dim.ONE));
            }
        }
        return stager.tensors().reshape(lengths, axes, span);
    }

    private static Value where(Stager stager, Arguments a) {
        if (Sequences.any(a.get(0, "condition"), a.get(1, "a"), a.get(2, "b"))) {
            return Sequences.where(a.get(0, "condition"), a.get(1, "a"), a.get(2, "b"), a.span());
        }
        Value.Array condition = a.array(0, "condition");
        Value left = a.get(1, "a");
        Value right = a.get(2, "b");
        DType dtype = left instanceof Value.Array x
                ? x.dtype()
                : right instanceof Value.Array y
                        ? y.dtype()
                        : left instanceof Value.Truth
                                ? DType.BOOL
                                : left instanceof Value.Whole && right instanceof Value.Whole ? DType.I32 : DType.F32;
        return stager.tensors()
                .select(
                        condition,
                        stager.scalar(left, dtype, a.span()),
                        stager.scalar(right, dtype, a.span()),
                        a.span());
    }

    private static Value select(Stager stager, Arguments a) {
        BinaryFn fn = Stager.comparator(a.get(2, "op"), a.span());
        Value keys = a.get(0, "keys");
        Value queries = a.get(1, "queries");
        if (Sequences.any(keys, queries)) {
            return Sequences.select(fn, keys, queries, a.span());
        }
        return stager.tensors().selector(a.array(0, "keys"), a.array(1, "queries"), fn, a.span());
    }

    private static Value positions(Stager stager, Arguments a) {
        Value size = a.get(0, "size");
        boolean negative = size instanceof Value.Whole w
                && w.dim().constant().filter(c -> c < 0).isPresent();
        if (negative || !(size instanceof Value.RaggedSize) && !(size instanceof Value.Whole)) {
            throw a.fail("it takes a size, not " + size.describe());
        }
        return stager.tensors().positions(size, a.span());
    }

    private static Value transpose(Stager stager, Arguments a) {
        Value.Array x = a.array(0, "x");
        if (x.rank() < 2) {
            throw a.fail("it swaps the last two dimensions, and " + x.describe() + " has fewer");
        }
        List<Integer> order =
                new ArrayList<>(IntStream.range(0, x.rank()).boxed().toList());
        java.util.Collections.swap(order, x.rank() - 1, x.rank() - 2);
        return stager.tensors().permute(x, order, a.span());
    }

    private static Value permute(Stager stager, Arguments a) {
        Value.Array x = a.array(0, "x");
        List<Integer> order = integers(a, 1, "order");
        List<Integer> all = IntStream.range(0, x.rank()).boxed().toList();
        if (!order.stream().sorted().toList().equals(all)) {
            throw a.fail("the order must name each of the " + x.rank() + " dimensions of " + x.describe() + " once");
        }
        return stager.tensors().permute(x, order, a.span());
    }

    private static List<Integer> integers(Arguments a, int position, String name) {
        return a.items(position, name).stream()
                .map(v -> v instanceof Value.Whole w
                        ? w.dim()
                                .constant()
                                .filter(c -> Math.abs(c) < Integer.MAX_VALUE)
                                .map(Long::intValue)
                                .orElseThrow(() -> a.fail("argument '" + name + "' must hold small integers"))
                        : fail(a, name))
                .toList();
    }

    private static int fail(Arguments a, String name) {
        throw a.fail("argument '" + name + "' must hold integers");
    }

    static List<Axis> sizes(Arguments a, int position, String name) {
        List<Axis> axes = new ArrayList<>();
        for (Value value : a.items(position, name)) {
            if (!(value instanceof Value.Whole w)
                    || w.dim().constant().filter(c -> c < 0).isPresent()) {
                throw a.fail("argument '" + name + "' must hold sizes, not " + value.describe());
            }
            axes.add(new Axis.Plain(w.dim()));
        }
        return axes;
    }

    private static Value reshape(Stager stager, Arguments a) {
        Value.Array x = a.array(0, "x");
        List<Axis> axes = sizes(a, 1, "shape");
        if (x.axes().stream().anyMatch(axis -> !(axis instanceof Axis.Plain))) {
            throw a.fail("it takes no ragged tensor; flatten and unflatten keep ragged dimensions in place");
        }
        requireCount(a, x.axes(), axes, x);
        return stager.tensors().reshape(x, axes, a.span());
    }

    private static void requireCount(Arguments a, List<Axis> from, List<Axis> to, Value.Array x) {
        Dim before = from.stream().map(Axis::stored).reduce(Dim.ONE, Dim::times);
        Dim after = to.stream().map(Axis::stored).reduce(Dim.ONE, Dim::times);
        if (!before.equals(after)) {
            throw StagingError.of(
                    "TFX0301",
                    a.span(),
                    "the sizes " + to + " hold " + after + " elements, " + before + " are given in " + x.describe(),
                    "");
        }
    }

    private static Value unflatten(Stager stager, Arguments a) {
        Value.Array x = a.array(0, "x");
        int axis = a.axis(1, "axis", x, -1);
        List<Axis> parts = sizes(a, 2, "sizes");
        if (!(x.axes().get(axis) instanceof Axis.Plain)) {
            throw a.fail("axis " + axis + " of " + x.describe() + " is ragged");
        }
        requireCount(a, List.of(x.axes().get(axis)), parts, x);
        List<Axis> axes = new ArrayList<>(x.axes());
        axes.remove(axis);
        axes.addAll(axis, parts);
        return stager.tensors().reshape(x, axes, a.span());
    }

    private static Value flatten(Stager stager, Arguments a) {
        Value.Array x = a.array(0, "x");
        int from = a.axis(1, "from", x, 0);
        int to = a.axis(2, "to", x, -1);
        List<Axis> merged = x.axes().subList(from, Math.max(from, to + 1));
        if (merged.isEmpty() || merged.stream().anyMatch(axis -> !(axis instanceof Axis.Plain))) {
            throw a.fail("dimensions " + from + " to " + to + " of " + x.describe() + " cannot be merged");
        }
        List<Axis> axes = new ArrayList<>(x.axes().subList(0, from));
        axes.add(new Axis.Plain(merged.stream().map(Axis::stored).reduce(Dim.ONE, Dim::times)));
        axes.addAll(x.axes().subList(to + 1, x.rank()));
        return stager.tensors().reshape(x, axes, a.span());
    }

    private static Value size(Stager stager, Arguments a) {
        Value.Array x = a.array(0, "x");
        Axis axis = x.axes().get(a.axis(1, "axis", x, -1));
        return switch (axis) {
            case Axis.Plain p -> new Value.Whole(p.size());
            case Axis.Batch b -> new Value.Whole(b.ragged().batch());
            case Axis.Rows r -> new Value.RaggedSize(r.ragged());
        };
    }

    private static Value range(Stager stager, Arguments a) {
        int first = a.integer(0, "start");
        int from = a.count() > 1 ? first : 0;
        int to = a.count() > 1 ? a.integer(1, "stop") : first;
        int step = a.count() > 2 ? a.integer(2, "step") : 1;
        if (step == 0 || Math.abs((long) to - from) / Math.abs((long) step) > Stager.MAX_ITEMS) {
            throw a.fail("it makes at most " + Stager.MAX_ITEMS + " numbers, with a step that is not 0");
        }
        List<Value> items = new ArrayList<>();
        for (long i = from; step > 0 ? i < to : i > to; i += step) {
            items.add(new Value.Whole(Dim.of(i)));
        }
        return new Value.Items(items);
    }

    /// The names of all primitives, for documentation and tests.
    public static List<String> names() {
        return scope(new SequenceGraph()).own().keySet().stream().sorted().toList();
    }
}
