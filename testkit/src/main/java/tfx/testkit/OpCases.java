package tfx.testkit;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
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

/// Every row of the op table as random programs of that one operation: random shapes, with sizes 0 and 1 among
/// them, and special values wherever the result does not depend on the order of a sum.
public final class OpCases {
    /// One program.
    ///
    /// @param length how many elements go into one result
    public record Case(String name, Graph graph, Map<String, Nd> inputs, long length) {}

    /// Makes the program of a row for an element type; empty where the row is not defined on it.
    @FunctionalInterface
    public interface Row {
        Optional<Case> make(DType dtype, Random random);
    }

    private static final long[] SIZES = {0, 1, 2, 3, 5, 17, 33};

    private OpCases() {}

    /// All rows by name, in the order of the table.
    public static Map<String, Row> rows() {
        Map<String, Row> rows = new LinkedHashMap<>();
        for (UnaryFn fn : UnaryFn.values()) {
            rows.put(
                    fn.text(),
                    (dtype, random) -> given(fn.accepts(dtype), () -> {
                        Maker m = new Maker(fn.text(), dtype, random);
                        return m.done(m.graph.unary(fn, m.wild("x", m.shape(3)), Span.NONE), 1);
                    }));
        }
        for (BinaryFn fn : BinaryFn.values()) {
            rows.put(
                    fn.text() + ".2",
                    (dtype, random) -> given(fn.accepts(dtype), () -> {
                        Maker m = new Maker(fn.text(), dtype, random);
                        List<Dim> shape = m.shape(3);
                        return m.done(m.graph.binary(fn, m.wild("x", shape), m.wild("y", shape), Span.NONE), 1);
                    }));
        }
        for (ReduceFn fn : ReduceFn.values()) {
            rows.put(
                    "reduce_" + fn.text(),
                    (dtype, random) -> given(fn.accepts(dtype), () -> reduce(fn, dtype, random)));
            rows.put("scan_" + fn.text(), (dtype, random) -> given(fn.accepts(dtype), () -> scan(fn, dtype, random)));
        }
        for (DType to : DType.values()) {
            rows.put(
                    "cast_" + to,
                    (dtype, random) -> given(true, () -> {
                        Maker m = new Maker("cast_" + to, dtype, random);
                        return m.done(m.graph.cast(m.wild("x", m.shape(3)), to, Span.NONE), 1);
                    }));
        }
        structure(rows);
        return rows;
    }

    private static Optional<Case> given(boolean defined, java.util.function.Supplier<Case> made) {
        return defined ? Optional.of(made.get()) : Optional.empty();
    }

    private static Case reduce(ReduceFn fn, DType dtype, Random random) {
        Maker m = new Maker("reduce_" + fn.text(), dtype, random);
        List<Dim> shape = m.shape(3);
        List<Integer> axes = m.axes(shape.size());
        Node x = m.tame("x", shape, fn);
        return m.done(m.graph.add(new Op.Reduce(fn, axes), List.of(x.id()), Span.NONE), m.count(shape));
    }

    private static Case scan(ReduceFn fn, DType dtype, Random random) {
        Maker m = new Maker("scan_" + fn.text(), dtype, random);
        List<Dim> shape = m.shape(3);
        Node x = m.tame("x", shape, fn);
        Op.Scan op = new Op.Scan(fn, random.nextInt(shape.size()), random.nextBoolean(), random.nextBoolean());
        return m.done(m.graph.add(op, List.of(x.id()), Span.NONE), m.count(shape));
    }

