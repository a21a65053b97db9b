package tfx.ir.graph;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import tfx.ir.InternalError;

/// A program in SSA form: nodes in an order where operands come first, and the named results.
public final class Graph {
    /// A result of the program.
    public record Output(String name, int id) {}

    private final String name;
    private final List<Node> nodes;
    private final List<Output> outputs;
    private final Map<Integer, Node> byId = new HashMap<>();

    public Graph(String name, List<Node> nodes, List<Output> outputs) {
        this.name = name;
        this.nodes = List.copyOf(nodes);
        this.outputs = List.copyOf(outputs);
        for (Node node : nodes) {
            byId.put(node.id(), node);
        }
    }

    public String name() {
        return name;
    }

    public List<Node> nodes() {
        return nodes;
    }

    public List<Output> outputs() {
        return outputs;
    }

    /// The node that makes a value.
    public Node node(int id) {
        Node node = byId.get(id);
        if (node == null) {
            throw new InternalError("graph " + name + " has no value %" + id);
        }
        return node;
    }

    public boolean defines(int id) {
        return byId.containsKey(id);
    }

    /// The operands of a node.
    public List<Node> operands(Node node) {
        return node.operands().stream().map(this::node).toList();
    }

    /// For each value, the nodes that read it, in order; an output is not a user.
    public Map<Integer, List<Node>> users() {
        Map<Integer, List<Node>> users = new HashMap<>();
        for (Node node : nodes) {
            users.computeIfAbsent(node.id(), k -> new ArrayList<>());
            for (int operand : Set.copyOf(node.operands())) {
                users.computeIfAbsent(operand, k -> new ArrayList<>()).add(node);
            }
        }
        return users;
    }

    /// The arguments, in order.
    public List<Node> inputs() {
        return nodes.stream().filter(n -> n.op() instanceof Op.Input).toList();
    }

    /// The size symbols that occur in types and sizes.
    public Set<String> symbols() {
        Set<String> symbols = new TreeSet<>();
        for (Node node : nodes) {
            switch (node.op()) {
                case Op.DimSize size -> symbols.addAll(size.dim().symbols());
                case Op.Slice slice -> slice.starts().forEach(s -> symbols.addAll(s.symbols()));
                case Op.Loop loop -> loop.trips().ifPresent(t -> symbols.addAll(t.symbols()));
                default -> {} // the others name sizes in types alone
            }
        }
        nodes.forEach(n -> n.type().shape().forEach(d -> symbols.addAll(d.symbols())));
        return symbols;
    }

    /// The first id that no node uses.
    public int nextId() {
        return nodes.stream().mapToInt(Node::id).max().orElse(-1) + 1;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Graph g && name.equals(g.name) && nodes.equals(g.nodes) && outputs.equals(g.outputs);
    }

    @Override
    public int hashCode() {
        return Objects.hash(name, nodes, outputs);
    }

    @Override
    public String toString() {
        return GraphText.print(this);
    }
}
