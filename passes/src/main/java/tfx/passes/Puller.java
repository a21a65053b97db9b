package tfx.passes;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import tfx.ir.graph.Graph;
import tfx.ir.graph.Node;
import tfx.ir.graph.Op;
import tfx.ir.kernel.Kernel;
import tfx.ir.kernel.Kernel.Expr;
import tfx.runtime.Dim;

/// Turns the graph of a region into expressions: "the element of this node at this index". Views change the
/// index and cost nothing. Reductions and contractions are not pulled through; a handler says what stands for
/// them.
final class Puller {
    /// What stands for an operation that is computed on its own, such as a reduction, at an index.
    interface Anchor {
        Expr at(Node node, List<Dim> index) throws Illegal;
    }

    private static final int MAX_SIZE = 4000;

    private final Graph body;
    private final Anchor anchor;
    private final Map<String, Dim> axisSizes = new LinkedHashMap<>();
    private final Set<String> taken;
    private final Map<Integer, String> inputs = new LinkedHashMap<>();
    private final Map<Integer, String> rowIds = new LinkedHashMap<>();
    private final Map<String, Kernel.Lookup> lookups = new HashMap<>();
    private int work;

    Puller(Graph body, Anchor anchor) {
        this.body = body;
        this.anchor = anchor;
        this.taken = new TreeSet<>(body.symbols());
        List<Node> nodes = body.inputs();
        for (int i = 0; i < nodes.size(); i++) {
            inputs.put(nodes.get(i).id(), fresh("x" + i));
        }
        for (Node node : body.nodes()) {
            if (node.op() instanceof Op.RowIds) {
                rowIds.put(node.id(), fresh("rows" + rowIds.size()));
            }
        }
    }

    /// A name that nothing in this region has.
    String fresh(String base) {
        String name = base;
        while (!taken.add(name)) {
            name = name + "_";
        }
        return name;
    }

    /// Declares a loop axis, which index simplification then knows the range of.
    String axis(String base, Dim size) {
        String name = fresh(base);
        axisSizes.put(name, size);
        return name;
    }

    Optional<Dim> axisSize(String name) {
        return Optional.ofNullable(axisSizes.get(name));
    }

    /// The buffer name of each input of the region.
    Map<Integer, String> inputs() {
        return inputs;
    }

    /// The buffer names of row ids, by the node that makes them.
    Map<Integer, String> rowIds() {
        return rowIds;
    }

    Expr pull(int id, List<Dim> index) throws Illegal {
        if (++work > MAX_SIZE) {
            throw new Illegal("the expression grows beyond " + MAX_SIZE + " operations");
        }
        Node node = body.node(id);
        return switch (node.op()) {
            case Op.Input i -> load(inputs.get(id), index);
            case Op.RowIds r -> load(rowIds.get(id), index);
            case Op.Constant c -> new Kernel.Constant(node.type().dtype(), c.value());
            case Op.Iota i -> new Kernel.Index(node.type().dtype(), index.getFirst(), used(index));
            case Op.DimSize d -> new Kernel.Index(node.type().dtype(), d.dim());
            case Op.Unary u -> new Kernel.Unary(u.fn(), operand(node, 0, index));
            case Op.Binary b -> new Kernel.Binary(b.fn(), operand(node, 0, index), operand(node, 1, index));
            case Op.Select s ->
                new Kernel.Select(operand(node, 0, index), operand(node, 1, index), operand(node, 2, index));
            case Op.Cast c -> new Kernel.Cast(node.type().dtype(), operand(node, 0, index));
            case Op.Reshape r -> operand(node, 0, reshaped(index, node.type().shape(), shape(node, 0)));
            case Op.Transpose t -> {
                Dim[] from = new Dim[index.size()];
                for (int i = 0; i < from.length; i++) {
                    from[t.permutation().get(i)] = index.get(i);
                }
                yield operand(node, 0, List.of(from));
            }
            case Op.Broadcast b ->
                operand(node, 0, b.axes().stream().map(index::get).toList());
            case Op.Gather g -> gather(node, index);
            case Op.Slice s -> {
                List<Dim> from = new ArrayList<>();
                for (int i = 0; i < index.size(); i++) {
                    from.add(s.starts().get(i).plus(index.get(i).times(s.steps().get(i))));
                }
                yield operand(node, 0, from);
            }
            case Op.Window w -> {
                List<Dim> from = new ArrayList<>(index);
                Dim inside = from.remove(w.axis() + 1).times(w.dilation());
                from.set(w.axis(), from.get(w.axis()).times(w.stride()).plus(inside));
                yield operand(node, 0, from);
            }
            case Op.Reduce _, Op.Contract _, Op.Concat _, Op.Scatter _, Op.Scan _, Op.Sort _ -> anchor.at(node, index);
            case Op.Loop _, Op.Result _ -> throw new Illegal("a loop inside a region");
            case Op.Weight w -> throw new Illegal("a weight inside a region");
            case Op.Region r -> throw new Illegal("a region inside a region");
        };
    }

