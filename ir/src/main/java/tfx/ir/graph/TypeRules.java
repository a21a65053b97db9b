package tfx.ir.graph;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import tfx.ir.Dim;
import tfx.ir.TensorType;
import tfx.runtime.DType;

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
        }
    }

    /// The result type of the kinds whose operands decide it.
    public static TensorType infer(Op op, List<TensorType> operands) throws Violation {
        return switch (op) {
            case Op.Unary u -> {
                arity(op, operands, 1);
                TensorType x = operands.getFirst();
                require(u.fn().accepts(x.dtype()), u.fn().text() + " is not defined on " + x.dtype());
                yield x;
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
                require(table.rank() >= 1, "gather takes a table of rank 1 or more, not " + table);
                require(indices.dtype().isInteger(), "gather takes integer indices, not " + indices);
                List<Dim> shape = new ArrayList<>(indices.shape());
                shape.addAll(table.shape().subList(1, table.rank()));
                yield new TensorType(table.dtype(), shape);
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
        };
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
