package tfx.frontend.rasp;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tfx.frontend.ast.Expr;
import tfx.frontend.ast.Expr.Operator;
import tfx.frontend.ast.Item;
import tfx.ir.Diagnostic;
import tfx.ir.Span;

/// What is no mistake in RASP but hardly meant: operators that group otherwise than in most languages, without
/// brackets, and names that nothing reads.
final class RaspLints {
    private static final String PRECEDENCE = "TFX0601";
    private static final String UNUSED = "TFX0602";

    private final List<Diagnostic> warnings = new ArrayList<>();

    private RaspLints() {}

    /// The warnings of a file, by place.
    static List<Diagnostic> of(List<Item.Statement> file) {
        RaspLints lints = new RaspLints();
        Set<String> read = new HashSet<>();
        Map<String, Span> set = new LinkedHashMap<>();
        file.forEach(s -> lints.statement(s, set, read));
        set.keySet().removeIf(name -> !name.startsWith("_"));
        lints.unused(set, read);
        lints.warnings.sort(Comparator.comparingInt(w -> w.span().start()));
        return lints.warnings;
    }

    private void unused(Map<String, Span> set, Set<String> read) {
        set.forEach((name, span) -> {
            if (!read.contains(name)) {
                warn(UNUSED, span, "nothing reads '" + name + "'", "remove it, or see whether another name was meant");
            }
        });
    }

    private void warn(String code, Span span, String message, String help) {
        warnings.add(new Diagnostic(code, span, message, List.of(), help));
    }

    private void statement(Item.Statement statement, Map<String, Span> set, Set<String> read) {
        switch (statement) {
            case Item.Evaluate e -> expression(e.value(), read);
            case Item.Assign a -> {
                a.values().forEach(v -> expression(v, read));
                a.targets().forEach(t -> set.putIfAbsent(t, a.span()));
            }
            case Item.For f -> {
                expression(f.iterable(), read);
                f.body().forEach(s -> statement(s, set, read));
            }
            case Item.Return r -> r.values().forEach(v -> expression(v, read));
            case Item.LocalFunction f -> {
                set.putIfAbsent(f.function().name(), f.span());
                Map<String, Span> own = new LinkedHashMap<>();
                Set<String> inside = new HashSet<>();
                f.function().parameters().forEach(p -> own.put(p.name(), p.span()));
                f.function().body().forEach(s -> statement(s, own, inside));
                unused(own, inside);
                read.addAll(inside);
            }
            case Item.Draw d -> {
                expression(d.what(), read);
                d.input().ifPresent(i -> expression(i, read));
            }
            case Item.SetExample s -> expression(s.example(), read);
            case Item.Load l -> {}
            case Item.Command c -> {}
            case Item.If i -> {}
        }
    }

    private void expression(Expr expr, Set<String> read) {
        switch (expr) {
            case Expr.Name n -> read.add(n.name());
            case Expr.Infix i -> infix(i);
            case Expr.Compare c -> compare(c);
            case Expr.Contains c -> contains(c);
            case Expr.Conditional c -> {
                if (isBare(c.then()) && c.then() instanceof Expr.Conditional) {
                    precedence(c, "conditionals group from the left: the first one is the value of the second");
                }
            }
            default -> {}
        }
        children(expr).forEach(e -> expression(e, read));
    }

    private void precedence(Expr expr, String message) {
        warn(PRECEDENCE, expr.span(), message, "write the brackets that are meant");
    }

    private void infix(Expr.Infix i) {
        Operator op = i.operator();
        boolean logical = op == Operator.AND || op == Operator.OR;
        if (logical && isOther(i.left(), op)) {
            precedence(i, "and and or are of one strength and group from the left");
        }
        if (op == Operator.POW && isBare(i.left())) {
            if (i.left() instanceof Expr.Prefix) {
                precedence(i, "a sign binds tighter than ^");
            } else if (i.left() instanceof Expr.Infix) {
                precedence(i, "^ groups from the left");
            }
        }
        if (op == Operator.MOD && (isProduct(i.left()) || isProduct(i.right()))) {
            precedence(i, "% is looser than * and /");
        }
    }

    private static boolean isOther(Expr left, Operator operator) {
        return isBare(left)
                && left instanceof Expr.Infix l
                && l.operator() != operator
                && (l.operator() == Operator.AND || l.operator() == Operator.OR);
    }

    private static boolean isProduct(Expr expr) {
        return isBare(expr)
                && expr instanceof Expr.Infix i
                && (i.operator() == Operator.MUL || i.operator() == Operator.DIV);
    }

    private void compare(Expr.Compare c) {
        if (isBare(c.left()) && c.left() instanceof Expr.Prefix p && p.operator() == Operator.NOT) {
            precedence(c, "not binds tighter than a comparison");
        }
        if (isBare(c.left()) && c.left() instanceof Expr.Compare) {
            precedence(c, "comparisons do not chain: this compares True or False with the last");
        }
    }

    private void contains(Expr.Contains c) {
        for (Expr side : List.of(c.item(), c.container())) {
            boolean logical =
                    side instanceof Expr.Infix i && (i.operator() == Operator.AND || i.operator() == Operator.OR);
            boolean negated = side instanceof Expr.Prefix p && p.operator() == Operator.NOT;
            if (isBare(side) && (logical || negated || side instanceof Expr.Compare)) {
                precedence(c, "in is the loosest operator: it takes all of what stands on each side");
                return;
            }
        }
    }

    /// Whether no brackets stand around it.
    private static boolean isBare(Expr expr) {
        String text = expr.span().source().text();
        int before = expr.span().start() - 1;
        int after = expr.span().end();
        while (before >= 0 && Character.isWhitespace(text.charAt(before))) {
            before--;
        }
        while (after < text.length() && Character.isWhitespace(text.charAt(after))) {
            after++;
        }
        return before < 0 || text.charAt(before) != '(' || after >= text.length() || text.charAt(after) != ')';
    }

    private static List<Expr> children(Expr expr) {
        return switch (expr) {
            case Expr.Whole w -> List.of();
            case Expr.Real r -> List.of();
            case Expr.Text t -> List.of();
            case Expr.Truth t -> List.of();
            case Expr.Nothing n -> List.of();
            case Expr.Name n -> List.of();
            case Expr.Comparator c -> List.of();
            case Expr.Builtin b -> List.of();
            case Expr.Ellipsis e -> List.of();
            case Expr.Slice s -> List.of();
            case Expr.Member m -> List.of(m.value());
            case Expr.ListOf l -> l.items();
            case Expr.DictOf d ->
                d.entries().stream()
                        .flatMap(e -> List.of(e.key(), e.value()).stream())
                        .toList();
            case Expr.Comprehension c -> List.of(c.iterable(), c.item());
            case Expr.DictComprehension c ->
                List.of(c.iterable(), c.entry().key(), c.entry().value());
            case Expr.Contains c -> List.of(c.item(), c.container());
            case Expr.Prefix p -> List.of(p.operand());
            case Expr.Infix i -> List.of(i.left(), i.right());
            case Expr.Compare c -> List.of(c.left(), c.right());
            case Expr.Conditional c -> List.of(c.condition(), c.then(), c.otherwise());
            case Expr.Call c -> {
                List<Expr> all = new ArrayList<>(List.of(c.function()));
                c.arguments().forEach(a -> all.add(a.value()));
                yield all;
            }
            case Expr.Index i -> {
                List<Expr> all = new ArrayList<>(List.of(i.value()));
                all.addAll(i.indices());
                yield all;
            }
        };
    }
}
