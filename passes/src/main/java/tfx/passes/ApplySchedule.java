package tfx.passes;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import tfx.ir.InternalError;
import tfx.ir.Span;
import tfx.ir.graph.Graph;
import tfx.ir.graph.Node;
import tfx.ir.graph.Op;

/// Makes the fused graph that a schedule describes: inputs, weights, one region for each group, and loops whose
/// graphs are fused likewise.
///
/// Before, with `fuse map.0 (%1, %2)`:
/// ```
/// %1 = exp(%0) : f32[N]
/// %2 = neg(%1) : f32[N]
/// ```
/// After:
/// ```
/// %2 = region(%0) "map.0" graph "map.0" { ... } : f32[N]
/// ```
///
/// **Requires** a schedule whose groups cover every operation that is not free. **Ensures** only inputs, weights,
/// regions and loops at the top. **Does not** check that the regions lower.
public final class ApplySchedule {
    private ApplySchedule() {}

    public static Graph apply(Graph graph, Schedule schedule) {
        Regions regions = new Regions(graph);
        List<Node> nodes = new ArrayList<>();
        Map<Integer, Schedule.Group> byRoot = new HashMap<>();
        schedule.groups().forEach(g -> {
            byRoot.put(g.root(), g);
            regions.materialize(g.root());
        });
        for (Node node : graph.nodes()) {
            Schedule.Group group = byRoot.get(node.id());
            if (Regions.isSource(node)) {
                nodes.add(node);
            } else if (node.op() instanceof Op.Loop loop) {
                Schedule.Nested nested = schedule.loops().get(node.id());
                nodes.add(Rebuild.withBodies(
                        node,
                        loop,
                        g -> apply(
                                g,
                                g == loop.body() ? nested.body() : nested.test().orElseThrow())));
            } else if (group != null) {
                Regions.Extracted region = regions.extract(group.name(), group.nodes(), group.root());
                Span span =
                        group.nodes().stream().map(n -> graph.node(n).span()).reduce(node.span(), Span::to);
                nodes.add(new Node(
                        node.id(), new Op.Region(group.name(), region.body()), region.operands(), node.type(), span));
            }
        }
        Graph fused = new Graph(graph.name(), nodes, graph.outputs());
        for (Node node : fused.nodes()) {
            for (int operand : node.operands()) {
                if (!fused.defines(operand)) {
                    throw new InternalError("the schedule leaves %" + operand + " uncomputed");
                }
            }
        }
        return fused;
    }
}
