package tfx.ir.graph;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import tfx.ir.Span;
import tfx.runtime.TensorType;

/// What a legal graph is.
public final class GraphVerifier {
    private GraphVerifier() {}

    /// All broken rules, in order; empty for a legal graph.
    ///
    /// @param fused whether regions are allowed
    public static List<String> verify(Graph graph, boolean fused) {
        List<String> errors = new ArrayList<>();
        Set<Integer> defined = new HashSet<>();
        Set<String> inputs = new HashSet<>();
        for (Node node : graph.nodes()) {
            String where = "%" + node.id() + " in graph " + graph.name() + ": ";
            boolean operandsKnown = defined.containsAll(node.operands());
            if (!operandsKnown) {
                errors.add(where + "an operand is used before it is made");
            }
            if (!defined.add(node.id())) {
                errors.add(where + "made twice");
            }
            if (node.op() instanceof Op.Input input && !inputs.add(input.name())) {
                errors.add(where + "input " + input.name() + " is declared twice");
            }
            for (Node operand : operandsKnown ? graph.operands(node) : List.<Node>of()) {
                boolean reads = node.op() instanceof Op.Result;
                if (operand.op() instanceof Op.Loop != reads) {
                    errors.add(where + "what a loop gives is read by result, and nothing else is");
                }
            }
            if (node.op() instanceof Op.Loop loop) {
                errors.addAll(verify(loop.body(), fused));
                loop.test().ifPresent(t -> errors.addAll(verify(t, fused)));
            }
            if (operandsKnown
                    && node.op() instanceof Op.Result result
                    && graph.operands(node).getFirst().op() instanceof Op.Loop loop) {
                errors.addAll(result(result, loop, graph, node, where));
            }
            if (node.op() instanceof Op.Region region) {
                if (!fused) {
                    errors.add(where + "a region before fusion");
                }
                errors.addAll(verify(region.body(), false));
            }
            if (operandsKnown) {
                try {
                    List<TensorType> types =
                            graph.operands(node).stream().map(Node::type).toList();
                    TypeRules.check(node.op(), types, node.type());
                } catch (TypeRules.Violation violation) {
                    errors.add(where + violation.getMessage() + at(node.span()));
                }
            }
        }
        for (Graph.Output output : graph.outputs()) {
            if (!defined.contains(output.id())) {
                errors.add("output " + output.name() + " of graph " + graph.name() + " is not made");
            }
        }
        return errors;
    }

    private static List<String> result(Op.Result result, Op.Loop loop, Graph graph, Node node, String where) {
        try {
            Node of = graph.operands(node).getFirst();
            List<TensorType> types = TypeRules.loopResults(
                    loop, graph.operands(of).stream().map(Node::type).toList());
            boolean fits = result.position() >= 0
                    && result.position() < types.size()
                    && types.get(result.position()).equals(node.type());
            return fits ? List.of() : List.of(where + "result " + result.position() + " of " + types);
        } catch (TypeRules.Violation violation) {
            return List.of();
        }
    }

    private static String at(Span span) {
        return span == Span.NONE ? "" : " (" + span + ")";
    }
}
