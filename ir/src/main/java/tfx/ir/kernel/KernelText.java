package tfx.ir.kernel;

import static tfx.ir.text.Scanner.quote;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import tfx.ir.BinaryFn;
import tfx.ir.ReduceFn;
import tfx.ir.UnaryFn;
import tfx.ir.text.Scanner;
import tfx.runtime.DType;
import tfx.runtime.Dim;
import tfx.runtime.TensorType;

/// The text form of kernels: `parse(print(k))` equals `k`. Programs are in {@link ProgramText}.
public final class KernelText {
    private static final int MAX_DEPTH = 300;

    private KernelText() {}

    // ---- printing ----

    static String panels(int panels) {
        return panels == 0 ? "" : " panels " + panels;
    }

    public static String print(Kernel kernel) {
        StringBuilder out = new StringBuilder("kernel " + quote(kernel.name()) + " {\n");
        kernel.sizes().forEach(s -> out.append("  size ").append(s).append('\n'));
        for (Kernel.Buffer b : kernel.buffers()) {
            out.append(b.output() ? "  out " : "  in ").append(b.name()).append(" : ");
            out.append(new TensorType(b.dtype(), b.shape()))
                    .append(panels(b.panels()))
                    .append('\n');
        }
        kernel.grid().forEach(a -> out.append("  grid ").append(axis(a)).append('\n'));
        kernel.axes().forEach(a -> out.append("  axis ").append(axis(a)).append('\n'));
        statements(kernel.body(), "  ", out);
        return out.append("}\n").toString();
    }

    private static String axis(Kernel.Axis axis) {
        String split = axis.split()
                .map(s -> " split " + s.rowIds() + " " + s.offsets())
                .orElse("");
        return axis.name() + " : " + axis.size() + " tile " + axis.tile() + split;
    }

    private static void statements(List<Kernel.Statement> body, String indent, StringBuilder out) {
        for (Kernel.Statement statement : body) {
            out.append(indent);
            switch (statement) {
                case Kernel.Let s ->
                    out.append("let ")
                            .append(tile(s.name(), s.axes(), s.dtype()))
                            .append(" = ")
                            .append(print(s.value()));
                case Kernel.Reduce s ->
                    out.append(s.accumulate() ? "reduce+ " : "reduce ")
                            .append(tile(s.name(), s.axes(), s.dtype()))
                            .append(' ')
                            .append(s.fn().text())
                            .append(" over ")
                            .append(s.over())
                            .append(" = ")
                            .append(print(s.value()));
                case Kernel.Dot s ->
                    out.append(s.accumulate() ? "dot+ " : "dot ")
                            .append(tile(s.name(), s.axes(), s.dtype()))
                            .append(" over ")
                            .append(s.over())
                            .append(" = ")
                            .append(print(s.left()))
                            .append(" * ")
                            .append(print(s.right()));
                case Kernel.Store s -> {
                    out.append("store ").append(s.buffer()).append(s.index()).append(" over ");
                    out.append(s.axes());
                    s.lookups().forEach(k -> out.append(" where ").append(print(k)));
                    s.combine().ifPresent(f -> out.append(" by ").append(f.text()));
                    out.append(" = ").append(print(s.value()));
                }
                case Kernel.Scan s -> {
                    out.append("scan ").append(s.buffer()).append(s.index()).append(' ');
                    out.append(s.fn().text()).append(s.reverse() ? " reverse" : "");
                    out.append(s.exclusive() ? " exclusive" : "")
                            .append(" over ")
                            .append(s.axes());
                    out.append(" along ").append(s.over()).append(" = ").append(print(s.value()));
                }
                case Kernel.Sort s -> {
                    out.append("sort ").append(s.buffer()).append(s.index());
                    out.append(s.descending() ? " descending" : "")
                            .append(" over ")
                            .append(s.axes());
                    out.append(" along ").append(s.over()).append(" = ").append(print(s.value()));
                }
                case Kernel.Loop s -> {
                    out.append("loop ").append(s.axis());
                    s.from().ifPresent(e -> out.append(" from ").append(print(e)));
                    s.to().ifPresent(e -> out.append(" to ").append(print(e)));
                    s.where().ifPresent(e -> out.append(" where ").append(print(e)));
                    out.append(" {\n");
                    statements(s.body(), indent + "  ", out);
                    out.append(indent).append('}');
                }
            }
            out.append('\n');
        }
    }

    private static String tile(String name, List<String> axes, DType dtype) {
        return name + axes + " : " + dtype;
    }

    private static String lookups(List<Kernel.Lookup> lookups) {
        return lookups.stream().map(k -> ", " + print(k)).collect(Collectors.joining());
    }

    private static String print(Kernel.Lookup lookup) {
        return lookup.symbol() + " = " + print(lookup.value()) + " below " + lookup.limit();
    }

