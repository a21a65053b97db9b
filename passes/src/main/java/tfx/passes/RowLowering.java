package tfx.passes;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import tfx.ir.BinaryFn;
import tfx.ir.ReduceFn;
import tfx.ir.Target;
import tfx.ir.UnaryFn;
import tfx.ir.graph.Graph;
import tfx.ir.graph.Node;
import tfx.ir.graph.Op;
import tfx.ir.kernel.Exprs;
import tfx.ir.kernel.Kernel;
import tfx.ir.kernel.Kernel.Expr;
import tfx.runtime.DType;
import tfx.runtime.Dim;

/// Regions without contractions: element-wise operations, and reductions over one set of rows with whatever comes
/// before and after them. Each reduction reads its row again; what lies between is computed again, and stored only
/// where that is dear.
final class RowLowering {
    private static final int MOST_ROWS = 16;

    /// Elements of the rows of a task with reductions: the fewer there are, the more of the next ones arrives,
    /// by what the processor reads ahead, while the later passes work on these.
    private static final int ROW_ELEMENTS = 1024;

    private static final int USUAL_COLUMNS = 512;
    private static final Set<UnaryFn> CHEAP = EnumSet.of(UnaryFn.NEG, UnaryFn.ABS, UnaryFn.NOT, UnaryFn.SQRT);

    private final Graph body;
    private final Node root;
    private final Target target;
    private final Puller puller;
    private final Map<Integer, String> tiles = new HashMap<>();
    private final Map<Integer, List<Dim>> indices = new HashMap<>();
    private final List<Kernel.Statement> statements = new ArrayList<>();
    private final List<Kernel.Axis> local = new ArrayList<>();
    private Set<String> rows = Set.of();
    private Optional<Operand> last = Optional.empty();

    /// What the last reduction reduces.
    ///
    /// @param index where it is read, the reduced axis among it
    private record Operand(Node reduction, Node node, List<Dim> index, String over) {}

    RowLowering(Graph body, Node root, Target target) {
        this.body = body;
        this.root = root;
        this.target = target;
        this.puller = new Puller(body, this::reduction);
    }

    RegionLowering.Lowered lower(String name) throws Illegal {
        List<Dim> shape = root.type().shape();
        List<String> axes = new ArrayList<>();
        List<Dim> index = new ArrayList<>();
        for (Dim size : shape) {
            String axis = puller.axis("i" + axes.size(), size);
            axes.add(axis);
            index.add(Dim.symbol(axis));
        }
        Expr value = puller.pull(root.id(), index);
        Set<String> outer = new LinkedHashSet<>(axes);
        if (!tiles.isEmpty()) {
            outer.retainAll(rows);
        }
        boolean rowsOnly = tiles.isEmpty() || outer.size() == axes.size();
        List<Kernel.Axis> grid = new ArrayList<>();
        for (int i = 0; i < axes.size(); i++) {
            if (outer.contains(axes.get(i))) {
                int fromEnd = outer.size() - grid.size();
                int tile = fromEnd == 1
                        ? (rowsOnly && tiles.isEmpty() ? target.block() : rowsAtOnce())
                        : fromEnd == 2 && tiles.isEmpty() ? MOST_ROWS : 1;
                grid.add(new Kernel.Axis(axes.get(i), shape.get(i), tile));
            } else {
                local.add(new Kernel.Axis(axes.get(i), shape.get(i), target.block()));
            }
        }
        String output = puller.fresh("y");
        value = kept(axes, value);
        statements.add(new Kernel.Store(output, index, axes, value));
        Restriction.apply(body, puller, statements, grid);
        return RegionLowering.assemble(name, body, puller, grid, local, statements, output);
    }

    private int rowsAtOnce() {
        long columns = 1;
        for (Kernel.Axis axis : local) {
            columns = Math.max(columns, axis.size().constant().orElse((long) USUAL_COLUMNS));
        }
        return (int) Math.clamp(ROW_ELEMENTS / columns, 1, MOST_ROWS);
    }

