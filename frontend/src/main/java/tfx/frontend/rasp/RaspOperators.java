package tfx.frontend.rasp;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import tfx.frontend.ast.Expr.Operator;
import tfx.frontend.rasp.RaspError.Problem;
import tfx.ir.InternalError;
import tfx.ir.Span;
import tfx.ir.sequence.Atom;
import tfx.ir.sequence.AtomFn;
import tfx.ir.sequence.Kind;
import tfx.ir.sequence.Numbers;
import tfx.ir.sequence.PythonText;
import tfx.ir.sequence.SequenceError;
import tfx.ir.sequence.SequenceGraph;
import tfx.ir.sequence.SequenceNode;
import tfx.ir.sequence.SequenceOp;

/// The operators of the RASP dialect: on atoms as Python has them, on s-ops at each position, on selectors
/// `and`, `or` and `not` alone. An atom beside an s-op stands at each position; a list never does.
final class RaspOperators {
    private final SequenceGraph graph;

    RaspOperators(SequenceGraph graph) {
        this.graph = graph;
    }

    /// `bool(x)` of a plain value.
    static boolean truth(RaspValue value) {
        return switch (value) {
            case RaspValue.Plain p -> Numbers.truth(p.atom());
            case RaspValue.Items i -> !i.items().isEmpty();
            case RaspValue.Dict d -> !d.entries().isEmpty();
            case RaspValue.Function f -> true;
            case RaspValue.Primitive p -> true;
            case RaspValue.Sequence s -> true;
            case RaspValue.Applied a -> true;
            case RaspValue.Opaque o -> true;
            case RaspValue.Poison p -> throw RaspError.silent();
        };
    }

    private static boolean isSelector(RaspValue value) {
        return value instanceof RaspValue.Sequence s && s.isSelector();
    }

    private static boolean isSequence(RaspValue value) {
        return value instanceof RaspValue.Sequence s && !s.isSelector();
    }

    /// An s-op, or an atom at each position.
    private SequenceNode sequence(RaspValue value, String what, Span span) {
        return switch (value) {
            case RaspValue.Sequence s when !s.isSelector() -> s.node();
            case RaspValue.Plain p -> graph.constant(p.atom(), span);
            default ->
                throw new RaspError(Problem.TYPE, span, what + " takes s-ops and atoms, not " + value.describe(), "");
        };
    }

    private static SequenceNode selector(RaspValue value, String what, Span span) {
        if (value instanceof RaspValue.Sequence s && s.isSelector()) {
            return s.node();
        }
        throw new RaspError(
                Problem.TYPE, span, what + " takes a selector, not " + value.describe(), "select(...) makes one");
    }

    private RaspValue.Sequence map(AtomFn fn, List<SequenceNode> operands, String name, Span span) {
        return new RaspValue.Sequence(graph.map(fn, operands, span), name);
    }

    private static String name(RaspValue value) {
        return value instanceof RaspValue.Plain p ? PythonText.of(p.atom()) : value.written();
    }

    RaspValue prefix(Operator operator, RaspValue x, Span span) {
        boolean not = operator == Operator.NOT;
        if (isSelector(x) && not) {
            SequenceNode node = graph.node(new SequenceOp.Complement(), List.of(((RaspValue.Sequence) x).node()), span);
            return new RaspValue.Sequence(node, "plain select");
        }
        if (not && !isSequence(x)) {
            return new RaspValue.Plain(Atom.of(!truth(x)));
        }
        AtomFn fn = not ? AtomFn.NOT : operator == Operator.NEG ? AtomFn.NEG : AtomFn.POS;
        return unary(fn, "( " + fn.text() + " " + name(x) + " )", x, span);
    }

    private RaspValue unary(AtomFn fn, String name, RaspValue x, Span span) {
        return switch (x) {
            case RaspValue.Plain p -> new RaspValue.Plain(fn.apply(List.of(p.atom())));
            case RaspValue.Sequence s when !s.isSelector() -> map(fn, List.of(s.node()), name, span);
            default -> throw new RaspError(Problem.TYPE, span, fn.text() + " is not defined on " + x.describe(), "");
        };
    }

    RaspValue round(RaspValue x, Span span) {
        return unary(AtomFn.ROUND, "( round " + name(x) + " )", x, span);
    }

    RaspValue indicator(RaspValue x, Span span) {
        if (!isSequence(x)) {
            throw new RaspError(
                    Problem.TYPE,
                    span,
                    "indicator takes an s-op, not " + x.describe(),
                    "for a plain value write 1 if x else 0");
        }
        return unary(AtomFn.INDICATOR, "I(" + name(x) + ")", x, span);
    }

