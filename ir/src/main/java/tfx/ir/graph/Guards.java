package tfx.ir.graph;

import java.util.ArrayList;
import java.util.List;
import tfx.runtime.Dim;
import tfx.runtime.program.Guard;

/// What operations need of sizes that only a call knows.
public final class Guards {
    private Guards() {}

    /// The guards of a node that compile-time knowledge leaves open.
    public static List<Guard> of(Graph graph, Node node) {
        List<Guard> guards = new ArrayList<>();
        switch (node.op()) {
            case Op.Slice s -> {
                List<Dim> from = graph.operands(node).getFirst().type().shape();
                for (int i = 0; i < from.size(); i++) {
                    Dim count = node.type().shape().get(i);
                    Dim last = s.starts()
                            .get(i)
                            .plus(count.plus(-1).times(s.steps().get(i)));
                    guards.add(new Guard(count, s.starts().get(i), last, from.get(i), "a slice (" + node.span() + ")"));
                }
            }
            case Op.Window w -> {
                Dim size = graph.operands(node).getFirst().type().shape().get(w.axis());
                Dim count = node.type().shape().get(w.axis());
                Dim width = node.type().shape().get(w.axis() + 1);
                Dim last = count.plus(-1).times(w.stride()).plus(width.plus(-1).times(w.dilation()));
                guards.add(new Guard(count.times(width), Dim.ZERO, last, size, "a window (" + node.span() + ")"));
            }
            default -> {}
        }
        // A size that can be negative, such as N - 5, is none.
        for (Dim size : node.type().shape()) {
            guards.add(new Guard(size, Dim.ZERO, Dim.ZERO, Dim.ONE, "a tensor (" + node.span() + ")"));
        }
        guards.removeIf(Guards::holds);
        return guards;
    }

    /// Whether it holds whatever the sizes are. Where there are elements, a size that is no smaller has some too.
    private static boolean holds(Guard guard) {
        Dim size = guard.size();
        boolean filled = natural(size.plus(-1)) || natural(size.minus(guard.count()));
        return natural(guard.count()) && inside(guard.first(), size, filled) && inside(guard.last(), size, filled);
    }

    /// Whether a place is provably in `0..size-1`.
    private static boolean inside(Dim place, Dim size, boolean filled) {
        Dim room = size.minus(place).plus(-1);
        boolean low = natural(place) || filled && place.equals(size.plus(-1));
        boolean high = natural(room) || filled && room.equals(size.plus(-1));
        return low && high;
    }

    /// Whether a size has no negative coefficient; all symbols are natural numbers.
    private static boolean natural(Dim dim) {
        return dim.terms().stream().allMatch(t -> t.coefficient() >= 0);
    }
}
