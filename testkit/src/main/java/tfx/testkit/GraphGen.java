package tfx.testkit;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import tfx.ir.BinaryFn;
import tfx.ir.ReduceFn;
import tfx.ir.Span;
import tfx.ir.UnaryFn;
import tfx.ir.graph.Graph;
import tfx.ir.graph.GraphBuilder;
import tfx.ir.graph.Nd;
import tfx.ir.graph.Node;
import tfx.ir.graph.Op;
import tfx.runtime.DType;
import tfx.runtime.Dim;
import tfx.runtime.TensorType;

/// Random well-typed programs with arguments for them. One seed and one size give one program; smaller sizes give
/// smaller programs, which is how a failure shrinks.
///
/// Values stay small and comparisons of floats read arguments alone, so that rounding cannot flip a result.
public final class GraphGen {
    /// A program and its arguments.
    public record Generated(Graph graph, Map<String, Nd> inputs) {}

    private static final UnaryFn[] BOUNDED = {
        UnaryFn.NEG, UnaryFn.ABS, UnaryFn.TANH, UnaryFn.ERF, UnaryFn.SIN, UnaryFn.COS
    };
    private static final ReduceFn[] REDUCTIONS = {ReduceFn.SUM, ReduceFn.MAX, ReduceFn.MIN};
    private static final BinaryFn[] FLOAT_FNS = {BinaryFn.ADD, BinaryFn.SUB, BinaryFn.MUL, BinaryFn.MIN, BinaryFn.MAX};
    private static final BinaryFn[] INTEGER_FNS = {
        BinaryFn.ADD, BinaryFn.SUB, BinaryFn.MUL, BinaryFn.FLOORDIV, BinaryFn.MOD, BinaryFn.MIN, BinaryFn.MAX
    };
    private static final BinaryFn[] COMPARISONS = {
        BinaryFn.EQ, BinaryFn.NE, BinaryFn.LT, BinaryFn.LE, BinaryFn.GT, BinaryFn.GE
    };
    private static final DType[] DTYPES = {
        DType.F32, DType.F32, DType.F32, DType.F64, DType.I32, DType.I64, DType.I8, DType.U8
    };

    private final Random random;
    private final GraphBuilder graph = new GraphBuilder();
    private final List<Node> values = new ArrayList<>();
    private final Map<String, Nd> inputs = new HashMap<>();
    private final Map<String, Long> sizes;

    private GraphGen(long seed) {
        this.random = new Random(seed);
        this.sizes = Map.of("N", pick(1L, 2L, 7L, 33L, 70L), "M", pick(1L, 3L, 16L, 19L));
    }

    @SafeVarargs
    private <T> T pick(T... options) {
        return options[random.nextInt(options.length)];
    }

    /// @param size about how many operations
    public static Generated generate(long seed, int size) {
        return new GraphGen(seed).generate(size);
    }

    private Generated generate(int size) {
        Dim[] dims = {Dim.symbol("N"), Dim.symbol("M"), Dim.of(pick(1L, 4L, 16L, 33L))};
        int arguments = 1 + random.nextInt(3);
        for (int i = 0; i < arguments; i++) {
            List<Dim> shape = new ArrayList<>();
            for (int axis = 1 + random.nextInt(2); axis > 0; axis--) {
                shape.add(pick(dims));
            }
            input("x" + i, new TensorType(pick(DTYPES), shape));
        }
        input("n", new TensorType(DType.F32, List.of(dims[0])));
        input("m", new TensorType(DType.F32, List.of(dims[1])));
        for (int i = 0; i < size; i++) {
            if (random.nextInt(6) == 0) {
                attention(dims);
            } else {
                step(values.get(random.nextInt(values.size())));
            }
        }
        for (int i = 0; i < 1 + random.nextInt(2); i++) {
            graph.output("y" + i, values.get(values.size() - 1 - Math.min(i, values.size() - 1)));
        }
        return new Generated(graph.build("generated"), inputs);
    }

    private long size(Dim dim) {
        return dim.evaluate(sizes::get);
    }

    private long count(TensorType type) {
        return type.shape().stream().mapToLong(this::size).reduce(1, (a, b) -> a * b);
    }

