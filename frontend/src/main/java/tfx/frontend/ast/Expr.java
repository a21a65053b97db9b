package tfx.frontend.ast;

import java.math.BigInteger;
import java.util.List;
import java.util.Optional;
import tfx.ir.BinaryFn;
import tfx.ir.Span;
import tfx.ir.sequence.AtomFn;

/// Expressions as written, of tfx and of its RASP dialect. Comparisons that chain are what they mean already.
public sealed interface Expr {
    Span span();

    /// Operators that are not functions of the op table.
    enum Operator {
        ADD("+", AtomFn.ADD),
        SUB("-", AtomFn.SUB),
        MUL("*", AtomFn.MUL),
        DIV("/", AtomFn.DIV),
        FLOORDIV("//"),
        MOD("%", AtomFn.MOD),
        POW("^", AtomFn.POW),
        MATMUL("@"),
        AND("and", AtomFn.AND),
        OR("or", AtomFn.OR),
        NEG("-"),
        POS("+"),
        NOT("not");

        private final String text;
        private final Optional<AtomFn> atoms;

        Operator(String text) {
            this.text = text;
            this.atoms = Optional.empty();
        }

        Operator(String text, AtomFn atoms) {
            this.text = text;
            this.atoms = Optional.of(atoms);
        }

        /// What it is between two s-ops or atoms, if anything.
        public Optional<AtomFn> atoms() {
            return atoms;
        }

        public String text() {
            return text;
        }
    }

    record Whole(BigInteger value, Span span) implements Expr {}

    record Real(double value, Span span) implements Expr {}

    record Text(String value, Span span) implements Expr {}

    record Truth(boolean value, Span span) implements Expr {}

    record Nothing(Span span) implements Expr {}

    record Name(String name, Span span) implements Expr {}

    /// A comparison operator as a value: `select(k, q, ==)`.
    record Comparator(BinaryFn fn, Span span) implements Expr {}

    record ListOf(List<Expr> items, Span span) implements Expr {}

    record Comprehension(Expr item, List<String> names, Expr iterable, Span span) implements Expr {}

    /// Expressions of the RASP dialect alone.
    sealed interface Script extends Expr {}

    /// `{key: value}`.
    record DictOf(List<Entry> entries, Span span) implements Script {}

    record DictComprehension(Entry entry, List<String> names, Expr iterable, Span span) implements Script {}

    /// `item in container`.
    record Contains(Expr item, Expr container, Span span) implements Script {}

    /// A function that no name hides, such as `select(`.
    record Builtin(String name, Span span) implements Script {}

    record Prefix(Operator operator, Expr operand, Span span) implements Expr {}

    record Infix(Operator operator, Expr left, Expr right, Span span) implements Expr {}

    record Compare(BinaryFn fn, Expr left, Expr right, Span span) implements Expr {}

    record Conditional(Expr condition, Expr then, Expr otherwise, Span span) implements Expr {}

    record Call(Expr function, List<Argument> arguments, Span span) implements Expr {}

    /// `from:to:step` inside brackets.
    record Slice(Optional<Expr> from, Optional<Expr> to, Optional<Expr> step, Span span) implements Expr {}

    /// `...` inside brackets: all dimensions that the other subscripts leave.
    record Ellipsis(Span span) implements Expr {}

    record Index(Expr value, List<Expr> indices, Span span) implements Expr {}

    record Member(Expr value, String name, Span span) implements Expr {}

    record Entry(Expr key, Expr value) {}

    /// An argument of a call, by name or by position.
    record Argument(Optional<String> name, Expr value) {}
}