    /// What is dear and both reduced last and part of the result, such as the exponentials of a softmax, is
    /// computed once, where a row of it has a known and moderate length.
    ///
    /// @return the result, which reads it from a tile
    private Expr kept(List<String> axes, Expr value) throws Illegal {
        List<String> columns = axes.stream().filter(a -> !rows.contains(a)).toList();
        if (last.isEmpty() || columns.size() != 1 || !(statements.getLast() instanceof Kernel.Reduce reduce)) {
            return value;
        }
        Operand operand = last.get();
        Dim size = puller.axisSize(operand.over).orElseThrow();
        boolean known = size.constant().filter(c -> c <= target.block()).isPresent();
        boolean same = puller.axisSize(columns.getFirst()).orElseThrow().equals(size);
        if (!known || !same || !dear(reduce.value())) {
            return value;
        }
        Dim column = Dim.symbol(columns.getFirst());
        List<Dim> index = operand.index.stream()
                .map(d -> d.equals(Dim.symbol(operand.over)) ? column : d)
                .toList();
        Expr shared = DotLowering.widened(puller.pull(operand.node.id(), index), operand.reduction);
        Expr kept = new Kernel.Ref(puller.fresh("e"));
        Expr result = Exprs.replace(value, Map.of(shared, kept));
        if (result.equals(value)) {
            return value;
        }
        local.removeIf(a -> a.name().equals(operand.over));
        statements.removeLast();
        Expr quotient = new Kernel.Binary(BinaryFn.DIV, kept, new Kernel.Ref(reduce.name()));
        shared = belowMaximum(shared, columns.getFirst(), result.equals(quotient));
        statements.add(new Kernel.Let(((Kernel.Ref) kept).name(), reduce.dtype(), axes, shared));
        statements.add(new Kernel.Reduce(
                reduce.name(), reduce.dtype(), reduce.axes(), reduce.fn(), columns.getFirst(), false, kept));
        return result;
    }

    /// The exponential of a difference from the maximum of just this row, marked so; any other value as it is.
    /// Where all of it is divided by a sum of such exponentials, a NaN in the row makes them all NaN, whatever
    /// the maximum is.
    private Expr belowMaximum(Expr value, String column, boolean divided) {
        if (!(value instanceof Kernel.Unary(UnaryFn fn, Kernel.Binary(BinaryFn minus, Expr x, Expr shift)))
                || fn != UnaryFn.EXP
                || minus != BinaryFn.SUB
                || statements.size() != 1
                || !(statements.getFirst() instanceof Kernel.Reduce most)
                || most.fn() != ReduceFn.MAX
                || !puller.axisSize(most.over()).equals(puller.axisSize(column))
                || !x.equals(along(most.value(), most.over(), column))) {
            return value;
        }
        Expr maximum = new Kernel.Ref(most.name());
        // Where nothing is above -inf, a softmax shifts by 0.
        boolean plain = shift.equals(maximum)
                || shift instanceof Kernel.Select(Expr _, Kernel.Constant none, Expr other)
                        && none.value().doubleValue() == 0
                        && other.equals(maximum)
                        && isLowest(((Kernel.Select) shift).condition(), maximum);
        if (!plain) {
            return value;
        }
        if (divided) {
            Expr ordered = new Kernel.Known(Kernel.Fact.ORDERED, most.value());
            statements.set(
                    0,
                    new Kernel.Reduce(most.name(), most.dtype(), most.axes(), most.fn(), most.over(), false, ordered));
        }
        return new Kernel.Unary(
                UnaryFn.EXP, new Kernel.Known(Kernel.Fact.NONPOSITIVE, new Kernel.Binary(BinaryFn.SUB, x, shift)));
    }

    private static boolean isLowest(Expr condition, Expr maximum) {
        return condition instanceof Kernel.Binary(BinaryFn fn, Expr a, Kernel.Constant lowest)
                && fn == BinaryFn.EQ
                && a.equals(maximum)
                && lowest.value().doubleValue() == Double.NEGATIVE_INFINITY;
    }

