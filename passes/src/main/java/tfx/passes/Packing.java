package tfx.passes;

import java.util.List;
import java.util.Optional;
import tfx.ir.Target;
import tfx.ir.kernel.Kernel;
import tfx.runtime.DType;
import tfx.runtime.Dim;
import tfx.runtime.program.Execution.Value;

/// Constant right-hand operands of products as panels, which register tiles read row after row.
final class Packing {
    private Packing() {}

    /// The type that panels keep: the weight's own where products widen it as they read, which takes panels of two
    /// vectors of 8 elements or more.
    static DType stored(DType weight, Target target) {
        boolean widened = weight == DType.I8 || weight.isHalf();
        return widened && target.panel() >= 16 ? weight : DType.F32;
    }

    /// The kernel that fills the panels.
    ///
    /// @param load how the product reads the weight `from`
    static Kernel kernel(
            Kernel.Dot dot, String column, Kernel.Buffer from, Kernel.Load load, Value made, Target target) {
        DType kept = made.type().dtype();
        Kernel.Buffer source = new Kernel.Buffer("source", false, from.dtype(), from.shape(), 0);
        Kernel.Buffer result =
                new Kernel.Buffer("packed", true, kept, made.type().shape(), made.panels());
        Dim rows = made.type().shape().get(0);
        Dim columns = made.type().shape().get(1);
        Kernel.Axis over = new Kernel.Axis(dot.over(), rows, target.block());
        List<Kernel.Axis> grid = List.of(over, new Kernel.Axis(column, columns, target.panel()));
        List<Kernel.Axis> local = List.of();
        List<String> order = List.of(dot.over(), column);
        Dim at = Dim.symbol(column);
        if (columns.constant().filter(c -> c % target.panel() == 0).isPresent()) {
            // Whole panels: the place of an element then needs no division.
            String inside = "inside"; // the other axes have names of one letter
            while (LowerProgram.symbols(List.of(source, result)).contains(inside)) {
                inside += "_";
            }
            grid = List.of(new Kernel.Axis(column, Dim.of(columns.constant().orElseThrow() / target.panel()), 1));
            local = List.of(over, new Kernel.Axis(inside, Dim.of(target.panel()), target.panel()));
            order = List.of(column, dot.over(), inside);
            at = at.times(target.panel()).plus(Dim.symbol(inside));
        }
        Dim place = at;
        List<Dim> index = load.index().stream()
                .map(d -> d.substitute(
                        s -> s.equals(column) ? Optional.of(place) : Optional.empty(), s -> Optional.empty()))
                .toList();
        Kernel.Expr stored = new Kernel.Load("source", index, List.of());
        Kernel.Expr element = from.dtype() == kept ? stored : new Kernel.Cast(kept, stored);
        return new Kernel(
                "pack",
                LowerProgram.symbols(List.of(source, result)),
                List.of(source, result),
                grid,
                local,
                List.of(new Kernel.Store("packed", List.of(Dim.symbol(dot.over()), place), order, element)));
    }
}
