package tfx.frontend.ast;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.antlr.v4.runtime.ParserRuleContext;
import org.antlr.v4.runtime.Token;
import org.antlr.v4.runtime.tree.ParseTree;
import org.antlr.v4.runtime.tree.TerminalNode;
import tfx.frontend.ast.Expr.Operator;
import tfx.grammar.RaspParser;
import tfx.ir.BinaryFn;
import tfx.ir.Source;
import tfx.ir.Span;

/// Parse tree of the RASP dialect to AST. Only called on trees without syntax errors.
public final class RaspAstBuilder {
    private final Source source;

    public RaspAstBuilder(Source source) {
        this.source = source;
    }

    private Span span(ParserRuleContext context) {
        Token stop = context.getStop() == null ? context.getStart() : context.getStop();
        int start = context.getStart().getStartIndex();
        return new Span(source, start, Math.max(start, stop.getStopIndex() + 1));
    }

    private Span span(Token token) {
        return new Span(source, token.getStartIndex(), token.getStopIndex() + 1);
    }

    /// A file's statements and commands, in order.
    public List<Item.Statement> file(RaspParser.FileContext file) {
        return statements(file.children);
    }

    private List<Item.Statement> statements(List<ParseTree> children) {
        List<Item.Statement> all = new ArrayList<>();
        for (ParseTree child : children) {
            switch (child) {
                case RaspParser.StatementContext s -> all.add(statement(s));
                case RaspParser.CommandContext c -> all.add(command(c));
                default -> {} // the end of the file
            }
        }
        return all;
    }

    private static List<String> names(RaspParser.NamesContext names) {
        return names == null
                ? List.of()
                : names.NAME().stream().map(ParseTree::getText).toList();
    }

    private List<Expr> expressions(RaspParser.ExpressionsContext list) {
        return list == null
                ? List.of()
                : list.expression().stream().map(this::expression).toList();
    }

    private Item.Statement statement(RaspParser.StatementContext statement) {
        Span span = span(statement);
        return switch (statement) {
            case RaspParser.EvaluateContext e -> new Item.Evaluate(expression(e.expression()), span);
            case RaspParser.AssignContext a -> new Item.Assign(names(a.names()), expressions(a.expressions()), span);
            case RaspParser.DrawContext d ->
                new Item.Draw(expression(d.what), Optional.ofNullable(d.input).map(this::expression), span);
            case RaspParser.LoadContext l -> new Item.Load(unquote(l.STRING()), span);
            case RaspParser.DefineContext d -> {
                List<Item.Statement> body = new ArrayList<>(
                        d.statement().stream().map(this::statement).toList());
                body.add(new Item.Return(expressions(d.expressions()), span(d.expressions())));
                List<Item.Parameter> parameters = names(d.names()).stream()
                        .map(n -> new Item.Parameter(n, Optional.empty(), Optional.empty(), span(d.names())))
                        .toList();
                Span name = span(d.NAME().getSymbol());
                yield new Item.LocalFunction(new Item.Function(d.NAME().getText(), parameters, body, name), name);
            }
            case RaspParser.ForContext f ->
                new Item.For(
                        names(f.names()),
                        expression(f.expression()),
                        f.statement().stream().map(this::statement).toList(),
                        span);
            default -> throw new IllegalStateException(statement.getClass().toString());
        };
    }

    private Item.Statement command(RaspParser.CommandContext command) {
        Span span = span(command);
        return switch (command) {
            case RaspParser.SetExampleContext s ->
                new Item.SetExample(subset(s.subset), expression(s.expression()), span);
            case RaspParser.ShowExampleContext s -> new Item.ShowExample(subset(s.subset), span);
            case RaspParser.SwitchExamplesContext s ->
                new Item.SwitchExamples(subset(s.subset), s.switch_.getText().equals("on"), span);
            case RaspParser.SwitchDisplayContext s ->
                new Item.SwitchDisplay(s.switch_.getText().equals("on"), span);
            case RaspParser.LeaveContext l -> new Item.Leave(span);
            default -> throw new IllegalStateException(command.getClass().toString());
        };
    }

    private static Item.Subset subset(Token word) {
        return word == null
                ? Item.Subset.BOTH
                : word.getText().equals("s-op") ? Item.Subset.SEQUENCES : Item.Subset.SELECTORS;
    }

