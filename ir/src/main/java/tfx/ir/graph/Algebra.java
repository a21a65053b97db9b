package tfx.ir.graph;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import tfx.ir.BinaryFn;
import tfx.ir.ReduceFn;
import tfx.ir.Span;
import tfx.ir.UnaryFn;
import tfx.runtime.DType;
import tfx.runtime.Dim;
import tfx.runtime.TensorType;

/// Short words for building mathematics: every operation lands in one graph, at one place of the source.
public record Algebra(GraphBuilder graph, Span span) {
    public Node of(UnaryFn fn, Node x) {
        return graph.unary(fn, x, span);
    }

    public Node of(BinaryFn fn, Node a, Node b) {
        return graph.binary(fn, a, b, span);
    }

    public Node add(Node a, Node b) {
        return of(BinaryFn.ADD, a, b);
    }

    public Node sub(Node a, Node b) {
        return of(BinaryFn.SUB, a, b);
    }

    public Node mul(Node a, Node b) {
        return of(BinaryFn.MUL, a, b);
    }

    public Node div(Node a, Node b) {
        return of(BinaryFn.DIV, a, b);
    }

    public Node neg(Node x) {
        return of(UnaryFn.NEG, x);
    }

    /// A number with the type and shape of `like`.
    public Node number(Node like, double value) {
        return fill(like.type(), value);
    }

    public Node fill(TensorType type, double value) {
        return graph.broadcast(graph.constant(type.dtype(), value, span), type.shape(), List.of(), span);
    }

    public Node scaled(Node x, double factor) {
        return mul(x, number(x, factor));
    }

    public Node plus(Node x, double value) {
        return add(x, number(x, value));
    }

    public Node where(Node condition, Node a, Node b) {
        return graph.select(condition, a, b, span);
    }

    /// `x` where the condition holds, 0 elsewhere.
    public Node only(Node condition, Node x) {
        return where(condition, x, number(x, 0));
    }

    public Node sum(Node x, List<Integer> axes) {
        return reduce(ReduceFn.SUM, x, axes);
    }

    public Node reduce(ReduceFn fn, Node x, List<Integer> axes) {
        return axes.isEmpty() ? x : graph.add(new Op.Reduce(fn, axes), List.of(x.id()), span);
    }

    /// A value without the dimensions `axes` of `shape`, repeated along them.
    public Node spread(Node x, List<Dim> shape, List<Integer> axes) {
        List<Integer> kept = IntStream.range(0, shape.size())
                .filter(i -> !axes.contains(i))
                .boxed()
                .toList();
        return graph.broadcast(x, shape, kept, span);
    }

    /// 0, 1, 2, ... of i32.
    public Node iota(Dim size) {
        return graph.add(new Op.Iota(), List.of(), new TensorType(DType.I32, List.of(size)), span);
    }

    public Node transpose(Node x, List<Integer> order) {
        return graph.transpose(x, order, span);
    }

    /// Brings a dimension to the front; the others keep their order.
    public Node toFront(Node x, int axis) {
        return transpose(x, frontOrder(x.type().rank(), axis));
    }

    /// Puts the first dimension at `axis`.
    public Node fromFront(Node x, int axis) {
        List<Integer> order = frontOrder(x.type().rank(), axis);
        return transpose(
                x, IntStream.range(0, order.size()).map(order::indexOf).boxed().toList());
    }

    private static List<Integer> frontOrder(int rank, int axis) {
        List<Integer> order = new ArrayList<>(
                IntStream.range(0, rank).filter(i -> i != axis).boxed().toList());
        order.addFirst(axis);
        return order;
    }

    public Node gather(Node table, Node indices, int batch) {
        return graph.add(new Op.Gather(batch), List.of(table.id(), indices.id()), span);
    }

    public Node scatter(Optional<ReduceFn> fn, Node x, Node indices, Node updates, int batch) {
        return graph.add(new Op.Scatter(fn, batch), List.of(x.id(), indices.id(), updates.id()), span);
    }
}