    RaspValue infix(Operator operator, RaspValue a, RaspValue b, Span span) {
        if (operator == Operator.AND || operator == Operator.OR) {
            return logical(operator, a, b, span);
        }
        if (isSelector(a) || isSelector(b)) {
            throw new RaspError(
                    Problem.TYPE,
                    span,
                    operator.text() + " is not defined on selectors",
                    "selectors are joined by and, or and not");
        }
        AtomFn fn = operator.atoms().orElseThrow(() -> new InternalError(operator + " between two values of RASP"));
        if (isSequence(a) || isSequence(b)) {
            String symbol = fn == AtomFn.POW ? "pow" : fn.text();
            return binary(fn, symbol, a, b, span);
        }
        if (a instanceof RaspValue.Plain x && b instanceof RaspValue.Plain y) {
            return new RaspValue.Plain(fn.apply(List.of(x.atom(), y.atom())));
        }
        if (fn == AtomFn.ADD && a instanceof RaspValue.Items x && b instanceof RaspValue.Items y) {
            return joined(List.of(x, y), span);
        }
        if (fn == AtomFn.MUL && a instanceof RaspValue.Items x && b instanceof RaspValue.Plain y) {
            return repeated(x, y, span);
        }
        if (fn == AtomFn.MUL && b instanceof RaspValue.Items y && a instanceof RaspValue.Plain x) {
            return repeated(y, x, span);
        }
        throw undefined(fn, a, b, span);
    }

    private static RaspValue repeated(RaspValue.Items list, RaspValue.Plain times, Span span) {
        if (times.atom().kind() != Kind.WHOLE && times.atom().kind() != Kind.TRUTH) {
            throw undefined(AtomFn.MUL, list, times, span);
        }
        BigInteger count = ((Atom.Whole) AtomFn.POS.apply(List.of(times.atom()))).value();
        if (count.signum() <= 0 || list.items().isEmpty()) {
            return new RaspValue.Items(List.of());
        }
        if (count.bitLength() > 31 || count.longValue() * list.items().size() > RaspStager.MAX_ITEMS) {
            throw new RaspError(Problem.LIMIT, span, "a list of more than " + RaspStager.MAX_ITEMS + " items", "");
        }
        List<RaspValue.Items> parts = new ArrayList<>();
        for (int i = 0; i < count.intValue(); i++) {
            parts.add(list);
        }
        return joined(parts, span);
    }

    private static RaspValue joined(List<RaspValue.Items> lists, Span span) {
        List<RaspValue> all = new ArrayList<>();
        for (RaspValue.Items list : lists) {
            all.addAll(list.items());
            if (all.size() > RaspStager.MAX_ITEMS) {
                throw new RaspError(Problem.LIMIT, span, "a list of more than " + RaspStager.MAX_ITEMS + " items", "");
            }
        }
        return new RaspValue.Items(all);
    }

    private static RaspError undefined(AtomFn fn, RaspValue a, RaspValue b, Span span) {
        return new RaspError(
                Problem.TYPE, span, fn.text() + " is not defined on " + a.describe() + " and " + b.describe(), "");
    }

    private RaspValue binary(AtomFn fn, String symbol, RaspValue a, RaspValue b, Span span) {
        List<SequenceNode> operands = List.of(sequence(a, fn.text(), span), sequence(b, fn.text(), span));
        return map(fn, operands, "( " + name(a) + " " + symbol + " " + name(b) + " )", span);
    }

    private RaspValue logical(Operator operator, RaspValue a, RaspValue b, Span span) {
        boolean and = operator == Operator.AND;
        String name = "( " + name(a) + " " + operator.text() + " " + name(b) + ")";
        if (isSelector(a) || isSelector(b)) {
            if (!isSelector(a) || !isSelector(b)) {
                throw new RaspError(
                        Problem.TYPE,
                        span,
                        operator.text() + " joins two selectors or none, not " + a.describe() + " and " + b.describe(),
                        "select(x, True, ==) selects the positions where x holds");
            }
            SequenceOp op = and ? new SequenceOp.Both() : new SequenceOp.Either();
            List<SequenceNode> both = List.of(((RaspValue.Sequence) a).node(), ((RaspValue.Sequence) b).node());
            return new RaspValue.Sequence(graph.node(op, both, span), "plain select");
        }
        if (isSequence(a) || isSequence(b)) {
            List<SequenceNode> both = List.of(sequence(a, operator.text(), span), sequence(b, operator.text(), span));
            return map(and ? AtomFn.AND : AtomFn.OR, both, name, span);
        }
        return truth(a) == and ? b : a;
    }