    /// A value along another axis.
    private static Expr along(Expr value, String axis, String other) {
        Function<Dim, Dim> renamed = d -> d.substitute(
                s -> s.equals(axis) ? Optional.of(Dim.symbol(other)) : Optional.empty(), s -> Optional.empty());
        return switch (value) {
            case Kernel.Load l
            when l.lookups().isEmpty() ->
                new Kernel.Load(l.buffer(), l.index().stream().map(renamed).toList(), List.of());
            case Kernel.Index i when i.lookups().isEmpty() -> new Kernel.Index(i.dtype(), renamed.apply(i.dim()));
            default -> Exprs.rebuild(value, e -> along(e, axis, other));
        };
    }

    /// Whether a value takes more than a few instructions.
    private static boolean dear(Expr value) {
        boolean[] found = new boolean[1];
        Exprs.walk(value, e -> found[0] |= e instanceof Kernel.Unary u && !CHEAP.contains(u.fn()));
        return found[0];
    }

    private Expr reduction(Node node, List<Dim> index) throws Illegal {
        if (!(node.op() instanceof Op.Reduce reduce)) {
            throw new Illegal(node.op() + " in a row kernel");
        }
        String known = tiles.get(node.id());
        if (known != null) {
            if (!index.equals(indices.get(node.id()))) {
                throw new Illegal("one reduction is read at two places");
            }
            return DotLowering.rounded(new Kernel.Ref(known), node);
        }
        List<String> kept = new ArrayList<>();
        for (Dim at : index) {
            if (at.constant().isPresent()) {
                continue;
            }
            String axis = at.symbolName().orElseThrow(() -> new Illegal("a reduction is read through a view"));
            if (puller.axisSize(axis).isEmpty() || puller.isLookup(axis) || kept.contains(axis)) {
                throw new Illegal("a reduction is read at a computed place");
            }
            kept.add(axis);
        }
        if (!rows.isEmpty() && !rows.equals(Set.copyOf(kept))
                || rows.isEmpty() && !tiles.isEmpty() && !kept.isEmpty()) {
            throw new Illegal("reductions over different rows");
        }
        Node operand = body.node(node.operands().getFirst());
        List<Dim> inner = new ArrayList<>(index);
        List<String> over = new ArrayList<>();
        for (int axis : reduce.axes()) {
            String symbol =
                    puller.axis("r" + (tiles.size()), operand.type().shape().get(axis));
            inner.add(axis, Dim.symbol(symbol));
            over.add(symbol);
        }
        Expr value = DotLowering.widened(puller.pull(operand.id(), inner), node);
        if (!rows.isEmpty() && !rows.equals(Set.copyOf(kept))
                || rows.isEmpty() && !tiles.isEmpty() && !kept.isEmpty()) {
            throw new Illegal("reductions over different rows");
        }
        rows = Set.copyOf(kept);
        String tile = puller.fresh("t" + tiles.size());
        tiles.put(node.id(), tile);
        indices.put(node.id(), index);
        for (String axis : over) {
            int step = axis.equals(over.getLast()) ? target.block() : 1;
            local.add(new Kernel.Axis(axis, puller.axisSize(axis).orElseThrow(), step));
        }
        last = over.size() == 1 ? Optional.of(new Operand(node, operand, inner, over.getFirst())) : Optional.empty();
        statements.addAll(nest(tile, node.type().dtype().accumulator(), kept, reduce.fn(), over, value));
        return DotLowering.rounded(new Kernel.Ref(tile), node);
    }

    /// A reduction over several axes: loops around one over the last.
    private static List<Kernel.Statement> nest(
            String tile, DType dtype, List<String> kept, ReduceFn fn, List<String> over, Expr value) {
        boolean single = over.size() == 1;
        Kernel.Statement inner = new Kernel.Reduce(tile, dtype, kept, fn, over.getLast(), !single, value);
        if (single) {
            return List.of(inner);
        }
        for (String axis : over.subList(0, over.size() - 1).reversed()) {
            inner = new Kernel.Loop(axis, Optional.empty(), Optional.empty(), List.of(inner));
        }
        Number identity = dtype.isFloat() ? (Number) fn.floatIdentity() : (Number) fn.integerIdentity(dtype);
        return List.of(new Kernel.Let(tile, dtype, kept, new Kernel.Constant(dtype, identity)), inner);
    }
}
