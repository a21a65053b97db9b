package tfx.passes.sequence;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import tfx.ir.BinaryFn;
import tfx.ir.Span;
import tfx.ir.UnaryFn;
import tfx.ir.graph.Algebra;
import tfx.ir.graph.GraphBuilder;
import tfx.ir.graph.Node;
import tfx.ir.sequence.AtomFn;
import tfx.ir.sequence.SequenceNode;
import tfx.ir.sequence.SequenceOp;
import tfx.runtime.DType;
import tfx.runtime.Dim;
import tfx.runtime.TensorType;

/// Selectors over all pairs of positions: bools, queries by keys. Kernels that sum over them compute them where
/// they are read.
final class Pairs {
    private final GraphBuilder graph;
    private final Algebra math;
    private final ColumnMath columns;
    private final List<Dim> shape;
    private final Function<SequenceNode, Column> values;
    private final Map<SequenceNode, Node> known = new HashMap<>();

    Pairs(GraphBuilder graph, ColumnMath columns, Dim size, Function<SequenceNode, Column> values) {
        this.graph = graph;
        this.math = new Algebra(graph, Span.NONE);
        this.columns = columns;
        this.shape = List.of(size, size);
        this.values = values;
    }

    Node of(SequenceNode selector) {
        for (SequenceNode node : SequenceNode.closure(List.of(selector))) {
            if (node.op() instanceof SequenceOp.Selector op && !known.containsKey(node)) {
                known.put(node, make(node, op));
            }
        }
        return known.get(selector);
    }

    private Node make(SequenceNode selector, SequenceOp.Selector op) {
        return switch (op) {
            case SequenceOp.Select s -> select(selector, s.comparison());
            case SequenceOp.Both b -> math.of(BinaryFn.AND, part(selector, 0), part(selector, 1));
            case SequenceOp.Either e -> math.of(BinaryFn.OR, part(selector, 0), part(selector, 1));
            case SequenceOp.Complement c -> math.of(UnaryFn.NOT, part(selector, 0));
        };
    }

    private Node part(SequenceNode selector, int operand) {
        return known.get(selector.operand(operand));
    }

    private Node select(SequenceNode selector, AtomFn comparison) {
        Column keys = values.apply(selector.operand(0));
        Column queries = values.apply(selector.operand(1));
        if (keys.isNumber() != queries.isNumber()) {
            // A string is never a number; the two have no order, which is not asked for here.
            return math.fill(new TensorType(DType.BOOL, shape), comparison == AtomFn.NE ? 1 : 0);
        }
        List<Node> both = columns.comparable(keys, queries);
        Node k = graph.broadcast(both.get(0), shape, List.of(1), Span.NONE);
        Node q = graph.broadcast(both.get(1), shape, List.of(0), Span.NONE);
        return math.of(ColumnMath.comparison(comparison), k, q);
    }
}
