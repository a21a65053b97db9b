package tfx.passes;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tfx.ir.Target;
import tfx.ir.graph.Graph;
import tfx.ir.graph.Node;
import tfx.ir.kernel.Kernel;
import tfx.ir.kernel.Kernel.Expr;
import tfx.runtime.DType;
import tfx.runtime.Dim;

/// Regions with one contraction: element-wise operations on its operands (prologue) and on its result (epilogue).
final class DotLowering {
    private static final long WIDE = 1024;

    private final Graph body;
    private final Node root;
    private final Node contraction;
    private final Target target;
    private final Puller puller;
    private List<Dim> accumulated = List.of();
    private String tile = "";

    DotLowering(Graph body, Node root, Node contraction, Target target) {
        this.body = body;
        this.root = root;
        this.contraction = contraction;
        this.target = target;
        this.puller = new Puller(body, this::anchor);
    }

    private Expr anchor(Node node, List<Dim> index) throws Illegal {
        if (node.id() != contraction.id() || tile.isEmpty()) {
            throw new Illegal("a reduction beside a contraction");
        }
        if (!index.equals(accumulated)) {
            throw new Illegal("the product is read at another place");
        }
        return rounded(new Kernel.Ref(tile), contraction);
    }

    /// A sum in the type it runs in, as a value of the operation's own type.
    static Expr rounded(Expr sum, Node node) {
        DType dtype = node.type().dtype();
        return dtype.accumulator() == dtype ? sum : new Kernel.Cast(dtype, sum);
    }

    /// A value of an operation's type, in the type that its sums run in.
    static Expr widened(Expr value, Node node) {
        DType dtype = node.type().dtype();
        return dtype.accumulator() == dtype ? value : new Kernel.Cast(dtype.accumulator(), value);
    }

    RegionLowering.Lowered lower(String name) throws Illegal {
        Labels labels = Labels.of(contraction, body, puller);
        List<Integer> operands = contraction.operands();
        DType dtype = contraction.type().dtype().accumulator();
        Expr left =
                widened(puller.pull(operands.get(0), labels.index(labels.op().lhs())), contraction);
        Expr right =
                widened(puller.pull(operands.get(1), labels.index(labels.op().rhs())), contraction);
        accumulated = labels.index(labels.op().result());
        tile = puller.fresh("acc");
        List<Dim> place = push(body, root, contraction, puller, accumulated);
        Expr value = puller.pull(root.id(), place);

        List<Kernel.Axis> grid = new ArrayList<>();
        List<Kernel.Axis> local = new ArrayList<>();
        String row = labels.last(labels.rows(), "i", puller);
        String column = labels.last(labels.columns(), "j", puller);
        String sum = labels.last(labels.summed(), "k", puller);
        for (char c : labels.op().result().toCharArray()) {
            String axis = labels.axis(c);
            if (!axis.equals(row) && !axis.equals(column)) {
                grid.add(new Kernel.Axis(axis, puller.axisSize(axis).orElseThrow(), 1));
            }
        }
        // Tasks that follow each other read the same columns of the right operand, which are weights most often and
        // then far more than the rows of the left one.
        Dim width = puller.axisSize(column).orElseThrow();
        int columns = columnTile(width, dtype);
        int rows = target.rowTile();
        while (rows > 1 && !target.holds(rows, columns, dtype.bytes())) {
            rows /= 2;
        }
        grid.add(new Kernel.Axis(column, width, columns));
        grid.add(new Kernel.Axis(row, puller.axisSize(row).orElseThrow(), rows));
        List<String> axes = List.of(row, column);
        boolean several = labels.summed().length() > 1;
        Kernel.Statement product = new Kernel.Dot(tile, dtype, axes, sum, several, left, right);
        List<Kernel.Statement> statements = new ArrayList<>();
        if (several) {
            Number zero = dtype.isFloat() ? (Number) 0.0 : (Number) 0L;
            statements.add(new Kernel.Let(tile, dtype, axes, new Kernel.Constant(dtype, zero)));
            for (char c :
                    labels.summed().substring(0, labels.summed().length() - 1).toCharArray()) {
                local.add(new Kernel.Axis(
                        labels.axis(c), puller.axisSize(labels.axis(c)).orElseThrow(), 1));
                product = new Kernel.Loop(labels.axis(c), Optional.empty(), Optional.empty(), List.of(product));
            }
        }
        local.add(new Kernel.Axis(sum, puller.axisSize(sum).orElseThrow(), target.block()));
        statements.add(product);
        String output = puller.fresh("y");
        statements.add(new Kernel.Store(output, place, axes, value));
        return RegionLowering.assemble(name, body, puller, grid, local, statements, output);
    }

    /// Each task brings its rows of the left operand into place; wide products spread that over more columns, the
    /// others leave more tasks to share among threads.
    private int columnTile(Dim width, DType dtype) {
        int twice = 2 * target.colTile();
        boolean wide = width.constant().filter(w -> w >= WIDE).isPresent();
        return wide && target.holds(target.rowTile(), twice, dtype.bytes()) ? twice : target.colTile();
    }

    /// Where in the root's shape the element of `from` at `index` lands.
    static List<Dim> push(Graph body, Node root, Node from, Puller puller, List<Dim> index) throws Illegal {
        Map<Integer, List<Dim>> places = new HashMap<>();
        places.put(from.id(), index);
        for (Node node : body.nodes()) {
            for (int operand : node.operands()) {
                List<Dim> at = places.get(operand);
                if (at == null || places.containsKey(node.id())) {
                    continue;
                }
                places.put(node.id(), puller.pushed(node, at));
            }
        }
        List<Dim> place = places.get(root.id());
        if (place == null) {
            throw new Illegal("the result does not come from the product");
        }
        return place;
    }
}
