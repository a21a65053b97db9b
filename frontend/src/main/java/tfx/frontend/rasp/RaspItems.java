package tfx.frontend.rasp;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tfx.frontend.rasp.RaspError.Problem;
import tfx.ir.Span;
import tfx.ir.sequence.Atom;

/// What values hold one after the other: for loops, for names that take lists apart, and for inputs.
final class RaspItems {
    private RaspItems() {}

    /// What loops and comprehensions run over.
    static List<RaspValue> iterated(RaspValue value, Span span) {
        return switch (value) {
            case RaspValue.Items i -> i.items();
            case RaspValue.Dict d -> keys(d);
            case RaspValue.Poison p -> throw RaspError.silent();
            default ->
                throw new RaspError(
                        Problem.TYPE, span, "expected a list or a dict to run over, found " + value.describe(), "");
        };
    }

    private static List<RaspValue> keys(RaspValue.Dict dict) {
        return dict.keys().stream().map(k -> (RaspValue) new RaspValue.Plain(k)).toList();
    }

    /// What several names take apart.
    static List<RaspValue> elements(RaspValue value, Span span) {
        return switch (value) {
            case RaspValue.Items i -> i.items();
            case RaspValue.Dict d -> keys(d);
            case RaspValue.Plain(Atom.Text t) -> characters(t.value());
            case RaspValue.Poison p -> throw RaspError.silent();
            default ->
                throw new RaspError(Problem.TYPE, span, "several names take a list apart, not " + value.describe(), "");
        };
    }

    /// The characters of a string.
    static List<RaspValue> characters(String text) {
        return text.codePoints()
                .mapToObj(c -> (RaspValue) new RaspValue.Plain(Atom.of(Character.toString(c))))
                .toList();
    }

    /// A value as the input of a sequence program, if it can be one.
    static Optional<List<Atom>> asInput(RaspValue value) {
        try {
            return Optional.of(input(value, Span.NONE));
        } catch (RaspError e) {
            return Optional.empty();
        }
    }

    /// A value as the input of a sequence program.
    static List<Atom> input(RaspValue value, Span span) {
        List<Atom> atoms = new ArrayList<>();
        for (RaspValue item :
                value instanceof RaspValue.Plain(Atom.Text t) ? characters(t.value()) : iterable(value, span)) {
            if (!(item instanceof RaspValue.Plain p)) {
                throw new RaspError(Problem.TYPE, span, "an input holds atoms, not " + item.describe(), "");
            }
            atoms.add(p.atom());
        }
        if (atoms.isEmpty()) {
            throw new RaspError(Problem.VALUE, span, "the input is empty; sequences have at least one position", "");
        }
        return atoms;
    }

    private static List<RaspValue> iterable(RaspValue value, Span span) {
        return switch (value) {
            case RaspValue.Items i -> i.items();
            case RaspValue.Dict d -> keys(d);
            default ->
                throw new RaspError(
                        Problem.TYPE, span, "an input is a string or a list of atoms, not " + value.describe(), "");
        };
    }
}
