package tfx.frontend.stage;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import tfx.ir.BinaryFn;
import tfx.ir.Span;
import tfx.ir.UnaryFn;
import tfx.ir.graph.GraphBuilder;
import tfx.ir.graph.Node;
import tfx.ir.graph.Op;
import tfx.runtime.DType;
import tfx.runtime.Dim;
import tfx.runtime.TensorType;

/// Element-wise operations and views on run-time tensors: alignment of dimensions, and what ragged pairs mean for
/// packed storage. Contractions and reductions are in {@link Products}.
final class Tensors {
    private final GraphBuilder graph;

    Tensors(GraphBuilder graph) {
        this.graph = graph;
    }

    GraphBuilder graph() {
        return graph;
    }

    /// The stored dimensions of a list of axes.
    static List<Dim> stored(List<Axis> axes) {
        return axes.stream().filter(Axis::isStored).map(Axis::stored).toList();
    }

    /// The stored position of each axis, -1 for packed batch axes.
    static int[] positions(List<Axis> axes) {
        int[] positions = new int[axes.size()];
        int next = 0;
        for (int i = 0; i < positions.length; i++) {
            positions[i] = axes.get(i).isStored() ? next++ : -1;
        }
        return positions;
    }

    Value.Array array(Node node, List<Axis> axes) {
        return new Value.Array(node, axes, false);
    }

    Value.Array unary(UnaryFn fn, Value.Array x, Span span) {
        if (!fn.accepts(x.dtype())) {
            throw StagingError.of("TFX0303", span, fn.text() + " is not defined on " + x.dtype(), castHelp(x.dtype()));
        }
        return new Value.Array(graph.unary(fn, x.node(), span), x.axes(), x.selector());
    }

    static String castHelp(DType dtype) {
        return dtype.isFloat() ? "compare it with something, or convert with i32(x)" : "convert it first, with f32(x)";
    }

    /// A binary function of two tensors after aligning their dimensions.
    Value.Array binary(BinaryFn fn, Value.Array a, Value.Array b, Span span) {
        if (a.dtype() != b.dtype()) {
            throw StagingError.of(
                    "TFX0302",
                    span,
                    fn.text() + " takes two equal element types, not " + a.describe() + " and " + b.describe(),
                    "convert one side, for example " + b.dtype() + "(x); run-time types never convert by themselves");
        }
        if (!fn.accepts(a.dtype())) {
            String help = fn == BinaryFn.DIV && a.dtype().isInteger()
                    ? "use // for the integer quotient, or f32(x) / f32(y)"
                    : castHelp(a.dtype());
            throw StagingError.of("TFX0303", span, fn.text() + " is not defined on " + a.dtype(), help);
        }
        List<Value.Array> aligned = align(List.of(a, b), span);
        Node node = graph.binary(fn, aligned.get(0).node(), aligned.get(1).node(), span);
        return new Value.Array(node, aligned.getFirst().axes(), a.selector() && b.selector());
    }

    Value.Array select(Value.Array condition, Value.Array a, Value.Array b, Span span) {
        if (condition.dtype() != DType.BOOL || a.dtype() != b.dtype()) {
            throw StagingError.of(
                    "TFX0302",
                    span,
                    "where takes a bool and two equal types, not " + condition.describe() + ", " + a.describe() + ", "
                            + b.describe(),
                    "convert one arm, for example f32(x)");
        }
        List<Value.Array> all = align(List.of(condition, a, b), span);
        Node node =
                graph.select(all.get(0).node(), all.get(1).node(), all.get(2).node(), span);
        return array(node, all.getFirst().axes());
    }

    /// Brings tensors to one shape: dimensions align from the right, a size of 1 stretches, the batch dimensions
    /// of a selector align by name.
    List<Value.Array> align(List<Value.Array> operands, Span span) {
        int rank = operands.stream().mapToInt(Value.Array::rank).max().orElseThrow();
        requireBatches(operands, rank, span);
        List<Axis> axes = new ArrayList<>();
        for (int i = 0; i < rank; i++) {
            Axis axis = new Axis.Plain(Dim.ONE);
            for (Value.Array x : operands) {
                int own = place(x, rank, i, operands);
                if (own >= 0) {
                    axis = join(axis, x.axes().get(own), operands, span);
                }
            }
            axes.add(axis);
        }
        return operands.stream().map(x -> stretch(x, axes, operands, span)).toList();
    }

    /// The axis of `x` that stands at `target` of `rank` aligned axes, or -1.
    private static int place(Value.Array x, int rank, int target, List<Value.Array> all) {
        int shifted = target - (rank - x.rank());
        if (!x.selector() || x.rank() == rank || target >= rank - 2) {
            return shifted;
        }
        for (Value.Array other : all) {
            if (other.rank() == rank) {
                return batchPlaces(x, other).indexOf(target);
            }
        }
        return shifted;
    }

