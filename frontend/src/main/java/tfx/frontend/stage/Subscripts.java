package tfx.frontend.stage;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import tfx.frontend.ast.Expr;
import tfx.ir.BinaryFn;
import tfx.ir.Span;
import tfx.ir.graph.GraphBuilder;
import tfx.ir.graph.Node;
import tfx.ir.graph.Op;
import tfx.runtime.DType;
import tfx.runtime.Dim;
import tfx.runtime.TensorType;

/// `x[...]` on a tensor: integers drop a dimension, slices cut one, `none` adds one, `...` stands for those not
/// named; or one integer tensor, which looks up rows of the first dimension.
///
/// Unlike NumPy's, bounds are never cut to the tensor: what lies outside is an error, of the program where sizes
/// are known, of the call where they are not.
final class Subscripts {
    private static final long MAX_STEP = 1 << 20;

    private final Stager stager;
    private final Value.Array x;
    private final Expr.Index index;
    private final Scope scope;
    private final List<Dim> starts = new ArrayList<>();
    private final List<Integer> steps = new ArrayList<>();
    private final List<Axis> sliced = new ArrayList<>();
    private final List<Axis> result = new ArrayList<>();
    private Optional<Integer> row = Optional.empty();

    Subscripts(Stager stager, Value.Array x, Expr.Index index, Scope scope) {
        this.stager = stager;
        this.x = x;
        this.index = index;
        this.scope = scope;
    }

    private StagingError fail(Span span, String message, String help) {
        return StagingError.of("TFX0214", span, message, help);
    }

    Value apply() {
        List<Expr> indices = index.indices();
        if (indices.size() == 1 && !(indices.getFirst() instanceof Expr.Slice || isMark(indices.getFirst()))) {
            Value only = stager.evaluate(indices.getFirst(), scope);
            if (only instanceof Value.Array at) {
                return stager.tensors().gather(x, at, index.span());
            }
        }
        long named = indices.stream().filter(e -> !isMark(e)).count();
        if (named > x.rank()) {
            throw fail(index.span(), named + " subscripts for " + x.describe(), "");
        }
        int axis = 0;
        boolean ellipsis = false;
        for (Expr expr : indices) {
            if (expr instanceof Expr.Nothing) {
                result.add(new Axis.Plain(Dim.ONE));
            } else if (expr instanceof Expr.Ellipsis) {
                if (ellipsis) {
                    throw fail(expr.span(), "... stands once in brackets", "");
                }
                ellipsis = true;
                for (long rest = x.rank() - named; rest > 0; rest--) {
                    whole(axis++);
                }
            } else if (expr instanceof Expr.Slice slice) {
                slice(axis++, slice);
            } else {
                element(axis++, expr);
            }
        }
        while (axis < x.rank()) {
            whole(axis++);
        }
        return row.isPresent() ? rowOfEach() : cut();
    }

    private static boolean isMark(Expr expr) {
        return expr instanceof Expr.Nothing || expr instanceof Expr.Ellipsis;
    }

    private void whole(int axis) {
        Axis own = x.axes().get(axis);
        keep(own, own, Dim.ZERO, 1);
    }

    private void keep(Axis own, Axis made, Dim start, int step) {
        result.add(made);
        add(made, start, step, own.isStored());
    }

    private void add(Axis made, Dim start, int step, boolean stored) {
        if (stored) {
            starts.add(start);
            steps.add(step);
        }
        sliced.add(made);
    }

    private void element(int axis, Expr expr) {
        Axis own = x.axes().get(axis);
        Value value = stager.evaluate(expr, scope);
        if (!(value instanceof Value.Whole w)) {
            throw fail(
                    expr.span(),
                    "a subscript among several must be an integer or a slice, not " + value.describe(),
                    "take, take_along and gather_nd look up by tensors");
        }
        if (own instanceof Axis.Rows && w.dim().constant().isPresent()) {
            row = Optional.of(Math.toIntExact(w.dim().constant().get()));
            sliced.add(own);
            return;
        }
        Dim size = ordinary(own, expr.span());
        Dim at = place(w.dim(), size);
        if (at.constant().isPresent() && size.constant().isPresent()) {
            long i = at.constant().get();
            if (i < 0 || i >= size.constant().get()) {
                throw StagingError.of(
                        "TFX0213", expr.span(), "index " + w.dim() + " is outside the dimension of " + size, "");
            }
        }
        add(new Axis.Plain(Dim.ONE), at, 1, true);
    }

    private Dim ordinary(Axis axis, Span span) {
        if (axis instanceof Axis.Plain p) {
            return p.size();
        }
        throw fail(
                span,
                "the ragged dimension " + axis + " of " + x.describe() + " cannot be cut",
                "x[:, 0] is the first row of each entry; masks choose among rows: where(positions(S) < n, ...)");
    }

    /// Negative constants count from the end.
    private static Dim place(Dim given, Dim size) {
        return given.constant().filter(c -> c < 0).isPresent() ? size.plus(given) : given;
    }