    private static void structure(Map<String, Row> rows) {
        rows.put(
                "select",
                (dtype, random) -> given(true, () -> {
                    Maker m = new Maker("select", dtype, random);
                    List<Dim> shape = m.shape(3);
                    Node condition = m.input("c", DType.BOOL, shape, true);
                    return m.done(m.graph.select(condition, m.wild("x", shape), m.wild("y", shape), Span.NONE), 1);
                }));
        rows.put(
                "iota",
                (dtype, random) -> given(dtype.isInteger(), () -> {
                    Maker m = new Maker("iota", dtype, random);
                    Node x = m.wild("x", m.shape(1));
                    return m.done(m.graph.add(new Op.Iota(), List.of(), x.type(), Span.NONE), 1);
                }));
        rows.put(
                "dim",
                (dtype, random) -> given(dtype.isInteger(), () -> {
                    Maker m = new Maker("dim", dtype, random);
                    Node x = m.wild("x", m.shape(1));
                    Dim size = x.type().shape().getFirst().times(3).plus(-1);
                    return m.done(
                            m.graph.add(new Op.DimSize(size), List.of(), new TensorType(dtype, List.of()), Span.NONE),
                            1);
                }));
        rows.put(
                "constant",
                (dtype, random) -> given(true, () -> {
                    Maker m = new Maker("constant", dtype, random);
                    Node x = m.wild("x", m.shape(2));
                    Node one = m.graph.constant(dtype, 1.0, Span.NONE);
                    return m.done(m.graph.broadcast(one, x.type().shape(), List.of(), Span.NONE), 1);
                }));
        rows.put(
                "reshape",
                (dtype, random) -> given(true, () -> {
                    Maker m = new Maker("reshape", dtype, random);
                    List<Dim> shape = m.shape(3);
                    Dim count = shape.stream().reduce(Dim.ONE, Dim::times);
                    return m.done(m.graph.reshape(m.wild("x", shape), List.of(Dim.ONE, count), Span.NONE), 1);
                }));
        rows.put(
                "transpose",
                (dtype, random) -> given(true, () -> {
                    Maker m = new Maker("transpose", dtype, random);
                    List<Dim> shape = m.shape(3);
                    List<Integer> order = new ArrayList<>(
                            IntStream.range(0, shape.size()).boxed().toList());
                    java.util.Collections.shuffle(order, random);
                    return m.done(m.graph.transpose(m.wild("x", shape), order, Span.NONE), 1);
                }));
        rows.put(
                "broadcast",
                (dtype, random) -> given(true, () -> {
                    Maker m = new Maker("broadcast", dtype, random);
                    List<Dim> shape = m.shape(2);
                    List<Dim> wide = new ArrayList<>(shape);
                    int at = random.nextInt(shape.size() + 1);
                    wide.add(at, m.size());
                    List<Integer> axes = IntStream.range(0, wide.size())
                            .filter(i -> i != at)
                            .boxed()
                            .toList();
                    return m.done(m.graph.broadcast(m.wild("x", shape), wide, axes, Span.NONE), 1);
                }));
        rows.put("slice", (dtype, random) -> given(true, () -> slice(dtype, random)));
        rows.put("window", (dtype, random) -> given(true, () -> window(dtype, random)));
        rows.put(
                "concat",
                (dtype, random) -> given(true, () -> {
                    Maker m = new Maker("concat", dtype, random);
                    List<Dim> shape = m.shape(3);
                    int axis = random.nextInt(shape.size());
                    List<Integer> parts = new ArrayList<>();
                    for (int i = 0; i < 1 + random.nextInt(3); i++) {
                        List<Dim> part = new ArrayList<>(shape);
                        part.set(axis, m.size());
                        parts.add(m.wild("x" + i, part).id());
                    }
                    return m.done(m.graph.add(new Op.Concat(axis), parts, Span.NONE), 1);
                }));
        rows.put("gather", (dtype, random) -> given(true, () -> gather(dtype, random)));
        rows.put("scatter", (dtype, random) -> given(true, () -> scatter(Optional.empty(), dtype, random)));
        for (ReduceFn fn : List.of(ReduceFn.SUM, ReduceFn.PROD, ReduceFn.MAX, ReduceFn.MIN)) {
            rows.put(
                    "scatter_" + fn.text(),
                    (dtype, random) -> given(fn.accepts(dtype), () -> scatter(Optional.of(fn), dtype, random)));
        }
        rows.put(
                "sort",
                (dtype, random) -> given(true, () -> {
                    Maker m = new Maker("sort", dtype, random);
                    List<Dim> shape = m.shape(3);
                    Op.Sort op = new Op.Sort(random.nextInt(shape.size()), random.nextBoolean());
                    return m.done(m.graph.add(op, List.of(m.wild("x", shape).id()), Span.NONE), 1);
                }));
        rows.put("contract", (dtype, random) -> given(dtype != DType.BOOL, () -> contract(dtype, random)));
        rows.put("row_ids", (dtype, random) -> given(dtype == DType.I32, () -> rowIds(random)));
        rows.put("loop", (dtype, random) -> given(dtype != DType.BOOL, () -> loop(dtype, random)));
        rows.put(
                "while", (dtype, random) -> given(dtype == DType.I32 || dtype == DType.F32, () -> test(dtype, random)));
    }

