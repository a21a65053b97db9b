package tfx.frontend.stage;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import tfx.frontend.Problems;
import tfx.frontend.ast.Expr;
import tfx.frontend.ast.Item;
import tfx.ir.BinaryFn;
import tfx.ir.Diagnostic;
import tfx.ir.InternalError;
import tfx.ir.Span;
import tfx.ir.UnaryFn;
import tfx.ir.graph.GraphBuilder;
import tfx.ir.sequence.AtomFn;
import tfx.runtime.DType;
import tfx.runtime.Dim;

/// Runs a program at compile time: staged values are computed, operations on tensors become graph nodes.
///
/// An error ends its statement; the names that the statement would have set become poison, which reports nothing
/// more.
public final class Stager {
    private static final int MAX_CALLS = 300;
    private static final int MAX_STEPS = 5_000_000;
    static final int MAX_ITEMS = 100_000;

    private final Problems problems;
    private Tensors tensors = new Tensors(new GraphBuilder());
    private Products products = new Products(tensors);
    private Operators operators = new Operators(tensors, products);
    private final Deque<Span> calls = new ArrayDeque<>();
    private int steps;

    public Stager(Problems problems) {
        this.problems = problems;
    }

    public GraphBuilder graph() {
        return tensors.graph();
    }

    /// Runs `work` with another graph under construction, that of a loop.
    <T> T inside(GraphBuilder graph, Supplier<T> work) {
        Tensors outerTensors = tensors;
        Products outerProducts = products;
        Operators outerOperators = operators;
        tensors = new Tensors(graph);
        products = new Products(tensors);
        operators = new Operators(tensors, products);
        try {
            return work.get();
        } finally {
            tensors = outerTensors;
            products = outerProducts;
            operators = outerOperators;
        }
    }

    Tensors tensors() {
        return tensors;
    }

    Products products() {
        return products;
    }

    Operators operators() {
        return operators;
    }

    /// Reports an error with the calls that led to it.
    void report(StagingError error) {
        error.report().ifPresent(r -> {
            List<String> notes =
                    calls.stream().limit(6).map(s -> "called from " + s).toList();
            problems.report(new Diagnostic(r.code(), r.span(), r.message(), notes, r.help()));
        });
    }

    /// Runs statements; the value of a `return`, if one was met.
    public Optional<Value> run(List<Item.Statement> statements, Scope scope) {
        for (Item.Statement statement : statements) {
            try {
                Optional<Value> returned = statement(statement, scope);
                if (returned.isPresent()) {
                    return returned;
                }
            } catch (ArithmeticException overflow) {
                report(StagingError.of(
                        "TFX0207", statement.span(), "a size here does not fit 64 bits", "use smaller sizes"));
                if (poison(statement, scope)) {
                    return Optional.of(new Value.Poison());
                }
            } catch (StagingError error) {
                report(error);
                if (poison(statement, scope)) {
                    return Optional.of(new Value.Poison());
                }
            }
        }
        return Optional.empty();
    }

    /// Poisons the names that a statement would have set; whether it might have returned.
    private static boolean poison(Item.Statement statement, Scope scope) {
        return switch (statement) {
            case Item.Assign a -> {
                a.targets().forEach(t -> scope.set(t, new Value.Poison()));
                yield false;
            }
            case Item.Return r -> true;
            case Item.For f -> poison(f.body(), scope);
            case Item.If i -> poison(i.then(), scope) | poison(i.otherwise(), scope);
            case Item.LocalFunction f -> false;
            case Item.Evaluate e -> false;
            case Item.ScriptStatement r -> throw dialect(r.span());
        };
    }

    private static boolean poison(List<Item.Statement> statements, Scope scope) {
        boolean returns = false;
        for (Item.Statement statement : statements) {
            returns |= poison(statement, scope);
        }
        return returns;
    }

