package tfx.frontend.rasp;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import tfx.frontend.ast.Expr;
import tfx.frontend.ast.Item;
import tfx.frontend.rasp.RaspError.Problem;
import tfx.frontend.stage.Scope;
import tfx.ir.InternalError;
import tfx.ir.Span;
import tfx.ir.sequence.Atom;
import tfx.ir.sequence.AtomFn;
import tfx.ir.sequence.SequenceError;
import tfx.ir.sequence.SequenceGraph;
import tfx.ir.sequence.SequenceOp;

/// Runs statements of the RASP dialect: plain values are computed, s-ops and selectors become nodes of a
/// {@link SequenceGraph}.
public final class RaspStager {
    private static final int MAX_CALLS = 1000;
    private static final int MAX_STEPS = 5_000_000;
    static final int MAX_ITEMS = 1_000_000;

    /// Who a REPL's statements are for.
    public interface Listener {
        /// Sees each s-op and selector when it is made.
        ///
        /// @throws SequenceError if it does not run
        default void made(RaspValue.Sequence sequence) {}

        /// Says on what to try what is made until the next such call; nothing for the example.
        default void tryOn(Optional<RaspValue> input) {}

        /// Takes what `draw` shows.
        default void drawn(RaspValue.Applied applied) {}

        /// Takes a new example.
        default void example(Item.Subset subset, RaspValue example) {}

        /// Takes a command.
        default void command(Item.Command command) {}
    }

    /// Runs another file for `load`.
    @FunctionalInterface
    interface Loader {
        /// @return what it set, for showing
        List<Outcome> load(String path, Span span, Environment into);
    }

    /// What a statement at top level came to, for showing.
    public sealed interface Outcome {
        /// A name was set, or an expression evaluated, whose name is `out` or its own.
        record Named(String name, RaspValue value, Span span) implements Outcome {}

        /// An s-op or selector was applied to an input.
        record Shown(RaspValue.Applied applied, Span span) implements Outcome {}
    }

    private final Loader loader;
    private final Listener listener;
    private final RaspOperators operators;
    private final Deque<Span> calls = new ArrayDeque<>();
    private int steps;

    RaspStager(SequenceGraph graph, Loader loader, Listener listener) {
        this.loader = loader;
        this.listener = listener;
        this.operators = new RaspOperators(graph);
    }

    /// Each statement at top level may take so many steps again.
    void restart() {
        steps = 0;
        calls.clear();
    }

    /// How many calls are open.
    int depth() {
        return calls.size();
    }

    /// Forgets calls that an error ended.
    void unwind(int depth) {
        while (calls.size() > depth) {
            calls.pop();
        }
    }

    /// The calls that led to the error at hand, innermost first.
    List<String> notes() {
        return calls.stream().limit(6).map(s -> "called from " + s).toList();
    }

    private void step(Span span) {
        steps(1, span);
    }

    private void steps(int more, Span span) {
        steps += more;
        if (steps > MAX_STEPS) {
            throw new RaspError(
                    Problem.LIMIT,
                    span,
                    "this takes more than " + MAX_STEPS + " steps",
                    "loops and recursion run over lists and numbers; give them an end");
        }
    }

    /// Runs one statement.
    ///
    /// @throws RaspError if it is wrong
    List<Outcome> run(Item.Statement statement, Environment environment) {
        step(statement.span());
        switch (statement) {
            case Item.Evaluate e -> {
                RaspValue value = value(e.value(), environment);
                if (value instanceof RaspValue.Applied applied) {
                    return List.of(new Outcome.Shown(applied, e.span()));
                }
                String name = e.value() instanceof Expr.Name n ? n.name() : "out";
                return List.of(new Outcome.Named(name, value, e.span()));
            }
            case Item.Assign a -> {
                return assign(a, environment);
            }
            case Item.LocalFunction f -> {
                RaspValue value = new RaspValue.Function(f.function(), environment, environment.name());
                set(f.function().name(), value, environment, f.span());
                return List.of(new Outcome.Named(f.function().name(), value, f.span()));
            }
            case Item.For f -> loop(f, environment);
            case Item.Load l -> {
                return loader.load(l.path(), l.span(), environment);
            }
            case Item.Draw d -> {
                return List.of(draw(d, environment));
            }
            case Item.SetExample s -> {
                RaspValue example = single(s.example(), environment);
                RaspItems.input(example, s.example().span());
                listener.example(s.subset(), example);
            }
            case Item.Command c -> listener.command(c);
            case Item.Return r -> throw new InternalError("a return outside a function at " + r.span());
            case Item.If i -> throw new InternalError("an if statement at " + i.span());
        }
        return List.of();
    }

