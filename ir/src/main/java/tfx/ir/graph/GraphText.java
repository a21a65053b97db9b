package tfx.ir.graph;

import static tfx.ir.text.Scanner.quote;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import tfx.ir.BinaryFn;
import tfx.ir.ReduceFn;
import tfx.ir.Span;
import tfx.ir.UnaryFn;
import tfx.ir.text.Scanner;
import tfx.runtime.Dim;
import tfx.runtime.TensorType;

/// The text form of graphs: `parse(print(g))` equals `g`.
public final class GraphText {
    private static final int MAX_NESTING = 8;

    private GraphText() {}

    public static String print(Graph graph) {
        StringBuilder out = new StringBuilder();
        print(graph, "", out);
        return out.toString();
    }

    private static void print(Graph graph, String indent, StringBuilder out) {
        out.append("graph ").append(quote(graph.name())).append(" {\n");
        for (Node node : graph.nodes()) {
            out.append(indent).append("  %").append(node.id()).append(" = ");
            out.append(name(node.op()));
            out.append(node.operands().stream().map(id -> "%" + id).collect(Collectors.joining(", ", "(", ")")));
            attributes(node.op(), indent, out);
            out.append(" : ").append(node.type()).append('\n');
        }
        for (Graph.Output output : graph.outputs()) {
            out.append(indent).append("  output ").append(quote(output.name()));
            out.append(" %").append(output.id()).append('\n');
        }
        out.append(indent).append("}\n");
    }

    private static String name(Op op) {
        return switch (op) {
            case Op.Input i -> "input";
            case Op.Weight w -> "weight";
            case Op.Constant c -> "constant";
            case Op.Iota i -> "iota";
            case Op.DimSize d -> "dim";
            case Op.Unary u -> u.fn().text();
            case Op.Binary b -> b.fn().text();
            case Op.Select s -> "select";
            case Op.Cast c -> "cast";
            case Op.Reduce r -> "reduce_" + r.fn().text();
            case Op.Contract c -> "contract";
            case Op.Reshape r -> "reshape";
            case Op.Transpose t -> "transpose";
            case Op.Broadcast b -> "broadcast";
            case Op.Gather g -> "gather";
            case Op.RowIds r -> "row_ids";
            case Op.Slice s -> "slice";
            case Op.Window w -> "window";
            case Op.Concat c -> "concat";
            case Op.Scatter s -> "scatter";
            case Op.Scan s -> "scan_" + s.fn().text();
            case Op.Sort s -> "sort";
            case Op.Loop l -> "loop";
            case Op.Result r -> "result";
            case Op.Region r -> "region";
        };
    }

    private static void attributes(Op op, String indent, StringBuilder out) {
        switch (op) {
            case Op.Input i -> out.append(' ').append(quote(i.name()));
            case Op.Weight w -> out.append(' ').append(quote(w.name()));
            case Op.Constant c -> out.append(' ').append(c.value());
            case Op.DimSize d -> out.append(' ').append(d.dim());
            case Op.Reduce r -> out.append(" axes ").append(r.axes());
            case Op.Contract c -> out.append(' ').append(quote(c.lhs() + "," + c.rhs() + "->" + c.result()));
            case Op.Transpose t -> out.append(" permutation ").append(t.permutation());
            case Op.Broadcast b -> out.append(" axes ").append(b.axes());
            case Op.Region r -> {
                out.append(' ').append(quote(r.name()));
                nested(" ", r.body(), indent, out);
            }
            case Op.Iota i -> {}
            case Op.Unary u -> {}
            case Op.Binary b -> {}
            case Op.Select s -> {}
            case Op.Cast c -> {}
            case Op.Reshape r -> {}
            case Op.Gather g -> out.append(g.batch() == 0 ? "" : " batch " + g.batch());
            case Op.Slice s ->
                out.append(" starts ").append(s.starts()).append(" steps ").append(s.steps());
            case Op.Window w ->
                out.append(" axis ")
                        .append(w.axis())
                        .append(" stride ")
                        .append(w.stride())
                        .append(" dilation ")
                        .append(w.dilation());
            case Op.Concat c -> out.append(" axis ").append(c.axis());
            case Op.Scatter s -> {
                out.append(" batch ").append(s.batch());
                s.combine().ifPresent(f -> out.append(" combine ").append(f.text()));
            }
            case Op.Scan s -> {
                out.append(" axis ").append(s.axis());
                out.append(s.reverse() ? " reverse" : "").append(s.exclusive() ? " exclusive" : "");
            }
            case Op.Sort s -> out.append(" axis ").append(s.axis()).append(s.descending() ? " descending" : "");
            case Op.Loop l -> {
                l.trips().ifPresent(t -> out.append(" trips ").append(t));
                out.append(" carried ").append(l.carried());
                l.test().ifPresent(t -> nested(" test ", t, indent, out));
                nested(" body ", l.body(), indent, out);
            }
            case Op.Result r -> out.append(' ').append(r.position());
            case Op.RowIds r -> {}
        }
    }

    private static void nested(String word, Graph graph, String indent, StringBuilder out) {
        out.append(word);
        print(graph, indent + "  ", out);
        out.setLength(out.length() - 1);
    }