    /// For each batch axis of a selector, the axis of `other` that it names: the first that is equal and not named
    /// yet, or -1.
    private static List<Integer> batchPlaces(Value.Array selector, Value.Array other) {
        List<Integer> places = new ArrayList<>();
        for (int own = 0; own < selector.rank() - 2; own++) {
            int found = -1;
            for (int i = 0; i < other.rank() - 2 && found < 0; i++) {
                found = !places.contains(i)
                                && other.axes().get(i).equals(selector.axes().get(own))
                        ? i
                        : -1;
            }
            places.add(found);
        }
        return places;
    }

    /// Every batch axis of a selector must stand for one of what it filters.
    private static void requireBatches(List<Value.Array> operands, int rank, Span span) {
        for (Value.Array x : operands) {
            for (Value.Array other : operands) {
                boolean filters = x.selector() && x.rank() >= 2 && x.rank() < rank && other.rank() == rank;
                if (filters && batchPlaces(x, other).contains(-1)) {
                    throw StagingError.of(
                            "TFX0301",
                            span,
                            "the selector " + x.describe() + " has a batch dimension that " + other.describe()
                                    + " lacks",
                            "the batch dimensions of a selector align by name with those of what it filters");
                }
            }
        }
    }

    private static Axis join(Axis a, Axis b, List<Value.Array> operands, Span span) {
        if (a.isOne() || a.equals(b)) {
            return b;
        }
        if (b.isOne()) {
            return a;
        }
        if (a instanceof Axis.Batch batch
                && b instanceof Axis.Plain p
                && p.size().equals(batch.ragged().batch())) {
            return a;
        }
        if (b instanceof Axis.Batch batch
                && a instanceof Axis.Plain p
                && p.size().equals(batch.ragged().batch())) {
            return b;
        }
        List<String> shapes = operands.stream().map(Value.Array::describe).toList();
        throw StagingError.of(
                "TFX0301",
                span,
                "shapes " + String.join(" and ", shapes) + " differ: " + a + " against " + b,
                "dimensions align from the right; only a size of 1 stretches");
    }

    private Value.Array stretch(Value.Array x, List<Axis> axes, List<Value.Array> all, Span span) {
        List<Integer> targets = new ArrayList<>();
        List<Dim> kept = new ArrayList<>();
        boolean spread = false;
        for (int i = 0; i < axes.size(); i++) {
            int own = place(x, axes.size(), i, all);
            if (own < 0
                    || !x.axes().get(own).isStored()
                    || x.axes().get(own).isOne() && !axes.get(i).isOne()) {
                continue;
            }
            spread |= axes.get(i) instanceof Axis.Batch;
            targets.add(i);
            kept.add(x.axes().get(own).stored());
        }
        Node node = graph.reshape(x.node(), kept, span);
        if (spread) {
            node = spreadBatch(node, targets, axes, span);
        }
        int[] stored = positions(axes);
        List<Integer> places = targets.stream().map(t -> stored[t]).toList();
        return new Value.Array(graph.broadcast(node, stored(axes), places, span), axes, x.selector());
    }

    /// Repeats a value of each batch entry for each of the entry's rows; `targets` is updated to say so.
    private Node spreadBatch(Node node, List<Integer> targets, List<Axis> axes, Span span) {
        int at = IntStream.range(0, targets.size())
                .filter(i -> axes.get(targets.get(i)) instanceof Axis.Batch)
                .findFirst()
                .orElseThrow();
        Axis.Ragged ragged = ((Axis.Batch) axes.get(targets.get(at))).ragged();
        List<Integer> toFront = new ArrayList<>(List.of(at));
        IntStream.range(0, targets.size()).filter(i -> i != at).forEach(toFront::add);
        Node rows = graph.add(
                new Op.Gather(),
                List.of(
                        graph.transpose(node, toFront, span).id(),
                        ragged.rowIds().id()),
                span);
        int rowsAt = IntStream.range(0, axes.size())
                .filter(i -> axes.get(i) instanceof Axis.Rows)
                .findFirst()
                .orElseThrow();
        targets.remove(at);
        int insert = (int) targets.stream().filter(t -> t < rowsAt).count();
        targets.add(insert, rowsAt);
        List<Integer> back = new ArrayList<>();
        for (int i = 0; i < targets.size(); i++) {
            back.add(i == insert ? 0 : i < insert ? i + 1 : i);
        }
        return graph.transpose(rows, back, span);
    }

    /// `select(keys, queries, op)`: cell (query i, key j) is `keys[j] op queries[i]`.
    Value.Array selector(Value.Array keys, Value.Array queries, BinaryFn fn, Span span) {
        if (keys.rank() < 1 || queries.rank() < 1) {
            throw StagingError.of(
                    "TFX0304",
                    span,
                    "select takes one value for each position, not " + (keys.rank() < 1 ? keys : queries).describe(),
                    "");
        }
        List<Axis> rows = new ArrayList<>(queries.axes());
        rows.add(new Axis.Plain(Dim.ONE));
        Value.Array q = array(withOnes(queries.node(), rows, span), rows);
        List<Axis> columns = new ArrayList<>(keys.axes());
        columns.add(columns.size() - 1, new Axis.Plain(Dim.ONE));
        Value.Array k = array(withOnes(keys.node(), columns, span), columns);
        Value.Array cells = binary(fn, k, q, span);
        return new Value.Array(cells.node(), cells.axes(), true);
    }

