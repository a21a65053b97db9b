package tfx.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import tfx.ir.BinaryFn;
import tfx.ir.ReduceFn;
import tfx.ir.Span;
import tfx.ir.UnaryFn;
import tfx.ir.graph.Evaluator;
import tfx.ir.graph.Graph;
import tfx.ir.graph.GraphBuilder;
import tfx.ir.graph.Nd;
import tfx.ir.graph.Node;
import tfx.ir.graph.Op;
import tfx.runtime.DType;
import tfx.runtime.Dim;
import tfx.runtime.TensorType;
import tfx.testkit.Close;
import tfx.testkit.Values;

/// Operation x element type x edge size, on every engine: the matrix is generated from the op table, so a new
/// row is covered or named as a hole with its reason.
final class MatrixTest {
    private static final int[] SIZES = {0, 1, 13, 4098};

    /// A cell's program, and how many elements go into one result.
    private record Cell(Graph graph, Map<String, Nd> inputs, long length) {}

    /// Makes the program of a cell, or says why there is none.
    private interface Row {
        Optional<Cell> cell(DType dtype, int size, Random random);
    }

    private static final Dim N = Dim.symbol("N");

    private final Map<String, Row> rows = new LinkedHashMap<>();
    private final Map<String, String> holes = new ConcurrentSkipListMap<>();

    private void rows() {
        for (UnaryFn fn : UnaryFn.values()) {
            rows.put(
                    fn.text(),
                    (dtype, size, random) -> fn.accepts(dtype)
                            ? Optional.of(
                                    cell(dtype, size, random, 1, 1, (g, x) -> g.unary(fn, x.getFirst(), Span.NONE)))
                            : Optional.empty());
        }
        for (BinaryFn fn : BinaryFn.values()) {
            rows.put(
                    fn.text() + ".2",
                    (dtype, size, random) -> fn.accepts(dtype)
                            ? Optional.of(cell(
                                    dtype,
                                    size,
                                    random,
                                    2,
                                    fn == BinaryFn.LOGADDEXP ? 2 : 1, // its two terms may cancel
                                    (g, x) -> g.binary(fn, x.get(0), x.get(1), Span.NONE)))
                            : Optional.empty());
        }
        for (ReduceFn fn : ReduceFn.values()) {
            rows.put(
                    "reduce_" + fn.text(),
                    (dtype, size, random) -> fn.accepts(dtype)
                            ? Optional.of(tame(
                                    cell(
                                            dtype,
                                            size,
                                            random,
                                            1,
                                            size,
                                            (g, x) -> g.add(
                                                    new Op.Reduce(fn, List.of(0)),
                                                    List.of(x.getFirst().id()),
                                                    Span.NONE)),
                                    random,
                                    fn))
                            : Optional.empty());
        }
        for (DType to : DType.values()) {
            rows.put(
                    "cast_" + to,
                    (dtype, size, random) -> Optional.of(
                            cell(dtype, size, random, 1, 1, (g, x) -> g.cast(x.getFirst(), to, Span.NONE))));
        }
        rows.put(
                "select",
                (dtype, size, random) -> Optional.of(cell(
                        dtype,
                        size,
                        random,
                        2,
                        1,
                        (g, x) -> g.select(
                                g.binary(BinaryFn.EQ, x.get(0), x.get(1), Span.NONE), x.get(0), x.get(1), Span.NONE))));
        rows.put(
                "iota",
                (dtype, size, random) -> dtype.isInteger()
                        ? Optional.of(cell(
                                dtype,
                                size,
                                random,
                                1,
                                1,
                                (g, x) -> g.add(
                                        new Op.Iota(), List.of(), x.getFirst().type(), Span.NONE)))
                        : Optional.empty());
        rows.put(
                "dim",
                (dtype, size, random) -> dtype.isInteger()
                        ? Optional.of(cell(
                                dtype,
                                size,
                                random,
                                1,
                                1,
                                (g, x) -> g.add(
                                        new Op.DimSize(N.times(3)),
                                        List.of(),
                                        new TensorType(dtype, List.of()),
                                        Span.NONE)))
                        : Optional.empty());
        rows.put(
                "constant",
                (dtype, size, random) -> Optional.of(cell(
                        dtype,
                        size,
                        random,
                        1,
                        1,
                        (g, x) -> g.broadcast(
                                g.constant(dtype, 1.0, Span.NONE),
                                x.getFirst().type().shape(),
                                List.of(),
                                Span.NONE))));
        rows.put(
                "reshape",
                (dtype, size, random) -> Optional.of(cell(
                        dtype, size, random, 1, 1, (g, x) -> g.reshape(x.getFirst(), List.of(Dim.ONE, N), Span.NONE))));
        rows.put(
                "transpose",
                (dtype, size, random) -> Optional.of(cell(
                        dtype,
                        size,
                        random,
                        1,
                        1,
                        (g, x) -> g.transpose(
                                g.broadcast(x.getFirst(), List.of(Dim.of(3), N), List.of(1), Span.NONE),
                                List.of(1, 0),
                                Span.NONE))));
        rows.put(
                "broadcast",
                (dtype, size, random) -> Optional.of(cell(
                        dtype,
                        size,
                        random,
                        1,
                        1,
                        (g, x) -> g.broadcast(x.getFirst(), List.of(N, Dim.of(5)), List.of(0), Span.NONE))));
        rows.put(
                "gather",
                (dtype, size, random) -> size == 0
                        ? Optional.empty()
                        : Optional.of(cell(dtype, size, random, 1, 1, (g, x) -> {
                            TensorType type = new TensorType(DType.I32, List.of(N));
                            Node reversed = g.binary(
                                    BinaryFn.SUB,
                                    g.broadcast(
                                            g.add(
                                                    new Op.DimSize(N.plus(-1)),
                                                    List.of(),
                                                    new TensorType(DType.I32, List.of()),
                                                    Span.NONE),
                                            type.shape(),
                                            List.of(),
                                            Span.NONE),
                                    g.add(new Op.Iota(), List.of(), type, Span.NONE),
                                    Span.NONE);
                            return g.add(new Op.Gather(), List.of(x.getFirst().id(), reversed.id()), Span.NONE);
                        })));
        rows.put(
                "contract",
                (dtype, size, random) ->
                        dtype == DType.BOOL ? Optional.empty() : Optional.of(product(dtype, size, random)));
        rows.put(
                "row_ids",
                (dtype, size, random) -> dtype == DType.I32 ? Optional.of(rowIds(size, random)) : Optional.empty());
    }

