package tfx.ir.graph;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import tfx.runtime.DType;
import tfx.runtime.Dim;
import tfx.runtime.TensorType;

/// The shape and type rule of every operation kind: what the verifier checks and the builder infers from.
public final class TypeRules {
    private TypeRules() {}

    /// A broken rule, in words that name the types.
    public static final class Violation extends Exception {
        private static final long serialVersionUID = 1;

        public Violation(String message) {
            super(message, null, false, false);
        }
    }

    /// Checks that `op` on `operands` may have the type `result`.
    public static void check(Op op, List<TensorType> operands, TensorType result) throws Violation {
        switch (op) {
            case Op.Input i -> arity(op, operands, 0);
            case Op.Weight w -> arity(op, operands, 0);
            case Op.Constant c -> {
                arity(op, operands, 0);
                require(result.rank() == 0, "a constant is a scalar, not " + result);
                require(
                        c.value() instanceof Double == result.dtype().isFloat(),
                        c.value() + " is no value of " + result);
                require(
                        result.dtype().isFloat()
                                || result.dtype().wrap(c.value().longValue())
                                        == c.value().longValue(),
                        c.value() + " does not fit " + result);
            }
            case Op.Iota i -> {
                arity(op, operands, 0);
                require(
                        result.rank() == 1 && result.dtype().isInteger(),
                        "iota makes an integer vector, not " + result);
            }
            case Op.DimSize d -> {
                arity(op, operands, 0);
                require(result.rank() == 0 && result.dtype().isInteger(), "a size is an integer scalar, not " + result);
            }
            case Op.Cast c -> {
                arity(op, operands, 1);
                require(operands.getFirst().shape().equals(result.shape()), "cast keeps the shape of " + operands);
            }
            case Op.Reshape r -> {
                arity(op, operands, 1);
                require(
                        operands.getFirst().count().equals(result.count())
                                && operands.getFirst().dtype() == result.dtype(),
                        "reshape keeps type and count: " + operands.getFirst() + " to " + result);
            }
            case Op.Broadcast b -> broadcast(b, operands, result);
            case Op.RowIds r -> {
                arity(op, operands, 1);
                TensorType offsets = operands.getFirst();
                require(
                        offsets.rank() == 1 && offsets.dtype() == DType.I32,
                        "row offsets are i32 of rank 1, not " + offsets);
                require(result.rank() == 1 && result.dtype() == DType.I32, "row ids are an i32 vector, not " + result);
            }
            case Op.Region r -> region(r, operands, result);
            case Op.Unary u -> same(op, infer(op, operands), result);
            case Op.Binary b -> same(op, infer(op, operands), result);
            case Op.Select s -> same(op, infer(op, operands), result);
            case Op.Reduce r -> same(op, infer(op, operands), result);
            case Op.Contract c -> same(op, infer(op, operands), result);
            case Op.Transpose t -> same(op, infer(op, operands), result);
            case Op.Gather g -> same(op, infer(op, operands), result);
            case Op.Concat c -> same(op, infer(op, operands), result);
            case Op.Scatter s -> same(op, infer(op, operands), result);
            case Op.Scan s -> same(op, infer(op, operands), result);
            case Op.Sort s -> same(op, infer(op, operands), result);
            case Op.Slice s -> {
                arity(op, operands, 1);
                TensorType x = operands.getFirst();
                require(
                        x.rank() == result.rank()
                                && s.starts().size() == x.rank()
                                && s.steps().size() == x.rank()
                                && !s.steps().contains(0),
                        "a slice names a start and a step other than 0 for each dimension of " + x);
                require(x.dtype() == result.dtype(), "a slice keeps the element type of " + x);
            }
            case Op.Window w -> window(w, operands, result);
            case Op.Loop l -> {
                List<TensorType> types = loopResults(l, operands);
                require(types.getFirst().equals(result), "a loop has the type of its first result, " + types);
            }
            case Op.Result r -> arity(op, operands, 1);
        }
    }

