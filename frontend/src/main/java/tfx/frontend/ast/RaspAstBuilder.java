package tfx.frontend.ast;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
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
    private final Spans spans;

    public RaspAstBuilder(Source source) {
        this.spans = new Spans(source);
    }

    /// A file's statements and commands, in order.
    public List<Item.Statement> file(RaspParser.FileContext file) {
        return statements(file.children);
    }

    /// What was typed into a REPL.
    public List<Item.Statement> line(RaspParser.LineContext line) {
        return line instanceof RaspParser.ExampleLineContext e
                ? List.of(new Item.SetExample(subset(e.subset), expression(e.expression()), spans.of(e)))
                : statements(line.children);
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
        Span span = spans.of(statement);
        return switch (statement) {
            case RaspParser.EvaluateContext e -> new Item.Evaluate(expression(e.expression()), span);
            case RaspParser.AssignContext a -> new Item.Assign(names(a.names()), expressions(a.expressions()), span);
            case RaspParser.DrawContext d ->
                new Item.Draw(expression(d.what), Optional.ofNullable(d.input).map(this::expression), span);
            case RaspParser.LoadContext l -> new Item.Load(unquote(l.STRING()), span);
            case RaspParser.DefineContext d -> {
                List<Item.Statement> body = new ArrayList<>(
                        d.statement().stream().map(this::statement).toList());
                body.add(new Item.Return(expressions(d.expressions()), spans.of(d.expressions())));
                List<Item.Parameter> parameters = names(d.names()).stream()
                        .map(n -> new Item.Parameter(n, Optional.empty(), Optional.empty(), spans.of(d.names())))
                        .toList();
                Span name = spans.of(d.NAME().getSymbol());
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
        Span span = spans.of(command);
        return switch (command) {
            case RaspParser.SetExampleContext s -> new Item.SetExample(subset(s.subset), atom(s.atom()), span);
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

    private Expr expression(RaspParser.ExpressionContext e) {
        Expr left = conditional(e.conditional(0));
        for (int i = 1; i < e.conditional().size(); i++) {
            Expr right = conditional(e.conditional(i));
            left = new Expr.Contains(left, right, left.span().to(right.span()));
        }
        return left;
    }

    private Expr conditional(RaspParser.ConditionalContext c) {
        Expr left = logical(c.logical(0));
        for (int i = 1; i < c.logical().size(); i++) {
            Expr otherwise = logical(c.logical(i));
            left = new Expr.Conditional(
                    expression(c.expression(i - 1)),
                    left,
                    otherwise,
                    left.span().to(otherwise.span()));
        }
        return left;
    }

    private Expr logical(RaspParser.LogicalContext l) {
        return chain(l.comparison().stream().map(this::comparison).toList(), l.operators);
    }

    private Expr comparison(RaspParser.ComparisonContext c) {
        Expr left = sum(c.sum(0));
        for (int i = 1; i < c.sum().size(); i++) {
            Expr right = sum(c.sum(i));
            BinaryFn fn = comparison(c.operators.get(i - 1).getText());
            left = new Expr.Compare(fn, left, right, left.span().to(right.span()));
        }
        return left;
    }

    private Expr sum(RaspParser.SumContext s) {
        return chain(s.remainder().stream().map(this::remainder).toList(), s.operators);
    }

    private Expr remainder(RaspParser.RemainderContext r) {
        return chain(r.product().stream().map(this::product).toList(), r.operators);
    }

    private Expr product(RaspParser.ProductContext p) {
        return chain(p.power().stream().map(this::power).toList(), p.operators);
    }

    private Expr power(RaspParser.PowerContext p) {
        return chain(p.prefix().stream().map(this::prefix).toList(), p.operators);
    }

    /// Operators of one strength, from the left.
    private static Expr chain(List<Expr> operands, List<Token> operators) {
        Expr left = operands.getFirst();
        for (int i = 1; i < operands.size(); i++) {
            Expr right = operands.get(i);
            Operator operator = operator(operators.get(i - 1).getText());
            left = new Expr.Infix(operator, left, right, left.span().to(right.span()));
        }
        return left;
    }

    private Expr prefix(RaspParser.PrefixContext p) {
        if (p.postfix() != null) {
            return postfix(p.postfix());
        }
        Operator operator = switch (p.operator.getText()) {
            case "not" -> Operator.NOT;
            case "-" -> Operator.NEG;
            default -> Operator.POS;
        };
        return new Expr.Prefix(operator, prefix(p.prefix()), spans.of(p));
    }

    private Expr postfix(RaspParser.PostfixContext p) {
        Expr value = atom(p.atom());
        for (RaspParser.SuffixContext suffix : p.suffix()) {
            Span span = spans.of(p.atom()).to(spans.of(suffix));
            value = switch (suffix) {
                case RaspParser.IndexContext i -> new Expr.Index(value, List.of(expression(i.expression())), span);
                case RaspParser.CallContext c -> call(value, expressions(c.expressions()), span);
                default -> throw new IllegalStateException(suffix.getClass().toString());
            };
        }
        return value;
    }

    private Expr atom(RaspParser.AtomContext atom) {
        Span span = spans.of(atom);
        return switch (atom) {
            case RaspParser.GroupContext g -> expression(g.expression());
            case RaspParser.WrappedContext w -> call(builtin(w.operator), List.of(expression(w.expression())), span);
            case RaspParser.SelectContext s ->
                call(
                        new Expr.Builtin("select", span),
                        List.of(
                                expression(s.key),
                                expression(s.query),
                                new Expr.Comparator(comparison(s.comparator().getText()), spans.of(s.comparator()))),
                        span);
            case RaspParser.BuiltinContext b -> call(builtin(b.operator), expressions(b.expressions()), span);
            case RaspParser.NameContext n -> name(n.getText(), span);
            case RaspParser.WholeContext w -> new Expr.Whole(new BigInteger(w.getText()), span);
            case RaspParser.RealContext r -> new Expr.Real(Double.parseDouble(r.getText()), span);
            case RaspParser.StringContext s -> new Expr.Text(unquote(s.STRING()), span);
            case RaspParser.ListContext l -> new Expr.ListOf(expressions(l.expressions()), span);
            case RaspParser.ComprehensionContext c ->
                new Expr.Comprehension(expression(c.value), names(c.names()), expression(c.iterable), span);
            case RaspParser.DictContext d ->
                new Expr.DictOf(d.entry().stream().map(this::entry).toList(), span);
            case RaspParser.DictComprehensionContext c ->
                new Expr.DictComprehension(entry(c.entry()), names(c.names()), expression(c.iterable), span);
            default -> throw new IllegalStateException(atom.getClass().toString());
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
        return new Expr.Builtin(text.endsWith("(") ? text.substring(0, text.length() - 1) : text, spans.of(word));
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
