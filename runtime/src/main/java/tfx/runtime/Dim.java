package tfx.runtime;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;

/// A size or an index: a polynomial with integer coefficients over named symbols and over the floor quotients and
/// remainders that reshapes bring in. Immutable and in normal form, so that `equals` decides equality of
/// polynomials.
///
/// All symbols are non-negative. Arithmetic that leaves 64 bits throws `ArithmeticException`.
public final class Dim {
    /// A factor of a term.
    public sealed interface Atom permits Symbol, Quotient, Remainder {}

    /// A named size (`N`) or loop axis (`i`).
    public record Symbol(String name) implements Atom {
        @Override
        public String toString() {
            return name;
        }
    }

    /// `floor(dividend / divisor)`, the divisor positive.
    public record Quotient(Dim dividend, Dim divisor) implements Atom {
        @Override
        public String toString() {
            return "(" + dividend + ") / (" + divisor + ")";
        }
    }

    /// `dividend mod divisor`, the divisor positive.
    public record Remainder(Dim dividend, Dim divisor) implements Atom {
        @Override
        public String toString() {
            return "(" + dividend + ") % (" + divisor + ")";
        }
    }

    /// A coefficient times a product of atoms.
    public record Term(long coefficient, List<Atom> atoms) {
        public Term {
            atoms = List.copyOf(atoms);
        }

        String key() {
            return atoms.stream().map(Term::factor).collect(Collectors.joining("*"));
        }

        private static String factor(Atom atom) {
            return atom instanceof Symbol ? atom.toString() : "(" + atom + ")";
        }
    }

    private static final int MAX_DEGREE = 32;

    public static final Dim ZERO = new Dim(List.of());
    public static final Dim ONE = of(1);

    private final List<Term> terms;

    private Dim(List<Term> terms) {
        this.terms = List.copyOf(terms);
    }

    public static Dim of(long value) {
        return value == 0 ? new Dim(List.of()) : new Dim(List.of(new Term(value, List.of())));
    }

    public static Dim symbol(String name) {
        return atom(new Symbol(name));
    }

    private static Dim atom(Atom atom) {
        return new Dim(List.of(new Term(1, List.of(atom))));
    }

    public List<Term> terms() {
        return terms;
    }

    private static Dim normal(List<Term> terms) {
        Map<String, Term> merged = new TreeMap<>();
        for (Term term : terms) {
            merged.merge(term.key(), term, (a, b) -> new Term(Math.addExact(a.coefficient, b.coefficient), a.atoms));
        }
        List<Term> kept = new ArrayList<>();
        merged.values().stream().filter(t -> t.coefficient != 0).forEach(kept::add);
        return new Dim(kept);
    }

    public Dim plus(Dim other) {
        if (terms.isEmpty() || other.terms.isEmpty()) {
            return terms.isEmpty() ? other : this;
        }
        List<Term> sum = new ArrayList<>(terms);
        sum.addAll(other.terms);
        return normal(sum);
    }

    public Dim plus(long value) {
        return plus(of(value));
    }

    public Dim minus(Dim other) {
        return plus(other.times(of(-1)));
    }

    public Dim times(Dim other) {
        if (isConstant(1) || other.isConstant(1)) {
            return isConstant(1) ? other : this;
        }
        List<Term> product = new ArrayList<>();
        for (Term a : terms) {
            for (Term b : other.terms) {
                List<Atom> atoms = new ArrayList<>(a.atoms);
                atoms.addAll(b.atoms);
                if (atoms.size() > MAX_DEGREE) {
                    throw new ArithmeticException("a size of degree " + atoms.size());
                }
                atoms.sort(Comparator.comparing(Object::toString));
                product.add(new Term(Math.multiplyExact(a.coefficient, b.coefficient), atoms));
            }
        }
        return normal(product);
    }

    public Dim times(long value) {
        return times(of(value));
    }