    RaspValue compare(AtomFn fn, RaspValue a, RaspValue b, Span span) {
        if (isSelector(a) || isSelector(b)) {
            throw new RaspError(Problem.TYPE, span, fn.text() + " is not defined on selectors", "");
        }
        if (isSequence(a) || isSequence(b)) {
            RaspValue other = isSequence(a) ? b : a;
            if (fn == AtomFn.EQ && !isSequence(other) && !(other instanceof RaspValue.Plain)) {
                // No position is a list, and none is a function.
                return new RaspValue.Sequence(graph.constant(Atom.of(false), span), "( == )");
            }
            return binary(fn, fn.text(), a, b, span);
        }
        if (a instanceof RaspValue.Plain x && b instanceof RaspValue.Plain y) {
            return new RaspValue.Plain(fn.apply(List.of(x.atom(), y.atom())));
        }
        if (fn == AtomFn.EQ) {
            return new RaspValue.Plain(Atom.of(same(a, b)));
        }
        throw undefined(fn, a, b, span);
    }

    private static boolean same(RaspValue a, RaspValue b) {
        if (a == b) {
            return true;
        }
        if (a instanceof RaspValue.Plain x && b instanceof RaspValue.Plain y) {
            return Numbers.same(x.atom(), y.atom());
        }
        if (a instanceof RaspValue.Items x && b instanceof RaspValue.Items y) {
            boolean equal = x.items().size() == y.items().size();
            for (int i = 0; equal && i < x.items().size(); i++) {
                equal = same(x.items().get(i), y.items().get(i));
            }
            return equal;
        }
        if (a instanceof RaspValue.Dict x && b instanceof RaspValue.Dict y) {
            return x.entries().keySet().equals(y.entries().keySet())
                    && x.entries().keySet().stream()
                            .allMatch(k -> same(
                                    x.entries().get(k).getValue(),
                                    y.entries().get(k).getValue()));
        }
        return false;
    }

    RaspValue choose(RaspValue.Sequence condition, RaspValue then, RaspValue otherwise, Span span) {
        List<SequenceNode> operands = List.of(
                sequence(condition, "a condition", span),
                sequence(then, "a conditional on an s-op", span),
                sequence(otherwise, "a conditional on an s-op", span));
        return new RaspValue.Sequence(
                graph.node(new SequenceOp.Choose(), operands, span),
                name(then) + " if " + name(condition) + " else " + name(otherwise));
    }

    RaspValue select(AtomFn comparison, RaspValue keys, RaspValue queries, Span span) {
        return new RaspValue.Sequence(
                graph.select(comparison, sequence(keys, "select", span), sequence(queries, "select", span), span),
                "plain select");
    }

    RaspValue aggregate(SequenceOp.Reduction reduction, List<RaspValue> arguments, Span span) {
        String name = reduction == SequenceOp.Reduction.MEAN
                ? "aggregate"
                : "aggr_" + reduction.name().toLowerCase(Locale.ROOT);
        if (arguments.size() != 2 && arguments.size() != 3) {
            throw new RaspError(
                    Problem.COUNT,
                    span,
                    name + " takes a selector, values and perhaps a default, not " + arguments.size() + " arguments",
                    "");
        }
        SequenceNode selector = selector(arguments.get(0), name, span);
        SequenceNode values = sequence(arguments.get(1), name, span);
        Atom otherwise = Atom.of(0);
        if (arguments.size() == 3) {
            if (!(arguments.get(2) instanceof RaspValue.Plain p)) {
                throw new RaspError(
                        Problem.TYPE,
                        span,
                        "the default of " + name + " is an atom, not "
                                + arguments.get(2).describe(),
                        "");
            }
            otherwise = p.atom();
        }
        return new RaspValue.Sequence(graph.aggregate(reduction, selector, values, otherwise, span), "s-op");
    }

    /// What a selector, if it is one, selects among the positions that are not later.
    RaspValue causal(RaspValue value, Span span) {
        return isSelector(value)
                ? new RaspValue.Sequence(graph.causal(((RaspValue.Sequence) value).node(), span), "plain select")
                : value;
    }

    /// `selector_width(selector)`.
    RaspValue width(RaspValue selector, Span span) {
        return new RaspValue.Sequence(graph.width(selector(selector, "selector_width", span), span), "s-op");
    }