    private Optional<Value> statement(Item.Statement statement, Scope scope) {
        step(statement.span());
        switch (statement) {
            case Item.Assign a -> assign(a, scope);
            case Item.Return r -> {
                List<Value> values =
                        r.values().stream().map(e -> evaluate(e, scope)).toList();
                return Optional.of(values.size() == 1 ? values.getFirst() : new Value.Items(values));
            }
            case Item.For f -> {
                for (Value item :
                        items(evaluate(f.iterable(), scope), f.iterable().span())) {
                    bindNames(f.names(), item, scope, f.span());
                    Optional<Value> returned = run(f.body(), scope);
                    if (returned.isPresent()) {
                        return returned;
                    }
                }
            }
            case Item.If i -> {
                boolean condition =
                        truth(evaluate(i.condition(), scope), i.condition().span());
                return run(condition ? i.then() : i.otherwise(), scope);
            }
            case Item.LocalFunction f -> scope.set(f.function().name(), new Value.Closure(f.function(), scope));
            case Item.Evaluate e -> evaluate(e.value(), scope);
            case Item.ScriptStatement r -> throw dialect(r.span());
        }
        return Optional.empty();
    }

    private void assign(Item.Assign assign, Scope scope) {
        List<Value> values =
                assign.values().stream().map(e -> evaluate(e, scope)).toList();
        if (assign.targets().size() == values.size()) {
            for (int i = 0; i < values.size(); i++) {
                scope.set(assign.targets().get(i), values.get(i));
                if (values.get(i) instanceof Value.Sequence s) {
                    s.node().graph().name(s.node(), assign.targets().get(i));
                }
            }
        } else if (values.size() == 1) {
            bindNames(assign.targets(), values.getFirst(), scope, assign.span());
        } else {
            throw StagingError.of(
                    "TFX0205",
                    assign.span(),
                    values.size() + " values for " + assign.targets().size() + " names",
                    "");
        }
    }

    private void bindNames(List<String> names, Value value, Scope scope, Span span) {
        if (names.size() == 1) {
            scope.set(names.getFirst(), value);
            return;
        }
        List<Value> items = items(value, span);
        if (items.size() != names.size()) {
            throw StagingError.of("TFX0205", span, items.size() + " values for " + names.size() + " names", "");
        }
        for (int i = 0; i < items.size(); i++) {
            scope.set(names.get(i), items.get(i));
        }
    }

    /// Counts one step of compile-time evaluation.
    void step(Span span) {
        if (++steps > MAX_STEPS) {
            throw endless(span, "compile-time evaluation takes more than " + MAX_STEPS + " steps");
        }
    }

    private static StagingError endless(Span span, String message) {
        return StagingError.of(
                "TFX0206",
                span,
                message,
                "loops and recursion run while compiling; give them an end that does not depend on tensors");
    }

    /// The value of an expression.
    public Value evaluate(Expr expr, Scope scope) {
        step(expr.span());
        return switch (expr) {
            case Expr.Whole w -> new Value.Whole(Dim.of(w.value().longValueExact()));
            case Expr.Real r -> new Value.Real(r.value());
            case Expr.Text t -> new Value.Text(t.value());
            case Expr.Truth t -> new Value.Truth(t.value());
            case Expr.Nothing n -> new Value.Nothing();
            case Expr.Comparator c -> new Value.Comparator(c.fn());
            case Expr.Name n -> name(n, scope);
            case Expr.ListOf l ->
                new Value.Items(l.items().stream().map(e -> evaluate(e, scope)).toList());
            case Expr.Comprehension c -> comprehension(c, scope);
            case Expr.Prefix p -> prefix(p, scope);
            case Expr.Infix i -> infix(i, scope);
            case Expr.Compare c ->
                operators.compare(c.fn(), evaluate(c.left(), scope), evaluate(c.right(), scope), c.span());
            case Expr.Conditional c ->
                truth(evaluate(c.condition(), scope), c.condition().span())
                        ? evaluate(c.then(), scope)
                        : evaluate(c.otherwise(), scope);
            case Expr.Call c -> call(c, scope);
            case Expr.Slice s -> throw StagingError.of("TFX0214", s.span(), "a slice stands in brackets alone", "");
            case Expr.Ellipsis e -> throw StagingError.of("TFX0214", e.span(), "... stands in brackets alone", "");
            case Expr.Index i -> index(i, scope);
            case Expr.Member m -> member(m, scope);
            case Expr.Script s -> throw dialect(s.span());
        };
    }

    private static InternalError dialect(Span span) {
        return new InternalError("RASP in a file of tfx at " + span);
    }

