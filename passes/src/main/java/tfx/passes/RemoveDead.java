package tfx.passes;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import tfx.ir.graph.Graph;
import tfx.ir.graph.Node;
import tfx.ir.graph.Op;

/// Removes operations that no result depends on.
///
/// Before:
/// ```
/// %1 = exp(%0) : f32[N]
/// %2 = neg(%0) : f32[N]
/// output "y" %2
/// ```
/// After:
/// ```
/// %2 = neg(%0) : f32[N]
/// output "y" %2
/// ```
///
/// **Requires** nothing. **Ensures** every node but the inputs is needed. **Does not** remove inputs: they are the
/// program's interface.
public final class RemoveDead implements Pass {
    @Override
    public String name() {
        return "remove-dead";
    }

    @Override
    public Graph apply(Graph graph) {
        Set<Integer> live = new HashSet<>();
        graph.outputs().forEach(o -> live.add(o.id()));
        for (Node node : graph.nodes().reversed()) {
            if (live.contains(node.id())) {
                live.addAll(node.operands());
            }
        }
        List<Node> kept = graph.nodes().stream()
                .filter(n -> live.contains(n.id()) || n.op() instanceof Op.Input)
                .map(n -> n.op() instanceof Op.Loop loop ? Rebuild.withBodies(n, loop, this::apply) : n)
                .toList();
        return kept.equals(graph.nodes()) ? graph : new Graph(graph.name(), kept, graph.outputs());
    }
}
