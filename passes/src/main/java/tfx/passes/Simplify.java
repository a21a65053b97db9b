package tfx.passes;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tfx.ir.BinaryFn;
import tfx.ir.graph.Evaluator;
import tfx.ir.graph.Graph;
import tfx.ir.graph.GraphBuilder;
import tfx.ir.graph.Nd;
import tfx.ir.graph.Node;
import tfx.ir.graph.Op;
import tfx.runtime.DType;
import tfx.runtime.TensorType;

/// Rewrites that are exact on every input: views of views join, scalar constants fold, neutral operands go,
/// divisions by powers of two become products.
///
/// Before:
/// ```
/// %1 = transpose(%0) permutation [1, 0] : f32[M, N]
/// %2 = transpose(%1) permutation [1, 0] : f32[N, M]
/// %3 = neg(%2) : f32[N, M]
/// ```
/// After:
/// ```
/// %1 = neg(%0) : f32[N, M]
/// ```
///
/// **Requires** a graph without regions. **Ensures** applying it again changes nothing. **Does not** use
/// identities that rounding, NaN or signed zeros break: `x * 0` stays for floats, `x + 0.0` too.
public final class Simplify implements Pass {
    /// One rewrite; empty where it does not apply.
    interface Rule {
        Optional<Node> apply(GraphBuilder graph, Node node, List<Node> operands);
    }

    private static final int MOST_EXPONENT = 100;

    private static final List<Rule> RULES = List.of(
            Simplify::transposeOfTranspose,
            Simplify::reshapeOfReshape,
            Simplify::viewThatChangesNothing,
            Simplify::broadcastOfBroadcast,
            Simplify::foldScalars,
            Simplify::neutralOperand,
            Simplify::divisionByPowerOfTwo,
            Simplify::selectByConstant);

    @Override
    public String name() {
        return "simplify";
    }

    @Override
    public Graph apply(Graph graph) {
        Graph before = graph;
        Graph after = once(before);
        while (after != before) {
            before = after;
            after = once(before);
        }
        return after;
    }

    private static Graph once(Graph graph) {
        return Rebuild.graph(graph, (builder, old, operands) -> {
            for (Rule rule : RULES) {
                Optional<Node> replacement = rule.apply(builder, old, operands);
                if (replacement.isPresent()) {
                    return replacement.get();
                }
            }
            return Rebuild.keep(builder, old, operands);
        });
    }

    private static Optional<Node> transposeOfTranspose(GraphBuilder graph, Node node, List<Node> operands) {
        if (node.op() instanceof Op.Transpose outer && operands.getFirst().op() instanceof Op.Transpose inner) {
            List<Integer> joined =
                    outer.permutation().stream().map(inner.permutation()::get).toList();
            return Optional.of(graph.transpose(source(graph, operands.getFirst()), joined, node.span()));
        }
        return Optional.empty();
    }

    private static Node source(GraphBuilder graph, Node view) {
        return graph.node(view.operands().getFirst());
    }

    private static Optional<Node> reshapeOfReshape(GraphBuilder graph, Node node, List<Node> operands) {
        return node.op() instanceof Op.Reshape && operands.getFirst().op() instanceof Op.Reshape
                ? Optional.of(graph.reshape(
                        source(graph, operands.getFirst()), node.type().shape(), node.span()))
                : Optional.empty();
    }

    private static Optional<Node> viewThatChangesNothing(GraphBuilder graph, Node node, List<Node> operands) {
        boolean view = node.op() instanceof Op.Reshape
                || node.op() instanceof Op.Broadcast
                || node.op() instanceof Op.Cast
                || node.op() instanceof Op.Transpose t
                        && t.permutation().stream().sorted().toList().equals(t.permutation());
        return view && operands.getFirst().type().equals(node.type())
                ? Optional.of(operands.getFirst())
                : Optional.empty();
    }

    private static Optional<Node> broadcastOfBroadcast(GraphBuilder graph, Node node, List<Node> operands) {
        if (node.op() instanceof Op.Broadcast outer && operands.getFirst().op() instanceof Op.Broadcast inner) {
            List<Integer> axes = inner.axes().stream().map(outer.axes()::get).toList();
            return Optional.of(graph.broadcast(
                    source(graph, operands.getFirst()), node.type().shape(), axes, node.span()));
        }
        return Optional.empty();
    }

    /// The scalar constant behind a value, through broadcasts.
    private static Optional<Number> constant(GraphBuilder graph, Node node) {
        return switch (node.op()) {
            case Op.Constant c -> Optional.of(c.value());
            case Op.Broadcast b -> constant(graph, source(graph, node));
            default -> Optional.empty();
        };
    }

