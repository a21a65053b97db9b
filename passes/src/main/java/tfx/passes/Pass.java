package tfx.passes;

import tfx.ir.graph.Graph;

/// A stateless step from graph to graph. It returns the same instance if it changed nothing.
public interface Pass {
    /// The name on the command line and in dumps.
    String name();

    Graph apply(Graph graph);
}
