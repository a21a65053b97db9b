package tfx.passes.transformer;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import tfx.ir.sequence.SequenceGraph;
import tfx.ir.sequence.SequenceNode;
import tfx.ir.sequence.SequenceOp;

/// A program of which each position sees itself and those before it alone.
public final class Causal {
    private Causal() {}

    /// The same s-op, read through selectors that select no later position.
    public static SequenceNode of(SequenceNode root) {
        Map<SequenceNode, SequenceNode> changed = new HashMap<>();
        for (SequenceNode node : SequenceNode.closure(List.of(root))) {
            SequenceGraph graph = node.graph();
            List<SequenceNode> operands =
                    node.operands().stream().map(changed::get).toList();
            boolean reads = node.op() instanceof SequenceOp.Aggregate || node.op() instanceof SequenceOp.Width;
            List<SequenceNode> narrowed = new ArrayList<>(operands);
            if (reads) {
                narrowed.set(0, graph.causal(operands.getFirst(), node.span()));
            }
            SequenceNode made = graph.node(node.op(), narrowed, node.span());
            graph.name(node).ifPresent(name -> graph.name(made, name));
            changed.put(node, made);
        }
        return changed.get(root);
    }
}
