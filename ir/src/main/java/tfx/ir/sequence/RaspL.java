package tfx.ir.sequence;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Whether an s-op is in RASP-L, the fragment whose short programs transformers learn so that they hold for longer
/// inputs too (Zhou et al. 2023, arXiv 2310.16028): no position reads a later one, and positions are numbers that
/// are compared, moved, and stepped by a constant, but take no part in other arithmetic.
public final class RaspL {
    /// Where an s-op leaves the fragment, and why.
    public record Departure(SequenceNode node, String reason) {}

    private final Map<SequenceNode, Boolean> indices = new HashMap<>();
    private final List<Departure> departures = new ArrayList<>();

    private RaspL() {}

    /// All places where an s-op, or what a selector compares, leaves the fragment; none if it is inside.
    public static List<Departure> departures(SequenceNode root) {
        RaspL lint = new RaspL();
        for (SequenceNode node : SequenceNode.closure(List.of(root))) {
            lint.visit(node);
        }
        return List.copyOf(lint.departures);
    }

    private void visit(SequenceNode node) {
        boolean isIndex = switch (node.op()) {
            case SequenceOp.Indices i -> true;
            case SequenceOp.Map m -> map(node, m.fn());
            case SequenceOp.Choose c -> isIndex(node, 1) || isIndex(node, 2);
            case SequenceOp.Aggregate a -> {
                requireCausal(node);
                yield isIndex(node, 1);
            }
            case SequenceOp.Width w -> {
                requireCausal(node);
                yield false;
            }
            case SequenceOp.Tokens t -> false;
            case SequenceOp.Constant c -> false;
            case SequenceOp.Lookup l -> false;
            case SequenceOp.Among a -> false;
            case SequenceOp.Selector s -> false;
        };
        indices.put(node, isIndex);
    }

    private boolean isIndex(SequenceNode node, int operand) {
        return indices.get(node.operand(operand));
    }

    private void requireCausal(SequenceNode node) {
        if (!isCausal(node.operand(0))) {
            departures.add(new Departure(node, "a position may read later ones"));
        }
    }

    private boolean map(SequenceNode node, AtomFn fn) {
        if (node.operands().stream().noneMatch(indices::get)) {
            return false;
        }
        return switch (fn) {
            case ADD, SUB -> {
                if (!isWhole(node.operand(1)) && !(fn == AtomFn.ADD && isWhole(node.operand(0)))) {
                    depart(node, fn);
                }
                yield true;
            }
            case NEG, MUL, DIV, MOD, POW -> {
                depart(node, fn);
                yield true;
            }
            case POS, ROUND -> true;
            case NOT, INDICATOR, AND, OR, EQ, NE, LT, LE, GT, GE -> false;
        };
    }

    private static boolean isWhole(SequenceNode node) {
        return node.op() instanceof SequenceOp.Constant c && c.value() instanceof Atom.Whole;
    }

    private void depart(SequenceNode node, AtomFn fn) {
        departures.add(new Departure(node, "positions take part in " + fn.text()));
    }

    /// Whether a selector selects no later position, whatever its operands hold.
    private static boolean isCausal(SequenceNode selector) {
        return switch ((SequenceOp.Selector) selector.op()) {
            case SequenceOp.Select s ->
                (s.comparison() == AtomFn.LE || s.comparison() == AtomFn.LT || s.comparison() == AtomFn.EQ)
                        && selector.operands().stream().allMatch(o -> o.op() instanceof SequenceOp.Indices);
            case SequenceOp.Both b -> selector.operands().stream().anyMatch(RaspL::isCausal);
            case SequenceOp.Either e -> selector.operands().stream().allMatch(RaspL::isCausal);
            case SequenceOp.Complement c ->
                selector.operand(0).op() instanceof SequenceOp.Select s
                        && (s.comparison() == AtomFn.GT || s.comparison() == AtomFn.GE)
                        && selector.operand(0).operands().stream().allMatch(o -> o.op() instanceof SequenceOp.Indices);
        };
    }
}
