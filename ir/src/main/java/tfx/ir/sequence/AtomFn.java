package tfx.ir.sequence;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.IntPredicate;
import tfx.ir.BinaryFn;
import tfx.ir.InternalError;

/// Functions of atoms, which s-ops apply at each position. A row says what it is called, what it does, and which
/// kinds it gives for which.
public enum AtomFn {
    NEG("-", 1, (a, b) -> Numbers.neg(a), AtomFn::arithmetic),
    POS("+", 1, (a, b) -> Numbers.pos(a), AtomFn::arithmetic),
    ROUND("round", 1, (a, b) -> Numbers.round(a), AtomFn::rounded),
    NOT("not", 1, (a, b) -> Atom.of(!Numbers.truth(a)), AtomFn::truths),
    INDICATOR("indicator", 1, (a, b) -> Atom.of(Numbers.truth(a) ? 1 : 0), (a, b) -> EnumSet.of(Kind.WHOLE)),
    ADD("+", 2, Numbers::add, AtomFn::sums),
    SUB("-", 2, Numbers::sub, AtomFn::arithmetic),
    MUL("*", 2, Numbers::mul, AtomFn::products),
    DIV("/", 2, Numbers::div, AtomFn::quotients),
    MOD("%", 2, Numbers::mod, AtomFn::arithmetic),
    POW("^", 2, Numbers::pow, AtomFn::powers),
    AND("and", 2, (a, b) -> Atom.of(Numbers.truth(a) && Numbers.truth(b)), AtomFn::truths),
    OR("or", 2, (a, b) -> Atom.of(Numbers.truth(a) || Numbers.truth(b)), AtomFn::truths),
    EQ("==", 2, (a, b) -> Atom.of(Numbers.same(a, b)), AtomFn::truths),
    NE("!=", 2, (a, b) -> Atom.of(!Numbers.same(a, b)), AtomFn::truths),
    LT("<", order -> order < 0),
    LE("<=", order -> order <= 0),
    GT(">", order -> order > 0),
    GE(">=", order -> order >= 0);

    /// What a function makes of two atoms; one of a single atom takes it twice.
    @FunctionalInterface
    private interface Meaning {
        Atom of(Atom a, Atom b);
    }

    /// What kinds the value can have; none where the function is not defined.
    @FunctionalInterface
    private interface Result {
        Set<Kind> of(Kind a, Kind b);
    }

    private final String text;
    private final int arity;
    private final Meaning meaning;
    private final Result result;

    AtomFn(String text, int arity, Meaning meaning, Result result) {
        this.text = text;
        this.arity = arity;
        this.meaning = meaning;
        this.result = result;
    }

    /// One of Python's orders, with which NaN stands in none.
    AtomFn(String text, IntPredicate order) {
        this(
                text,
                2,
                (a, b) -> Atom.of(order.test(Numbers.compare(text, a, b)) && !Numbers.unordered(a, b)),
                AtomFn::ordered);
    }

    public String text() {
        return text;
    }

    public int arity() {
        return arity;
    }

    /// The value; a function of one atom takes it twice.
    Atom of(Atom a, Atom b) {
        return meaning.of(a, b);
    }

    /// @throws SequenceError where the function is not defined on these atoms
    public Atom apply(List<Atom> atoms) {
        return of(atoms.getFirst(), atoms.getLast());
    }

    /// The kinds of the values for arguments of any of these kinds; empty where all of them fail.
    public Set<Kind> kinds(List<Set<Kind>> arguments) {
        EnumSet<Kind> all = EnumSet.noneOf(Kind.class);
        for (Kind a : arguments.getFirst()) {
            for (Kind b : arguments.getLast()) {
                all.addAll(result.of(a, b));
            }
        }
        return all;
    }

    /// The comparison of atoms that has the name of one of tensors.
    public static AtomFn comparison(BinaryFn fn) {
        return switch (fn) {
            case EQ -> EQ;
            case NE -> NE;
            case LT -> LT;
            case LE -> LE;
            case GT -> GT;
            case GE -> GE;
            default -> throw new InternalError(fn + " compares nothing");
        };
    }

    private static Set<Kind> arithmetic(Kind a, Kind b) {
        if (!a.isNumber() || !b.isNumber()) {
            return Set.of();
        }
        return EnumSet.of(a == Kind.REAL || b == Kind.REAL ? Kind.REAL : Kind.WHOLE);
    }

    private static Set<Kind> sums(Kind a, Kind b) {
        return a == Kind.TEXT && b == Kind.TEXT ? EnumSet.of(Kind.TEXT) : arithmetic(a, b);
    }

    /// A string times an int repeats it.
    private static Set<Kind> products(Kind a, Kind b) {
        boolean repeats =
                a == Kind.TEXT && b.isNumber() && b != Kind.REAL || b == Kind.TEXT && a.isNumber() && a != Kind.REAL;
        return repeats ? EnumSet.of(Kind.TEXT) : arithmetic(a, b);
    }

    private static Set<Kind> quotients(Kind a, Kind b) {
        return a.isNumber() && b.isNumber() ? EnumSet.of(Kind.REAL) : Set.of();
    }

    /// An int to a negative power is a float.
    private static Set<Kind> powers(Kind a, Kind b) {
        Set<Kind> plain = arithmetic(a, b);
        return plain.contains(Kind.WHOLE) ? EnumSet.of(Kind.WHOLE, Kind.REAL) : plain;
    }

    private static Set<Kind> rounded(Kind a, Kind b) {
        return a.isNumber() ? EnumSet.of(Kind.WHOLE) : Set.of();
    }

    private static Set<Kind> truths(Kind a, Kind b) {
        return EnumSet.of(Kind.TRUTH);
    }

    private static Set<Kind> ordered(Kind a, Kind b) {
        return a.isNumber() == b.isNumber() ? EnumSet.of(Kind.TRUTH) : Set.of();
    }
}
