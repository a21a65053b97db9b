package tfx.frontend.stage;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tfx.ir.ReduceFn;
import tfx.ir.Span;
import tfx.ir.graph.GraphBuilder;
import tfx.ir.graph.Node;
import tfx.ir.graph.Op;
import tfx.runtime.DType;
import tfx.runtime.Dim;

/// Contractions and reductions of run-time tensors. Over a ragged dimension they run for each batch entry: in
/// packed storage that is a sum over all rows with those of other entries left out.
final class Products {
    private final Tensors tensors;
    private final GraphBuilder graph;

    Products(Tensors tensors) {
        this.tensors = tensors;
        this.graph = tensors.graph();
    }

    /// Reduces one axis.
    Value.Array reduce(ReduceFn fn, Value.Array x, int axis, Span span) {
        if (!fn.accepts(x.dtype())) {
            throw StagingError.of(
                    "TFX0303", span, fn.text() + " is not defined on " + x.dtype(), Tensors.castHelp(x.dtype()));
        }
        if (x.axes().get(axis) instanceof Axis.Batch) {
            throw StagingError.of(
                    "TFX0305",
                    span,
                    "cannot reduce over the batch dimension of the ragged " + x.describe(),
                    "reduce over its rows first");
        }
        Value.Array dense = x;
        int at = axis;
        if (x.axes().get(axis) instanceof Axis.Rows rows) {
            dense = masked(x, axis, rows.ragged(), fn, span);
            at = axis + (dense.rank() - x.rank());
        }
        int stored = Tensors.positions(dense.axes())[at];
        Node node = graph.add(
                new Op.Reduce(fn, List.of(stored)), List.of(dense.node().id()), span);
        List<Axis> axes = new ArrayList<>(dense.axes());
        axes.remove(at);
        return tensors.array(node, axes);
    }

    /// Replaces elements that belong to another batch entry by the reduction's identity. Where no second ragged
    /// axis tells the entry, the batch axis becomes an ordinary one.
    private Value.Array masked(Value.Array x, int axis, Axis.Ragged ragged, ReduceFn fn, Span span) {
        DType dtype = x.dtype();
        Node identity = dtype.isFloat()
                ? graph.constant(dtype, fn.floatIdentity(), span)
                : graph.constant(dtype, fn.integerIdentity(dtype), span);
        int[] stored = Tensors.positions(x.axes());
        Optional<Integer> other = otherRows(x, axis, ragged);
        List<Axis> axes = new ArrayList<>(x.axes());
        Node value = x.node();
        Node mask;
        List<Integer> places;
        if (other.isPresent()) {
            mask = tensors.sameEntry(ragged, span);
            int a = stored[other.get()];
            int b = stored[axis];
            mask = a < b ? mask : graph.transpose(mask, List.of(1, 0), span);
            places = List.of(Math.min(a, b), Math.max(a, b));
        } else {
            int batch = axes.indexOf(new Axis.Batch(ragged));
            axes.set(batch, new Axis.Plain(ragged.batch()));
            int[] now = Tensors.positions(axes);
            List<Integer> kept = new ArrayList<>();
            for (int i = 0; i < now.length; i++) {
                if (i != batch && now[i] >= 0) {
                    kept.add(now[i]);
                }
            }
            value = graph.broadcast(value, Tensors.stored(axes), kept, span);
            mask = tensors.inEntry(ragged, span);
            int a = now[batch];
            int b = now[axis];
            mask = a < b ? mask : graph.transpose(mask, List.of(1, 0), span);
            places = List.of(Math.min(a, b), Math.max(a, b));
        }
        List<Dim> shape = Tensors.stored(axes);
        Node select = graph.select(
                graph.broadcast(mask, shape, places, span),
                value,
                graph.broadcast(identity, shape, List.of(), span),
                span);
        return tensors.array(select, axes);
    }

    private static Optional<Integer> otherRows(Value.Array x, int axis, Axis.Ragged ragged) {
        for (int i = 0; i < x.rank(); i++) {
            if (i != axis && x.axes().get(i).equals(new Axis.Rows(ragged))) {
                return Optional.of(i);
            }
        }
        return Optional.empty();
    }

    /// The matrix product of the last two dimensions; dimensions before them are batches and align from the
    /// right.
    Value.Array matmul(Value.Array a, Value.Array b, Span span) {
        if (a.rank() < 2 || b.rank() < 2) {
            throw StagingError.of(
                    "TFX0304",
                    span,
                    "@ takes tensors of two or more dimensions, not " + a.describe() + " and " + b.describe(),
                    "use sum(x * y) for a product of vectors");
        }
        int batches = Math.max(a.rank(), b.rank()) - 2;
        StringBuilder lhs = new StringBuilder();
        StringBuilder rhs = new StringBuilder();
        StringBuilder out = new StringBuilder();
        char label = 'a';
        for (int i = 0; i < batches; i++) {
            int inA = i - (batches - (a.rank() - 2));
            int inB = i - (batches - (b.rank() - 2));
            lhs.append(inA >= 0 ? Character.toString(label) : "");
            rhs.append(inB >= 0 ? Character.toString(label) : "");
            out.append(label++);
        }
        return contract(lhs + "xy", rhs + "yz", out + "xz", a, b, span);
    }

