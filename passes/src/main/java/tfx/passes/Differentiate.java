package tfx.passes;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tfx.ir.BinaryFn;
import tfx.ir.Span;
import tfx.ir.graph.Gradients;
import tfx.ir.graph.Graph;
import tfx.ir.graph.GraphBuilder;
import tfx.ir.graph.Node;
import tfx.ir.graph.Op;

/// Reverse-mode differentiation of a graph without loops: the graph that computes the result and, from the
/// gradient of something with respect to the result, that with respect to inputs.
///
/// Before:
/// ```
/// %0 = input() "x" : f32[N]
/// %1 = exp(%0) : f32[N]
/// output "y" %1
/// ```
/// After, for `y` and `x`:
/// ```
/// %0 = input() "x" : f32[N]
/// %1 = exp(%0) : f32[N]
/// %2 = input() "d.y" : f32[N]
/// %3 = mul(%2, %1) : f32[N]
/// output "y" %1
/// output "d.x" %3
/// ```
///
/// **Requires** a graph without regions and loops. **Ensures** an output `d.NAME` for each input asked for, zeros
/// where nothing flows. **Does not** simplify what it makes.
public final class Differentiate {
    private Differentiate() {}

    /// @param output the result to differentiate, of a floating type
    /// @param inputs the inputs to differentiate by, of floating types
    /// @throws IllegalArgumentException if the graph has a loop
    public static Graph of(Graph graph, String output, List<String> inputs) {
        GraphBuilder builder = new GraphBuilder();
        Map<Integer, Node> copies = new HashMap<>();
        for (Node node : graph.nodes()) {
            if (node.op() instanceof Op.Loop || node.op() instanceof Op.Region) {
                throw new IllegalArgumentException(
                        "differentiation goes through straight-line programs, not " + node.op());
            }
            List<Node> operands = node.operands().stream().map(copies::get).toList();
            copies.put(node.id(), Rebuild.keep(builder, node, operands));
        }
        Map<Integer, Node> gradients = new HashMap<>();
        for (Graph.Output o : graph.outputs()) {
            builder.output(o.name(), copies.get(o.id()));
            if (o.name().equals(output)) {
                Node y = copies.get(o.id());
                gradients.put(y.id(), builder.input("d." + output, y.type(), y.span()));
            }
        }
        for (Node node : graph.nodes().reversed()) {
            Node copy = copies.get(node.id());
            Node dy = gradients.get(copy.id());
            if (dy != null) {
                List<Node> operands =
                        copy.operands().stream().map(builder::node).toList();
                List<Optional<Node>> flows = Gradients.of(builder, copy, operands, dy);
                for (int i = 0; i < flows.size(); i++) {
                    add(builder, gradients, operands.get(i), flows.get(i), copy.span());
                }
            }
        }
        for (Node input : graph.inputs()) {
            String name = ((Op.Input) input.op()).name();
            if (inputs.contains(name)) {
                Node x = copies.get(input.id());
                Node zero = builder.broadcast(
                        builder.constant(x.type().dtype(), 0.0, x.span()),
                        x.type().shape(),
                        List.of(),
                        x.span());
                builder.output("d." + name, gradients.getOrDefault(x.id(), zero));
            }
        }
        return builder.build(graph.name());
    }

    private static void add(
            GraphBuilder builder, Map<Integer, Node> gradients, Node operand, Optional<Node> flow, Span span) {
        if (flow.isPresent()) {
            Node before = gradients.get(operand.id());
            gradients.put(
                    operand.id(), before == null ? flow.get() : builder.binary(BinaryFn.ADD, before, flow.get(), span));
        }
    }

    /// The names of the floating inputs of a graph.
    public static List<String> floatingInputs(Graph graph) {
        List<String> names = new ArrayList<>();
        for (Node input : graph.inputs()) {
            if (input.type().dtype().isFloat()) {
                names.add(((Op.Input) input.op()).name());
            }
        }
        return names;
    }
}
