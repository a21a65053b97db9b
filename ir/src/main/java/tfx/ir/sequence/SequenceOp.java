package tfx.ir.sequence;

import java.util.List;
import java.util.Locale;

/// The operations of RASP (Weiss et al. 2021, "Thinking Like Transformers", arXiv 2106.06981): s-ops, which have a
/// value at each position of the input, and selectors, which are relations between positions.
public sealed interface SequenceOp {
    /// How the input becomes atoms.
    enum Conversion {
        ASIS,
        STR,
        INT,
        FLOAT,
        BOOL;

        /// The name of the s-op, such as `tokens_int`.
        public String sequence() {
            return "tokens_" + name().toLowerCase(Locale.ROOT);
        }
    }

    /// The input.
    record Tokens(Conversion conversion) implements SequenceOp {}

    /// 0, 1, 2, ...
    record Indices() implements SequenceOp {}

    /// The same atom at each position.
    record Constant(Atom value) implements SequenceOp {}

    /// Operations that need nothing but the atoms of their operands at the same position.
    sealed interface Pointwise extends SequenceOp {}

    /// A function of the atoms at each position.
    record Map(AtomFn fn) implements Pointwise {}

    /// `a if condition else b` at each position; both arms are computed everywhere.
    record Choose() implements Pointwise {}

    /// The entry of a table that each position names: of a list by its place, of a dict by its key.
    ///
    /// @param keys the keys of a dict; none for a list, whose places count from 0, or from -1 at its end
    record Lookup(List<Atom> keys, List<Atom> values) implements Pointwise {
        public Lookup {
            keys = List.copyOf(keys);
            values = List.copyOf(values);
        }

        public boolean isList() {
            return keys.isEmpty();
        }
    }

    /// Whether each position is one of some atoms.
    record Among(List<Atom> items) implements Pointwise {
        public Among {
            items = List.copyOf(items);
        }
    }

    /// Operations whose value is a selector.
    sealed interface Selector extends SequenceOp {}

    /// `select(keys, queries, comparison)`: true at (query i, key j) where `keys[j] comparison queries[i]`.
    record Select(AtomFn comparison) implements Selector {}

    /// Both selectors.
    record Both() implements Selector {}

    /// Either selector.
    record Either() implements Selector {}

    /// All that a selector does not select.
    record Complement() implements Selector {}

    /// How the values that a position selects become one.
    enum Reduction {
        /// One value alone stays as it is, several numbers become a float.
        MEAN,
        /// The largest; of equal ones the first.
        MAX,
        /// The smallest; of equal ones the first.
        MIN
    }

    /// `aggregate(selector, values, otherwise)`: what the selected values reduce to; none gives `otherwise`.
    /// Maxima and minima are those of RASP-L (Zhou et al. 2023, arXiv 2310.16028).
    record Aggregate(Reduction reduction, Atom otherwise) implements SequenceOp {}

    /// `selector_width(selector)`: how many positions each position selects.
    record Width() implements SequenceOp {}
}
