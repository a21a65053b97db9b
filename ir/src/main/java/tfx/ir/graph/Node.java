package tfx.ir.graph;

import java.util.List;
import java.util.Objects;
import tfx.ir.Span;
import tfx.runtime.TensorType;

/// One operation and the value it makes, which `id` names. The span is outside equality.
public record Node(int id, Op op, List<Integer> operands, TensorType type, Span span) {
    public Node {
        operands = List.copyOf(operands);
        Objects.requireNonNull(span, "span");
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Node n
                && id == n.id
                && op.equals(n.op)
                && operands.equals(n.operands)
                && type.equals(n.type);
    }

    @Override
    public int hashCode() {
        return Objects.hash(id, op, operands, type);
    }
}