    /// The value if this is a number.
    public Optional<Long> constant() {
        if (terms.isEmpty()) {
            return Optional.of(0L);
        }
        return terms.size() == 1 && terms.getFirst().atoms.isEmpty()
                ? Optional.of(terms.getFirst().coefficient)
                : Optional.empty();
    }

    public boolean isConstant(long value) {
        return constant().filter(c -> c == value).isPresent();
    }

    /// The name if this is a lone symbol.
    public Optional<String> symbolName() {
        return terms.size() == 1
                        && terms.getFirst().coefficient == 1
                        && terms.getFirst().atoms.size() == 1
                        && terms.getFirst().atoms.getFirst() instanceof Symbol s
                ? Optional.of(s.name)
                : Optional.empty();
    }

    /// The exact quotient, if `divisor` is one term that divides every term of this polynomial.
    public Optional<Dim> exactDivide(Dim divisor) {
        if (divisor.terms.size() != 1) {
            return equals(divisor) ? Optional.of(ONE) : Optional.empty();
        }
        Term by = divisor.terms.getFirst();
        List<Term> quotient = new ArrayList<>();
        for (Term term : terms) {
            Optional<Term> q = divide(term, by);
            if (q.isEmpty()) {
                return Optional.empty();
            }
            quotient.add(q.get());
        }
        return Optional.of(normal(quotient));
    }

    private static Optional<Term> divide(Term term, Term by) {
        List<Atom> left = new ArrayList<>(term.atoms);
        for (Atom atom : by.atoms) {
            if (!left.remove(atom)) {
                return Optional.empty();
            }
        }
        return term.coefficient % by.coefficient == 0
                ? Optional.of(new Term(term.coefficient / by.coefficient, left))
                : Optional.empty();
    }

    /// The parts of this polynomial that the divisor divides (their quotient) and does not divide.
    private Dim[] split(Dim divisor) {
        Dim quotient = ZERO;
        Dim rest = ZERO;
        for (Term term : terms) {
            Dim single = new Dim(List.of(term));
            Optional<Dim> q = single.exactDivide(divisor);
            if (q.isPresent()) {
                quotient = quotient.plus(q.get());
            } else {
                rest = rest.plus(single);
            }
        }
        return new Dim[] {quotient, rest};
    }

    /// The floor quotient, simplified with the exclusive upper bounds of loop axes (`axisSize`, empty for other
    /// symbols).
    public Dim floorDivide(Dim divisor, Function<String, Optional<Dim>> axisSize) {
        if (divisor.isConstant(1)) {
            return this;
        }
        Dim[] parts = split(divisor);
        if (parts[1].constant().isPresent() && divisor.constant().isPresent()) {
            return parts[0].plus(
                    Math.floorDiv(parts[1].constant().get(), divisor.constant().get()));
        }
        if (parts[1].provablyInside(divisor, axisSize)) {
            return parts[0];
        }
        return parts[0].plus(atom(new Quotient(parts[1], divisor)));
    }

    /// The remainder, simplified like {@link #floorDivide}.
    public Dim remainder(Dim divisor, Function<String, Optional<Dim>> axisSize) {
        if (divisor.isConstant(1)) {
            return ZERO;
        }
        Dim rest = split(divisor)[1];
        if (rest.constant().isPresent() && divisor.constant().isPresent()) {
            return of(Math.floorMod(rest.constant().get(), divisor.constant().get()));
        }
        return rest.provablyInside(divisor, axisSize) ? rest : atom(new Remainder(rest, divisor));
    }

