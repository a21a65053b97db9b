package tfx.passes.sequence;

import java.util.List;
import tfx.ir.sequence.Atom;
import tfx.ir.sequence.Kind;
import tfx.ir.sequence.SequenceNode;
import tfx.ir.sequence.SequenceOp;

/// An input of a lowered program, which a call computes from its tokens. Strings are codes: their places among all
/// strings that can come up in that call, sorted.
public sealed interface Feed {
    /// The input's name in the graph.
    String name();

    /// As many entries as tokens, whose values do not matter: `[n]` bools.
    record Positions(String name) implements Feed {}

    /// The tokens: `[n]`, of the dtype of their kind.
    record Tokens(String name, SequenceOp.Conversion conversion, Kind kind) implements Feed {}

    /// The code of one string, -1 if it does not come up: a scalar.
    record Code(String name, String text) implements Feed {}

    /// Some atoms of one kind.
    record Values(String name, List<Atom> values, Kind kind) implements Feed {
        public Values {
            values = List.copyOf(values);
        }
    }

    /// A function of strings, for each code: `[codes]`. Where it fails, `valid` is false.
    ///
    /// @param node the operation of one string operand
    /// @param kind of its values
    record Table(String name, String valid, SequenceNode node, int operand, Kind kind) implements Feed {}

    /// A function of two strings, for each pair of codes: `[codes * codes]`.
    record PairTable(String name, SequenceNode node) implements Feed {}

    /// What an atom is as a number in a vector.
    static double number(Atom atom) {
        return switch (atom) {
            case Atom.Whole w -> w.value().doubleValue();
            case Atom.Real r -> r.value();
            case Atom.Truth t -> t.value() ? 1 : 0;
            case Atom.Text t -> throw new IllegalArgumentException("a string is no number");
        };
    }
}