    private Node input(String name, TensorType type) {
        long[] shape = type.shape().stream().mapToLong(this::size).toArray();
        inputs.put(name, Values.small(random, type.dtype(), shape));
        Node node = graph.input(name, type, Span.NONE);
        values.add(node);
        return node;
    }

    /// Keeps values between -1 and 1 where they are floats, so that products stay small.
    private void add(Node node) {
        values.add(node.type().dtype().isFloat() ? graph.unary(UnaryFn.TANH, node, Span.NONE) : node);
    }

    private void step(Node x) {
        DType dtype = x.type().dtype();
        int rank = x.type().rank();
        switch (random.nextInt(12)) {
            case 0 -> {
                if (dtype.isFloat()) {
                    values.add(graph.unary(pick(BOUNDED), x, Span.NONE));
                }
            }
            case 1, 2 -> binary(x);
            case 3 -> select(x);
            case 4 -> {
                if (dtype == DType.BOOL) {
                    add(graph.cast(x, DType.I32, Span.NONE));
                } else {
                    DType to = dtype.isFloat() ? pick(DType.F32, DType.F64) : pick(DTYPES);
                    add(graph.cast(x, to, Span.NONE));
                }
            }
            case 5 -> {
                if (rank > 0 && dtype != DType.BOOL) {
                    List<Integer> axes =
                            rank == 2 && random.nextInt(3) == 0 ? List.of(0, 1) : List.of(random.nextInt(rank));
                    add(graph.add(new Op.Reduce(pick(REDUCTIONS), axes), List.of(x.id()), Span.NONE));
                }
            }
            case 6 -> view(x);
            case 7 -> gather(x);
            case 8 -> {
                if (rank > 0) {
                    cut(x);
                }
            }
            case 9 -> {
                if (rank > 0 && dtype != DType.BOOL) {
                    ReduceFn fn = pick(ReduceFn.MAX, ReduceFn.MIN);
                    Op scan = new Op.Scan(fn, random.nextInt(rank), random.nextBoolean(), false);
                    add(graph.add(scan, List.of(x.id()), Span.NONE));
                }
            }
            case 10 -> {
                if (rank > 0) {
                    Node other = values.stream()
                            .filter(v -> v.type().equals(x.type()))
                            .reduce(x, (a, b) -> random.nextBoolean() ? a : b);
                    Op joined = new Op.Concat(random.nextInt(rank));
                    add(graph.add(joined, List.of(x.id(), other.id()), Span.NONE));
                }
            }
            default -> product(x);
        }
    }

    private void binary(Node x) {
        DType dtype = x.type().dtype();
        Node other = partner(x);
        BinaryFn fn = dtype.isFloat()
                ? pick(FLOAT_FNS)
                : dtype == DType.BOOL ? pick(BinaryFn.AND, BinaryFn.OR) : pick(INTEGER_FNS);
        add(graph.binary(fn, x, other, Span.NONE));
    }

    /// A value of the same type: one that exists, or a scalar repeated, or a row repeated.
    private Node partner(Node x) {
        List<Node> same = values.stream().filter(v -> v.type().equals(x.type())).toList();
        if (random.nextInt(3) > 0) {
            return same.get(random.nextInt(same.size()));
        }
        List<Node> rows = values.stream()
                .filter(v -> v.type().dtype() == x.type().dtype()
                        && v.type().rank() == 1
                        && x.type().rank() > 0
                        && v.type().shape().getFirst().equals(x.type().shape().getLast()))
                .toList();
        if (!rows.isEmpty()) {
            return graph.broadcast(
                    rows.get(random.nextInt(rows.size())),
                    x.type().shape(),
                    List.of(x.type().rank() - 1),
                    Span.NONE);
        }
        double value = x.type().dtype() == DType.BOOL ? random.nextInt(2) : random.nextInt(7) - 3;
        Node scalar = graph.constant(x.type().dtype(), value, Span.NONE);
        return graph.broadcast(scalar, x.type().shape(), List.of(), Span.NONE);
    }