    private static void window(Op.Window window, List<TensorType> operands, TensorType result) throws Violation {
        arity(window, operands, 1);
        TensorType x = operands.getFirst();
        int axis = window.axis();
        require(
                axis >= 0 && axis < x.rank() && window.stride() > 0 && window.dilation() > 0,
                "a window needs a dimension of " + x + ", a stride and a dilation above 0");
        require(
                result.dtype() == x.dtype()
                        && result.rank() == x.rank() + 1
                        && result.shape().subList(0, axis).equals(x.shape().subList(0, axis))
                        && result.shape()
                                .subList(axis + 2, result.rank())
                                .equals(x.shape().subList(axis + 1, x.rank())),
                "windows of " + x + " along " + axis + " are no " + result);
    }

    /// The types of what a loop gives: final state, then stacked values.
    public static List<TensorType> loopResults(Op.Loop loop, List<TensorType> operands) throws Violation {
        Graph body = loop.body();
        require(loop.carried() >= 0 && operands.size() >= loop.carried(), "a loop has an operand for each state");
        require(loop.trips().isPresent() || loop.test().isPresent(), "a loop has a number of trips or a test");
        loopInputs(body, operands);
        List<TensorType> types = new ArrayList<>();
        List<Graph.Output> outputs = body.outputs();
        require(!outputs.isEmpty() && outputs.size() >= loop.carried(), "a loop gives at least its state");
        require(
                outputs.size() == loop.carried()
                        || loop.trips().isPresent() && loop.test().isEmpty(),
                "a loop that a test ends stacks nothing");
        for (int i = 0; i < outputs.size(); i++) {
            TensorType type = body.node(outputs.get(i).id()).type();
            if (i < loop.carried()) {
                require(
                        type.equals(operands.get(i)),
                        "state " + i + " begins as " + operands.get(i) + " and becomes " + type);
                types.add(type);
            } else {
                List<Dim> shape = new ArrayList<>(type.shape());
                shape.addFirst(loop.trips().orElseThrow());
                types.add(new TensorType(type.dtype(), shape));
            }
        }
        if (loop.test().isPresent()) {
            Graph test = loop.test().get();
            loopInputs(test, operands);
            require(
                    test.outputs().size() == 1
                            && test.node(test.outputs().getFirst().id())
                                    .type()
                                    .equals(new TensorType(DType.BOOL, List.of())),
                    "the test of a loop gives one bool");
        }
        return types;
    }

    private static void loopInputs(Graph graph, List<TensorType> operands) throws Violation {
        for (Node input : graph.inputs()) {
            String name = ((Op.Input) input.op()).name();
            boolean number = name.matches("[0-9]{1,6}") && Integer.parseInt(name) <= operands.size();
            require(number, "a loop has no operand for the input " + name);
            int position = Integer.parseInt(name);
            TensorType due = position == 0 ? new TensorType(DType.I32, List.of()) : operands.get(position - 1);
            require(input.type().equals(due), "input " + name + " of a loop is " + due + ", not " + input.type());
        }
    }

