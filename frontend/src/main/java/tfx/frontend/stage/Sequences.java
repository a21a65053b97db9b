package tfx.frontend.stage;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;
import tfx.frontend.ast.Expr.Operator;
import tfx.ir.BinaryFn;
import tfx.ir.Span;
import tfx.ir.sequence.Atom;
import tfx.ir.sequence.AtomFn;
import tfx.ir.sequence.SequenceError;
import tfx.ir.sequence.SequenceGraph;
import tfx.ir.sequence.SequenceNode;
import tfx.ir.sequence.SequenceOp;
import tfx.runtime.Dim;

/// S-ops and selectors in tfx: the names that every file sees, and what operators mean on them. Staged numbers,
/// strings and truths beside an s-op stand at each position.
final class Sequences {
    private Sequences() {}

    static void define(Scope scope, SequenceGraph graph) {
        for (SequenceOp.Conversion conversion : SequenceOp.Conversion.values()) {
            String name = conversion.sequence();
            scope.set(name, new Value.Sequence(graph.tokens(conversion, Span.NONE)));
        }
        scope.set("tokens", new Value.Sequence(graph.tokens(SequenceOp.Conversion.STR, Span.NONE)));
        scope.set("indices", new Value.Sequence(graph.indices(Span.NONE)));
        scope.set("length", new Value.Sequence(graph.length(Span.NONE)));
        Builtins.define(scope, "aggregate", Sequences::aggregate);
        Builtins.define(scope, "selector_width", (stager, a) -> {
            SequenceNode selector = selector(a.get(0, "selector"), a);
            return new Value.Sequence(selector.graph().width(selector, a.span()));
        });
        Builtins.define(scope, "indicator", (stager, a) -> map(AtomFn.INDICATOR, a.get(0, "x"), a.span()));
    }

    private static Value aggregate(Stager stager, Arguments a) {
        SequenceNode selector = selector(a.get(0, "selector"), a);
        SequenceNode values = sequence(a.get(1, "values"), selector.graph(), a.span());
        Value given = a.find(2, "default").orElse(new Value.Whole(Dim.ZERO));
        Atom otherwise = atom(given)
                .orElseThrow(() -> a.fail("the default is a number, a string or a truth, not " + given.describe()));
        return new Value.Sequence(selector.graph().aggregate(reduction(a), selector, values, otherwise, a.span()));
    }

    private static SequenceOp.Reduction reduction(Arguments a) {
        Value by = a.find(3, "by").orElse(new Value.Text("mean"));
        for (SequenceOp.Reduction reduction : SequenceOp.Reduction.values()) {
            if (by instanceof Value.Text t && t.value().equals(reduction.name().toLowerCase(Locale.ROOT))) {
                return reduction;
            }
        }
        throw a.fail("by is \"mean\", \"max\" or \"min\", not " + by.describe());
    }

    private static SequenceNode selector(Value value, Arguments a) {
        if (value instanceof Value.Sequence s && s.node().isSelector()) {
            return s.node();
        }
        throw a.fail("it takes a selector, not " + value.describe());
    }

    /// A staged value as an atom.
    static Optional<Atom> atom(Value value) {
        return switch (value) {
            case Value.Whole w -> w.dim().constant().map(Atom::of);
            case Value.Real r -> Optional.of(Atom.of(r.value()));
            case Value.Text t -> Optional.of(Atom.of(t.value()));
            case Value.Truth t -> Optional.of(Atom.of(t.value()));
            default -> Optional.empty();
        };
    }

    private static SequenceNode sequence(Value value, SequenceGraph graph, Span span) {
        if (value instanceof Value.Sequence s && !s.node().isSelector()) {
            return s.node();
        }
        return atom(value)
                .map(a -> graph.constant(a, span))
                .orElseThrow(() -> StagingError.of(
                        "TFX0303",
                        span,
                        "expected an s-op, or a number, string or truth for each position, found " + value.describe(),
                        ""));
    }

    private static SequenceGraph graph(Value... values) {
        for (Value value : values) {
            if (value instanceof Value.Sequence s) {
                return s.node().graph();
            }
        }
        throw new IllegalArgumentException("no s-op among " + List.of(values));
    }

    static boolean any(Value... values) {
        for (Value value : values) {
            if (value instanceof Value.Sequence) {
                return true;
            }
        }
        return false;
    }

    private static Value located(Span span, Supplier<SequenceNode> work) {
        try {
            return new Value.Sequence(work.get());
        } catch (SequenceError e) {
            throw StagingError.of("TFX0303", span, e.getMessage(), "");
        }
    }

    static Value map(AtomFn fn, Value x, Span span) {
        if (!any(x)) {
            throw StagingError.of("TFX0303", span, fn.text() + " takes an s-op, not " + x.describe(), "");
        }
        return located(span, () -> graph(x).map(fn, List.of(sequence(x, graph(x), span)), span));
    }

    static Value not(Value.Sequence x, Span span) {
        return x.node().isSelector()
                ? new Value.Sequence(graph(x).node(new SequenceOp.Complement(), List.of(x.node()), span))
                : map(AtomFn.NOT, x, span);
    }

    static Value infix(Operator operator, Value a, Value b, Span span) {
        boolean selectors = a instanceof Value.Sequence s
                && b instanceof Value.Sequence t
                && s.node().isSelector()
                && t.node().isSelector();
        if (selectors && (operator == Operator.AND || operator == Operator.OR)) {
            SequenceOp op = operator == Operator.AND ? new SequenceOp.Both() : new SequenceOp.Either();
            List<SequenceNode> both = List.of(((Value.Sequence) a).node(), ((Value.Sequence) b).node());
            return new Value.Sequence(graph(a).node(op, both, span));
        }
        AtomFn fn = operator.atoms()
                .orElseThrow(() -> StagingError.of("TFX0303", span, operator.text() + " is not defined on s-ops", ""));
        return apply(fn, a, b, span);
    }

    static Value compare(BinaryFn fn, Value a, Value b, Span span) {
        return apply(AtomFn.comparison(fn), a, b, span);
    }

    private static Value apply(AtomFn fn, Value a, Value b, Span span) {
        SequenceGraph graph = graph(a, b);
        return located(span, () -> graph.map(fn, List.of(sequence(a, graph, span), sequence(b, graph, span)), span));
    }

    static Value select(BinaryFn fn, Value keys, Value queries, Span span) {
        SequenceGraph graph = graph(keys, queries);
        return located(
                span,
                () -> graph.select(
                        AtomFn.comparison(fn), sequence(keys, graph, span), sequence(queries, graph, span), span));
    }

    static Value where(Value condition, Value a, Value b, Span span) {
        SequenceGraph graph = graph(condition, a, b);
        return located(
                span,
                () -> graph.node(
                        new SequenceOp.Choose(),
                        List.of(sequence(condition, graph, span), sequence(a, graph, span), sequence(b, graph, span)),
                        span));
    }

    /// The value at one position, for all.
    static Value at(Value.Sequence values, Value index, Span span) {
        Atom place = atom(index)
                .filter(a -> a instanceof Atom.Whole && !values.node().isSelector())
                .orElseThrow(() -> StagingError.of(
                        "TFX0214", span, "an s-op takes one integer in brackets, not " + index.describe(), ""));
        return located(span, () -> graph(values).at(values.node(), place, span));
    }
}
