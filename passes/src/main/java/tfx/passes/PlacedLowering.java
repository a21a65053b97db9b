package tfx.passes;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tfx.ir.Target;
import tfx.ir.graph.Graph;
import tfx.ir.graph.Node;
import tfx.ir.graph.Op;
import tfx.ir.kernel.Kernel;
import tfx.ir.kernel.Kernel.Expr;
import tfx.runtime.Dim;

/// Regions that end in an operation which decides itself where elements go: concat, scatter, scan, sort. What is
/// element by element before it is computed in place; nothing follows it.
final class PlacedLowering {
    private static final int ROWS_PER_TASK = 16;

    private final Graph body;
    private final Node root;
    private final Target target;
    private final Puller puller;
    private final List<Dim> shape;
    private final List<Kernel.Axis> grid = new ArrayList<>();
    private final List<Kernel.Axis> local = new ArrayList<>();
    private final List<Kernel.Statement> statements = new ArrayList<>();
    private final String output;

    PlacedLowering(Graph body, Node root, Target target) {
        this.body = body;
        this.root = root;
        this.target = target;
        this.shape = root.type().shape();
        this.puller = new Puller(body, (node, index) -> {
            throw new Illegal(node.op() + " before " + root.op());
        });
        this.output = puller.fresh("y");
    }

    /// What kernels of this form are called; empty for operations of other forms.
    static Optional<String> name(Node root) {
        return root.op() instanceof Op.Concat
                ? Optional.of("concat")
                : root.op() instanceof Op.Scatter
                        ? Optional.of("scatter")
                        : root.op() instanceof Op.Scan
                                ? Optional.of("scan")
                                : root.op() instanceof Op.Sort ? Optional.of("sort") : Optional.empty();
    }

    RegionLowering.Lowered lower(String name) throws Illegal {
        if (root.op() instanceof Op.Concat c) {
            concat(c);
        } else if (root.op() instanceof Op.Scatter s) {
            scatter(s);
        } else if (root.op() instanceof Op.Scan s) {
            List<Dim> index = rows(s.axis());
            List<String> axes = others(index, s.axis());
            statements.add(new Kernel.Scan(
                    output,
                    index,
                    axes,
                    name(index.get(s.axis())),
                    s.fn(),
                    s.reverse(),
                    s.exclusive(),
                    value(0, index)));
        } else if (root.op() instanceof Op.Sort s) {
            List<Dim> index = rows(s.axis());
            List<String> axes = others(index, s.axis());
            statements.add(
                    new Kernel.Sort(output, index, axes, name(index.get(s.axis())), s.descending(), value(0, index)));
        }
        return RegionLowering.assemble(name, body, puller, grid, local, statements, output);
    }

    private Expr value(int operand, List<Dim> index) throws Illegal {
        return puller.pull(root.operands().get(operand), index);
    }

    private static String name(Dim axis) {
        return axis.symbolName().orElseThrow();
    }

    private static List<String> others(List<Dim> index, int axis) {
        List<String> names = new ArrayList<>();
        for (int i = 0; i < index.size(); i++) {
            if (i != axis) {
                names.add(name(index.get(i)));
            }
        }
        return names;
    }

    private Dim gridAxis(String base, Dim size, int tile) {
        String axis = puller.axis(base, size);
        grid.add(new Kernel.Axis(axis, size, tile));
        return Dim.symbol(axis);
    }

    private Dim localAxis(String base, Dim size) {
        String axis = puller.axis(base, size);
        local.add(new Kernel.Axis(axis, size, target.block()));
        return Dim.symbol(axis);
    }

    /// The index of an element: tasks share all dimensions but one, which each walks itself.
    private List<Dim> rows(int axis) {
        List<Dim> index = new ArrayList<>();
        int last = axis == shape.size() - 1 ? shape.size() - 2 : shape.size() - 1;
        for (int i = 0; i < shape.size(); i++) {
            index.add(
                    i == axis
                            ? localAxis("r", shape.get(i))
                            : gridAxis("i" + i, shape.get(i), i == last ? ROWS_PER_TASK : 1));
        }
        return index;
    }

    private void concat(Op.Concat concat) throws Illegal {
        List<Dim> index = new ArrayList<>();
        for (int i = 0; i < shape.size(); i++) {
            boolean last = i == shape.size() - 1;
            index.add(i == concat.axis() ? Dim.ZERO : gridAxis("i" + i, shape.get(i), last ? target.block() : 1));
        }
        Dim before = Dim.ZERO;
        for (int piece = 0; piece < root.operands().size(); piece++) {
            Node operand = body.node(root.operands().get(piece));
            Dim size = operand.type().shape().get(concat.axis());
            Dim along = localAxis("p" + piece, size);
            List<Dim> from = new ArrayList<>(index);
            from.set(concat.axis(), along);
            List<Dim> to = new ArrayList<>(index);
            to.set(concat.axis(), along.plus(before));
            List<String> axes = from.stream().map(PlacedLowering::name).toList();
            statements.add(new Kernel.Store(output, to, axes, value(piece, from)));
            before = before.plus(size);
        }
    }

    private void scatter(Op.Scatter scatter) throws Illegal {
        List<Dim> batch = new ArrayList<>();
        for (int i = 0; i < scatter.batch(); i++) {
            batch.add(gridAxis("b" + i, shape.get(i), 1));
        }
        List<Dim> rest = new ArrayList<>();
        for (int i = scatter.batch() + 1; i < shape.size(); i++) {
            rest.add(gridAxis("i" + i, shape.get(i), i == shape.size() - 1 ? target.block() : 1));
        }
        List<Dim> all = new ArrayList<>(batch);
        all.add(localAxis("r", shape.get(scatter.batch())));
        all.addAll(rest);
        statements.add(new Kernel.Store(
                output, all, all.stream().map(PlacedLowering::name).toList(), value(0, all)));
        List<Dim> places = new ArrayList<>(batch);
        List<Dim> indices = body.node(root.operands().get(1)).type().shape();
        for (int i = scatter.batch(); i < indices.size(); i++) {
            places.add(localAxis("k" + i, indices.get(i)));
        }
        String symbol = puller.fresh("s");
        Kernel.Lookup row = new Kernel.Lookup(symbol, value(1, places), shape.get(scatter.batch()));
        List<Dim> from = new ArrayList<>(places);
        from.addAll(rest);
        List<Dim> to = new ArrayList<>(batch);
        to.add(Dim.symbol(symbol));
        to.addAll(rest);
        List<String> axes = from.stream().map(PlacedLowering::name).toList();
        statements.add(new Kernel.Store(
                output, to, List.of(row), axes, scatter.combine().map(f -> f.combine()), value(2, from)));
    }
}