    /// The result type of the kinds whose operands decide it.
    public static TensorType infer(Op op, List<TensorType> operands) throws Violation {
        return switch (op) {
            case Op.Unary u -> {
                arity(op, operands, 1);
                TensorType x = operands.getFirst();
                require(u.fn().accepts(x.dtype()), u.fn().text() + " is not defined on " + x.dtype());
                yield x.withDtype(u.fn().result(x.dtype()));
            }
            case Op.Binary b -> {
                arity(op, operands, 2);
                TensorType x = operands.get(0);
                require(x.equals(operands.get(1)), b.fn().text() + " takes two equal types, not " + operands);
                require(b.fn().accepts(x.dtype()), b.fn().text() + " is not defined on " + x.dtype());
                yield x.withDtype(b.fn().result(x.dtype()));
            }
            case Op.Select s -> {
                arity(op, operands, 3);
                TensorType x = operands.get(1);
                require(x.equals(operands.get(2)), "the arms of select differ: " + operands);
                require(operands.get(0).equals(x.withDtype(DType.BOOL)), "the condition of select: " + operands);
                yield x;
            }
            case Op.Reduce r -> reduce(r, operands);
            case Op.Contract c -> contract(c, operands);
            case Op.Transpose t -> {
                arity(op, operands, 1);
                TensorType x = operands.getFirst();
                require(
                        t.permutation().stream().sorted().toList().equals(range(x.rank())),
                        t.permutation() + " does not permute the dimensions of " + x);
                yield new TensorType(
                        x.dtype(), t.permutation().stream().map(x.shape()::get).toList());
            }
            case Op.Gather g -> {
                arity(op, operands, 2);
                TensorType table = operands.get(0);
                TensorType indices = operands.get(1);
                batched(op, table, indices, g.batch());
                List<Dim> shape = new ArrayList<>(indices.shape());
                shape.addAll(table.shape().subList(g.batch() + 1, table.rank()));
                yield new TensorType(table.dtype(), shape);
            }
            case Op.Concat c -> concat(c, operands);
            case Op.Scatter s -> {
                arity(op, operands, 3);
                TensorType x = operands.get(0);
                TensorType indices = operands.get(1);
                batched(op, x, indices, s.batch());
                List<Dim> due = new ArrayList<>(indices.shape());
                due.addAll(x.shape().subList(s.batch() + 1, x.rank()));
                TensorType updates = operands.get(2);
                require(
                        updates.equals(new TensorType(x.dtype(), due)),
                        "scatter into " + x + " at " + indices + " takes " + due + ", not " + updates);
                require(
                        s.combine().filter(f -> !f.accepts(x.dtype())).isEmpty(),
                        s.combine() + " is not defined on " + x.dtype());
                yield x;
            }
            case Op.Scan s -> {
                arity(op, operands, 1);
                TensorType x = operands.getFirst();
                require(s.axis() >= 0 && s.axis() < x.rank(), "axis " + s.axis() + " is not in " + x);
                require(s.fn().accepts(x.dtype()), s.fn().text() + " is not defined on " + x.dtype());
                yield x;
            }
            case Op.Sort s -> {
                arity(op, operands, 1);
                TensorType x = operands.getFirst();
                require(s.axis() >= 0 && s.axis() < x.rank(), "axis " + s.axis() + " is not in " + x);
                yield x.withDtype(DType.I32);
            }
            case Op.Region r -> {
                Graph body = r.body();
                yield body.node(body.outputs().getFirst().id()).type();
            }
            case Op.Input i -> throw notInferred(op);
            case Op.Weight w -> throw notInferred(op);
            case Op.Constant c -> throw notInferred(op);
            case Op.Iota i -> throw notInferred(op);
            case Op.DimSize d -> throw notInferred(op);
            case Op.Cast c -> throw notInferred(op);
            case Op.Reshape r -> throw notInferred(op);
            case Op.Broadcast b -> throw notInferred(op);
            case Op.RowIds r -> throw notInferred(op);
            case Op.Slice s -> throw notInferred(op);
            case Op.Window w -> throw notInferred(op);
            case Op.Loop l -> loopResults(l, operands).getFirst();
            case Op.Result r -> throw notInferred(op);
        };
    }

    private static void batched(Op op, TensorType table, TensorType indices, int batch) throws Violation {
        require(indices.dtype().isInteger(), op + " takes integer indices, not " + indices);
        require(
                batch >= 0
                        && table.rank() > batch
                        && indices.rank() >= batch
                        && table.shape()
                                .subList(0, batch)
                                .equals(indices.shape().subList(0, batch)),
                op + ": the first " + batch + " dimensions of " + table + " and " + indices + " differ");
    }

    private static TensorType concat(Op.Concat concat, List<TensorType> operands) throws Violation {
        require(!operands.isEmpty(), "concat takes at least one operand");
        TensorType first = operands.getFirst();
        int axis = concat.axis();
        require(axis >= 0 && axis < first.rank(), "axis " + axis + " is not in " + first);
        Dim sum = Dim.ZERO;
        for (TensorType operand : operands) {
            List<Dim> other = new ArrayList<>(operand.shape());
            require(operand.rank() == first.rank(), "concat of " + operands);
            sum = sum.plus(other.get(axis));
            other.set(axis, first.shape().get(axis));
            require(operand.dtype() == first.dtype() && other.equals(first.shape()), "concat of " + operands);
        }
        List<Dim> shape = new ArrayList<>(first.shape());
        shape.set(axis, sum);
        return new TensorType(first.dtype(), shape);
    }

    private static Violation notInferred(Op op) {
        return new Violation("the type of " + op + " must be stated");
    }