    /// Reads one graph.
    ///
    /// @throws tfx.ir.text.ParseException if the text is no graph; a graph that breaks a type rule still parses
    public static Graph parse(String text) {
        Scanner in = new Scanner(text);
        Graph graph = graph(in, 0);
        if (!in.atEnd()) {
            throw in.error("text after the graph");
        }
        return graph;
    }

    private static Graph graph(Scanner in, int nesting) {
        if (nesting > MAX_NESTING) {
            throw in.error("regions nested deeper than " + MAX_NESTING);
        }
        in.expect("graph");
        String name = in.string();
        in.expect("{");
        List<Node> nodes = new ArrayList<>();
        List<Graph.Output> outputs = new ArrayList<>();
        Set<Integer> defined = new HashSet<>();
        while (!in.accept("}")) {
            if (in.accept("output")) {
                outputs.add(new Graph.Output(in.string(), value(in, defined)));
            } else {
                in.expect("%");
                int id = in.small();
                in.expect("=");
                String word = in.word();
                List<Integer> operands = in.list("(", ")", () -> value(in, defined));
                Op op = op(word, in, nesting);
                in.expect(":");
                TensorType type = in.type();
                if (op instanceof Op.Constant c && type.dtype().isFloat()) {
                    op = new Op.Constant(c.value().doubleValue());
                }
                if (!defined.add(id)) {
                    throw in.error("%" + id + " is made twice");
                }
                nodes.add(new Node(id, op, operands, type, Span.NONE));
            }
        }
        return new Graph(name, nodes, outputs);
    }

    private static int value(Scanner in, Set<Integer> defined) {
        in.expect("%");
        int id = in.small();
        if (!defined.contains(id)) {
            throw in.error("%" + id + " is used before it is made");
        }
        return id;
    }

    private static Op op(String word, Scanner in, int nesting) {
        return switch (word) {
            case "input" -> new Op.Input(in.string());
            case "weight" -> new Op.Weight(in.string());
            case "constant" -> new Op.Constant(in.number());
            case "iota" -> new Op.Iota();
            case "dim" -> new Op.DimSize(in.dim());
            case "select" -> new Op.Select();
            case "cast" -> new Op.Cast();
            case "contract" -> contract(in);
            case "reshape" -> new Op.Reshape();
            case "transpose" -> {
                in.expect("permutation");
                yield new Op.Transpose(in.integers());
            }
            case "broadcast" -> {
                in.expect("axes");
                yield new Op.Broadcast(in.integers());
            }
            case "gather" -> new Op.Gather(in.accept("batch") ? in.small() : 0);
            case "slice" -> {
                in.expect("starts");
                List<Dim> starts = in.list("[", "]", in::dim);
                in.expect("steps");
                yield new Op.Slice(starts, in.integers());
            }
            case "window" -> new Op.Window(number("axis", in), number("stride", in), number("dilation", in));
            case "concat" -> new Op.Concat(number("axis", in));
            case "scatter" -> {
                int batch = number("batch", in);
                yield new Op.Scatter(
                        in.accept("combine") ? Optional.of(reduction(in.word(), in)) : Optional.empty(), batch);
            }
            case "sort" -> new Op.Sort(number("axis", in), in.accept("descending"));
            case "loop" -> {
                Optional<Dim> trips = in.accept("trips") ? Optional.of(in.dim()) : Optional.empty();
                int carried = number("carried", in);
                Optional<Graph> test = in.accept("test") ? Optional.of(graph(in, nesting + 1)) : Optional.empty();
                in.expect("body");
                yield new Op.Loop(trips, carried, test, graph(in, nesting + 1));
            }
            case "result" -> new Op.Result(in.small());
            case "row_ids" -> new Op.RowIds();
            case "region" -> new Op.Region(in.string(), graph(in, nesting + 1));
            default -> family(word, in);
        };
    }

    private static Op.Contract contract(Scanner in) {
        String[] parts = in.string().split(",|->", -1);
        if (parts.length != 3) {
            throw in.error("expected a contraction such as \"ik,kj->ij\"");
        }
        return new Op.Contract(parts[0], parts[1], parts[2]);
    }

    private static Op family(String word, Scanner in) {
        for (UnaryFn fn : UnaryFn.values()) {
            if (fn.text().equals(word)) {
                return new Op.Unary(fn);
            }
        }
        for (BinaryFn fn : BinaryFn.values()) {
            if (fn.text().equals(word)) {
                return new Op.Binary(fn);
            }
        }
        if (word.startsWith("scan_")) {
            ReduceFn fn = reduction(word.substring("scan_".length()), in);
            return new Op.Scan(fn, number("axis", in), in.accept("reverse"), in.accept("exclusive"));
        }
        if (!word.startsWith("reduce_")) {
            throw in.error("unknown operation " + word);
        }
        ReduceFn fn = reduction(word.substring("reduce_".length()), in);
        in.expect("axes");
        return new Op.Reduce(fn, in.integers());
    }

    private static ReduceFn reduction(String word, Scanner in) {
        return Arrays.stream(ReduceFn.values())
                .filter(fn -> fn.text().equals(word))
                .findFirst()
                .orElseThrow(() -> in.error("unknown reduction " + word));
    }

    private static int number(String word, Scanner in) {
        in.expect(word);
        return in.small();
    }
}