    private static Case slice(DType dtype, Random random) {
        Maker m = new Maker("slice", dtype, random);
        List<Dim> shape = m.shape(3);
        Node x = m.wild("x", shape);
        List<Dim> starts = new ArrayList<>();
        List<Integer> steps = new ArrayList<>();
        List<Dim> sizes = new ArrayList<>();
        for (Dim dim : shape) {
            long n = m.value(dim);
            switch (random.nextInt(n == 0 ? 1 : 4)) {
                case 0 -> {
                    starts.add(Dim.ZERO);
                    steps.add(1);
                    sizes.add(dim);
                }
                case 1 -> {
                    starts.add(dim.plus(-1));
                    steps.add(-1);
                    sizes.add(dim);
                }
                case 2 -> {
                    long from = random.nextLong(n);
                    starts.add(Dim.of(from));
                    steps.add(1);
                    sizes.add(dim.minus(Dim.of(from)));
                }
                default -> {
                    long from = random.nextLong(n);
                    starts.add(Dim.of(from));
                    steps.add(2);
                    sizes.add(Dim.of((n - from + 1) / 2));
                }
            }
        }
        return m.done(
                m.graph.add(new Op.Slice(starts, steps), List.of(x.id()), new TensorType(dtype, sizes), Span.NONE), 1);
    }

    private static Case window(DType dtype, Random random) {
        Maker m = new Maker("window", dtype, random);
        List<Dim> shape = new ArrayList<>(m.shape(2));
        int axis = random.nextInt(shape.size());
        int width = 1 + random.nextInt(3);
        int stride = 1 + random.nextInt(2);
        int dilation = 1 + random.nextInt(2);
        long count = random.nextInt(6);
        shape.set(axis, Dim.of(Math.max(0, (count - 1) * stride + (width - 1) * dilation + 1)));
        List<Dim> result = new ArrayList<>(shape);
        result.set(axis, Dim.of(count));
        result.add(axis + 1, Dim.of(width));
        Op op = new Op.Window(axis, stride, dilation);
        return m.done(m.graph.add(op, List.of(m.wild("x", shape).id()), new TensorType(dtype, result), Span.NONE), 1);
    }