    /// Whether `0 <= this < limit` holds for all values of the axes.
    private boolean provablyInside(Dim limit, Function<String, Optional<Dim>> axisSize) {
        Dim largest = ZERO;
        for (Term term : terms) {
            if (term.coefficient < 0) {
                return false;
            }
            Dim product = of(term.coefficient);
            for (Atom atom : term.atoms) {
                Dim most = switch (atom) {
                    case Symbol s -> axisSize.apply(s.name).map(n -> n.plus(-1)).orElse(symbol(s.name));
                    case Remainder r -> r.divisor.plus(-1);
                    case Quotient q -> atom(q);
                };
                product = product.times(most);
            }
            largest = largest.plus(product);
        }
        return limit.minus(largest).plus(-1).terms.stream().allMatch(t -> t.coefficient >= 0);
    }

    /// The value when every symbol has one.
    public long evaluate(Function<String, Long> values) {
        long sum = 0;
        for (Term term : terms) {
            long product = term.coefficient;
            for (Atom atom : term.atoms) {
                long factor = switch (atom) {
                    case Symbol s -> values.apply(s.name);
                    case Quotient q -> Math.floorDiv(q.dividend.evaluate(values), q.divisor.evaluate(values));
                    case Remainder r -> Math.floorMod(r.dividend.evaluate(values), r.divisor.evaluate(values));
                };
                product = Math.multiplyExact(product, factor);
            }
            sum = Math.addExact(sum, product);
        }
        return sum;
    }

    /// This polynomial with symbols replaced; quotients are simplified again with `axisSize`.
    public Dim substitute(Function<String, Optional<Dim>> replacement, Function<String, Optional<Dim>> axisSize) {
        Dim sum = ZERO;
        for (Term term : terms) {
            Dim product = of(term.coefficient);
            for (Atom atom : term.atoms) {
                Dim factor = switch (atom) {
                    case Symbol s -> replacement.apply(s.name).orElseGet(() -> symbol(s.name));
                    case Quotient q ->
                        q.dividend
                                .substitute(replacement, axisSize)
                                .floorDivide(q.divisor.substitute(replacement, axisSize), axisSize);
                    case Remainder r ->
                        r.dividend
                                .substitute(replacement, axisSize)
                                .remainder(r.divisor.substitute(replacement, axisSize), axisSize);
                };
                product = product.times(factor);
            }
            sum = sum.plus(product);
        }
        return sum;
    }

    /// All symbols, those inside quotients included.
    public Set<String> symbols() {
        Set<String> names = new TreeSet<>();
        collect(names);
        return names;
    }

    private void collect(Set<String> names) {
        for (Term term : terms) {
            for (Atom atom : term.atoms) {
                switch (atom) {
                    case Symbol s -> names.add(s.name);
                    case Quotient q -> {
                        q.dividend.collect(names);
                        q.divisor.collect(names);
                    }
                    case Remainder r -> {
                        r.dividend.collect(names);
                        r.divisor.collect(names);
                    }
                }
            }
        }
    }

    /// The factor of a symbol that occurs linearly, empty if it occurs in a quotient or with a power.
    public Optional<Dim> linearFactor(String name) {
        Dim factor = ZERO;
        for (Term term : terms) {
            List<Atom> rest = new ArrayList<>(term.atoms);
            boolean present = rest.remove(new Symbol(name));
            Dim others = new Dim(List.of(new Term(term.coefficient, rest)));
            if (others.symbols().contains(name)) {
                return Optional.empty();
            }
            if (present) {
                factor = factor.plus(others);
            }
        }
        return Optional.of(factor);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Dim dim && dim.terms.equals(terms);
    }

    @Override
    public int hashCode() {
        return terms.hashCode();
    }

    @Override
    public String toString() {
        if (terms.isEmpty()) {
            return "0";
        }
        StringBuilder out = new StringBuilder();
        for (Term term : terms.reversed()) {
            String key = term.key();
            long c = term.coefficient;
            out.append(out.isEmpty() ? (c < 0 ? "-" : "") : (c < 0 ? " - " : " + "));
            String magnitude = Long.toUnsignedString(Math.abs(c));
            out.append(key.isEmpty() ? magnitude : Math.abs(c) == 1 ? key : magnitude + "*" + key);
        }
        return out.toString();
    }
}
