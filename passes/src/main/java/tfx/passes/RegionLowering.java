package tfx.passes;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tfx.ir.Target;
import tfx.ir.graph.Graph;
import tfx.ir.graph.Node;
import tfx.ir.graph.Op;
import tfx.ir.kernel.Exprs;
import tfx.ir.kernel.Kernel;
import tfx.runtime.Dim;

/// One region to a kernel, or to two, where the second joins what tasks of the first leave. Which form it takes
/// follows from the reductions and contractions in the region; a region that fits none is illegal, which is how
/// fusion finds out what it may join.
final class RegionLowering {
    /// A kernel and where its buffers come from.
    ///
    /// @param sources for each buffer but the last, which is the result
    record Lowered(Kernel kernel, List<Source> sources) {}

    /// Where a buffer comes from.
    sealed interface Source {}

    /// An operand of the region.
    record Operand(int position) implements Source {}

    /// The row ids of row offsets, which are an operand of the region.
    record RowIdsOf(int position) implements Source {}

    /// The result of the region's kernel before.
    record Before() implements Source {}

    /// Kernels for calls in which a size is at most `most`.
    record Few(Dim size, long most, List<Lowered> kernels) {}

    private RegionLowering() {}

    /// The kernels that compute a region, one after the other.
    static List<Lowered> lower(String name, Graph body, Target target) throws Illegal {
        Node root = root(body);
        List<Node> contractions = contractions(body);
        if (PlacedLowering.name(root).isPresent()) {
            return List.of(new PlacedLowering(body, root, target).lower(name));
        }
        return switch (contractions.size()) {
            case 0 -> List.of(new RowLowering(body, root, target).lower(name));
            case 1 -> List.of(new DotLowering(body, root, contractions.getFirst(), target).lower(name));
            case 2 -> new OnlineLowering(body, root, contractions, target).lower(name);
            default -> throw new Illegal("more than two contractions");
        };
    }

    /// Kernels that compute the same as those of {@link #lower}, and faster where queries of attention are few.
    /// Empty where a region has none, or where its text says how many they are.
    static Optional<Few> few(String name, Graph body, Target target) {
        List<Node> contractions = contractions(body);
        if (contractions.size() != 2) {
            return Optional.empty();
        }
        try {
            return Optional.of(new OnlineLowering(body, root(body), contractions, target).few(name));
        } catch (Illegal none) {
            return Optional.empty();
        }
    }

    private static Node root(Graph body) {
        return body.node(body.outputs().getFirst().id());
    }

    private static List<Node> contractions(Graph body) {
        return body.nodes().stream().filter(n -> n.op() instanceof Op.Contract).toList();
    }

    /// The buffer of a region's result, under some name.
    static Kernel.Buffer result(String name, Node root) {
        return new Kernel.Buffer(name, true, root.type().dtype(), root.type().shape(), 0);
    }

    /// Assembles the only kernel of a region, which stores the result as `output`.
    static Lowered assemble(
            String name,
            Graph body,
            Puller puller,
            List<Kernel.Axis> grid,
            List<Kernel.Axis> axes,
            List<Kernel.Statement> statements,
            String output) {
        return assemble(name, body, puller, grid, axes, statements, Optional.empty(), result(output, root(body)));
    }

    /// Assembles a kernel from its parts: buffers that the statements read, the result, and the axes.
    ///
    /// @param before the result of the kernel before, if there is one
    static Lowered assemble(
            String name,
            Graph body,
            Puller puller,
            List<Kernel.Axis> grid,
            List<Kernel.Axis> axes,
            List<Kernel.Statement> statements,
            Optional<Kernel.Buffer> before,
            Kernel.Buffer output) {
        Map<String, Integer> reads = new LinkedHashMap<>();
        statements.forEach(s -> reads(s, reads));
        grid.forEach(a -> a.split().ifPresent(s -> {
            reads.merge(s.rowIds(), 1, Integer::sum);
            reads.merge(s.offsets(), 1, Integer::sum);
        }));
        List<Kernel.Buffer> buffers = new ArrayList<>();
        List<Source> sources = new ArrayList<>();
        List<Node> inputs = body.inputs();
        for (int i = 0; i < inputs.size(); i++) {
            Node input = inputs.get(i);
            String buffer = puller.inputs().get(input.id());
            if (reads.containsKey(buffer)) {
                buffers.add(new Kernel.Buffer(
                        buffer, false, input.type().dtype(), input.type().shape(), 0));
                sources.add(new Operand(i));
            }
        }
        puller.rowIds().forEach((id, buffer) -> {
            if (reads.containsKey(buffer)) {
                Node node = body.node(id);
                buffers.add(new Kernel.Buffer(
                        buffer, false, node.type().dtype(), node.type().shape(), 0));
                sources.add(new RowIdsOf(position(inputs, node.operands().getFirst())));
            }
        });
        before.ifPresent(b -> {
            buffers.add(new Kernel.Buffer(b.name(), false, b.dtype(), b.shape(), 0));
            sources.add(new Before());
        });
        buffers.add(output);
        Node root = root(body);
        List<String> sizes = List.copyOf(body.symbols());
        return new Lowered(new Kernel(name, sizes, buffers, grid, axes, statements, root.span()), sources);
    }

    static int position(List<Node> inputs, int id) {
        for (int i = 0; i < inputs.size(); i++) {
            if (inputs.get(i).id() == id) {
                return i;
            }
        }
        throw new IllegalStateException("row offsets are not an input of the region");
    }

    private static void reads(Kernel.Statement statement, Map<String, Integer> reads) {
        Exprs.values(statement).forEach(e -> reads(e, reads));
        if (statement instanceof Kernel.Loop loop) {
            loop.body().forEach(b -> reads(b, reads));
        }
    }

    private static void reads(Kernel.Expr expr, Map<String, Integer> reads) {
        Exprs.walk(expr, e -> {
            if (e instanceof Kernel.Load l) {
                reads.merge(l.buffer(), 1, Integer::sum);
            }
        });
    }
}
