package tfx.passes;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import tfx.ir.graph.Graph;
import tfx.ir.graph.Node;
import tfx.ir.graph.Op;
import tfx.runtime.Dim;

/// The labels of a contraction sorted by role, each with a loop axis.
///
/// @param rows    labels of the left operand and the result alone
/// @param columns labels of the right operand and the result alone
/// @param batch   labels of all three
/// @param summed  labels of the operands alone
record Labels(Op.Contract op, String rows, String columns, String batch, String summed, Map<Character, String> axes) {

    static Labels of(Node contraction, Graph body, Puller puller) {
        Op.Contract op = (Op.Contract) contraction.op();
        StringBuilder rows = new StringBuilder();
        StringBuilder columns = new StringBuilder();
        StringBuilder batch = new StringBuilder();
        for (char c : op.result().toCharArray()) {
            boolean left = op.lhs().indexOf(c) >= 0;
            boolean right = op.rhs().indexOf(c) >= 0;
            (left && right ? batch : left ? rows : columns).append(c);
        }
        Map<Character, String> axes = new HashMap<>();
        for (int side = 0; side < 2; side++) {
            String labels = side == 0 ? op.lhs() : op.rhs();
            List<Dim> shape = body.node(contraction.operands().get(side)).type().shape();
            for (int i = 0; i < labels.length(); i++) {
                char c = labels.charAt(i);
                if (!axes.containsKey(c)) {
                    axes.put(c, puller.axis(Character.toString(c), shape.get(i)));
                }
            }
        }
        return new Labels(op, rows.toString(), columns.toString(), batch.toString(), op.summed(), axes);
    }

    String axis(char label) {
        return axes.get(label);
    }

    /// The index that labels stand for.
    List<Dim> index(String labels) {
        List<Dim> index = new ArrayList<>();
        for (char c : labels.toCharArray()) {
            index.add(Dim.symbol(axes.get(c)));
        }
        return index;
    }

    /// The axis of the last label, or a new one of size 1 where there is none.
    String last(String labels, String base, Puller puller) {
        return labels.isEmpty() ? puller.axis(base, Dim.ONE) : axes.get(labels.charAt(labels.length() - 1));
    }
}
