package tfx.compiler.draw;

import java.util.Optional;
import java.util.stream.Collectors;
import tfx.ir.sequence.Atom;
import tfx.ir.sequence.AtomFn;
import tfx.ir.sequence.PythonText;
import tfx.ir.sequence.SequenceNode;
import tfx.ir.sequence.SequenceOp;

/// S-ops and selectors in words: by their names, else as RASP would write them, down to what has a name.
public final class SequenceWords {
    private static final int LONGEST = 46;
    private static final int DEEPEST = 6;

    private SequenceWords() {}

    /// `name = what it is`, or what it is.
    static String of(SequenceNode node) {
        String text = write(node, 0);
        return name(node)
                .filter(n -> !n.equals(text))
                .map(n -> n + " = " + text)
                .orElse(text);
    }

    /// The same, cut where it is long.
    public static String brief(SequenceNode node) {
        String whole = of(node);
        return whole.length() <= LONGEST ? whole : whole.substring(0, LONGEST - 1) + "…";
    }

    static Optional<String> name(SequenceNode node) {
        return node.op() instanceof SequenceOp.Constant
                ? Optional.empty()
                : node.graph().name(node);
    }

    private static String inner(SequenceNode node, int depth) {
        return name(node).orElseGet(() -> depth > DEEPEST ? "…" : write(node, depth));
    }

    private static String write(SequenceNode node, int depth) {
        int d = depth + 1;
        return switch (node.op()) {
            case SequenceOp.Tokens t ->
                t.conversion() == SequenceOp.Conversion.STR
                        ? "tokens"
                        : t.conversion().sequence();
            case SequenceOp.Indices i -> "indices";
            case SequenceOp.Constant c -> atom(c.value());
            case SequenceOp.Map m -> function(m.fn(), node, d);
            case SequenceOp.Choose c ->
                inner(node.operand(1), d) + " if " + inner(node.operand(0), d) + " else " + inner(node.operand(2), d);
            case SequenceOp.Lookup l -> (l.isList() ? "list[" : "dict[") + inner(node.operand(0), d) + "]";
            case SequenceOp.Among a ->
                inner(node.operand(0), d) + " in "
                        + a.items().stream().map(SequenceWords::atom).collect(Collectors.joining(", ", "[", "]"));
            case SequenceOp.Select s ->
                "select(" + inner(node.operand(0), d) + ", " + inner(node.operand(1), d) + ", "
                        + s.comparison().text() + ")";
            case SequenceOp.Both b -> inner(node.operand(0), d) + " and " + inner(node.operand(1), d);
            case SequenceOp.Either e -> inner(node.operand(0), d) + " or " + inner(node.operand(1), d);
            case SequenceOp.Complement c -> "not " + inner(node.operand(0), d);
            case SequenceOp.Aggregate a ->
                reduction(a) + "(" + inner(node.operand(0), d) + ", " + inner(node.operand(1), d) + ")";
            case SequenceOp.Width w -> "selector_width(" + inner(node.operand(0), d) + ")";
        };
    }

    private static String reduction(SequenceOp.Aggregate op) {
        return switch (op.reduction()) {
            case MEAN -> "aggregate";
            case MAX -> "aggr_max";
            case MIN -> "aggr_min";
        };
    }

    private static String atom(Atom atom) {
        return atom instanceof Atom.Text t ? "\"" + t.value() + "\"" : PythonText.of(atom);
    }

    private static String function(AtomFn fn, SequenceNode node, int depth) {
        String a = inner(node.operands().getFirst(), depth);
        if (fn.arity() == 2) {
            return "(" + a + " " + fn.text() + " " + inner(node.operand(1), depth) + ")";
        }
        boolean call = fn == AtomFn.ROUND || fn == AtomFn.INDICATOR;
        return call ? fn.text() + "(" + a + ")" : fn == AtomFn.NOT ? "not " + a : fn.text() + a;
    }
}
