package tfx.ir.graph;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import tfx.ir.InternalError;
import tfx.ir.ReduceFn;
import tfx.runtime.DType;
import tfx.runtime.RunException;
import tfx.runtime.Sizes;
import tfx.runtime.Tensor;
import tfx.runtime.TensorType;
import tfx.runtime.program.Guard;

/// The living definition of every operation: loops, double precision, rounding to the declared type after each
/// operation. Slow and obvious; it calls no backend.
public final class Evaluator {
    private final Sizes sizes;
    private final Function<String, Nd> weights;

    private Evaluator(Sizes sizes, Function<String, Nd> weights) {
        this.sizes = sizes;
        this.weights = weights;
    }

    /// Runs a graph.
    ///
    /// @param inputs  an argument for each input of the graph, by name
    /// @param weights gives each weight, by name
    /// @return the outputs by name, in order
    public static Map<String, Nd> run(Graph graph, Map<String, Nd> inputs, Function<String, Nd> weights) {
        Sizes sizes = new Sizes();
        for (Node input : graph.inputs()) {
            String name = ((Op.Input) input.op()).name();
            if (!inputs.containsKey(name)) {
                throw new RunException("argument '" + name + "' is missing");
            }
            sizes.bind(name, input.type(), inputs.get(name).shape());
        }
        for (Node node : graph.nodes()) {
            if (node.op() instanceof Op.Weight weight) {
                sizes.bind(
                        weight.name(), node.type(), weights.apply(weight.name()).shape());
            }
        }
        return new Evaluator(sizes, weights).graph(graph, inputs);
    }

    private Map<String, Nd> graph(Graph graph, Map<String, Nd> inputs) {
        Map<Integer, Nd> values = new HashMap<>();
        Map<Integer, List<Nd>> loops = new HashMap<>();
        for (Node node : graph.nodes()) {
            if (node.op() instanceof Op.Result result) {
                values.put(node.id(), loops.get(node.operands().getFirst()).get(result.position()));
                continue;
            }
            List<Nd> operands = node.operands().stream().map(values::get).toList();
            for (Guard guard : Guards.of(graph, node)) {
                guard.check(sizes);
            }
            if (node.op() instanceof Op.Loop loop) {
                loops.put(node.id(), loop(loop, operands));
            } else {
                values.put(node.id(), evaluate(node, operands, inputs));
            }
        }
        Map<String, Nd> outputs = new LinkedHashMap<>();
        graph.outputs().forEach(o -> outputs.put(o.name(), values.get(o.id())));
        return outputs;
    }

    /// What a graph needs of sizes holds also where a loop makes no trip.
    private void checkGuards(Graph graph) {
        for (Node node : graph.nodes()) {
            Guards.of(graph, node).forEach(g -> g.check(sizes));
            if (node.op() instanceof Op.Loop inner) {
                inner.test().ifPresent(this::checkGuards);
                checkGuards(inner.body());
            }
        }
    }

    private List<Nd> loop(Op.Loop loop, List<Nd> operands) {
        loop.test().ifPresent(this::checkGuards);
        checkGuards(loop.body());
        Map<String, Nd> inputs = new HashMap<>();
        for (int i = 0; i < operands.size(); i++) {
            inputs.put(Integer.toString(i + 1), operands.get(i));
        }
        long trips = loop.trips().map(sizes::evaluate).orElse((long) Integer.MAX_VALUE);
        List<Nd> results = new ArrayList<>();
        List<Graph.Output> outputs = loop.body().outputs();
        for (int k = 0; k < outputs.size(); k++) {
            TensorType type = loop.body().node(outputs.get(k).id()).type();
            long[] shape = sizes.evaluate(type);
            long[] stacked = new long[shape.length + 1];
            System.arraycopy(shape, 0, stacked, 1, shape.length);
            stacked[0] = trips;
            results.add(k < loop.carried() ? operands.get(k) : Nd.zeros(type.dtype(), stacked));
        }
        for (int i = 0; i < trips; i++) {
            Nd number = Nd.zeros(DType.I32);
            number.longs()[0] = i;
            inputs.put("0", number);
            if (loop.test().isPresent()
                    && graph(loop.test().get(), inputs)
                                    .values()
                                    .iterator()
                                    .next()
                                    .longs()[0]
                            == 0) {
                break;
            }
            List<Nd> made = List.copyOf(graph(loop.body(), inputs).values());
            for (int k = 0; k < made.size(); k++) {
                if (k < loop.carried()) {
                    inputs.put(Integer.toString(k + 1), made.get(k));
                    results.set(k, made.get(k));
                } else {
                    int count = made.get(k).count();
                    for (int j = 0; j < count; j++) {
                        results.get(k).copy(i * count + j, made.get(k), j);
                    }
                }
            }
        }
        return results;
    }

