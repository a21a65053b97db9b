package tfx.ir.kernel;

import java.util.List;
import java.util.function.Function;
import tfx.runtime.Dim;

/// Along which axes neighbours lie side by side in memory; loops over those belong inside.
public final class Neighbours {
    private Neighbours() {}

    /// The order in which to walk the axes of a tile that takes a value.
    public static List<String> order(List<String> axes, Kernel.Expr value) {
        boolean turned = axes.size() == 2 && along(value, axes.get(0)) && !along(value, axes.get(1));
        return turned ? axes.reversed() : axes;
    }

    /// Whether a value reads neighbours along an axis.
    private static boolean along(Kernel.Expr value, String axis) {
        boolean[] found = new boolean[1];
        Exprs.walk(
                value,
                e -> found[0] |= e instanceof Kernel.Load l
                        && !l.index().isEmpty()
                        && unit(l.index().getLast(), axis));
        return found[0];
    }

    private static boolean unit(Dim index, String axis) {
        return index.linearFactor(axis).filter(d -> d.isConstant(1)).isPresent();
    }

    /// Whether a reduction reads neighbours along the last axis that it keeps, and not along the one it reduces.
    ///
    /// @param tileAxes the axes of a tile
    public static boolean columnsFirst(Kernel kernel, Kernel.Reduce reduce, Function<String, List<String>> tileAxes) {
        if (reduce.axes().isEmpty() || kernel.extent(reduce.axes().getLast()) == 1) {
            return false;
        }
        String column = reduce.axes().getLast();
        boolean[] columns = new boolean[1];
        boolean[] rows = new boolean[1];
        Exprs.walk(reduce.value(), e -> {
            if (e instanceof Kernel.Load l && !l.index().isEmpty()) {
                boolean over = l.index().getLast().symbols().contains(reduce.over());
                boolean moves = l.index().stream().anyMatch(d -> d.symbols().contains(reduce.over()));
                boolean changes = l.index().stream().anyMatch(d -> d.symbols().contains(column));
                columns[0] |= unit(l.index().getLast(), column) && moves && !over;
                rows[0] |= over && changes;
            }
            if (e instanceof Kernel.Ref r) {
                List<String> axes = tileAxes.apply(r.name());
                columns[0] |= axes.size() > 1 && axes.getLast().equals(column) && axes.contains(reduce.over());
                rows[0] |= axes.size() > 1 && axes.getLast().equals(reduce.over());
            }
        });
        return columns[0] && !rows[0];
    }
}
