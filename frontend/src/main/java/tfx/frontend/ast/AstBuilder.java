package tfx.frontend.ast;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.antlr.v4.runtime.ParserRuleContext;
import org.antlr.v4.runtime.tree.ParseTree;
import org.antlr.v4.runtime.tree.TerminalNode;
import tfx.frontend.Problems;
import tfx.grammar.TfxParser;
import tfx.ir.BinaryFn;
import tfx.ir.Source;
import tfx.ir.Span;

/// Parse tree to AST. Only called on trees without syntax errors.
public final class AstBuilder {
    private final Spans spans;
    private final Problems problems;

    public AstBuilder(Source source, Problems problems) {
        this.spans = new Spans(source);
        this.problems = problems;
    }

    private static List<String> names(List<TerminalNode> nodes) {
        return nodes.stream().map(ParseTree::getText).toList();
    }

    public List<Item> file(TfxParser.FileContext file) {
        List<Item> items = new ArrayList<>();
        for (TfxParser.ItemContext item : file.item()) {
            if (item.importItem() != null) {
                TfxParser.ImportItemContext i = item.importItem();
                boolean isFile = i.STRING() != null;
                items.add(
                        new Item.Import(isFile ? unquote(i.STRING()) : i.NAME().getText(), isFile, spans.of(i)));
            } else if (item.functionItem() != null) {
                items.add(function(item.functionItem()));
            } else if (item.recordItem() != null) {
                TfxParser.RecordItemContext r = item.recordItem();
                items.add(new Item.Record(
                        r.NAME().getText(),
                        parameters(r.parameters()),
                        r.field().stream().map(this::field).toList(),
                        spans.of(r.NAME().getSymbol())));
            } else if (item.modelItem() != null) {
                items.add(model(item.modelItem()));
            } else if (item.programItem() != null) {
                items.add(program(item.programItem()));
            } else {
                TfxParser.ConstantItemContext c = item.constantItem();
                items.add(new Item.Constant(c.NAME().getText(), expression(c.expression()), spans.of(c)));
            }
        }
        return items;
    }

    private Item.Function function(TfxParser.FunctionItemContext f) {
        return new Item.Function(
                f.NAME().getText(),
                parameters(f.parameters()),
                block(f.block()),
                spans.of(f.NAME().getSymbol()));
    }

    private Item.Program program(TfxParser.ProgramItemContext p) {
        List<Item.Result> results = p.result().stream()
                .map(r -> new Item.Result(
                        r.NAME().getText(), Optional.ofNullable(r.type()).map(this::type), spans.of(r)))
                .toList();
        return new Item.Program(
                p.NAME().getText(),
                parameters(p.parameters()),
                results,
                block(p.block()),
                spans.of(p.NAME().getSymbol()));
    }

    private Item.Model model(TfxParser.ModelItemContext m) {
        Optional<Item.Weights> weights = Optional.empty();
        Optional<Item.Tokenizer> tokenizer = Optional.empty();
        List<Item.Program> programs = new ArrayList<>();
        List<Item.Function> functions = new ArrayList<>();
        for (TfxParser.MemberContext member : m.member()) {
            switch (member) {
                case TfxParser.WeightsMemberContext w -> {
                    if (weights.isPresent()) {
                        problems.report(
                                "TFX0106",
                                spans.of(w),
                                "model " + m.NAME() + " declares weights twice",
                                "keep one weights block");
                    }
                    weights = Optional.of(new Item.Weights(
                            unquote(w.STRING()),
                            w.field().stream().map(this::field).toList(),
                            spans.of(w)));
                }
                case TfxParser.TokenizerMemberContext t -> {
                    Optional<Integer> limit = Optional.ofNullable(t.NUMBER()).map(n -> {
                        long value = n.getText().matches("[0-9]{1,9}") ? Long.parseLong(n.getText()) : 0;
                        if (value < 1) {
                            problems.report(
                                    "TFX0105",
                                    spans.of(n.getSymbol()),
                                    "the token limit must be a positive integer",
                                    "write a number of tokens such as 512");
                        }
                        return (int) value;
                    });
                    tokenizer = Optional.of(new Item.Tokenizer(unquote(t.STRING()), limit, spans.of(t)));
                }
                case TfxParser.ProgramMemberContext p -> programs.add(program(p.programItem()));
                case TfxParser.FunctionMemberContext f -> functions.add(function(f.functionItem()));
                default -> throw new IllegalStateException(member.getClass().toString());
            }
        }
        return new Item.Model(
                m.NAME().getText(),
                parameters(m.parameters()),
                weights,
                tokenizer,
                programs,
                functions,
                spans.of(m.NAME().getSymbol()));
    }

    private List<Item.Parameter> parameters(TfxParser.ParametersContext parameters) {
        if (parameters == null) {
            return List.of();
        }
        return parameters.parameter().stream()
                .map(p -> new Item.Parameter(
                        p.NAME().getText(),
                        Optional.ofNullable(p.type()).map(this::type),
                        Optional.ofNullable(p.expression()).map(this::expression),
                        spans.of(p)))
                .toList();
    }

