package tfx.ir.sequence;

import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import tfx.ir.Span;

/// An s-op or a selector: an operation on others. Made by a {@link SequenceGraph}, which makes equal ones the same
/// object; a node's id is above those of its operands.
public final class SequenceNode {
    private final SequenceGraph graph;
    private final int id;
    private final SequenceOp op;
    private final List<SequenceNode> operands;
    private final Set<Kind> kinds;
    private final Span span;

    SequenceNode(SequenceGraph graph, int id, SequenceOp op, List<SequenceNode> operands, Set<Kind> kinds, Span span) {
        this.graph = graph;
        this.id = id;
        this.op = op;
        this.operands = List.copyOf(operands);
        this.kinds = Set.copyOf(kinds);
        this.span = span;
    }

    /// What made it.
    public SequenceGraph graph() {
        return graph;
    }

    public int id() {
        return id;
    }

    public SequenceOp op() {
        return op;
    }

    public List<SequenceNode> operands() {
        return operands;
    }

    public SequenceNode operand(int i) {
        return operands.get(i);
    }

    /// The kinds that a position may have; none for a selector.
    public Set<Kind> kinds() {
        return kinds;
    }

    /// Where it was first written.
    public Span span() {
        return span;
    }

    public boolean isSelector() {
        return op instanceof SequenceOp.Selector;
    }

    /// These nodes and all that they need, operands first.
    public static List<SequenceNode> closure(Collection<SequenceNode> roots) {
        return closure(roots, node -> false, node -> false);
    }

    /// The same without nodes that are known, and without what only they need.
    static List<SequenceNode> closure(Collection<SequenceNode> roots, Predicate<SequenceNode> known) {
        return closure(roots, known, node -> false);
    }

    /// The same without nodes that are known, and without what only they or leaves need.
    public static List<SequenceNode> closure(
            Collection<SequenceNode> roots, Predicate<SequenceNode> known, Predicate<SequenceNode> leaf) {
        TreeMap<Integer, SequenceNode> found = new TreeMap<>();
        Deque<SequenceNode> open = new ArrayDeque<>(roots);
        while (!open.isEmpty()) {
            SequenceNode node = open.pop();
            if (!known.test(node) && found.putIfAbsent(node.id, node) == null && !leaf.test(node)) {
                open.addAll(node.operands);
            }
        }
        return List.copyOf(found.values());
    }

    /// `%7 = aggregate[0](%5, %1)`.
    @Override
    public String toString() {
        return "%" + id + " = " + op
                + operands.stream().map(o -> "%" + o.id).collect(Collectors.joining(", ", "(", ")"));
    }
}