    private Nd evaluate(Node node, List<Nd> operands, Map<String, Nd> inputs) {
        long[] shape = sizes.evaluate(node.type());
        if (Tensor.count(shape) > Integer.MAX_VALUE) {
            throw new RunException(
                    node.type() + " (" + node.span() + ") has more elements than the evaluator holds, 2^31 - 1");
        }
        Nd result = Nd.zeros(node.type().dtype(), shape);
        switch (node.op()) {
            case Op.Input input -> {
                return inputs.get(input.name());
            }
            case Op.Weight weight -> {
                return weights.apply(weight.name());
            }
            case Op.Region region -> {
                Map<String, Nd> arguments = new HashMap<>();
                for (int i = 0; i < operands.size(); i++) {
                    arguments.put(Integer.toString(i), operands.get(i));
                }
                return graph(region.body(), arguments).values().iterator().next();
            }
            case Op.Constant c ->
                store(result, 0, c.value().doubleValue(), c.value().longValue());
            case Op.DimSize d -> store(result, 0, 0, sizes.evaluate(d.dim()));
            case Op.Iota i -> {
                for (int k = 0; k < result.count(); k++) {
                    store(result, k, 0, k);
                }
            }
            case Op.Unary u -> unary(u, operands.getFirst(), result);
            case Op.Binary b -> binary(b, operands.get(0), operands.get(1), result);
            case Op.Select s -> {
                for (int k = 0; k < result.count(); k++) {
                    result.copy(k, operands.get(operands.get(0).longs()[k] != 0 ? 1 : 2), k);
                }
            }
            case Op.Cast c -> cast(operands.getFirst(), result);
            case Op.Reduce r -> reduce(r, operands.getFirst(), result);
            case Op.Contract c -> contract(c, operands.get(0), operands.get(1), result);
            case Op.Reshape r -> {
                for (int k = 0; k < result.count(); k++) {
                    result.copy(k, operands.getFirst(), k);
                }
            }
            case Op.Transpose t -> {
                int[] from = operands.getFirst().strides();
                int[] strides = t.permutation().stream().mapToInt(p -> from[p]).toArray();
                strided(result, operands.getFirst(), strides);
            }
            case Op.Broadcast b -> {
                int[] from = operands.getFirst().strides();
                int[] strides = new int[result.shape().length];
                for (int i = 0; i < from.length; i++) {
                    strides[b.axes().get(i)] = from[i];
                }
                strided(result, operands.getFirst(), strides);
            }
            case Op.Gather g -> Arrangements.gather(g, operands, result, node.span());
            case Op.Slice s -> Arrangements.slice(s, operands.getFirst(), result, sizes);
            case Op.Window w -> Arrangements.window(w, operands.getFirst(), result);
            case Op.Concat c -> Arrangements.concat(c, operands, result);
            case Op.Scatter s -> Arrangements.scatter(s, operands, result, node.span());
            case Op.Scan s -> Arrangements.scan(s, operands.getFirst(), result);
            case Op.Sort s -> Arrangements.sort(s, operands.getFirst(), result);
            case Op.Loop l -> throw new InternalError("a loop gives several values");
            case Op.Result r -> throw new InternalError("a result without its loop");
            case Op.RowIds r -> rowIds(operands.getFirst(), result);
        }
        return result;
    }

    private static void store(Nd result, int index, double asFloat, long asLong) {
        if (result.dtype().isFloat()) {
            result.floats()[index] = result.dtype().round(asFloat);
        } else {
            result.longs()[index] = result.dtype().wrap(asLong);
        }
    }

    private static void unary(Op.Unary op, Nd x, Nd result) {
        for (int k = 0; k < result.count(); k++) {
            if (x.dtype().isFloat()) {
                double value = op.fn().apply(x.floats()[k]);
                store(result, k, value, op.fn().isTest() ? (long) value : 0);
            } else {
                store(result, k, 0, op.fn().apply(x.dtype(), x.longs()[k]));
            }
        }
    }

    private static void binary(Op.Binary op, Nd a, Nd b, Nd result) {
        for (int k = 0; k < result.count(); k++) {
            if (a.dtype().isFloat()) {
                double value = op.fn().apply(a.floats()[k], b.floats()[k]);
                store(result, k, value, op.fn().isComparison() ? (long) value : 0);
            } else {
                store(result, k, 0, op.fn().apply(a.dtype(), a.longs()[k], b.longs()[k]));
            }
        }
    }