    private Outcome draw(Item.Draw draw, Environment environment) {
        RaspValue value = value(draw.what(), environment);
        if (!(value instanceof RaspValue.Sequence s) || s.isSelector()) {
            throw new RaspError(Problem.TYPE, draw.what().span(), "draw takes an s-op, not " + value.describe(), "");
        }
        RaspValue input = draw.input().map(i -> value(i, environment)).orElse(new RaspValue.Plain(Atom.of("hello")));
        Span place = draw.input().map(Expr::span).orElse(draw.span());
        RaspValue.Applied applied = new RaspValue.Applied(s, RaspItems.input(input, place), input);
        listener.drawn(applied);
        return new Outcome.Shown(applied, draw.span());
    }

    private List<Outcome> assign(Item.Assign assign, Environment environment) {
        List<RaspValue> values =
                assign.values().stream().map(e -> single(e, environment)).collect(Collectors.toList());
        List<String> names = assign.targets();
        if (names.size() == 1) {
            values = List.of(values.size() == 1 ? values.getFirst() : new RaspValue.Items(values));
        } else if (values.size() == 1) {
            values = RaspItems.elements(
                    values.getFirst(), assign.values().getFirst().span());
        }
        if (values.size() != names.size()) {
            throw new RaspError(
                    Problem.COUNT, assign.span(), "expected " + names.size() + " values, found " + values.size(), "");
        }
        List<Outcome> outcomes = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
            set(names.get(i), values.get(i), environment, assign.span());
            if (values.get(i) instanceof RaspValue.Sequence s) {
                s.rename(names.get(i));
                s.node().graph().name(s.node(), names.get(i));
            }
            outcomes.add(new Outcome.Named(names.get(i), values.get(i), assign.span()));
        }
        return outcomes;
    }

    static void set(String name, RaspValue value, Environment environment, Span span) {
        if (environment.isReserved(name)) {
            boolean own = Environment.RESERVED.contains(name);
            throw new RaspError(
                    Problem.RESERVED_NAME,
                    span,
                    "'" + name + "' belongs to the " + (own ? "language" : "library") + " and cannot be set",
                    "use another name");
        }
        environment.set(name, value);
    }

    private void loop(Item.For loop, Environment environment) {
        RaspValue iterable = value(loop.iterable(), environment);
        for (RaspValue item : RaspItems.iterated(iterable, loop.iterable().span())) {
            bind(loop.names(), item, environment, loop.span());
            for (Item.Statement statement : loop.body()) {
                run(statement, environment);
            }
        }
    }

    private static void bind(List<String> names, RaspValue item, Environment environment, Span span) {
        List<RaspValue> values = names.size() == 1 ? List.of(item) : RaspItems.elements(item, span);
        if (values.size() != names.size()) {
            throw new RaspError(
                    Problem.COUNT, span, names.size() + " names run over items of " + values.size() + " values", "");
        }
        for (int i = 0; i < names.size(); i++) {
            set(names.get(i), values.get(i), environment, span);
        }
    }

    /// The value of an expression that must not be an application.
    private RaspValue single(Expr expr, Environment environment) {
        RaspValue value = value(expr, environment);
        if (value instanceof RaspValue.Applied) {
            throw new RaspError(
                    Problem.TYPE,
                    expr.span(),
                    "the result of applying to an input can only be shown",
                    "give the s-op itself a name, and apply it in a statement of its own");
        }
        return value;
    }

    /// The value of an expression.
    RaspValue value(Expr expr, Environment environment) {
        step(expr.span());
        RaspValue value;
        try {
            value = evaluate(expr, environment);
            if (value instanceof RaspValue.Sequence s) {
                listener.made(s);
            }
        } catch (SequenceError e) {
            throw RaspError.of(e, expr.span());
        }
        if (value instanceof RaspValue.Items list && (expr instanceof Expr.Infix || expr instanceof Expr.Call)) {
            steps(list.items().size(), expr.span());
        }
        if (value instanceof RaspValue.Poison) {
            throw RaspError.silent();
        }
        if (!(value instanceof RaspValue.Applied)) {
            environment.setOut(value);
        }
        return value;
    }

    private RaspValue evaluate(Expr expr, Environment environment) {
        return switch (expr) {
            case Expr.Whole w -> new RaspValue.Plain(new Atom.Whole(w.value()));
            case Expr.Real r -> new RaspValue.Plain(Atom.of(r.value()));
            case Expr.Text t -> new RaspValue.Plain(Atom.of(t.value()));
            case Expr.Truth t -> new RaspValue.Plain(Atom.of(t.value()));
            case Expr.Name n -> name(n, environment);
            case Expr.ListOf l ->
                new RaspValue.Items(
                        l.items().stream().map(e -> single(e, environment)).toList());
            case Expr.DictOf d -> {
                RaspValue.Dict dict = RaspValue.Dict.empty();
                for (Expr.Entry entry : d.entries()) {
                    dict.put(key(entry.key(), environment), single(entry.value(), environment));
                }
                yield dict;
            }
            case Expr.Comprehension c -> {
                List<RaspValue> items = new ArrayList<>();
                for (RaspValue item : RaspItems.iterated(
                        value(c.iterable(), environment), c.iterable().span())) {
                    Environment inner = environment.nested();
                    bind(c.names(), item, inner, c.span());
                    items.add(single(c.item(), inner));
                }
                yield new RaspValue.Items(items);
            }
            case Expr.DictComprehension c -> {
                RaspValue.Dict dict = RaspValue.Dict.empty();
                for (RaspValue item : RaspItems.iterated(
                        value(c.iterable(), environment), c.iterable().span())) {
                    Environment inner = environment.nested();
                    bind(c.names(), item, inner, c.span());
                    dict.put(key(c.entry().key(), inner), single(c.entry().value(), inner));
                }
                yield dict;
            }
            case Expr.Prefix p -> {
                RaspValue value = operators.prefix(p.operator(), single(p.operand(), environment), p.span());
                yield environment.isCausal() ? operators.causal(value, p.span()) : value;
            }
            case Expr.Infix i ->
                operators.infix(i.operator(), single(i.left(), environment), single(i.right(), environment), i.span());
            case Expr.Compare c ->
                operators.compare(
                        AtomFn.comparison(c.fn()),
                        single(c.left(), environment),
                        single(c.right(), environment),
                        c.span());
            case Expr.Conditional c -> conditional(c, environment);
            case Expr.Contains c -> {
                RaspValue item = single(c.item(), environment);
                RaspValue container = single(c.container(), environment);
                requireEarlier(container, "has_seen(s, atom) looks among", c.span(), environment);
                yield operators.contains(
                        item, container, c.container() instanceof Expr.Name n ? n.name() : "", c.span());
            }
            case Expr.Index i -> {
                RaspValue indexed = single(i.value(), environment);
                requireEarlier(indexed, "index_select(s, place, default) reads", i.span(), environment);
                Expr index = i.indices().getFirst();
                yield operators.index(
                        indexed,
                        single(index, environment),
                        i.value() instanceof Expr.Name n ? n.name() : "out",
                        index instanceof Expr.Name n ? n.name() : "out",
                        i.span());
            }
            case Expr.Call c ->
                c.function() instanceof Expr.Builtin b ? builtin(b.name(), c, environment) : call(c, environment);
            case Expr.Builtin b -> throw misplaced(b);
            case Expr.Comparator c -> throw misplaced(c);
            case Expr.Nothing n -> throw misplaced(n);
            case Expr.Slice s -> throw misplaced(s);
            case Expr.Ellipsis e -> throw misplaced(e);
            case Expr.Member m -> throw misplaced(m);
        };
    }

    /// In the causal dialect, what reads any position of an s-op is refused.
    private static void requireEarlier(RaspValue read, String instead, Span span, Environment environment) {
        if (environment.isCausal() && read instanceof RaspValue.Sequence s && !s.isSelector()) {
            throw new RaspError(
                    Problem.TYPE,
                    span,
                    "this reads positions of an s-op that may be later, which RASP-L does not",
                    instead + " earlier ones");
        }
    }

    private static InternalError misplaced(Expr expr) {
        return new InternalError("the grammar lets " + expr + " stand alone");
    }

    private static RaspValue name(Expr.Name name, Environment environment) {
        return environment.find(name.name()).orElseThrow(() -> {
            boolean word = List.of("select", "aggregate", "range", "zip", "len").contains(name.name());
            return new RaspError(
                    Problem.UNKNOWN_NAME,
                    name.span(),
                    "unknown name '" + name.name() + "'",
                    word
                            ? "write " + name.name() + "( without a space before the bracket"
                            : Scope.closest(name.name(), environment.visible())
                                    .map(s -> "did you mean '" + s + "'?")
                                    .orElse("set it above, or load the file that does"));
        });
    }

    private Atom key(Expr expr, Environment environment) {
        RaspValue value = single(expr, environment);
        if (value instanceof RaspValue.Plain p) {
            return p.atom();
        }
        throw new RaspError(Problem.TYPE, expr.span(), "keys of a dict are atoms, not " + value.describe(), "");
    }

    /// Lazy where the condition is a plain value, so that recursion over numbers ends.
    private RaspValue conditional(Expr.Conditional c, Environment environment) {
        RaspValue condition = single(c.condition(), environment);
        if (condition instanceof RaspValue.Sequence s) {
            return operators.choose(s, single(c.then(), environment), single(c.otherwise(), environment), c.span());
        }
        return single(RaspOperators.truth(condition) ? c.then() : c.otherwise(), environment);
    }

    private RaspValue builtin(String name, Expr.Call call, Environment environment) {
        if (name.equals("select")) {
            List<Expr.Argument> a = call.arguments();
            RaspValue keys = single(a.get(0).value(), environment);
            RaspValue queries = single(a.get(1).value(), environment);
            Expr.Comparator comparator = (Expr.Comparator) a.get(2).value();
            RaspValue selector = operators.select(AtomFn.comparison(comparator.fn()), keys, queries, call.span());
            return environment.isCausal() ? operators.causal(selector, call.span()) : selector;
        }
        List<RaspValue> arguments = call.arguments().stream()
                .map(a -> single(a.value(), environment))
                .toList();
        return switch (name) {
            case "aggregate" -> operators.aggregate(SequenceOp.Reduction.MEAN, arguments, call.span());
            case "round" -> operators.round(arguments.getFirst(), call.span());
            case "indicator" -> operators.indicator(arguments.getFirst(), call.span());
            case "range" -> RaspLists.range(arguments, call.span());
            case "zip" -> RaspLists.zip(arguments, call.span());
            case "len" -> RaspLists.length(arguments, call.span());
            default -> throw new InternalError("no builtin " + name);
        };
    }

    private RaspValue call(Expr.Call call, Environment environment) {
        List<RaspValue> arguments = call.arguments().stream()
                .map(a -> single(a.value(), environment))
                .toList();
        RaspValue function;
        try {
            // What is applied need not run on the example, but on its input.
            listener.tryOn(arguments.size() == 1 ? Optional.of(arguments.getFirst()) : Optional.empty());
            function = single(call.function(), environment);
        } finally {
            listener.tryOn(Optional.empty());
        }
        RaspValue value = apply(
                function,
                arguments,
                call.span(),
                call.arguments().isEmpty()
                        ? call.span()
                        : call.arguments().getFirst().value().span());
        if (value instanceof RaspValue.Sequence s && !(function instanceof RaspValue.Sequence)) {
            s.rename(functionName(function) + "("
                    + arguments.stream().map(RaspStager::shortly).collect(Collectors.joining(" , ")) + ")");
        }
        return value;
    }

    private static String functionName(RaspValue function) {
        return function instanceof RaspValue.Function f
                ? f.function().name()
                : function instanceof RaspValue.Primitive p ? p.name() : "";
    }

    private static String shortly(RaspValue value) {
        String text = value instanceof RaspValue.Plain(Atom.Text t) ? "\"" + t.value() + "\"" : value.written();
        return text.length() <= 20
                ? text
                : switch (value) {
                    case RaspValue.Items i -> "(list)";
                    case RaspValue.Dict d -> "(dict)";
                    default -> text;
                };
    }

    /// Calls whatever can be called.
    ///
    /// @param inputSpan where an s-op's input is
    RaspValue apply(RaspValue function, List<RaspValue> arguments, Span span, Span inputSpan) {
        switch (function) {
            case RaspValue.Sequence s -> {
                if (arguments.size() != 1) {
                    throw new RaspError(Problem.COUNT, span, "applying takes one input, not " + arguments.size(), "");
                }
                return new RaspValue.Applied(s, RaspItems.input(arguments.getFirst(), inputSpan), arguments.getFirst());
            }
            case RaspValue.Function f -> {
                return call(f, arguments, span);
            }
            case RaspValue.Primitive p -> {
                if (!p.parameters().equals(List.of("..."))) {
                    requireCount(p.name(), p.parameters().size(), arguments.size(), span);
                }
                return p.body().apply(arguments, span);
            }
            case RaspValue.Plain p -> throw notCallable(p, span);
            case RaspValue.Items i -> throw notCallable(i, span);
            case RaspValue.Dict d -> throw notCallable(d, span);
            case RaspValue.Applied a -> throw notCallable(a, span);
            case RaspValue.Opaque o -> throw notCallable(o, span);
            case RaspValue.Poison p -> throw RaspError.silent();
        }
    }

    private static RaspError notCallable(RaspValue value, Span span) {
        return new RaspError(
                Problem.TYPE, span, "only functions, s-ops and selectors can be called, not " + value.describe(), "");
    }

    /// Calls a function of RASP.
    RaspValue call(RaspValue.Function function, List<RaspValue> arguments, Span span) {
        List<Item.Parameter> parameters = function.function().parameters();
        requireCount(function.function().name(), parameters.size(), arguments.size(), span);
        if (calls.size() >= MAX_CALLS) {
            throw new RaspError(
                    Problem.LIMIT,
                    span,
                    "calls nest deeper than " + MAX_CALLS,
                    "recursion over numbers needs an end; on s-ops both arms of a conditional are computed");
        }
        int depth = calls.size();
        calls.push(span);
        Environment inner = function.environment().nested();
        for (int i = 0; i < parameters.size(); i++) {
            set(parameters.get(i).name(), arguments.get(i), inner, span);
        }
        for (Item.Statement statement : function.function().body()) {
            if (statement instanceof Item.Return r) {
                List<RaspValue> values =
                        r.values().stream().map(e -> single(e, inner)).toList();
                unwind(depth);
                return values.size() == 1 ? values.getFirst() : new RaspValue.Items(values);
            }
            run(statement, inner);
        }
        throw new InternalError(
                "a function without return at " + function.function().span());
    }

    private static void requireCount(String name, int expected, int found, Span span) {
        if (expected != found) {
            throw new RaspError(Problem.COUNT, span, name + " takes " + expected + " arguments, not " + found, "");
        }
    }
}