    /// A table with batch dimensions and valid indices into it; nothing is looked up in an empty one.
    private static Node[] lookup(Maker m, Random random, int batch, boolean wild) {
        List<Dim> table = new ArrayList<>();
        List<Dim> index = new ArrayList<>();
        for (int i = 0; i < batch; i++) {
            table.add(m.size());
            index.add(table.get(i));
        }
        Dim rows = m.size();
        table.add(rows);
        if (random.nextBoolean()) {
            table.add(m.size());
        }
        for (int i = random.nextInt(3); i > 0; i--) {
            index.add(m.value(rows) == 0 ? Dim.ZERO : m.size());
        }
        if (m.value(rows) == 0 && index.size() == batch) {
            index.add(Dim.ZERO);
        }
        Node x = wild ? m.wild("x", table) : m.input("x", m.dtype, table, false);
        Node at = m.input("at", random.nextBoolean() ? DType.I32 : DType.I64, index, false);
        long[] values = m.inputs.get("at").longs();
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextLong(m.value(rows));
        }
        return new Node[] {x, at};
    }

    private static Case gather(DType dtype, Random random) {
        Maker m = new Maker("gather", dtype, random);
        int batch = random.nextInt(3);
        Node[] nodes = lookup(m, random, batch, true);
        return m.done(m.graph.add(new Op.Gather(batch), List.of(nodes[0].id(), nodes[1].id()), Span.NONE), 1);
    }

    private static Case scatter(Optional<ReduceFn> fn, DType dtype, Random random) {
        Maker m = new Maker("scatter", dtype, random);
        int batch = random.nextInt(2);
        boolean wild = fn.filter(f -> f == ReduceFn.SUM || f == ReduceFn.PROD).isEmpty();
        Node[] nodes = lookup(m, random, batch, wild);
        List<Dim> updates = new ArrayList<>(nodes[1].type().shape());
        updates.addAll(
                nodes[0].type().shape().subList(batch + 1, nodes[0].type().rank()));
        Node values = m.input("u", dtype, updates, wild);
        List<Integer> operands = List.of(nodes[0].id(), nodes[1].id(), values.id());
        return m.done(m.graph.add(new Op.Scatter(fn, batch), operands, Span.NONE), m.count(updates) + 1);
    }

    private static Case contract(DType dtype, Random random) {
        Maker m = new Maker("contract", dtype, random);
        String[][] forms = {
            {"ik", "kj", "ij"}, {"ik", "jk", "ij"}, {"bik", "bkj", "bij"}, {"ik", "k", "i"}, {"i", "j", "ij"},
            {"ikl", "klj", "ij"}, {"k", "k", ""}, {"bi", "bi", "b"}, {"ki", "kj", "ji"}, {"aib", "bja", "ij"}
        };
        String[] form = forms[random.nextInt(forms.length)];
        Map<Character, Dim> sizes = new LinkedHashMap<>();
        List<Node> operands = new ArrayList<>();
        for (int side = 0; side < 2; side++) {
            List<Dim> shape = new ArrayList<>();
            for (char label : form[side].toCharArray()) {
                shape.add(sizes.computeIfAbsent(label, l -> m.size()));
            }
            operands.add(m.input("x" + side, dtype, shape, false));
        }
        Op op = new Op.Contract(form[0], form[1], form[2]);
        long length = sizes.values().stream().mapToLong(m::value).sum() * 33;
        return m.done(m.graph.add(op, operands.stream().map(Node::id).toList(), Span.NONE), length + 1);
    }

    private static Case rowIds(Random random) {
        Maker m = new Maker("row_ids", DType.I32, random);
        Node offsets = m.input("x", DType.I32, List.of(Dim.of(4)), false);
        long size = SIZES[random.nextInt(SIZES.length)];
        Node like = m.input("like", DType.I32, List.of(m.symbol(size)), false);
        Node ids = m.graph.add(new Op.RowIds(), List.of(offsets.id()), like.type(), Span.NONE);
        long[] given = m.inputs.get("x").longs();
        given[0] = 0;
        given[1] = random.nextLong(size + 1);
        given[2] = given[1] + random.nextLong(size - given[1] + 1);
        given[3] = size;
        return m.done(m.graph.unary(UnaryFn.NEG, ids, Span.NONE), 1);
    }

    /// Two states that change places each time, and what they were, stacked.
    private static Case loop(DType dtype, Random random) {
        Maker m = new Maker("loop", dtype, random);
        List<Dim> shape = m.shape(2);
        Node x = m.input("x", dtype, shape, false);
        Node y = m.input("y", dtype, shape, false);
        Node z = m.input("z", dtype, shape, false);
        Dim trips = Dim.of(random.nextInt(4));
        GraphBuilder body = new GraphBuilder();
        Node i = body.input("0", new TensorType(DType.I32, List.of()), Span.NONE);
        Node a = body.input("1", x.type(), Span.NONE);
        Node b = body.input("2", x.type(), Span.NONE);
        Node c = body.input("3", x.type(), Span.NONE);
        Node number = body.broadcast(body.cast(i, dtype, Span.NONE), shape, List.of(), Span.NONE);
        body.output("a", b);
        body.output("b", body.binary(BinaryFn.SUB, body.binary(BinaryFn.ADD, a, c, Span.NONE), number, Span.NONE));
        body.output("y", a);
        Op.Loop op = new Op.Loop(Optional.of(trips), 2, Optional.empty(), body.build("body"));
        Node loop = m.graph.add(op, List.of(x.id(), y.id(), z.id()), Span.NONE);
        List<Dim> stacked = new ArrayList<>(shape);
        stacked.addFirst(trips);
        m.graph.output("a", m.graph.add(new Op.Result(0), List.of(loop.id()), x.type(), Span.NONE));
        m.graph.output(
                "ys", m.graph.add(new Op.Result(2), List.of(loop.id()), new TensorType(dtype, stacked), Span.NONE));
        return m.done(m.graph.add(new Op.Result(1), List.of(loop.id()), x.type(), Span.NONE), 8);
    }

    /// Adds until a sum passes a limit.
    private static Case test(DType dtype, Random random) {
        Maker m = new Maker("while", dtype, random);
        Node x = m.input("x", dtype, List.of(), false);
        TensorType scalar = x.type();
        GraphBuilder test = new GraphBuilder();
        Node limit = test.constant(dtype, 10.0, Span.NONE);
        test.output("go", test.binary(BinaryFn.LT, test.input("1", scalar, Span.NONE), limit, Span.NONE));
        GraphBuilder body = new GraphBuilder();
        Node i = body.input("0", new TensorType(DType.I32, List.of()), Span.NONE);
        Node step = body.binary(
                BinaryFn.ADD, body.cast(i, dtype, Span.NONE), body.constant(dtype, 1.0, Span.NONE), Span.NONE);
        body.output("x", body.binary(BinaryFn.ADD, body.input("1", scalar, Span.NONE), step, Span.NONE));
        Op.Loop op = new Op.Loop(Optional.empty(), 1, Optional.of(test.build("test")), body.build("body"));
        Node loop = m.graph.add(op, List.of(x.id()), Span.NONE);
        return m.done(m.graph.add(new Op.Result(0), List.of(loop.id()), scalar, Span.NONE), 8);
    }

    /// Collects the parts of one program.
    private static final class Maker {
        final GraphBuilder graph = new GraphBuilder();
        final Map<String, Nd> inputs = new LinkedHashMap<>();
        final DType dtype;
        private final String name;
        private final Random random;
        private final Map<String, Long> symbols = new LinkedHashMap<>();

        Maker(String name, DType dtype, Random random) {
            this.name = name;
            this.dtype = dtype;
            this.random = random;
        }

        Dim symbol(long value) {
            String symbol = "N" + symbols.size();
            symbols.put(symbol, value);
            return Dim.symbol(symbol);
        }

        /// A size that is known, or a symbol.
        Dim size() {
            long value = SIZES[random.nextInt(SIZES.length)];
            return random.nextBoolean() ? symbol(value) : Dim.of(value);
        }

        List<Dim> shape(int most) {
            List<Dim> shape = new ArrayList<>();
            for (int i = 1 + random.nextInt(most); i > 0; i--) {
                shape.add(size());
            }
            return shape;
        }

        List<Integer> axes(int rank) {
            List<Integer> axes = new ArrayList<>();
            for (int i = 0; i < rank; i++) {
                if (random.nextBoolean()) {
                    axes.add(i);
                }
            }
            return axes.isEmpty() ? List.of(rank - 1) : axes;
        }

        long value(Dim dim) {
            return dim.evaluate(symbols::get);
        }

        long count(List<Dim> shape) {
            return shape.stream().mapToLong(this::value).reduce(1, (a, b) -> a * b);
        }

        Node wild(String input, List<Dim> shape) {
            return input(input, dtype, shape, true);
        }

        Node input(String input, DType type, List<Dim> shape, boolean wild) {
            long[] sizes = shape.stream().mapToLong(this::value).toArray();
            inputs.put(input, wild ? Values.wild(random, type, sizes) : Values.small(random, type, sizes));
            return graph.input(input, new TensorType(type, shape), Span.NONE);
        }

        /// Values whose reduction does not depend on the order: sums of small ones, products of 1 and -1.
        Node tame(String input, List<Dim> shape, ReduceFn fn) {
            boolean any = fn == ReduceFn.MAX || fn == ReduceFn.MIN || !dtype.isFloat();
            Node node = input(input, dtype, shape, any);
            if (fn == ReduceFn.PROD && dtype.isFloat()) {
                double[] values = inputs.get(input).floats();
                for (int i = 0; i < values.length; i++) {
                    values[i] = random.nextBoolean() ? 1 : -1;
                }
            }
            return node;
        }

        /// Sizes that no operand has come from arguments of their own.
        Case done(Node result, long length) {
            symbols.keySet().forEach(n -> input("of" + n, DType.BOOL, List.of(Dim.symbol(n)), false));
            graph.output("result", result);
            return new Case(name, graph.build(name), inputs, length);
        }
    }
}