    private static TensorType reduce(Op.Reduce reduce, List<TensorType> operands) throws Violation {
        arity(reduce, operands, 1);
        TensorType x = operands.getFirst();
        List<Integer> axes = reduce.axes();
        require(
                !axes.isEmpty() && axes.stream().distinct().sorted().toList().equals(axes),
                "reduction axes ascend: " + axes);
        require(axes.getFirst() >= 0 && axes.getLast() < x.rank(), "axes " + axes + " are not all in " + x);
        require(reduce.fn().accepts(x.dtype()), reduce.fn().text() + " is not defined on " + x.dtype());
        List<Dim> shape = new ArrayList<>();
        for (int i = 0; i < x.rank(); i++) {
            if (!axes.contains(i)) {
                shape.add(x.shape().get(i));
            }
        }
        return new TensorType(x.dtype(), shape);
    }

    private static TensorType contract(Op.Contract contract, List<TensorType> operands) throws Violation {
        arity(contract, operands, 2);
        TensorType a = operands.get(0);
        TensorType b = operands.get(1);
        require(
                a.dtype() == b.dtype() && a.dtype() != DType.BOOL,
                "contract takes two equal number types: " + operands);
        Map<Character, Dim> sizes = new HashMap<>();
        bind(sizes, contract.lhs(), a);
        bind(sizes, contract.rhs(), b);
        List<Dim> shape = new ArrayList<>();
        for (char label : contract.result().toCharArray()) {
            require(sizes.containsKey(label), "label " + label + " of the result is in no operand of " + contract);
            shape.add(sizes.get(label));
        }
        require(contract.result().chars().distinct().count() == shape.size(), "repeated label in " + contract);
        for (char label : sizes.keySet()) {
            boolean both = contract.lhs().indexOf(label) >= 0 && contract.rhs().indexOf(label) >= 0;
            require(
                    both || contract.result().indexOf(label) >= 0,
                    "label " + label + " of one operand is missing in the result of " + contract);
        }
        return new TensorType(a.dtype(), shape);
    }

    private static void bind(Map<Character, Dim> sizes, String labels, TensorType type) throws Violation {
        require(labels.length() == type.rank(), "labels " + labels + " do not name the dimensions of " + type);
        require(labels.chars().distinct().count() == labels.length(), "repeated label in " + labels);
        for (int i = 0; i < labels.length(); i++) {
            Dim size = type.shape().get(i);
            Dim earlier = sizes.putIfAbsent(labels.charAt(i), size);
            require(earlier == null || earlier.equals(size), "sizes " + earlier + " and " + size + " under one label");
        }
    }

    private static void broadcast(Op.Broadcast broadcast, List<TensorType> operands, TensorType result)
            throws Violation {
        arity(broadcast, operands, 1);
        TensorType x = operands.getFirst();
        List<Integer> axes = broadcast.axes();
        require(
                axes.size() == x.rank()
                        && axes.stream().distinct().sorted().toList().equals(axes),
                "axes " + axes + " do not place the dimensions of " + x);
        require(x.dtype() == result.dtype(), "broadcast keeps the element type of " + x);
        for (int i = 0; i < axes.size(); i++) {
            require(
                    axes.get(i) < result.rank()
                            && result.shape().get(axes.get(i)).equals(x.shape().get(i)),
                    "dimension " + i + " of " + x + " does not fit " + result);
        }
    }

    private static void region(Op.Region region, List<TensorType> operands, TensorType result) throws Violation {
        List<Node> inputs = region.body().inputs();
        require(inputs.size() == operands.size(), "region " + region.name() + " takes " + inputs.size() + " operands");
        for (int i = 0; i < inputs.size(); i++) {
            require(
                    inputs.get(i).type().equals(operands.get(i)),
                    "operand " + i + " of region " + region.name() + " is " + operands.get(i));
        }
        require(region.body().outputs().size() == 1, "region " + region.name() + " has one output");
        same(region, infer(region, operands), result);
    }

    static List<Integer> range(int n) {
        return java.util.stream.IntStream.range(0, n).boxed().toList();
    }

    private static void same(Op op, TensorType inferred, TensorType stated) throws Violation {
        require(inferred.equals(stated), op + " makes " + inferred + ", not " + stated);
    }

    private static void arity(Op op, List<TensorType> operands, int count) throws Violation {
        require(operands.size() == count, op + " takes " + count + " operands, not " + operands.size());
    }

    private static void require(boolean condition, String message) throws Violation {
        if (!condition) {
            throw new Violation(message);
        }
    }
}