    private Node withOnes(Node node, List<Axis> axes, Span span) {
        return graph.reshape(node, stored(axes), span);
    }

    /// Whether two packed rows belong to the same batch entry: `bool[total, total]`.
    Node sameEntry(Axis.Ragged ragged, Span span) {
        List<Dim> shape = List.of(ragged.total(), ragged.total());
        return graph.binary(
                BinaryFn.EQ,
                graph.broadcast(ragged.rowIds(), shape, List.of(0), span),
                graph.broadcast(ragged.rowIds(), shape, List.of(1), span),
                span);
    }

    /// Whether a packed row belongs to a batch entry: `bool[batch, total]`.
    Node inEntry(Axis.Ragged ragged, Span span) {
        List<Dim> shape = List.of(ragged.batch(), ragged.total());
        Node entries = graph.add(new Op.Iota(), List.of(), new TensorType(DType.I32, List.of(ragged.batch())), span);
        return graph.binary(
                BinaryFn.EQ,
                graph.broadcast(entries, shape, List.of(0), span),
                graph.broadcast(ragged.rowIds(), shape, List.of(1), span),
                span);
    }

    /// The position of each element: 0, 1, ... along a dimension, from 0 in each entry of a ragged one.
    Value.Array positions(Value size, Span span) {
        if (size instanceof Value.RaggedSize r) {
            Axis.Ragged ragged = r.ragged();
            TensorType type = new TensorType(DType.I32, List.of(ragged.total()));
            Node all = graph.add(new Op.Iota(), List.of(), type, span);
            Node begins = graph.add(
                    new Op.Gather(),
                    List.of(ragged.offsets().id(), ragged.rowIds().id()),
                    span);
            return array(
                    graph.binary(BinaryFn.SUB, all, begins, span),
                    List.of(new Axis.Batch(ragged), new Axis.Rows(ragged)));
        }
        Dim dim = ((Value.Whole) size).dim();
        Node node = graph.add(new Op.Iota(), List.of(), new TensorType(DType.I32, List.of(dim)), span);
        return array(node, List.of(new Axis.Plain(dim)));
    }

    /// The length of each entry of a ragged dimension: `i32[batch]`.
    Value.Array lengths(Axis.Ragged ragged, Span span) {
        TensorType type = new TensorType(DType.I32, List.of(ragged.batch()));
        Node entry = graph.add(new Op.Iota(), List.of(), type, span);
        Node one = graph.broadcast(graph.constant(DType.I32, 1, span), type.shape(), List.of(), span);
        Node next = graph.binary(BinaryFn.ADD, entry, one, span);
        int offsets = ragged.offsets().id();
        Node ends = graph.add(new Op.Gather(), List.of(offsets, next.id()), span);
        Node begins = graph.add(new Op.Gather(), List.of(offsets, entry.id()), span);
        return array(graph.binary(BinaryFn.SUB, ends, begins, span), List.of(new Axis.Plain(ragged.batch())));
    }

    Value.Array permute(Value.Array x, List<Integer> order, Span span) {
        int[] stored = positions(x.axes());
        List<Integer> permutation =
                order.stream().filter(i -> stored[i] >= 0).map(i -> stored[i]).toList();
        List<Axis> axes = order.stream().map(x.axes()::get).toList();
        return new Value.Array(graph.transpose(x.node(), permutation, span), axes, false);
    }

    /// Replaces one axis by several, or several by one; the count of elements stays.
    Value.Array reshape(Value.Array x, List<Axis> axes, Span span) {
        return array(graph.reshape(x.node(), stored(axes), span), axes);
    }

    /// Rows of the table's first dimension.
    Value.Array gather(Value.Array table, Value.Array indices, Span span) {
        requireIndex(indices, span);
        if (table.rank() < 1 || !(table.axes().getFirst() instanceof Axis.Plain)) {
            throw StagingError.of(
                    "TFX0304",
                    span,
                    "cannot look up rows of " + table.describe(),
                    "the first dimension of the table must be an ordinary one");
        }
        Node node = graph.add(
                new Op.Gather(), List.of(table.node().id(), indices.node().id()), span);
        List<Axis> axes = new ArrayList<>(indices.axes());
        axes.addAll(table.axes().subList(1, table.rank()));
        return array(node, axes);
    }

    static void requireIndex(Value.Array indices, Span span) {
        if (!indices.dtype().isInteger()) {
            throw StagingError.of(
                    "TFX0303",
                    span,
                    "an index must be an integer tensor, not " + indices.describe(),
                    "convert it with i32(x)");
        }
    }
}