    private static Optional<Node> foldScalars(GraphBuilder graph, Node node, List<Node> operands) {
        boolean scalar =
                node.op() instanceof Op.Unary || node.op() instanceof Op.Binary || node.op() instanceof Op.Cast;
        if (!scalar || !operands.stream().allMatch(o -> constant(graph, o).isPresent())) {
            return Optional.empty();
        }
        GraphBuilder single = new GraphBuilder();
        List<Integer> ids = new ArrayList<>();
        for (Node operand : operands) {
            TensorType type = new TensorType(operand.type().dtype(), List.of());
            ids.add(single.add(new Op.Constant(constant(graph, operand).orElseThrow()), List.of(), type, node.span())
                    .id());
        }
        TensorType type = new TensorType(node.type().dtype(), List.of());
        single.output("value", single.add(node.op(), ids, type, node.span()));
        Nd value = Evaluator.run(single.build("fold"), java.util.Map.of(), name -> {
                    throw new IllegalStateException(name);
                })
                .get("value");
        Number number = value.dtype().isFloat() ? (Number) value.floats()[0] : (Number) value.longs()[0];
        Node folded = graph.add(new Op.Constant(number), List.of(), type, node.span());
        return Optional.of(graph.broadcast(folded, node.type().shape(), List.of(), node.span()));
    }

    private static Optional<Node> neutralOperand(GraphBuilder graph, Node node, List<Node> operands) {
        if (!(node.op() instanceof Op.Binary b)) {
            return Optional.empty();
        }
        DType dtype = operands.get(0).type().dtype();
        Optional<Number> left = constant(graph, operands.get(0));
        Optional<Number> right = constant(graph, operands.get(1));
        boolean commutes =
                b.fn() == BinaryFn.ADD || b.fn() == BinaryFn.MUL || b.fn() == BinaryFn.AND || b.fn() == BinaryFn.OR;
        for (int side = 0; side < (commutes ? 2 : 1); side++) {
            Optional<Number> constant = side == 0 ? right : left;
            Node other = operands.get(side);
            if (constant.isEmpty()) {
                continue;
            }
            double value = constant.get().doubleValue();
            boolean integers = !dtype.isFloat();
            boolean neutral = switch (b.fn()) {
                case ADD, SUB -> integers && value == 0;
                case MUL -> value == 1;
                case DIV -> value == 1;
                case FLOORDIV -> integers && value == 1;
                case AND -> value == 1;
                case OR -> value == 0;
                case MOD,
                        POW,
                        ATAN2,
                        LOGADDEXP,
                        MIN,
                        MAX,
                        BIT_AND,
                        BIT_OR,
                        BIT_XOR,
                        SHIFT_LEFT,
                        SHIFT_RIGHT,
                        THREEFRY,
                        EQ,
                        NE,
                        LT,
                        LE,
                        GT,
                        GE -> false;
            };
            if (neutral) {
                return Optional.of(other);
            }
            boolean absorbs = b.fn() == BinaryFn.MUL && integers && value == 0
                    || b.fn() == BinaryFn.AND && value == 0
                    || b.fn() == BinaryFn.OR && value == 1;
            if (absorbs) {
                return Optional.of(operands.get(1 - side));
            }
        }
        return Optional.empty();
    }

    /// Both ways round the same number. A product is cheaper, and laws of sums know constant factors.
    private static Optional<Node> divisionByPowerOfTwo(GraphBuilder graph, Node node, List<Node> operands) {
        DType dtype = node.type().dtype();
        boolean divides = node.op() instanceof Op.Binary b
                && b.fn() == BinaryFn.DIV
                && (dtype == DType.F32 || dtype == DType.F64);
        return !divides
                ? Optional.empty()
                : constant(graph, operands.get(1))
                        .flatMap(Simplify::exactInverse)
                        .map(inverse -> {
                            Node factor = graph.constant(dtype, inverse, node.span());
                            Node wide = graph.broadcast(factor, node.type().shape(), List.of(), node.span());
                            List<Integer> ids = List.of(operands.get(0).id(), wide.id());
                            return graph.add(new Op.Binary(BinaryFn.MUL), ids, node.type(), node.span());
                        });
    }

    /// The inverse of a power of two, where it is a normal f32.
    private static Optional<Double> exactInverse(Number divisor) {
        double value = divisor.doubleValue();
        int exponent = Math.getExponent(value);
        boolean power = Math.abs(exponent) <= MOST_EXPONENT && Math.abs(value) == Math.scalb(1.0, exponent);
        return power ? Optional.of(1 / value) : Optional.empty();
    }

    private static Optional<Node> selectByConstant(GraphBuilder graph, Node node, List<Node> operands) {
        return node.op() instanceof Op.Select
                ? constant(graph, operands.getFirst()).map(c -> operands.get(c.longValue() != 0 ? 1 : 2))
                : Optional.empty();
    }
}