    /// An expression in text form.
    public static String print(Kernel.Expr expr) {
        return switch (expr) {
            case Kernel.Load l -> "load(" + l.buffer() + ", " + l.index() + lookups(l.lookups()) + ")";
            case Kernel.Constant c -> "const(" + c.dtype() + ", " + c.value() + ")";
            case Kernel.Index i -> "index(" + i.dtype() + ", " + i.dim() + lookups(i.lookups()) + ")";
            case Kernel.Ref r -> "%" + r.name();
            case Kernel.Unary u -> u.fn().text() + "(" + print(u.x()) + ")";
            case Kernel.Binary b -> b.fn().text() + "(" + print(b.a()) + ", " + print(b.b()) + ")";
            case Kernel.Select s -> "select(" + print(s.condition()) + ", " + print(s.a()) + ", " + print(s.b()) + ")";
            case Kernel.Cast c -> "cast(" + c.dtype() + ", " + print(c.x()) + ")";
            case Kernel.Known k -> k.fact().text() + "(" + print(k.x()) + ")";
        };
    }

    // ---- parsing ----

    /// Reads one kernel.
    public static Kernel parse(String text) {
        Scanner in = new Scanner(text);
        Kernel kernel = kernel(in);
        if (!in.atEnd()) {
            throw in.error("text after the kernel");
        }
        return kernel;
    }

    static Kernel kernel(Scanner in) {
        in.expect("kernel");
        String name = in.string();
        in.expect("{");
        List<String> sizes = new ArrayList<>();
        while (in.accept("size")) {
            sizes.add(in.word());
        }
        List<Kernel.Buffer> buffers = new ArrayList<>();
        List<Kernel.Axis> grid = new ArrayList<>();
        List<Kernel.Axis> axes = new ArrayList<>();
        while (true) {
            boolean output = in.looking("out");
            if (in.accept("in") || in.accept("out")) {
                String buffer = in.word();
                in.expect(":");
                TensorType type = in.type();
                int panels = in.accept("panels") ? in.small() : 0;
                buffers.add(new Kernel.Buffer(buffer, output, type.dtype(), type.shape(), panels));
            } else if (in.accept("grid")) {
                grid.add(axis(in));
            } else if (in.accept("axis")) {
                axes.add(axis(in));
            } else {
                break;
            }
        }
        return new Kernel(name, sizes, buffers, grid, axes, statements(in, 0));
    }

    private static Kernel.Axis axis(Scanner in) {
        String name = in.word();
        in.expect(":");
        Dim size = in.dim();
        in.expect("tile");
        int tile = in.small();
        Optional<Kernel.Split> split =
                in.accept("split") ? Optional.of(new Kernel.Split(in.word(), in.word())) : Optional.empty();
        return new Kernel.Axis(name, size, tile, split);
    }

    private static List<Kernel.Statement> statements(Scanner in, int depth) {
        if (depth > MAX_DEPTH) {
            throw in.error("loops nested deeper than " + MAX_DEPTH);
        }
        List<Kernel.Statement> body = new ArrayList<>();
        while (!in.accept("}")) {
            body.add(statement(in, depth));
        }
        return body;
    }

    private static Kernel.Statement statement(Scanner in, int depth) {
        String word = in.word();
        switch (word) {
            case "let" -> {
                Tile tile = tile(in);
                in.expect("=");
                return new Kernel.Let(tile.name, tile.dtype, tile.axes, expr(in, 0));
            }
            case "reduce" -> {
                boolean accumulate = in.accept("+");
                Tile tile = tile(in);
                ReduceFn fn = reduction(in);
                in.expect("over");
                String over = in.word();
                in.expect("=");
                return new Kernel.Reduce(tile.name, tile.dtype, tile.axes, fn, over, accumulate, expr(in, 0));
            }
            case "dot" -> {
                boolean accumulate = in.accept("+");
                Tile tile = tile(in);
                in.expect("over");
                String over = in.word();
                in.expect("=");
                Kernel.Expr left = expr(in, 0);
                in.expect("*");
                return new Kernel.Dot(tile.name, tile.dtype, tile.axes, over, accumulate, left, expr(in, 0));
            }
            case "store" -> {
                String buffer = in.word();
                List<Dim> index = in.list("[", "]", in::dim);
                in.expect("over");
                List<String> axes = in.list("[", "]", in::word);
                List<Kernel.Lookup> lookups = new ArrayList<>();
                while (in.accept("where")) {
                    lookups.add(lookup(in, 0));
                }
                Optional<BinaryFn> combine = in.accept("by") ? Optional.of(binary(in.word(), in)) : Optional.empty();
                in.expect("=");
                return new Kernel.Store(buffer, index, lookups, axes, combine, expr(in, 0));
            }
            case "scan" -> {
                String buffer = in.word();
                List<Dim> index = in.list("[", "]", in::dim);
                ReduceFn fn = reduction(in);
                boolean reverse = in.accept("reverse");
                boolean exclusive = in.accept("exclusive");
                in.expect("over");
                List<String> axes = in.list("[", "]", in::word);
                in.expect("along");
                String over = in.word();
                in.expect("=");
                return new Kernel.Scan(buffer, index, axes, over, fn, reverse, exclusive, expr(in, 0));
            }
            case "sort" -> {
                String buffer = in.word();
                List<Dim> index = in.list("[", "]", in::dim);
                boolean descending = in.accept("descending");
                in.expect("over");
                List<String> axes = in.list("[", "]", in::word);
                in.expect("along");
                String over = in.word();
                in.expect("=");
                return new Kernel.Sort(buffer, index, axes, over, descending, expr(in, 0));
            }
            case "loop" -> {
                String axis = in.word();
                Optional<Kernel.Expr> from = in.accept("from") ? Optional.of(expr(in, 0)) : Optional.empty();
                Optional<Kernel.Expr> to = in.accept("to") ? Optional.of(expr(in, 0)) : Optional.empty();
                Optional<Kernel.Expr> where = in.accept("where") ? Optional.of(expr(in, 0)) : Optional.empty();
                in.expect("{");
                return new Kernel.Loop(axis, from, to, where, statements(in, depth + 1));
            }
            default -> throw in.error("unknown statement " + word);
        }
    }

