package tfx.compiler.draw;

import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tfx.ir.sequence.Atom;
import tfx.ir.sequence.Heads;
import tfx.ir.sequence.PythonText;
import tfx.ir.sequence.SequenceEvaluator;
import tfx.ir.sequence.SequenceNode;
import tfx.ir.sequence.SequenceOp;

/// A drawing of an s-op on an input: its layers from top to bottom, in each the heads side by side, each with
/// the grid of what it selects and the values it computes, and below them what functions of single positions
/// make of those.
public final class SequenceDrawing {
    /// More tokens than this cannot be read in a drawing.
    public static final int MAX_TOKENS = 64;

    private static final int CELL = 16;
    private static final int LETTER = 7;
    private static final int LINE = 18;
    private static final int GAP = 14;

    private final SequenceNode root;
    private final List<Atom> tokens;
    private final SequenceEvaluator values;
    private final List<Heads.Head> heads;
    private final Map<SequenceNode, Integer> layer = new HashMap<>();
    private final Set<SequenceNode> drawn = new HashSet<>();
    private final int column;

    private SequenceDrawing(SequenceNode root, List<Atom> tokens) {
        this.root = root;
        this.tokens = tokens;
        this.values = new SequenceEvaluator(tokens);
        this.heads = Heads.of(root);
        heads.forEach(h -> h.computes().forEach(n -> layer.put(n, h.layer())));
        for (SequenceNode node : SequenceNode.closure(List.of(root))) {
            int before = node.operands().stream().mapToInt(layer::get).max().orElse(0);
            layer.putIfAbsent(node, before);
        }
        int longest = 1;
        for (SequenceNode node : shown()) {
            longest = Math.max(
                    longest,
                    values.values(node).stream()
                            .mapToInt(a -> text(a).length())
                            .max()
                            .orElse(1));
        }
        this.column = Math.max(CELL + 6, longest * LETTER + 8);
    }

    /// Draws an s-op.
    ///
    /// @throws tfx.ir.sequence.SequenceError    where the program fails on this input
    /// @throws IllegalArgumentException if there are more than {@link #MAX_TOKENS} tokens, or it is a selector
    public static String svg(SequenceNode root, List<Atom> tokens) {
        if (root.isSelector() || tokens.size() > MAX_TOKENS) {
            throw new IllegalArgumentException("a drawing is of an s-op on at most " + MAX_TOKENS + " tokens");
        }
        return new SequenceDrawing(root, tokens).draw();
    }

    /// The same inside a page of its own.
    public static String html(String title, String svg) {
        return "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>" + Svg.escape(title)
                + "</title></head>\n<body style=\"margin:16px\">\n" + svg + "</body>\n</html>\n";
    }

    private static String text(Atom atom) {
        return PythonText.shown(atom);
    }

    /// What has a row: aggregates, what heads read, what has a name, and the result; constants have none.
    private List<SequenceNode> shown() {
        Set<SequenceNode> read = new HashSet<>(Set.of(root));
        List<SequenceNode> all = SequenceNode.closure(List.of(root));
        for (SequenceNode node : all) {
            boolean head = layer.containsKey(node) && isHead(node);
            if (head || node.op() instanceof SequenceOp.Select) {
                read.addAll(node.operands());
            }
            if (head || SequenceWords.name(node).isPresent()) {
                read.add(node);
            }
        }
        return all.stream()
                .filter(n -> read.contains(n) && !n.isSelector() && !(n.op() instanceof SequenceOp.Constant))
                .toList();
    }

    private static boolean isHead(SequenceNode node) {
        return node.op() instanceof SequenceOp.Aggregate || node.op() instanceof SequenceOp.Width;
    }

    private String draw() {
        Svg svg = new Svg();
        int y = GAP;
        for (int l = 0; l <= Heads.layers(heads); l++) {
            y = layer(svg, l, y) + GAP;
        }
        return svg.text(y);
    }

    private int layer(Svg svg, int number, int top) {
        svg.words(GAP, top + LINE - 4, number == 0 ? "input" : "layer " + number, "bold");
        int y = top + LINE + 4;
        int x = 2 * GAP;
        int lowest = y;
        int here = 0;
        for (Heads.Head head : heads) {
            if (head.layer() == number) {
                int[] end = head(svg, head, ++here, x, y);
                x = end[0] + GAP;
                lowest = Math.max(lowest, end[1] + GAP);
            }
        }
        for (SequenceNode node : shown()) {
            if (layer.get(node) == number && !isHead(node)) {
                row(svg, node, 2 * GAP, lowest);
                lowest += LINE + 6;
            }
        }
        svg.frame(GAP / 2, top - 4, lowest - top + 6);
        return lowest;
    }

    /// A head's grid with its tokens, and a row for each of its results; its right and lower ends.
    private int[] head(Svg svg, Heads.Head head, int number, int left, int top) {
        int size = tokens.size();
        int label = tokens.stream().mapToInt(t -> text(t).length()).max().orElse(1) * LETTER + 8;
        String title = "head " + number + ": " + SequenceWords.brief(head.selector());
        svg.explained(left, top + 12, title, "", SequenceWords.of(head.selector()));
        int gridTop = top + LINE + LINE;
        for (int j = 0; j < size; j++) {
            svg.centred(left + label + j * CELL + CELL / 2, gridTop - 5, cut(text(tokens.get(j))));
        }
        List<BitSet> rows = values.rows(head.selector());
        for (int i = 0; i < size; i++) {
            svg.words(left, gridTop + i * CELL + 12, text(tokens.get(i)), "");
            for (int j = 0; j < size; j++) {
                String tip = text(tokens.get(i)) + " at " + i + (rows.get(i).get(j) ? " selects " : " leaves out ")
                        + text(tokens.get(j)) + " at " + j;
                svg.cell(
                        left + label + j * CELL,
                        gridTop + i * CELL,
                        CELL,
                        rows.get(i).get(j),
                        tip);
            }
        }
        int y = gridTop + size * CELL + 6;
        int right = Math.max(left + label + size * CELL, left + title.length() * LETTER);
        for (SequenceNode node : head.computes()) {
            if (!drawn.add(node)) {
                continue; // a width, which two heads compute together
            }
            right = Math.max(right, row(svg, node, left, y));
            y += LINE + 6;
        }
        return new int[] {right, y};
    }

    private static String cut(String text) {
        return text.length() <= 2 ? text : text.substring(0, 1) + "…";
    }

    /// A value for each position, and what it is; the right end.
    private int row(Svg svg, SequenceNode node, int left, int top) {
        List<Atom> row = values.values(node);
        for (int i = 0; i < row.size(); i++) {
            svg.value(left + i * column, top, column, LINE, text(row.get(i)), node == root);
        }
        String label = SequenceWords.brief(node);
        int after = left + row.size() * column + 8;
        svg.explained(after, top + 13, label, node == root ? "bold" : "", SequenceWords.of(node));
        return after + label.length() * LETTER;
    }
}