    private static Value name(Expr.Name name, Scope scope) {
        Value value = scope.find(name.name())
                .orElseThrow(() -> StagingError.of(
                        "TFX0201",
                        name.span(),
                        "unknown name '" + name.name() + "'",
                        scope.similar(name.name())
                                .map(s -> "did you mean '" + s + "'?")
                                .orElse("define it above, or import the module that does")));
        return alive(value);
    }

    private static Value alive(Value value) {
        if (value instanceof Value.Poison) {
            throw StagingError.silent();
        }
        return value;
    }

    private Value comprehension(Expr.Comprehension c, Scope scope) {
        List<Value> items = new ArrayList<>();
        for (Value item : items(evaluate(c.iterable(), scope), c.iterable().span())) {
            Scope inner = new Scope(scope);
            bindNames(c.names(), item, inner, c.span());
            items.add(evaluate(c.item(), inner));
        }
        return new Value.Items(items);
    }

    private Value prefix(Expr.Prefix p, Scope scope) {
        Value x = evaluate(p.operand(), scope);
        if (x instanceof Value.Sequence s) {
            return p.operator() == Expr.Operator.NOT
                    ? Sequences.not(s, p.span())
                    : Sequences.map(AtomFn.NEG, x, p.span());
        }
        if (p.operator() == Expr.Operator.NOT) {
            return x instanceof Value.Array a
                    ? tensors.unary(UnaryFn.NOT, a, p.span())
                    : new Value.Truth(!truth(x, p.operand().span()));
        }
        return switch (x) {
            case Value.Whole w -> new Value.Whole(exact(p.span(), () -> Dim.ZERO.minus(w.dim())));
            case Value.Real r -> new Value.Real(-r.value());
            case Value.Array a -> tensors.unary(UnaryFn.NEG, a, p.span());
            default -> throw StagingError.of("TFX0303", p.span(), "cannot negate " + x.describe(), "");
        };
    }

    static <T> T exact(Span span, java.util.function.Supplier<T> computation) {
        try {
            return computation.get();
        } catch (ArithmeticException e) {
            throw StagingError.of("TFX0207", span, "the integer result does not fit 64 bits", "use floats");
        }
    }

    private Value infix(Expr.Infix i, Scope scope) {
        Value left = evaluate(i.left(), scope);
        boolean logical = i.operator() == Expr.Operator.AND || i.operator() == Expr.Operator.OR;
        if (logical && !(left instanceof Value.Array) && !(left instanceof Value.Sequence)) {
            boolean first = truth(left, i.left().span());
            return first == (i.operator() == Expr.Operator.OR) ? new Value.Truth(first) : evaluate(i.right(), scope);
        }
        return operators.apply(i.operator(), left, evaluate(i.right(), scope), i.span());
    }

    private static boolean truth(Value value, Span span) {
        return switch (value) {
            case Value.Truth t -> t.value();
            case Value.Array a ->
                throw StagingError.of(
                        "TFX0208",
                        span,
                        "the condition is a tensor, " + a.describe() + ", known only at run time",
                        "use where(condition, a, b) to choose element by element");
            case Value.Sequence s ->
                throw StagingError.of(
                        "TFX0208",
                        span,
                        "the condition is " + s.describe() + ", known only at run time",
                        "use where(condition, a, b) to choose at each position");
            default -> throw StagingError.of("TFX0208", span, "expected True or False, found " + value.describe(), "");
        };
    }

    private static List<Value> items(Value value, Span span) {
        if (value instanceof Value.Items items) {
            return items.items();
        }
        throw StagingError.of(
                "TFX0209",
                span,
                "expected a list, found " + value.describe(),
                value instanceof Value.Whole ? "range(n) makes a list of numbers" : "");
    }

    private Value call(Expr.Call call, Scope scope) {
        Value function = evaluate(call.function(), scope);
        List<Value> positional = new ArrayList<>();
        Map<String, Value> named = new HashMap<>();
        for (Expr.Argument argument : call.arguments()) {
            Value value = evaluate(argument.value(), scope);
            if (argument.name().isEmpty()) {
                if (!named.isEmpty()) {
                    throw StagingError.of(
                            "TFX0210",
                            argument.value().span(),
                            "a positional argument after a named one",
                            "name it, or move it to the front");
                }
                positional.add(value);
            } else if (named.put(argument.name().get(), value) != null) {
                throw StagingError.of(
                        "TFX0210",
                        argument.value().span(),
                        "argument '" + argument.name().get() + "' is given twice",
                        "");
            }
        }
        return apply(function, positional, named, call.span());
    }

