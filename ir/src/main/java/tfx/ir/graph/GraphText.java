package tfx.ir.graph;

import static tfx.ir.text.Scanner.quote;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import tfx.ir.BinaryFn;
import tfx.ir.ReduceFn;
import tfx.ir.Span;
import tfx.ir.TensorType;
import tfx.ir.UnaryFn;
import tfx.ir.text.Scanner;

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
                out.append(' ').append(quote(r.name())).append(' ');
                print(r.body(), indent + "  ", out);
                out.setLength(out.length() - 1);
            }
            case Op.Iota i -> {}
            case Op.Unary u -> {}
            case Op.Binary b -> {}
            case Op.Select s -> {}
            case Op.Cast c -> {}
            case Op.Reshape r -> {}
            case Op.Gather g -> {}
            case Op.RowIds r -> {}
        }
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
                int id = Math.toIntExact(in.integer());
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
        int id = Math.toIntExact(in.integer());
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
            case "gather" -> new Op.Gather();
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
        ReduceFn reduce = Arrays.stream(ReduceFn.values())
                .filter(fn -> ("reduce_" + fn.text()).equals(word))
                .findFirst()
                .orElseThrow(() -> in.error("unknown operation " + word));
        in.expect("axes");
        return new Op.Reduce(reduce, in.integers());
    }
}