    private void select(Node x) {
        List<Node> exact = values.stream()
                .filter(v -> v.type().shape().equals(x.type().shape())
                        && (v.op() instanceof Op.Input || !v.type().dtype().isFloat())
                        && v.type().dtype() != DType.BOOL)
                .toList();
        if (!exact.isEmpty()) {
            Node tested = exact.get(random.nextInt(exact.size()));
            Node zero = graph.broadcast(
                    graph.constant(tested.type().dtype(), 0L, Span.NONE),
                    x.type().shape(),
                    List.of(),
                    Span.NONE);
            Node condition = graph.binary(pick(COMPARISONS), tested, zero, Span.NONE);
            values.add(condition);
            add(graph.select(condition, x, partner(x), Span.NONE));
        }
    }

    private void view(Node x) {
        List<Dim> shape = x.type().shape();
        if (shape.size() == 2 && random.nextBoolean()) {
            values.add(graph.transpose(x, List.of(1, 0), Span.NONE));
        } else if (shape.size() == 2) {
            values.add(graph.reshape(x, List.of(shape.get(0).times(shape.get(1))), Span.NONE));
        } else if (shape.size() == 1 && shape.getFirst().isConstant(16)) {
            values.add(graph.reshape(x, List.of(Dim.of(4), Dim.of(4)), Span.NONE));
        } else if (shape.size() == 1 && count(x.type()) < 1000) {
            Dim more = pick(Dim.symbol("M"), Dim.of(5));
            values.add(graph.broadcast(x, List.of(more, shape.getFirst()), List.of(1), Span.NONE));
        }
    }

    /// The elements backwards along one dimension.
    private void cut(Node x) {
        List<Dim> shape = x.type().shape();
        int axis = random.nextInt(shape.size());
        List<Dim> starts = new ArrayList<>(java.util.Collections.nCopies(shape.size(), Dim.ZERO));
        List<Integer> steps = new ArrayList<>(java.util.Collections.nCopies(shape.size(), 1));
        starts.set(axis, shape.get(axis).plus(-1));
        steps.set(axis, -1);
        values.add(graph.add(new Op.Slice(starts, steps), List.of(x.id()), x.type(), Span.NONE));
    }

    private void gather(Node x) {
        if (x.type().rank() == 0 || size(x.type().shape().getFirst()) == 0) {
            return;
        }
        Dim rows = x.type().shape().getFirst();
        TensorType type = new TensorType(DType.I32, List.of(Dim.symbol("M")));
        Node iota = graph.add(new Op.Iota(), List.of(), type, Span.NONE);
        Node limit = graph.add(new Op.DimSize(rows), List.of(), new TensorType(DType.I32, List.of()), Span.NONE);
        Node all = graph.broadcast(limit, type.shape(), List.of(), Span.NONE);
        Node indices = graph.binary(BinaryFn.MOD, iota, all, Span.NONE);
        values.add(graph.add(new Op.Gather(), List.of(x.id(), indices.id()), Span.NONE));
    }

    private void product(Node x) {
        if (x.type().rank() != 2 || x.type().dtype() == DType.BOOL) {
            return;
        }
        List<Node> matching = values.stream()
                .filter(v -> v.type().dtype() == x.type().dtype()
                        && v.type().rank() == 2
                        && v.type().shape().get(1).equals(x.type().shape().get(1)))
                .toList();
        Node other = matching.get(random.nextInt(matching.size()));
        if (size(x.type().shape().get(0))
                        * size(other.type().shape().get(0))
                        * size(x.type().shape().get(1))
                < 500_000) {
            add(graph.add(new Op.Contract("ik", "jk", "ij"), List.of(x.id(), other.id()), Span.NONE));
        }
    }

