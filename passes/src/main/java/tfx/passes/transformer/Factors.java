package tfx.passes.transformer;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import tfx.ir.sequence.AtomFn;
import tfx.ir.sequence.SequenceNode;
import tfx.ir.sequence.SequenceOp;

/// A selector as selectors that all have to select: their scores add up in a head.
final class Factors {
    private Factors() {}

    /// @param causal whether heads see no later position anyway
    static List<SequenceNode> of(SequenceNode selector, boolean causal) {
        Set<SequenceNode> factors = new LinkedHashSet<>();
        List<SequenceNode> open = new ArrayList<>(List.of(selector));
        while (!open.isEmpty()) {
            SequenceNode node = open.removeLast();
            switch (node.op()) {
                case SequenceOp.Both b -> open.addAll(node.operands().reversed());
                case SequenceOp.Complement c
                when node.operand(0).op() instanceof SequenceOp.Complement ->
                    open.add(node.operand(0).operand(0));
                case SequenceOp.Complement c
                when node.operand(0).op() instanceof SequenceOp.Either ->
                    node.operand(0).operands().reversed().forEach(o -> open.add(complement(o)));
                default -> {
                    if (!causal || !isPrefix(node)) {
                        factors.add(node);
                    }
                }
            }
        }
        return List.copyOf(factors);
    }

    private static SequenceNode complement(SequenceNode selector) {
        return selector.graph().node(new SequenceOp.Complement(), List.of(selector), selector.span());
    }

    /// `select(indices, indices, <=)`.
    private static boolean isPrefix(SequenceNode node) {
        return node.op() instanceof SequenceOp.Select s
                && s.comparison() == AtomFn.LE
                && node.operands().stream().allMatch(o -> o.op() instanceof SequenceOp.Indices);
    }

    /// The comparisons that a factor is made of.
    static List<SequenceNode> comparisons(SequenceNode factor) {
        return SequenceNode.closure(
                        List.of(factor), node -> !node.isSelector(), node -> node.op() instanceof SequenceOp.Select)
                .stream()
                .filter(n -> n.op() instanceof SequenceOp.Select)
                .toList();
    }
}
