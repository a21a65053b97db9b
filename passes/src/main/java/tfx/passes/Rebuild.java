package tfx.passes;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import tfx.ir.graph.Graph;
import tfx.ir.graph.GraphBuilder;
import tfx.ir.graph.Node;
import tfx.ir.graph.Op;

/// Copies a graph node by node, each of which a rule may replace, in the graphs of loops too. Values are numbered
/// anew, equal ones become one.
final class Rebuild {
    /// Makes a node's replacement from its operands' replacements.
    interface Rule {
        Node apply(GraphBuilder builder, Node old, List<Node> operands);
    }

    private Rebuild() {}

    static Graph graph(Graph graph, Rule rule) {
        GraphBuilder builder = new GraphBuilder();
        Map<Integer, Node> replacements = new HashMap<>();
        for (Node node : graph.nodes()) {
            List<Node> operands =
                    node.operands().stream().map(replacements::get).toList();
            replacements.put(node.id(), rule.apply(builder, descend(node, rule), operands));
        }
        graph.outputs().forEach(o -> builder.output(o.name(), replacements.get(o.id())));
        Graph rebuilt = builder.build(graph.name());
        return rebuilt.equals(graph) ? graph : rebuilt;
    }

    /// A loop with its graphs copied by the same rule; any other node as it is.
    private static Node descend(Node node, Rule rule) {
        return node.op() instanceof Op.Loop loop ? withBodies(node, loop, g -> graph(g, rule)) : node;
    }

    /// A loop with its graphs changed.
    static Node withBodies(Node node, Op.Loop loop, UnaryOperator<Graph> change) {
        Op.Loop changed = new Op.Loop(loop.trips(), loop.carried(), loop.test().map(change), change.apply(loop.body()));
        return new Node(node.id(), changed, node.operands(), node.type(), node.span());
    }

    /// The node as it was, on new operands.
    static Node keep(GraphBuilder builder, Node old, List<Node> operands) {
        return builder.add(old.op(), operands.stream().map(Node::id).toList(), old.type(), old.span());
    }
}
