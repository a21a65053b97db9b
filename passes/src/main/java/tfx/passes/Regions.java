package tfx.passes;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import tfx.ir.graph.Graph;
import tfx.ir.graph.Node;
import tfx.ir.graph.Op;
import tfx.runtime.DType;

/// The view of a graph that fusion works on: which operations are computed where they are used, and how a set of
/// operations becomes the body of a region.
final class Regions {
    /// A region's body and the values of the outer graph that it reads.
    record Extracted(Graph body, List<Integer> operands) {}

    /// More operations than this are worth storing.
    private static final int MAX_FREE = 64;

    private final Graph graph;
    /// Values that must lie in memory: results, and what loops read.
    private final Set<Integer> outputs = new HashSet<>();
    private final Set<Integer> free = new HashSet<>();
    /// How many operations a free value takes where it is used: its own, and those of free values behind it.
    private final Map<Integer, Integer> sizes = new HashMap<>();
    private final Map<Integer, Set<Integer>> users = new HashMap<>();

    Regions(Graph graph) {
        this.graph = graph;
        graph.outputs().forEach(o -> outputs.add(o.id()));
        graph.nodes().stream().filter(n -> n.op() instanceof Op.Loop).forEach(n -> outputs.addAll(n.operands()));
        for (Node node : graph.nodes()) {
            int size = 1
                    + node.operands().stream()
                            .mapToInt(o -> sizes.getOrDefault(o, 0))
                            .sum();
            if (isFree(node, size)) {
                free.add(node.id());
                sizes.put(node.id(), size);
            }
        }
        findUsers();
    }

    /// Stores a value that would otherwise be computed where it is used.
    void materialize(int id) {
        if (free.remove(id)) {
            findUsers();
        }
    }

    private void findUsers() {
        Map<Integer, List<Node>> direct = graph.users();
        for (Node node : graph.nodes().reversed()) {
            Set<Integer> found = new TreeSet<>();
            for (Node user : direct.get(node.id())) {
                if (free.contains(user.id())) {
                    found.addAll(users.get(user.id()));
                } else {
                    found.add(user.id());
                }
            }
            users.put(node.id(), found);
        }
    }

    /// Free operations cost little to repeat: views, constants, and short arithmetic on positions and given
    /// indices.
    private boolean isFree(Node node, int size) {
        if (outputs.contains(node.id()) || size > MAX_FREE) {
            return false;
        }
        return switch (node.op()) {
            case Op.Constant c -> true;
            case Op.Iota i -> true;
            case Op.DimSize d -> true;
            case Op.RowIds r -> true;
            case Op.Reshape r -> true;
            case Op.Transpose t -> true;
            case Op.Broadcast b -> true;
            case Op.Unary u -> indexArithmetic(node);
            case Op.Binary b -> indexArithmetic(node);
            case Op.Select s -> indexArithmetic(node);
            case Op.Cast c -> indexArithmetic(node) || widenedWeight(node);
            case Op.Gather g -> indexArithmetic(node);
            case Op.Input i -> false;
            case Op.Weight w -> false;
            case Op.Slice s -> true;
            case Op.Window w -> true;
            case Op.Reduce r -> false;
            case Op.Contract c -> false;
            case Op.Concat c -> false;
            case Op.Scatter s -> false;
            case Op.Scan s -> false;
            case Op.Sort s -> false;
            case Op.Loop l -> false;
            case Op.Result r -> false;
            case Op.Region r -> false;
        };
    }

    private boolean indexArithmetic(Node node) {
        boolean cast = node.op() instanceof Op.Cast;
        return (cast || !node.type().dtype().isFloat())
                && graph.operands(node).stream()
                        .allMatch(o -> !o.type().dtype().isFloat() && (free.contains(o.id()) || isSource(o)));
    }

    /// Whether a value is there without being computed by a region.
    static boolean isSource(Node node) {
        return node.op() instanceof Op.Input || node.op() instanceof Op.Weight || node.op() instanceof Op.Result;
    }

    /// What regions compute: operations that are neither given, nor free, nor loops.
    List<Node> work() {
        return graph.nodes().stream()
                .filter(n -> !isSource(n) && !free.contains(n.id()) && !(n.op() instanceof Op.Loop))
                .toList();
    }

    /// Whether a cast widens a matrix of 16-bit weights that products alone read, on the right: they widen it as
    /// they read, and a copy would double the memory that they stream.
    private boolean widenedWeight(Node node) {
        Node weight = graph.node(node.operands().getFirst());
        return weight.op() instanceof Op.Weight
                && weight.type().dtype().isHalf()
                && weight.type().rank() == 2
                && node.type().dtype() == DType.F32
                && weight.type().shape().stream().allMatch(d -> d.constant().isPresent())
                && graph.users().get(node.id()).stream()
                        .allMatch(u -> u.op() instanceof Op.Contract
                                && u.operands().get(1) == node.id()
                                && u.operands().get(0) != node.id());
    }

    boolean isFree(int id) {
        return free.contains(id);
    }

    boolean isOutput(int id) {
        return outputs.contains(id);
    }

    /// The operations that read a value, looking through free ones.
    Set<Integer> users(int id) {
        return users.get(id);
    }

    /// The body of the region that computes `root` from operations `nodes` and the free ones they need.
    Extracted extract(String name, Collection<Integer> nodes, int root) {
        Set<Integer> inside = new HashSet<>(nodes);
        Set<Integer> needed = new TreeSet<>();
        Map<Integer, Integer> operands = new LinkedHashMap<>();
        collect(root, inside, needed, operands);
        List<Node> body = new ArrayList<>();
        Map<Integer, Integer> ids = new HashMap<>();
        operands.forEach((outer, position) -> {
            Node source = graph.node(outer);
            ids.put(outer, body.size());
            body.add(new Node(
                    body.size(), new Op.Input(Integer.toString(position)), List.of(), source.type(), source.span()));
        });
        for (Node node : graph.nodes()) {
            if (needed.contains(node.id())) {
                ids.put(node.id(), body.size());
                body.add(new Node(
                        body.size(),
                        node.op(),
                        node.operands().stream().map(ids::get).toList(),
                        node.type(),
                        node.span()));
            }
        }
        Graph result = new Graph(name, body, List.of(new Graph.Output("0", ids.get(root))));
        return new Extracted(result, List.copyOf(operands.keySet()));
    }

    private void collect(int id, Set<Integer> inside, Set<Integer> needed, Map<Integer, Integer> operands) {
        if (!inside.contains(id) && !free.contains(id)) {
            operands.putIfAbsent(id, operands.size());
            return;
        }
        if (needed.add(id)) {
            graph.node(id).operands().forEach(o -> collect(o, inside, needed, operands));
        }
    }
}