    /// Calls whatever can be called.
    Value apply(Value function, List<Value> positional, Map<String, Value> named, Span span) {
        return alive(
                switch (function) {
                    case Value.Closure c -> invoke(c, positional, named, span);
                    case Value.Primitive p -> p.body().apply(this, new Arguments(p.name(), positional, named, span));
                    case Value.TypeName t -> {
                        Arguments arguments = new Arguments(t.dtype().toString(), positional, named, span);
                        yield operators.cast(arguments.get(0, "x"), t.dtype(), span);
                    }
                    case Value.RecordType r -> new Types(this).construct(r, positional, named, span);
                    default -> throw StagingError.of("TFX0211", span, function.describe() + " cannot be called", "");
                });
    }

    /// Calls a function of the source.
    Value invoke(Value.Closure closure, List<Value> positional, Map<String, Value> named, Span span) {
        if (calls.size() >= MAX_CALLS) {
            throw endless(span, "calls nested deeper than " + MAX_CALLS);
        }
        Item.Function function = closure.function();
        Scope inner = new Scope(closure.scope());
        List<Value> arguments = Parameters.bind(this, function, positional, named, closure.scope(), span);
        calls.push(span);
        try {
            for (int i = 0; i < arguments.size(); i++) {
                Item.Parameter parameter = function.parameters().get(i);
                if (parameter.type().isPresent()) {
                    new Types(this).match(parameter, arguments.get(i), inner);
                }
                inner.set(parameter.name(), arguments.get(i));
            }
            return run(function.body(), inner)
                    .orElseThrow(() -> StagingError.of(
                            "TFX0212",
                            function.span(),
                            "function '" + function.name() + "' ends without return",
                            "end it with return ...;"));
        } catch (StagingError error) {
            report(error);
            throw StagingError.silent();
        } finally {
            calls.pop();
        }
    }

    private Value index(Expr.Index index, Scope scope) {
        Value value = evaluate(index.value(), scope);
        if (value instanceof Value.Array array) {
            return new Subscripts(this, array, index, scope).apply();
        }
        Expr only = index.indices().getFirst();
        if (value instanceof Value.Sequence s && index.indices().size() == 1) {
            return Sequences.at(s, evaluate(only, scope), index.span());
        }
        if (value instanceof Value.Items list && index.indices().size() == 1) {
            if (only instanceof Expr.Slice slice) {
                return Subscripts.ofList(this, list, slice, scope);
            }
            if (evaluate(only, scope) instanceof Value.Whole w
                    && w.dim().constant().isPresent()) {
                long i = w.dim().constant().get();
                int size = list.items().size();
                if (i < -size || i >= size) {
                    throw StagingError.of(
                            "TFX0213", index.span(), "index " + i + " is outside the list of " + size, "");
                }
                return alive(list.items().get((int) (i < 0 ? i + size : i)));
            }
        }
        throw StagingError.of(
                "TFX0214",
                index.span(),
                "cannot index " + value.describe() + " like this",
                "a list takes an integer or a slice, a tensor integers, slices, none, ..., or one integer tensor");
    }

    private Value member(Expr.Member member, Scope scope) {
        Value value = evaluate(member.value(), scope);
        if (!(value instanceof Value.Instance instance)) {
            throw StagingError.of("TFX0215", member.span(), value.describe() + " has no fields", "");
        }
        Value field = instance.fields().get(member.name());
        if (field == null) {
            throw StagingError.of(
                    "TFX0215",
                    member.span(),
                    "a record " + instance.type() + " has no field '" + member.name() + "'",
                    "its fields: " + String.join(", ", instance.fields().keySet()));
        }
        return alive(field);
    }

    /// A staged number as a tensor beside one of element type `dtype`.
    Value.Array scalar(Value value, DType dtype, Span span) {
        return operators.scalar(value, dtype, span);
    }

    /// A comparison function by operator value.
    static BinaryFn comparator(Value value, Span span) {
        if (value instanceof Value.Comparator c) {
            return c.fn();
        }
        throw StagingError.of(
                "TFX0216", span, "expected a comparison operator, found " + value.describe(), "one of == != < <= > >=");
    }
}
