package tfx.passes.sequence;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tfx.ir.BinaryFn;
import tfx.ir.ReduceFn;
import tfx.ir.Span;
import tfx.ir.graph.Algebra;
import tfx.ir.graph.GraphBuilder;
import tfx.ir.graph.Node;
import tfx.ir.graph.Op;
import tfx.runtime.DType;
import tfx.runtime.Dim;
import tfx.runtime.TensorType;

/// Sorted vectors and searches in them: comparisons of keys with queries as ranges of ranks.
final class Joins {
    private final GraphBuilder graph;
    private final Algebra math;
    private final Dim size;
    private final Map<List<Object>, Node> searches = new HashMap<>();

    Joins(GraphBuilder graph, Dim size) {
        this.graph = graph;
        this.math = new Algebra(graph, Span.NONE);
        this.size = size;
    }

    /// The stable order of a vector, as i32 places.
    Node order(Node keys) {
        return graph.add(new Op.Sort(0, false), List.of(keys.id()), Span.NONE);
    }

    Node sorted(Node keys) {
        return math.gather(keys, order(keys), 0);
    }

    /// How many entries of a sorted vector are below each value, or not above it: binary searches, all at once.
    ///
    /// @return i32
    Node search(Node sorted, Node values, boolean notAbove) {
        return searches.computeIfAbsent(
                List.of(sorted.id(), values.id(), notAbove), k -> make(sorted, values, notAbove));
    }

    /// State: the place up to which all is below, and how many entries after it may be.
    private Node make(Node sorted, Node values, boolean notAbove) {
        TensorType places = new TensorType(DType.I32, values.type().shape());
        TensorType scalar = new TensorType(DType.I32, List.of());
        Node none = math.fill(places, 0);
        Node all = graph.add(new Op.DimSize(size), List.of(), scalar, Span.NONE);
        GraphBuilder.Captures captures = new GraphBuilder.Captures(graph, 2);

        GraphBuilder test = new GraphBuilder(captures);
        Node left = test.input("2", scalar, Span.NONE);
        test.output("go", test.binary(BinaryFn.GT, left, test.constant(DType.I32, 0L, Span.NONE), Span.NONE));

        GraphBuilder body = new GraphBuilder(captures);
        Algebra in = new Algebra(body, Span.NONE);
        Node base = body.input("1", places, Span.NONE);
        Node rest = body.input("2", scalar, Span.NONE);
        Node two = body.constant(DType.I32, 2L, Span.NONE);
        Node half = in.of(BinaryFn.FLOORDIV, in.plus(rest, 1), two);
        Node step = body.broadcast(half, places.shape(), List.of(), Span.NONE);
        Node probe = in.gather(body.node(sorted.id()), in.plus(in.add(base, step), -1), 0);
        Node below = in.of(notAbove ? BinaryFn.LE : BinaryFn.LT, probe, body.node(values.id()));
        body.output("base", in.where(below, in.add(base, step), base));
        body.output("rest", in.sub(rest, half));

        Op.Loop loop = new Op.Loop(Optional.empty(), 2, Optional.of(test.build("test")), body.build("body"));
        List<Integer> operands = new ArrayList<>(List.of(none.id(), all.id()));
        operands.addAll(captures.operands());
        Node made = graph.add(loop, operands, Span.NONE);
        return graph.add(new Op.Result(0), List.of(made.id()), places, Span.NONE);
    }

    /// Sums of the first 0, 1, ... n entries, so that sums of ranges are differences: `[n + 1]`.
    Node prefixes(Node x) {
        Node sums = graph.add(new Op.Scan(ReduceFn.SUM, 0, false, false), List.of(x.id()), Span.NONE);
        Node zero = math.fill(new TensorType(x.type().dtype(), List.of(Dim.ONE)), 0);
        return graph.add(new Op.Concat(0), List.of(zero.id(), sums.id()), Span.NONE);
    }
}