    RaspValue contains(RaspValue item, RaspValue container, String written, Span span) {
        if (isSequence(item)) {
            if (!(container instanceof RaspValue.Items list)) {
                throw new RaspError(
                        Problem.TYPE, span, "an s-op can be in a list of atoms, not in " + container.describe(), "");
            }
            SequenceNode node = graph.node(
                    new SequenceOp.Among(atoms(list, span)), List.of(((RaspValue.Sequence) item).node()), span);
            String shown = written.isEmpty() ? container.written() : written;
            return new RaspValue.Sequence(node, name(item) + " in " + shown);
        }
        if (item instanceof RaspValue.Plain p) {
            if (container instanceof RaspValue.Items list) {
                return new RaspValue.Plain(Atom.of(list.items().stream().anyMatch(other -> same(p, other))));
            }
            if (container instanceof RaspValue.Sequence s && !s.isSelector()) {
                return new RaspValue.Sequence(graph.contains(s.node(), p.atom(), span), "( s-op > 0 )");
            }
            throw new RaspError(
                    Problem.TYPE, span, "an atom can be in a list or an s-op, not in " + container.describe(), "");
        }
        throw new RaspError(Problem.TYPE, span, "in asks for an s-op or an atom, not for " + item.describe(), "");
    }

    private static List<Atom> atoms(RaspValue.Items list, Span span) {
        List<Atom> atoms = new ArrayList<>();
        for (RaspValue item : list.items()) {
            if (!(item instanceof RaspValue.Plain p)) {
                throw new RaspError(Problem.TYPE, span, "this list must hold atoms; it holds " + item.describe(), "");
            }
            atoms.add(p.atom());
        }
        return atoms;
    }

    RaspValue index(RaspValue indexed, RaspValue index, String name, String place, Span span) {
        return switch (indexed) {
            case RaspValue.Items list -> list(list, index, name + "[" + place + "]", span);
            case RaspValue.Plain(Atom.Text t) ->
                list(new RaspValue.Items(RaspItems.characters(t.value())), index, name + "[" + place + "]", span);
            case RaspValue.Dict dict -> dict(dict, index, name + "[" + place + "]", span);
            case RaspValue.Sequence s
            when !s.isSelector() -> {
                if (!(index instanceof RaspValue.Plain p) || !isWhole(p.atom())) {
                    throw new RaspError(
                            Problem.TYPE,
                            span,
                            "a position of an s-op is an int, not " + index.describe(),
                            "load_from_location(s, location) reads another position at each");
                }
                yield new RaspValue.Sequence(
                        graph.at(s.node(), p.atom(), span), s.name() + "[" + PythonText.of(p.atom()) + "]");
            }
            default ->
                throw new RaspError(
                        Problem.TYPE,
                        span,
                        "lists, dicts, strings and s-ops have places in brackets, not " + indexed.describe(),
                        "");
        };
    }

    private static boolean isWhole(Atom atom) {
        return atom.kind() == Kind.WHOLE || atom.kind() == Kind.TRUTH;
    }

    private RaspValue list(RaspValue.Items list, RaspValue index, String name, Span span) {
        if (isSequence(index)) {
            return lookup(List.of(), atoms(list, span), index, name, span);
        }
        if (!(index instanceof RaspValue.Plain p) || !isWhole(p.atom())) {
            throw new RaspError(Problem.TYPE, span, "a place in a list is an int, not " + index.describe(), "");
        }
        BigInteger place = ((Atom.Whole) AtomFn.POS.apply(List.of(p.atom()))).value();
        int size = list.items().size();
        if (place.bitLength() > 31 || place.longValue() >= size || place.longValue() < -size) {
            throw new RaspError(Problem.VALUE, span, "index " + place + " is outside the list of " + size, "");
        }
        return list.items().get(place.intValue() < 0 ? place.intValue() + size : place.intValue());
    }

    private RaspValue dict(RaspValue.Dict dict, RaspValue index, String name, Span span) {
        if (isSequence(index)) {
            return lookup(dict.keys(), atoms(new RaspValue.Items(dict.values()), span), index, name, span);
        }
        if (!(index instanceof RaspValue.Plain p)) {
            throw new RaspError(Problem.TYPE, span, "a key of a dict is an atom, not " + index.describe(), "");
        }
        var entry = dict.entries().get(Numbers.key(p.atom()));
        if (entry == null) {
            throw new RaspError(Problem.VALUE, span, "the dict has no key " + PythonText.quoted(p.atom()), "");
        }
        return entry.getValue();
    }

    private RaspValue lookup(List<Atom> keys, List<Atom> values, RaspValue index, String name, Span span) {
        try {
            SequenceNode node =
                    graph.node(new SequenceOp.Lookup(keys, values), List.of(((RaspValue.Sequence) index).node()), span);
            return new RaspValue.Sequence(node, name);
        } catch (SequenceError e) {
            throw RaspError.of(e, span);
        }
    }
}