    private Item.Field field(TfxParser.FieldContext f) {
        return new Item.Field(
                names(f.NAME()), type(f.type()), Optional.ofNullable(f.STRING()).map(this::unquote), spans.of(f));
    }

    private Item.Type type(TfxParser.TypeContext t) {
        boolean brackets = t.getChild(t.getChildCount() - 1).getText().equals("]");
        List<Item.Size> sizes = t.size().stream()
                .map(s -> new Item.Size(expression(s.expression()), s.STAR() != null))
                .toList();
        return new Item.Type(
                t.NAME().getText(),
                arguments(t.arguments()),
                brackets ? Optional.of(sizes) : Optional.empty(),
                spans.of(t));
    }

    private List<Item.Statement> block(TfxParser.BlockContext block) {
        return block.statement().stream().map(this::statement).toList();
    }

    private Item.Statement statement(TfxParser.StatementContext statement) {
        return switch (statement) {
            case TfxParser.AssignContext a ->
                new Item.Assign(names(a.targets().NAME()), expressions(a.expressions()), spans.of(a));
            case TfxParser.ReturnContext r -> new Item.Return(expressions(r.expressions()), spans.of(r));
            case TfxParser.ForContext f ->
                new Item.For(names(f.NAME()), expression(f.expression()), block(f.block()), spans.of(f));
            case TfxParser.IfContext i ->
                new Item.If(
                        expression(i.expression()),
                        block(i.block(0)),
                        i.chain != null ? List.of(chain(i.chain)) : i.block(1) != null ? block(i.block(1)) : List.of(),
                        spans.of(i));
            case TfxParser.LocalFunctionContext f -> new Item.LocalFunction(function(f.functionItem()), spans.of(f));
            case TfxParser.EvaluateContext e -> new Item.Evaluate(expression(e.expression()), spans.of(e));
            default -> throw new IllegalStateException(statement.getClass().toString());
        };
    }

    private Item.If chain(TfxParser.IfTailContext i) {
        return new Item.If(
                expression(i.expression()),
                block(i.block(0)),
                i.chain != null ? List.of(chain(i.chain)) : i.block(1) != null ? block(i.block(1)) : List.of(),
                spans.of(i));
    }

    private List<Expr> expressions(TfxParser.ExpressionsContext e) {
        return e.expression().stream().map(this::expression).toList();
    }

    private Expr expression(TfxParser.ExpressionContext e) {
        Expr first = disjunction(e.disjunction(0));
        return e.expression() == null
                ? first
                : new Expr.Conditional(disjunction(e.disjunction(1)), first, expression(e.expression()), spans.of(e));
    }

    private Expr disjunction(TfxParser.DisjunctionContext d) {
        return fold(d, d.conjunction().stream().map(this::conjunction).toList());
    }

    private Expr conjunction(TfxParser.ConjunctionContext c) {
        return fold(c, c.negation().stream().map(this::negation).toList());
    }

    private Expr sum(TfxParser.SumContext s) {
        return fold(s, s.product().stream().map(this::product).toList());
    }

    private Expr product(TfxParser.ProductContext p) {
        return fold(p, p.unary().stream().map(this::unary).toList());
    }

    /// Joins operands from the left with the operator tokens that stand between them.
    private static Expr fold(ParserRuleContext context, List<Expr> operands) {
        Expr left = operands.getFirst();
        for (int i = 1; i < operands.size(); i++) {
            Expr right = operands.get(i);
            left = new Expr.Infix(
                    operator(context.getChild(2 * i - 1).getText()),
                    left,
                    right,
                    left.span().to(right.span()));
        }
        return left;
    }

    private static Expr.Operator operator(String text) {
        return switch (text) {
            case "+" -> Expr.Operator.ADD;
            case "-" -> Expr.Operator.SUB;
            case "*" -> Expr.Operator.MUL;
            case "/" -> Expr.Operator.DIV;
            case "//" -> Expr.Operator.FLOORDIV;
            case "%" -> Expr.Operator.MOD;
            case "@" -> Expr.Operator.MATMUL;
            case "and" -> Expr.Operator.AND;
            case "or" -> Expr.Operator.OR;
            default -> throw new IllegalStateException(text);
        };
    }

    private Expr negation(TfxParser.NegationContext n) {
        return n.negation() == null
                ? comparison(n.comparison())
                : new Expr.Prefix(Expr.Operator.NOT, negation(n.negation()), spans.of(n));
    }

    private Expr comparison(TfxParser.ComparisonContext c) {
        List<Expr> operands = c.sum().stream().map(this::sum).toList();
        Expr result = operands.getFirst();
        for (int i = 1; i < operands.size(); i++) {
            Expr next = new Expr.Compare(
                    comparator(c.comparator(i - 1).getText()),
                    operands.get(i - 1),
                    operands.get(i),
                    operands.get(i - 1).span().to(operands.get(i).span()));
            result = i == 1 ? next : new Expr.Infix(Expr.Operator.AND, result, next, spans.of(c));
        }
        return result;
    }