    /// Sums and products of special values differ by order; they get small values.
    private static Cell tame(Cell cell, Random random, ReduceFn fn) {
        if (fn == ReduceFn.MAX || fn == ReduceFn.MIN) {
            return cell;
        }
        Nd x = cell.inputs().get("x0");
        Nd small = Values.small(random, x.dtype(), x.shape());
        if (fn == ReduceFn.PROD && x.dtype().isFloat()) {
            for (int i = 0; i < small.count(); i++) {
                small.floats()[i] = random.nextBoolean() ? 1 : -1;
            }
        }
        return new Cell(cell.graph(), Map.of("x0", small), cell.length());
    }

    private interface Body {
        Node apply(GraphBuilder graph, List<Node> inputs);
    }

    private static Cell cell(DType dtype, int size, Random random, int arguments, long length, Body body) {
        GraphBuilder graph = new GraphBuilder();
        Map<String, Nd> inputs = new LinkedHashMap<>();
        List<Node> nodes = new ArrayList<>();
        for (int i = 0; i < arguments; i++) {
            nodes.add(graph.input("x" + i, new TensorType(dtype, List.of(N)), Span.NONE));
            inputs.put("x" + i, Values.wild(random, dtype, size));
        }
        graph.output("y", body.apply(graph, nodes));
        return new Cell(graph.build("cell"), inputs, length);
    }

    private static Cell product(DType dtype, int size, Random random) {
        GraphBuilder graph = new GraphBuilder();
        Dim rows = Dim.of(7);
        Node a = graph.input("x0", new TensorType(dtype, List.of(rows, N)), Span.NONE);
        Node b = graph.input("x1", new TensorType(dtype, List.of(N, Dim.of(35))), Span.NONE);
        graph.output("y", graph.add(new Op.Contract("ik", "kj", "ij"), List.of(a.id(), b.id()), Span.NONE));
        return new Cell(
                graph.build("cell"),
                Map.of("x0", Values.small(random, dtype, 7, size), "x1", Values.small(random, dtype, size, 35)),
                size + 1L);
    }

    private static Cell rowIds(int size, Random random) {
        GraphBuilder graph = new GraphBuilder();
        Node offsets = graph.input("x0", new TensorType(DType.I32, List.of(Dim.of(4))), Span.NONE);
        graph.input("x1", new TensorType(DType.I32, List.of(N)), Span.NONE);
        TensorType type = new TensorType(DType.I32, List.of(N));
        Node ids = graph.add(new Op.RowIds(), List.of(offsets.id()), type, Span.NONE);
        graph.output("y", graph.unary(UnaryFn.NEG, ids, Span.NONE));
        Nd given = Nd.zeros(DType.I32, 4);
        given.longs()[1] = random.nextInt(size + 1);
        given.longs()[2] = given.longs()[1];
        given.longs()[3] = size;
        return new Cell(graph.build("cell"), Map.of("x0", given, "x1", Nd.zeros(DType.I32, size)), 1);
    }

    private static String reason(String row, DType dtype) {
        return row.equals("gather") ? "an empty table has no valid index" : "not defined on " + dtype;
    }

    @Test
    void everyCellOnEveryEngine() {
        rows();
        AtomicInteger cells = new AtomicInteger();
        List<String> wrong = Collections.synchronizedList(new ArrayList<>());
        rows.entrySet().parallelStream().forEach(row -> {
            for (DType dtype : DType.values()) {
                for (int size : SIZES) {
                    Random random = new Random(row.getKey().hashCode() * 31L + dtype.ordinal() * 7L + size);
                    Optional<Cell> cell = row.getValue().cell(dtype, size, random);
                    if (cell.isEmpty()) {
                        holes.put(row.getKey() + " " + dtype, reason(row.getKey(), dtype));
                        continue;
                    }
                    cells.incrementAndGet();
                    check(row.getKey() + " " + dtype + " " + size, cell.get(), wrong);
                }
            }
        });
        System.out.println("matrix: " + cells + " cells x " + Engines.values().length + " engines, " + holes.size()
                + " holes, each with its reason: " + new TreeSet<>(holes.values()));
        assertThat(wrong).isEmpty();
    }

    private static void check(String name, Cell cell, List<String> wrong) {
        Nd expected = Evaluator.run(cell.graph(), cell.inputs(), w -> {
                    throw new IllegalArgumentException(w);
                })
                .get("y");
        for (Engines engine : Engines.values()) {
            Nd actual = engine.run(cell.graph(), cell.inputs()).get("y");
            Close.elements(expected, actual, cell.length())
                    .ifPresent(d -> wrong.add(name + " on " + engine + ": " + d));
        }
    }
}