    private void slice(int axis, Expr.Slice slice) {
        Axis own = x.axes().get(axis);
        if (slice.from().isEmpty() && slice.to().isEmpty() && slice.step().isEmpty()) {
            whole(axis);
            return;
        }
        Dim size = ordinary(own, slice.span());
        int step = slice.step()
                .map(e -> whole(e).constant()
                        .filter(c -> c != 0 && c > -MAX_STEP && c < MAX_STEP)
                        .map(Long::intValue)
                        .orElseThrow(() -> fail(e.span(), "a step is an integer other than 0", "")))
                .orElse(1);
        Dim from = slice.from().map(e -> place(whole(e), size)).orElse(step > 0 ? Dim.ZERO : size.plus(-1));
        Dim to = slice.to().map(e -> place(whole(e), size)).orElse(step > 0 ? size : Dim.of(-1));
        Dim length = step > 0 ? to.minus(from) : from.minus(to);
        Dim count = length.plus(Math.abs(step) - 1L).floorDivide(Dim.of(Math.abs(step)), s -> Optional.empty());
        if (count.constant().filter(c -> c < 0).isPresent()) {
            count = Dim.ZERO;
        }
        check(from, count, step, size, slice.span());
        keep(own, new Axis.Plain(count), from, step);
    }

    private Dim whole(Expr expr) {
        Value value = stager.evaluate(expr, scope);
        if (value instanceof Value.Whole w) {
            return w.dim();
        }
        throw fail(expr.span(), "a bound of a slice is an integer or a size, not " + value.describe(), "");
    }

    private void check(Dim from, Dim count, int step, Dim size, Span span) {
        Optional<Long> n = count.constant();
        Optional<Long> first = from.constant();
        if (n.isEmpty() || first.isEmpty() || size.constant().isEmpty() || n.get() == 0) {
            return;
        }
        long last = first.get() + (n.get() - 1) * step;
        if (Math.min(first.get(), last) < 0
                || Math.max(first.get(), last) >= size.constant().get()) {
            throw StagingError.of(
                    "TFX0213",
                    span,
                    "the slice takes elements " + first.get() + " to " + last + " of a dimension of " + size,
                    "bounds are not cut to the tensor");
        }
    }

    private Value cut() {
        GraphBuilder graph = stager.graph();
        Node node = x.node();
        TensorType type = new TensorType(x.dtype(), Tensors.stored(sliced));
        boolean same = type.equals(node.type())
                && starts.stream().allMatch(Dim.ZERO::equals)
                && Collections.frequency(steps, 1) == steps.size();
        if (!same) {
            node = graph.add(new Op.Slice(starts, steps), List.of(node.id()), type, index.span());
        }
        return stager.tensors().array(graph.reshape(node, Tensors.stored(result), index.span()), result);
    }

    /// Row `i` of each entry of a ragged dimension; an entry that has none fails the run.
    private Value rowOfEach() {
        int at = sliced.indexOf(x.axes().stream()
                .filter(a -> a instanceof Axis.Rows)
                .findFirst()
                .orElseThrow());
        boolean plain = at == 1 && result.size() == x.rank() - 1 && result.getFirst() instanceof Axis.Batch;
        if (!plain || steps.stream().anyMatch(s -> s != 1) || starts.stream().anyMatch(s -> !s.equals(Dim.ZERO))) {
            throw fail(
                    index.span(),
                    "x[:, i] takes a row of each entry, and nothing else in the same brackets",
                    "give the rows a name and index that");
        }
        GraphBuilder graph = stager.graph();
        Span span = index.span();
        Axis.Ragged ragged = ((Axis.Rows) x.axes().get(1)).ragged();
        Value.Array lengths = stager.tensors().lengths(ragged, span);
        List<Dim> shape = lengths.node().type().shape();
        Node entry = graph.add(new Op.Iota(), List.of(), lengths.node().type(), span);
        Node begins = graph.add(new Op.Gather(), List.of(ragged.offsets().id(), entry.id()), span);
        int i = row.orElseThrow();
        Node number = graph.broadcast(graph.constant(DType.I32, (long) i, span), shape, List.of(), span);
        Node within = i >= 0 ? number : graph.binary(BinaryFn.ADD, lengths.node(), number, span);
        Node zero = graph.broadcast(graph.constant(DType.I32, 0L, span), shape, List.of(), span);
        Node minus = graph.broadcast(graph.constant(DType.I32, -1L, span), shape, List.of(), span);
        Node inside = graph.binary(
                BinaryFn.AND,
                graph.binary(BinaryFn.LT, within, lengths.node(), span),
                graph.binary(BinaryFn.GE, within, zero, span),
                span);
        Node rows = graph.select(inside, graph.binary(BinaryFn.ADD, begins, within, span), minus, span);
        Node made = graph.add(new Op.Gather(), List.of(x.node().id(), rows.id()), span);
        List<Axis> axes = new ArrayList<>(result);
        axes.set(0, new Axis.Plain(ragged.batch()));
        return stager.tensors().array(made, axes);
    }

    /// A part of a list; bounds are cut to the list as in Python.
    static Value ofList(Stager stager, Value.Items list, Expr.Slice slice, Scope scope) {
        int size = list.items().size();
        long from = slice.from().map(e -> bound(stager, e, size, scope)).orElse(0L);
        long to = slice.to().map(e -> bound(stager, e, size, scope)).orElse((long) size);
        if (slice.step().isPresent()) {
            throw StagingError.of("TFX0214", slice.span(), "a list is sliced without a step", "use a comprehension");
        }
        return new Value.Items(from < to ? list.items().subList((int) from, (int) to) : List.of());
    }

    private static long bound(Stager stager, Expr expr, int size, Scope scope) {
        if (stager.evaluate(expr, scope) instanceof Value.Whole w
                && w.dim().constant().isPresent()) {
            long i = w.dim().constant().get();
            return Math.clamp(i < 0 ? i + size : i, 0, size);
        }
        throw StagingError.of("TFX0214", expr.span(), "a list is sliced by integers", "");
    }
}
