package tfx.ir.graph;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tfx.ir.BinaryFn;
import tfx.ir.InternalError;
import tfx.ir.Span;
import tfx.ir.UnaryFn;
import tfx.runtime.DType;
import tfx.runtime.Dim;
import tfx.runtime.TensorType;

/// Makes a graph node by node. Equal operations on equal operands become one node, so that sharing in the source
/// is sharing in the graph.
public final class GraphBuilder {
    private record Key(Op op, List<Integer> operands, TensorType type) {}

    /// The values of an outer graph that the graphs of one loop read, in order.
    public static final class Captures {
        private final GraphBuilder outer;
        private final int carried;
        private final Map<Integer, Integer> positions = new LinkedHashMap<>();

        /// @param carried how many states come before them among the loop's operands
        public Captures(GraphBuilder outer, int carried) {
            this.outer = outer;
            this.carried = carried;
        }

        /// The ids of the values.
        public List<Integer> operands() {
            return List.copyOf(positions.keySet());
        }
    }

    private final Optional<Captures> captures;
    private final int first;
    private final List<Node> nodes = new ArrayList<>();
    private final List<Graph.Output> outputs = new ArrayList<>();
    private final Map<Key, Node> known = new HashMap<>();

    public GraphBuilder() {
        this.captures = Optional.empty();
        this.first = 0;
    }

    /// For a graph of a loop: ids go on from those of the outer graph, whose values become inputs where they are
    /// used.
    public GraphBuilder(Captures captures) {
        this.captures = Optional.of(captures);
        this.first = captures.outer.first + captures.outer.nodes.size();
    }

    /// The id under which a value is known here.
    private int own(int id) {
        if (id >= first) {
            return id;
        }
        Captures all = captures.orElseThrow(() -> new InternalError("no value %" + id));
        Node outside = all.outer.node(id);
        int position = all.positions.computeIfAbsent(outside.id(), k -> all.positions.size() + 1 + all.carried);
        return input(Integer.toString(position), outside.type(), outside.span()).id();
    }

    /// Adds an operation whose type is stated. A broken type rule here is a bug of the caller.
    public Node add(Op op, List<Integer> given, TensorType type, Span span) {
        List<Integer> operands = given.stream().map(this::own).toList();
        return known.computeIfAbsent(new Key(op, operands, type), key -> {
            Node node = new Node(first + nodes.size(), op, operands, type, span);
            try {
                TypeRules.check(op, types(operands), type);
            } catch (TypeRules.Violation violation) {
                throw new InternalError(violation.getMessage() + " at " + span, violation);
            }
            nodes.add(node);
            return node;
        });
    }

    /// Adds an operation whose operands decide its type.
    public Node add(Op op, List<Integer> operands, Span span) {
        try {
            return add(op, operands, TypeRules.infer(op, types(operands)), span);
        } catch (TypeRules.Violation violation) {
            throw new InternalError(violation.getMessage() + " at " + span, violation);
        }
    }

    private List<TensorType> types(List<Integer> operands) {
        return operands.stream().map(id -> node(id).type()).toList();
    }

    public Node node(int id) {
        return nodes.get(own(id) - first);
    }

    public Node input(String name, TensorType type, Span span) {
        return add(new Op.Input(name), List.of(), type, span);
    }

    public Node weight(String name, TensorType type, Span span) {
        return add(new Op.Weight(name), List.of(), type, span);
    }

    /// A scalar of any type; integers and bools take the value's whole part.
    public Node constant(DType dtype, double value, Span span) {
        Number stored = dtype.isFloat() ? (Number) dtype.round(value) : (Number) dtype.wrap((long) value);
        return add(new Op.Constant(stored), List.of(), new TensorType(dtype, List.of()), span);
    }

    public Node constant(DType dtype, long value, Span span) {
        Number stored = dtype.isFloat() ? (Number) dtype.round(value) : (Number) dtype.wrap(value);
        return add(new Op.Constant(stored), List.of(), new TensorType(dtype, List.of()), span);
    }

    public Node unary(UnaryFn fn, Node x, Span span) {
        return add(new Op.Unary(fn), List.of(x.id()), span);
    }

    public Node binary(BinaryFn fn, Node a, Node b, Span span) {
        return add(new Op.Binary(fn), List.of(a.id(), b.id()), span);
    }

    public Node select(Node condition, Node a, Node b, Span span) {
        return add(new Op.Select(), List.of(condition.id(), a.id(), b.id()), span);
    }

    public Node cast(Node x, DType dtype, Span span) {
        return x.type().dtype() == dtype
                ? x
                : add(new Op.Cast(), List.of(x.id()), x.type().withDtype(dtype), span);
    }

    public Node reshape(Node x, List<Dim> shape, Span span) {
        return x.type().shape().equals(shape)
                ? x
                : add(new Op.Reshape(), List.of(x.id()), new TensorType(x.type().dtype(), shape), span);
    }

    public Node transpose(Node x, List<Integer> permutation, Span span) {
        return permutation.equals(TypeRules.range(permutation.size()))
                ? x
                : add(new Op.Transpose(permutation), List.of(x.id()), span);
    }

    /// Repeats `x` so that its dimension `i` is dimension `axes[i]` of `shape`.
    public Node broadcast(Node x, List<Dim> shape, List<Integer> axes, Span span) {
        return x.type().shape().equals(shape)
                ? x
                : add(
                        new Op.Broadcast(axes),
                        List.of(x.id()),
                        new TensorType(x.type().dtype(), shape),
                        span);
    }

    public void output(String name, Node value) {
        outputs.add(new Graph.Output(name, own(value.id())));
    }

    public Graph build(String name) {
        return new Graph(name, nodes, outputs);
    }
}