    /// Whether a name stands for an index read from data.
    boolean isLookup(String symbol) {
        return lookups.containsKey(symbol);
    }

    private Expr operand(Node node, int position, List<Dim> index) throws Illegal {
        return pull(node.operands().get(position), index);
    }

    private List<Dim> shape(Node node, int position) {
        return body.node(node.operands().get(position)).type().shape();
    }

    private Expr load(String buffer, List<Dim> index) {
        return new Kernel.Load(buffer, index, used(index));
    }

    /// The lookups whose symbols stand in an index.
    private List<Kernel.Lookup> used(List<Dim> index) {
        Set<String> symbols = new TreeSet<>();
        index.forEach(d -> symbols.addAll(d.symbols()));
        return symbols.stream().filter(lookups::containsKey).map(lookups::get).toList();
    }

    private Expr gather(Node node, List<Dim> index) throws Illegal {
        int batch = ((Op.Gather) node.op()).batch();
        int rank = shape(node, 1).size();
        Expr row = operand(node, 1, index.subList(0, rank));
        Dim limit = shape(node, 0).get(batch);
        String symbol = lookups.values().stream()
                .filter(k -> k.value().equals(row) && k.limit().equals(limit))
                .map(Kernel.Lookup::symbol)
                .findFirst()
                .orElseGet(() -> axis("g", limit));
        lookups.put(symbol, new Kernel.Lookup(symbol, row, limit));
        List<Dim> from = new ArrayList<>(index.subList(0, batch));
        from.add(Dim.symbol(symbol));
        from.addAll(index.subList(rank, index.size()));
        return operand(node, 0, from);
    }

    /// The index in `to` of the element at `index` in `from`, two shapes of one count.
    List<Dim> reshaped(List<Dim> index, List<Dim> from, List<Dim> to) {
        Dim flat = Dim.ZERO;
        for (int i = 0; i < from.size(); i++) {
            flat = flat.times(from.get(i)).plus(index.get(i));
        }
        if (to.stream().anyMatch(d -> d.isConstant(0))) {
            return to.stream().map(d -> Dim.ZERO).toList();
        }
        List<Dim> result = new ArrayList<>();
        Dim stride = Dim.ONE;
        List<Dim> strides = new ArrayList<>();
        for (Dim size : to.reversed()) {
            strides.addFirst(stride);
            stride = stride.times(size);
        }
        for (int i = 0; i < to.size(); i++) {
            Dim quotient = flat.floorDivide(strides.get(i), this::axisSize);
            result.add(i == 0 ? quotient : quotient.remainder(to.get(i), this::axisSize));
            if (to.get(i).isConstant(1)) {
                result.set(i, Dim.ZERO);
            }
        }
        return result;
    }

    /// The index in the result of an operation of the element at `index` of its operand: element-wise operations
    /// keep it, some views move it.
    List<Dim> pushed(Node node, List<Dim> index) throws Illegal {
        if (node.op().isElementwise()) {
            return index;
        }
        if (node.op() instanceof Op.Reshape) {
            List<Dim> from = body.node(node.operands().getFirst()).type().shape();
            return reshaped(index, from, node.type().shape());
        }
        if (node.op() instanceof Op.Transpose t) {
            return t.permutation().stream().map(index::get).toList();
        }
        throw new Illegal("a result is read through " + node.op());
    }
}