    /// A contraction by labels: one letter for each axis; those missing in the result are summed over.
    Value.Array contract(String lhs, String rhs, String out, Value.Array a, Value.Array b, Span span) {
        if (a.dtype() != b.dtype() || a.dtype() == DType.BOOL) {
            throw StagingError.of(
                    "TFX0302",
                    span,
                    "a product takes two equal number types, not " + a.describe() + " and " + b.describe(),
                    "convert one side, for example f32(x)");
        }
        requireEntries(lhs, a, out, span);
        requireEntries(rhs, b, out, span);
        Map<Character, Axis> axes = new LinkedHashMap<>();
        Value.Array left = squeezed(lhs, a, rhs, b, axes, span);
        Value.Array right = squeezed(rhs, b, lhs, a, axes, span);
        for (char c : axes.keySet()) {
            if (axes.get(c) instanceof Axis.Rows rows && out.indexOf(c) < 0) {
                boolean inLeft = lhs.indexOf(c) >= 0;
                Value.Array side = inLeft ? left : right;
                String labels = inLeft ? kept(lhs, a, axes) : kept(rhs, b, axes);
                Value.Array clean = masked(side, labels.indexOf(c), rows.ragged(), ReduceFn.SUM, span);
                if (clean.axes().stream().noneMatch(x -> x.equals(new Axis.Batch(rows.ragged())))) {
                    axes.entrySet().stream()
                            .filter(e -> e.getValue().equals(new Axis.Batch(rows.ragged())))
                            .forEach(
                                    e -> e.setValue(new Axis.Plain(rows.ragged().batch())));
                }
                left = inLeft ? clean : left;
                right = inLeft ? right : clean;
            }
        }
        String l = storedLabels(kept(lhs, a, axes), left);
        String r = storedLabels(kept(rhs, b, axes), right);
        StringBuilder o = new StringBuilder();
        List<Axis> result = new ArrayList<>();
        for (char c : out.toCharArray()) {
            result.add(axes.get(c));
            if (axes.get(c).isStored()) {
                o.append(c);
            }
        }
        Node node = graph.add(
                new Op.Contract(l, r, o.toString()),
                List.of(left.node().id(), right.node().id()),
                span);
        return tensors.array(node, result);
    }

    /// A ragged pair keeps its batch axis, and a product sums over one of its rows at most.
    private static void requireEntries(String labels, Value.Array x, String out, Span span) {
        for (int i = 0; i < x.rank(); i++) {
            if (x.axes().get(i) instanceof Axis.Batch batch) {
                long summed = 0;
                for (int j = 0; j < x.rank(); j++) {
                    boolean rows = x.axes().get(j).equals(new Axis.Rows(batch.ragged()));
                    summed += rows && out.indexOf(labels.charAt(j)) < 0 ? 1 : 0;
                }
                if (out.indexOf(labels.charAt(i)) < 0 || summed > 1) {
                    throw StagingError.of(
                            "TFX0305",
                            span,
                            "a product of " + x.describe()
                                    + " must keep its batch dimension and sum over one ragged one",
                            "reduce one dimension after the other");
                }
            }
        }
    }

    /// Records the axis of each label and drops size-1 dimensions that the other operand stretches.
    private Value.Array squeezed(
            String labels, Value.Array x, String otherLabels, Value.Array other, Map<Character, Axis> axes, Span span) {
        List<Axis> keptAxes = new ArrayList<>();
        for (int i = 0; i < x.rank(); i++) {
            char label = labels.charAt(i);
            Axis axis = x.axes().get(i);
            int j = otherLabels.indexOf(label);
            Axis opposite = j < 0 ? axis : other.axes().get(j);
            if (axis.isOne() && !opposite.isOne()) {
                continue;
            }
            if (!axis.equals(opposite) && !opposite.isOne()) {
                throw StagingError.of(
                        "TFX0301",
                        span,
                        "shapes " + x.describe() + " and " + other.describe() + " do not fit: " + axis + " against "
                                + opposite,
                        "the last dimension of the left side meets the second last of the right; transpose(x) swaps them");
            }
            axes.put(label, axis);
            keptAxes.add(axis);
        }
        return keptAxes.size() == x.rank()
                ? x
                : new Value.Array(graph.reshape(x.node(), Tensors.stored(keptAxes), span), keptAxes, false);
    }

    /// The labels of an operand without those of dropped size-1 dimensions.
    private static String kept(String labels, Value.Array x, Map<Character, Axis> axes) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < x.rank(); i++) {
            char label = labels.charAt(i);
            if (!(x.axes().get(i).isOne() && !axes.get(label).isOne())) {
                out.append(label);
            }
        }
        return out.toString();
    }

    private static String storedLabels(String labels, Value.Array x) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < x.rank(); i++) {
            if (x.axes().get(i).isStored()) {
                out.append(labels.charAt(i));
            }
        }
        return out.toString();
    }
}
