package tfx.compiler;

import java.util.List;
import tfx.ir.InternalError;
import tfx.ir.Target;
import tfx.ir.graph.Graph;
import tfx.ir.graph.GraphVerifier;
import tfx.ir.kernel.KernelProgram;
import tfx.ir.kernel.KernelVerifier;
import tfx.passes.ApplySchedule;
import tfx.passes.Fuse;
import tfx.passes.LowerProgram;
import tfx.passes.MergeEqual;
import tfx.passes.Pass;
import tfx.passes.RemoveDead;
import tfx.passes.Schedule;
import tfx.passes.Simplify;
import tfx.passes.StoredPanels;

/// The one place where passes are listed and ordered.
public final class Pipeline {
    /// What varies.
    ///
    /// @param passes whether graph passes and fusion run; without them every operation is a kernel of its own
    public record Options(Target target, boolean passes) {}

    /// A program after each phase.
    public record Phases(Graph graph, Schedule schedule, Graph fused, KernelProgram kernels) {}

    /// Graph passes, in order.
    static final List<Pass> GRAPH_PASSES = List.of(
            // First: joins views and folds constants, which leaves operations without readers.
            new Simplify(),
            // After Simplify: what it made equal becomes one value.
            new MergeEqual(),
            // Last: fusion must not see operations that nobody reads.
            new RemoveDead());

    private Pipeline() {}

    public static Phases run(Graph source, Options options) {
        verify(GraphVerifier.verify(source, false), "the front end");
        Graph graph = source;
        for (Pass pass : options.passes() ? GRAPH_PASSES : List.<Pass>of()) {
            Graph changed = pass.apply(graph);
            if (changed != graph) {
                verify(GraphVerifier.verify(changed, false), pass.name());
            }
            graph = changed;
        }
        Schedule schedule = options.passes() ? Fuse.choose(graph, options.target()) : Fuse.none(graph);
        Graph fused = ApplySchedule.apply(graph, schedule);
        verify(GraphVerifier.verify(fused, true), "fusion");
        KernelProgram kernels = LowerProgram.lower(fused, options.target());
        verify(KernelVerifier.verify(kernels), "lowering");
        return new Phases(graph, schedule, fused, kernels);
    }

    /// A program as a jar holds it: after all phases, it reads weights of products in stored panels.
    public static StoredPanels.Result packaged(Graph source, Target target) {
        KernelProgram kernels = run(source, new Options(target, true)).kernels();
        StoredPanels.Result result = StoredPanels.of(kernels, target);
        verify(KernelVerifier.verify(result.program()), "storing panels");
        return result;
    }

    private static void verify(List<String> errors, String after) {
        if (!errors.isEmpty()) {
            throw new InternalError("after " + after + ": " + String.join("; ", errors));
        }
    }
}