    /// Scores, any arithmetic on them, any selector, softmax, product with values.
    private void attention(Dim[] dims) {
        Dim keys = pick(dims);
        Dim width = pick(Dim.of(4), Dim.of(16), Dim.of(33));
        String suffix = Integer.toString(values.size());
        boolean grouped = random.nextInt(3) == 0;
        Node q = input(
                "q" + suffix,
                new TensorType(DType.F32, grouped ? List.of(Dim.of(2), dims[0], width) : List.of(dims[0], width)));
        Node k = input("k" + suffix, new TensorType(DType.F32, List.of(keys, width)));
        Node v = input("v" + suffix, new TensorType(DType.F32, List.of(keys, pick(width, Dim.of(8)))));
        Op first = grouped ? new Op.Contract("gid", "jd", "gij") : new Op.Contract("id", "jd", "ij");
        Node scores = graph.add(first, List.of(q.id(), k.id()), Span.NONE);
        List<Dim> shape = scores.type().shape();
        if (random.nextBoolean()) {
            scores = graph.unary(pick(UnaryFn.TANH, UnaryFn.NEG, UnaryFn.SIN), scores, Span.NONE);
        }
        if (random.nextInt(3) == 0) {
            scores = graph.binary(BinaryFn.ADD, scores, bias(shape), Span.NONE);
        }
        Node minus = graph.broadcast(
                graph.constant(DType.F32, Double.NEGATIVE_INFINITY, Span.NONE), shape, List.of(), Span.NONE);
        Node zero = graph.broadcast(graph.constant(DType.F32, 0.0, Span.NONE), shape, List.of(), Span.NONE);
        boolean masked = random.nextBoolean();
        Node mask = mask(shape);
        Node kept = masked ? graph.select(mask, scores, minus, Span.NONE) : scores;
        Node largest = reduce(ReduceFn.MAX, kept);
        Node none = graph.binary(BinaryFn.EQ, largest, broadcastLike(Double.NEGATIVE_INFINITY, largest), Span.NONE);
        Node shift = graph.select(none, broadcastLike(0, largest), largest, Span.NONE);
        Node e = graph.unary(UnaryFn.EXP, graph.binary(BinaryFn.SUB, scores, rows(shift, shape), Span.NONE), Span.NONE);
        e = masked ? graph.select(mask, e, zero, Span.NONE) : e;
        Node total = reduce(ReduceFn.SUM, e);
        Node empty = graph.binary(BinaryFn.EQ, total, broadcastLike(0, total), Span.NONE);
        Node safe = graph.select(empty, broadcastLike(1, total), total, Span.NONE);
        Node p = graph.binary(BinaryFn.DIV, e, rows(safe, shape), Span.NONE);
        Op second = grouped ? new Op.Contract("gij", "je", "gie") : new Op.Contract("ij", "je", "ie");
        Node mixed = graph.add(second, List.of(p.id(), v.id()), Span.NONE);
        add(grouped ? graph.add(new Op.Reduce(ReduceFn.SUM, List.of(0)), List.of(mixed.id()), Span.NONE) : mixed);
    }

    private Node mask(List<Dim> shape) {
        Node query = along(shape, shape.size() - 2);
        Node key = along(shape, shape.size() - 1);
        Node offset = graph.broadcast(
                graph.constant(DType.I32, (long) random.nextInt(9) - 4, Span.NONE), shape, List.of(), Span.NONE);
        Node moved = graph.binary(BinaryFn.ADD, query, offset, Span.NONE);
        return graph.binary(pick(COMPARISONS), key, moved, Span.NONE);
    }

    private Node along(List<Dim> shape, int axis) {
        return graph.broadcast(iota(shape.get(axis)), shape, List.of(axis), Span.NONE);
    }

    /// A penalty for distance, as ALiBi has it.
    private Node bias(List<Dim> shape) {
        Node offset =
                graph.binary(BinaryFn.SUB, along(shape, shape.size() - 1), along(shape, shape.size() - 2), Span.NONE);
        Node distance = graph.cast(graph.unary(UnaryFn.ABS, offset, Span.NONE), DType.F32, Span.NONE);
        Node slope = graph.broadcast(graph.constant(DType.F32, -0.125, Span.NONE), shape, List.of(), Span.NONE);
        return graph.binary(BinaryFn.MUL, distance, slope, Span.NONE);
    }

    private Node iota(Dim size) {
        return graph.add(new Op.Iota(), List.of(), new TensorType(DType.I32, List.of(size)), Span.NONE);
    }

    private Node reduce(ReduceFn fn, Node x) {
        return graph.add(new Op.Reduce(fn, List.of(x.type().rank() - 1)), List.of(x.id()), Span.NONE);
    }

    private Node rows(Node x, List<Dim> shape) {
        List<Integer> axes = new ArrayList<>();
        for (int i = 0; i < shape.size() - 1; i++) {
            axes.add(i);
        }
        return graph.broadcast(x, shape, axes, Span.NONE);
    }

    private Node broadcastLike(double value, Node like) {
        return graph.broadcast(
                graph.constant(DType.F32, value, Span.NONE), like.type().shape(), List.of(), Span.NONE);
    }
}