    private static void cast(Nd x, Nd result) {
        DType to = result.dtype();
        for (int k = 0; k < result.count(); k++) {
            if (x.dtype().isFloat()) {
                double value = x.floats()[k];
                long integer = to.isFloat() ? 0 : to.truncate(value);
                store(result, k, value, integer);
            } else {
                long value = x.longs()[k];
                store(result, k, value, to == DType.BOOL ? (value != 0 ? 1 : 0) : value);
            }
        }
    }

    private static void reduce(Op.Reduce op, Nd x, Nd result) {
        ReduceFn fn = op.fn();
        DType dtype = x.dtype();
        double[] floats = new double[result.count()];
        for (int k = 0; k < result.count(); k++) {
            floats[k] = fn.floatIdentity();
            if (!dtype.isFloat()) {
                result.longs()[k] = fn.integerIdentity(dtype);
            }
        }
        int[] strides = result.strides();
        int[] toResult = new int[x.shape().length];
        for (int i = 0, kept = 0; i < toResult.length; i++) {
            toResult[i] = op.axes().contains(i) ? 0 : strides[kept++];
        }
        int[] from = x.strides();
        for (int k = 0; k < x.count(); k++) {
            int at = 0;
            for (int i = 0; i < from.length; i++) {
                at += (int) (k / from[i] % x.shape()[i]) * toResult[i];
            }
            if (dtype.isFloat()) {
                floats[at] = fn.combine().apply(floats[at], x.floats()[k]);
            } else {
                result.longs()[at] = dtype.wrap(fn.combine().apply(dtype, result.longs()[at], x.longs()[k]));
            }
        }
        if (dtype.isFloat()) {
            for (int k = 0; k < result.count(); k++) {
                result.floats()[k] = dtype.round(floats[k]);
            }
        }
    }

    private static void contract(Op.Contract op, Nd a, Nd b, Nd result) {
        String labels = op.result() + op.summed();
        long[] extents = new long[labels.length()];
        int[] stepA = new int[labels.length()];
        int[] stepB = new int[labels.length()];
        for (int i = 0; i < labels.length(); i++) {
            int inA = op.lhs().indexOf(labels.charAt(i));
            int inB = op.rhs().indexOf(labels.charAt(i));
            extents[i] = inA >= 0 ? a.shape()[inA] : b.shape()[inB];
            stepA[i] = inA >= 0 ? a.strides()[inA] : 0;
            stepB[i] = inB >= 0 ? b.strides()[inB] : 0;
        }
        int kept = op.result().length();
        int inner = 1;
        for (int i = kept; i < extents.length; i++) {
            inner = Math.toIntExact(inner * extents[i]);
        }
        for (int k = 0; k < result.count(); k++) {
            int[] base = offsets(k, 0, kept, extents, stepA, stepB);
            double floats = 0;
            long longs = 0;
            for (int s = 0; s < inner; s++) {
                int[] at = offsets(s, kept, extents.length, extents, stepA, stepB);
                if (a.dtype().isFloat()) {
                    floats += a.floats()[base[0] + at[0]] * b.floats()[base[1] + at[1]];
                } else {
                    longs += a.longs()[base[0] + at[0]] * b.longs()[base[1] + at[1]];
                }
            }
            store(result, k, floats, longs);
        }
    }

    private static int[] offsets(int index, int from, int to, long[] extents, int[] stepA, int[] stepB) {
        int a = 0;
        int b = 0;
        for (int i = to - 1; i >= from; i--) {
            int coordinate = (int) (index % extents[i]);
            index = (int) (index / extents[i]);
            a += coordinate * stepA[i];
            b += coordinate * stepB[i];
        }
        return new int[] {a, b};
    }

    private static void strided(Nd result, Nd from, int[] strides) {
        int[] own = result.strides();
        for (int k = 0; k < result.count(); k++) {
            int at = 0;
            for (int i = 0; i < own.length; i++) {
                at += (int) (k / own[i] % result.shape()[i]) * strides[i];
            }
            result.copy(k, from, at);
        }
    }

    private static void rowIds(Nd offsets, Nd result) {
        int row = 0;
        for (int k = 0; k < result.count(); k++) {
            while (row + 2 < offsets.count() && offsets.longs()[row + 1] <= k) {
                row++;
            }
            result.longs()[k] = row;
        }
    }
}
