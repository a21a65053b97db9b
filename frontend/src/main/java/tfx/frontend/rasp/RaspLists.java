package tfx.frontend.rasp;

import java.util.ArrayList;
import java.util.List;
import tfx.frontend.rasp.RaspError.Problem;
import tfx.ir.Span;
import tfx.ir.sequence.Atom;

/// `range`, `zip` and `len`.
final class RaspLists {
    private RaspLists() {}

    static RaspValue range(List<RaspValue> arguments, Span span) {
        if (arguments.size() > 3) {
            throw new RaspError(Problem.COUNT, span, "range takes 1, 2 or 3 ints, not " + arguments.size(), "");
        }
        List<Long> numbers = arguments.stream().map(a -> number(a, span)).toList();
        long from = numbers.size() == 1 ? 0 : numbers.getFirst();
        long to = numbers.size() == 1 ? numbers.getFirst() : numbers.get(1);
        long step = numbers.size() < 3 ? 1 : numbers.get(2);
        if (step == 0) {
            throw new RaspError(Problem.VALUE, span, "the step of range is 0", "");
        }
        List<RaspValue> items = new ArrayList<>();
        for (long i = from; step > 0 ? i < to : i > to; i += step) {
            if (items.size() >= RaspStager.MAX_ITEMS) {
                throw new RaspError(Problem.LIMIT, span, "a list of more than " + RaspStager.MAX_ITEMS + " items", "");
            }
            items.add(new RaspValue.Plain(Atom.of(i)));
        }
        return new RaspValue.Items(items);
    }

    private static long number(RaspValue value, Span span) {
        if (value instanceof RaspValue.Plain(Atom.Whole w)) {
            if (w.value().bitLength() > 40) {
                throw new RaspError(Problem.LIMIT, span, "a list of more than " + RaspStager.MAX_ITEMS + " items", "");
            }
            return w.value().longValue();
        }
        if (value instanceof RaspValue.Plain(Atom.Truth t)) {
            return t.value() ? 1 : 0;
        }
        throw new RaspError(Problem.TYPE, span, "range takes ints, not " + value.describe(), "");
    }

    static RaspValue zip(List<RaspValue> arguments, Span span) {
        int size = -1;
        for (RaspValue argument : arguments) {
            if (!(argument instanceof RaspValue.Items list)) {
                throw new RaspError(Problem.TYPE, span, "zip takes lists, not " + argument.describe(), "");
            }
            if (size >= 0 && list.items().size() != size) {
                throw new RaspError(
                        Problem.VALUE,
                        span,
                        "zip takes lists of one length, not of " + size + " and "
                                + list.items().size(),
                        "");
            }
            size = list.items().size();
        }
        List<RaspValue> rows = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            int row = i;
            rows.add(new RaspValue.Items(arguments.stream()
                    .map(a -> ((RaspValue.Items) a).items().get(row))
                    .toList()));
        }
        return new RaspValue.Items(rows);
    }

    static RaspValue length(List<RaspValue> arguments, Span span) {
        if (arguments.size() == 1 && arguments.getFirst() instanceof RaspValue.Items list) {
            return new RaspValue.Plain(Atom.of(list.items().size()));
        }
        throw new RaspError(
                arguments.size() == 1 ? Problem.TYPE : Problem.COUNT,
                span,
                "len takes one list, not "
                        + (arguments.size() == 1 ? arguments.getFirst().describe() : arguments.size() + " values"),
                "the length of the input is the s-op length");
    }
}