    private static BinaryFn comparator(String text) {
        return switch (text) {
            case "==" -> BinaryFn.EQ;
            case "!=" -> BinaryFn.NE;
            case "<=" -> BinaryFn.LE;
            case ">=" -> BinaryFn.GE;
            case "<" -> BinaryFn.LT;
            case ">" -> BinaryFn.GT;
            default -> throw new IllegalStateException(text);
        };
    }

    private Expr unary(TfxParser.UnaryContext u) {
        return u.unary() == null ? power(u.power()) : new Expr.Prefix(Expr.Operator.NEG, unary(u.unary()), spans.of(u));
    }

    private Expr power(TfxParser.PowerContext p) {
        Expr base = postfix(p.postfix());
        return p.unary() == null ? base : new Expr.Infix(Expr.Operator.POW, base, unary(p.unary()), spans.of(p));
    }

    private Expr postfix(TfxParser.PostfixContext p) {
        Expr value = atom(p.atom());
        for (TfxParser.SuffixContext suffix : p.suffix()) {
            Span span = value.span().to(spans.of(suffix));
            value = switch (suffix) {
                case TfxParser.CallContext c -> new Expr.Call(value, arguments(c.arguments()), span);
                case TfxParser.IndexContext i ->
                    new Expr.Index(
                            value, i.subscript().stream().map(this::subscript).toList(), span);
                case TfxParser.AccessContext a ->
                    new Expr.Member(value, a.NAME().getText(), span);
                default -> throw new IllegalStateException(suffix.getClass().toString());
            };
        }
        return value;
    }

    private Expr subscript(TfxParser.SubscriptContext s) {
        String first = s.getStart().getText();
        if (first.equals("...")) {
            return new Expr.Ellipsis(spans.of(s));
        }
        boolean slice = s.children.stream().anyMatch(c -> c.getText().equals(":"));
        return slice
                ? new Expr.Slice(
                        Optional.ofNullable(s.from).map(this::expression),
                        Optional.ofNullable(s.to).map(this::expression),
                        Optional.ofNullable(s.step).map(this::expression),
                        spans.of(s))
                : expression(s.expression(0));
    }

    private List<Expr.Argument> arguments(TfxParser.ArgumentsContext arguments) {
        if (arguments == null) {
            return List.of();
        }
        return arguments.argument().stream()
                .map(a -> a.comparator() != null
                        ? new Expr.Argument(
                                Optional.empty(),
                                new Expr.Comparator(comparator(a.comparator().getText()), spans.of(a)))
                        : new Expr.Argument(
                                Optional.ofNullable(a.NAME()).map(ParseTree::getText), expression(a.expression())))
                .toList();
    }

    private Expr atom(TfxParser.AtomContext atom) {
        Span span = spans.of(atom);
        return switch (atom) {
            case TfxParser.NumberContext n -> number(n.getText(), span);
            case TfxParser.StringContext s -> new Expr.Text(unquote(s.STRING()), span);
            case TfxParser.TrueContext t -> new Expr.Truth(true, span);
            case TfxParser.FalseContext f -> new Expr.Truth(false, span);
            case TfxParser.NoneContext n -> new Expr.Nothing(span);
            case TfxParser.NameContext n -> new Expr.Name(n.getText(), span);
            case TfxParser.GroupContext g -> expression(g.expression());
            case TfxParser.ComprehensionContext c ->
                new Expr.Comprehension(expression(c.expression(0)), names(c.NAME()), expression(c.expression(1)), span);
            case TfxParser.ListContext l ->
                new Expr.ListOf(l.expression().stream().map(this::expression).toList(), span);
            default -> throw new IllegalStateException(atom.getClass().toString());
        };
    }

    private Expr number(String text, Span span) {
        if (!text.matches("[0-9]+")) {
            return new Expr.Real(Double.parseDouble(text), span);
        }
        try {
            return new Expr.Whole(BigInteger.valueOf(Long.parseLong(text)), span);
        } catch (NumberFormatException e) {
            problems.report(
                    "TFX0104",
                    span,
                    "the integer " + shorten(text) + " does not fit 64 bits",
                    "write it as a float (add .0) or make it smaller");
            return new Expr.Whole(BigInteger.ZERO, span);
        }
    }

    private static String shorten(String text) {
        return text.length() <= 24 ? text : text.substring(0, 20) + "...";
    }

    private String unquote(TerminalNode node) {
        String text = node.getText();
        StringBuilder out = new StringBuilder();
        for (int i = 1; i < text.length() - 1; i++) {
            char c = text.charAt(i);
            if (c == '\\') {
                c = text.charAt(++i);
                switch (c) {
                    case 'n' -> c = '\n';
                    case 't' -> c = '\t';
                    case '"', '\\' -> {}
                    default ->
                        problems.report(
                                "TFX0107",
                                spans.of(node.getSymbol()),
                                "unknown escape \\" + c + " in a string",
                                "the escapes are \\n \\t \\\" \\\\");
                }
            }
            out.append(c);
        }
        return out.toString();
    }
}