    private record Tile(String name, List<String> axes, DType dtype) {}

    private static Tile tile(Scanner in) {
        String name = in.word();
        List<String> axes = in.list("[", "]", in::word);
        in.expect(":");
        return new Tile(name, axes, in.dtype());
    }

    private static ReduceFn reduction(Scanner in) {
        String word = in.word();
        for (ReduceFn fn : ReduceFn.values()) {
            if (fn.text().equals(word)) {
                return fn;
            }
        }
        throw in.error("unknown reduction " + word);
    }

    private static Kernel.Expr expr(Scanner in, int depth) {
        if (depth > MAX_DEPTH) {
            throw in.error("expression nested deeper than " + MAX_DEPTH);
        }
        if (in.accept("%")) {
            return new Kernel.Ref(in.word());
        }
        String word = in.word();
        in.expect("(");
        Kernel.Expr result = switch (word) {
            case "load" -> load(in, depth);
            case "const" -> {
                DType dtype = in.dtype();
                in.expect(",");
                Number value = in.number();
                yield new Kernel.Constant(dtype, dtype.isFloat() ? (Number) value.doubleValue() : value);
            }
            case "index" -> {
                DType dtype = in.dtype();
                in.expect(",");
                Dim dim = in.dim();
                yield new Kernel.Index(dtype, dim, lookups(in, depth));
            }
            case "cast" -> {
                DType dtype = in.dtype();
                in.expect(",");
                yield new Kernel.Cast(dtype, expr(in, depth + 1));
            }
            default -> function(word, in, depth);
        };
        in.expect(")");
        return result;
    }

    private static Kernel.Expr load(Scanner in, int depth) {
        String buffer = in.word();
        in.expect(",");
        List<Dim> index = in.list("[", "]", in::dim);
        return new Kernel.Load(buffer, index, lookups(in, depth));
    }

    private static List<Kernel.Lookup> lookups(Scanner in, int depth) {
        List<Kernel.Lookup> lookups = new ArrayList<>();
        while (in.accept(",")) {
            lookups.add(lookup(in, depth + 1));
        }
        return lookups;
    }

    private static Kernel.Lookup lookup(Scanner in, int depth) {
        String symbol = in.word();
        in.expect("=");
        Kernel.Expr value = expr(in, depth);
        in.expect("below");
        return new Kernel.Lookup(symbol, value, in.dim());
    }

    private static Kernel.Expr function(String word, Scanner in, int depth) {
        Kernel.Expr first = expr(in, depth + 1);
        if (!in.accept(",")) {
            for (Kernel.Fact fact : Kernel.Fact.values()) {
                if (fact.text().equals(word)) {
                    return new Kernel.Known(fact, first);
                }
            }
            for (UnaryFn fn : UnaryFn.values()) {
                if (fn.text().equals(word)) {
                    return new Kernel.Unary(fn, first);
                }
            }
            throw in.error("unknown function " + word);
        }
        Kernel.Expr second = expr(in, depth + 1);
        if (word.equals("select")) {
            in.expect(",");
            return new Kernel.Select(first, second, expr(in, depth + 1));
        }
        return new Kernel.Binary(binary(word, in), first, second);
    }

    private static BinaryFn binary(String word, Scanner in) {
        for (BinaryFn fn : BinaryFn.values()) {
            if (fn.text().equals(word)) {
                return fn;
            }
        }
        throw in.error("unknown function " + word);
    }
}