    private Expr expression(RaspParser.ExpressionContext expression) {
        Span span = span(expression);
        return switch (expression) {
            case RaspParser.GroupContext g -> expression(g.expression());
            case RaspParser.IndexContext i -> new Expr.Index(expression(i.value), List.of(expression(i.index)), span);
            case RaspParser.CallContext c -> call(expression(c.function), expressions(c.expressions()), span);
            case RaspParser.PrefixContext p ->
                new Expr.Prefix(
                        switch (p.operator.getText()) {
                            case "not" -> Operator.NOT;
                            case "-" -> Operator.NEG;
                            default -> Operator.POS;
                        },
                        expression(p.expression()),
                        span);
            case RaspParser.WrappedContext w -> call(builtin(w.operator), List.of(expression(w.expression())), span);
            case RaspParser.InfixContext i ->
                new Expr.Infix(
                        operator(i.operator.getText()), expression(i.expression(0)), expression(i.expression(1)), span);
            case RaspParser.CompareContext c ->
                new Expr.Compare(
                        comparison(c.operator.getText()),
                        expression(c.expression(0)),
                        expression(c.expression(1)),
                        span);
            case RaspParser.SelectContext s ->
                call(
                        new Expr.Builtin("select", span),
                        List.of(
                                expression(s.key),
                                expression(s.query),
                                new Expr.Comparator(comparison(s.comparator().getText()), span(s.comparator()))),
                        span);
            case RaspParser.ConditionalContext c ->
                new Expr.Conditional(expression(c.condition), expression(c.then), expression(c.otherwise), span);
            case RaspParser.NameContext n -> name(n.getText(), span);
            case RaspParser.WholeContext w -> new Expr.Whole(new BigInteger(w.getText()), span);
            case RaspParser.RealContext r -> new Expr.Real(Double.parseDouble(r.getText()), span);
            case RaspParser.StringContext s -> new Expr.Text(unquote(s.STRING()), span);
            case RaspParser.ListContext l -> new Expr.ListOf(expressions(l.expressions()), span);
            case RaspParser.DictContext d ->
                new Expr.DictOf(d.entry().stream().map(this::entry).toList(), span);
            case RaspParser.BuiltinContext b -> call(builtin(b.operator), expressions(b.expressions()), span);
            case RaspParser.ComprehensionContext c ->
                new Expr.Comprehension(expression(c.value), names(c.names()), expression(c.iterable), span);
            case RaspParser.DictComprehensionContext c ->
                new Expr.DictComprehension(entry(c.entry()), names(c.names()), expression(c.iterable), span);
            case RaspParser.ContainsContext c -> new Expr.Contains(expression(c.item), expression(c.container), span);
            default -> throw new IllegalStateException(expression.getClass().toString());
        };
    }

    /// `True` and `False` are names that nobody can set.
    private static Expr name(String name, Span span) {
        return switch (name) {
            case "True" -> new Expr.Truth(true, span);
            case "False" -> new Expr.Truth(false, span);
            default -> new Expr.Name(name, span);
        };
    }

    private Expr.Builtin builtin(Token word) {
        String text = word.getText();
        return new Expr.Builtin(text.endsWith("(") ? text.substring(0, text.length() - 1) : text, span(word));
    }

    private static Expr call(Expr function, List<Expr> arguments, Span span) {
        return new Expr.Call(
                function,
                arguments.stream()
                        .map(a -> new Expr.Argument(Optional.empty(), a))
                        .toList(),
                span);
    }

    private Expr.Entry entry(RaspParser.EntryContext entry) {
        return new Expr.Entry(expression(entry.key), expression(entry.value));
    }

    private static Operator operator(String text) {
        return switch (text) {
            case "^" -> Operator.POW;
            case "*" -> Operator.MUL;
            case "/" -> Operator.DIV;
            case "%" -> Operator.MOD;
            case "+" -> Operator.ADD;
            case "-" -> Operator.SUB;
            case "and" -> Operator.AND;
            case "or" -> Operator.OR;
            default -> throw new IllegalStateException(text);
        };
    }

    private static BinaryFn comparison(String text) {
        return switch (text) {
            case "==" -> BinaryFn.EQ;
            case "!=" -> BinaryFn.NE;
            case "<" -> BinaryFn.LT;
            case "<=" -> BinaryFn.LE;
            case ">" -> BinaryFn.GT;
            case ">=" -> BinaryFn.GE;
            default -> throw new IllegalStateException(text);
        };
    }

    /// RASP's strings have no escapes.
    private static String unquote(TerminalNode node) {
        return node.getText().substring(1, node.getText().length() - 1);
    }
}
