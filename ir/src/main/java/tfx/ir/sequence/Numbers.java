package tfx.ir.sequence;

import java.math.BigDecimal;
import java.math.BigInteger;

/// Python's numbers, which RASP's are: integers of any size, `/` always a float, `round` to even, `%` with the
/// sign of the divisor, and bools that count as 0 and 1.
public final class Numbers {
    /// The longest integer, in bits, and the longest string: enough for any program that ends, and small enough to
    /// end those that do not.
    private static final int MAX_BITS = 1 << 20;

    private static final int MAX_CHARACTERS = 1 << 20;

    private Numbers() {}

    /// `bool(x)`.
    public static boolean truth(Atom x) {
        return switch (x) {
            case Atom.Whole w -> w.value().signum() != 0;
            case Atom.Real r -> r.value() != 0;
            case Atom.Text t -> !t.value().isEmpty();
            case Atom.Truth t -> t.value();
        };
    }

    /// `a == b`: by value among numbers, never between a number and a string.
    public static boolean same(Atom a, Atom b) {
        if (a instanceof Atom.Text s && b instanceof Atom.Text t) {
            return s.value().equals(t.value());
        }
        return a.kind().isNumber() && b.kind().isNumber() && !unordered(a, b) && compareNumbers(a, b) == 0;
    }

    /// What atoms that are the `same` have in common, for hashing.
    public static Object key(Atom x) {
        return switch (x) {
            case Atom.Text t -> t.value();
            case Atom.Whole w -> w.value();
            case Atom.Truth t -> t.value() ? BigInteger.ONE : BigInteger.ZERO;
            case Atom.Real r ->
                Double.isFinite(r.value()) && r.value() == Math.rint(r.value())
                        ? (Object) new BigDecimal(r.value()).toBigInteger()
                        : (Object) r.value();
        };
    }

    /// The order of two strings or two numbers that are not NaN.
    ///
    /// @throws SequenceError for a number and a string
    static int compare(String operator, Atom a, Atom b) {
        if (a instanceof Atom.Text s && b instanceof Atom.Text t) {
            return compareText(s.value(), t.value());
        }
        if (!a.kind().isNumber() || !b.kind().isNumber()) {
            throw undefined(operator, a, b);
        }
        return compareNumbers(a, b);
    }

    /// By code points, as Python does; Java's own order is by UTF-16 units.
    public static int compareText(String a, String b) {
        int i = 0;
        while (i < a.length() && i < b.length()) {
            int x = a.codePointAt(i);
            int y = b.codePointAt(i);
            if (x != y) {
                return Integer.compare(x, y);
            }
            i += Character.charCount(x);
        }
        return Integer.compare(a.length(), b.length());
    }

    static boolean unordered(Atom a, Atom b) {
        return a instanceof Atom.Real x && Double.isNaN(x.value())
                || b instanceof Atom.Real y && Double.isNaN(y.value());
    }

    private static int compareNumbers(Atom a, Atom b) {
        if (a instanceof Atom.Real x && b instanceof Atom.Real y) {
            return x.value() < y.value() ? -1 : x.value() > y.value() ? 1 : 0;
        }
        if (a instanceof Atom.Real x && !Double.isFinite(x.value())) {
            return x.value() > 0 ? 1 : -1;
        }
        if (b instanceof Atom.Real y && !Double.isFinite(y.value())) {
            return y.value() > 0 ? -1 : 1;
        }
        return a instanceof Atom.Real || b instanceof Atom.Real
                ? decimal(a).compareTo(decimal(b))
                : whole(a).compareTo(whole(b));
    }

    private static BigDecimal decimal(Atom x) {
        return x instanceof Atom.Real r ? new BigDecimal(r.value()) : new BigDecimal(whole(x));
    }

    /// The integer that an int or a bool is.
    static BigInteger whole(Atom x) {
        return switch (x) {
            case Atom.Whole w -> w.value();
            case Atom.Truth t -> t.value() ? BigInteger.ONE : BigInteger.ZERO;
            case Atom.Real r -> throw new SequenceError("expected an int, found the float " + PythonText.of(r));
            case Atom.Text t -> throw new SequenceError("expected an int, found a string");
        };
    }

    /// The float nearest to a number.
    ///
    /// @throws SequenceError for integers beyond the floats
    public static double real(Atom x) {
        if (x instanceof Atom.Real r) {
            return r.value();
        }
        double value = whole(x).doubleValue();
        if (Double.isInfinite(value)) {
            throw new SequenceError("the int is too large for a float");
        }
        return value;
    }

    static Atom add(Atom a, Atom b) {
        if (a instanceof Atom.Text s && b instanceof Atom.Text t) {
            return text(s.value(), t.value());
        }
        requireNumbers("+", a, b);
        return reals(a, b) ? Atom.of(real(a) + real(b)) : bounded(whole(a).add(whole(b)));
    }

    private static Atom text(String a, String b) {
        if ((long) a.length() + b.length() > MAX_CHARACTERS) {
            throw new SequenceError("the string would have more than " + MAX_CHARACTERS + " characters");
        }
        return Atom.of(a + b);
    }

    static Atom sub(Atom a, Atom b) {
        requireNumbers("-", a, b);
        return reals(a, b) ? Atom.of(real(a) - real(b)) : bounded(whole(a).subtract(whole(b)));
    }

    static Atom mul(Atom a, Atom b) {
        if (a instanceof Atom.Text t && !(b instanceof Atom.Real) && b.kind().isNumber()) {
            return repeat(t.value(), whole(b));
        }
        if (b instanceof Atom.Text t && !(a instanceof Atom.Real) && a.kind().isNumber()) {
            return repeat(t.value(), whole(a));
        }
        requireNumbers("*", a, b);
        return reals(a, b) ? Atom.of(real(a) * real(b)) : bounded(whole(a).multiply(whole(b)));
    }

    private static Atom repeat(String text, BigInteger times) {
        if (times.signum() <= 0 || text.isEmpty()) {
            return Atom.of("");
        }
        if (times.bitLength() > 31 || times.longValue() * text.length() > MAX_CHARACTERS) {
            throw new SequenceError("the string would have more than " + MAX_CHARACTERS + " characters");
        }
        return Atom.of(text.repeat(times.intValue()));
    }

    /// True division, correctly rounded also where the integers have no exact float.
    static Atom div(Atom a, Atom b) {
        requireNumbers("/", a, b);
        requireDivisor(b);
        if (reals(a, b)) {
            return Atom.of(real(a) / real(b));
        }
        return Atom.of(quotient(whole(a), whole(b)));
    }

    private static double quotient(BigInteger a, BigInteger b) {
        if (a.bitLength() <= 53 && b.bitLength() <= 53) {
            return a.doubleValue() / b.doubleValue();
        }
        // Some 66 bits of the quotient, and a last one for what is left over, round as all of it would.
        int shift = 66 - a.bitLength() + b.bitLength();
        BigInteger dividend = a.abs().shiftLeft(Math.max(0, shift));
        BigInteger[] parts = dividend.divideAndRemainder(b.abs().shiftLeft(Math.max(0, -shift)));
        BigInteger sticky = parts[0].shiftLeft(1).or(parts[1].signum() == 0 ? BigInteger.ZERO : BigInteger.ONE);
        double value = Math.scalb(sticky.doubleValue(), -shift - 1);
        if (Double.isInfinite(value)) {
            throw new SequenceError("the quotient is too large for a float");
        }
        return a.signum() * b.signum() < 0 ? -value : value;
    }

    /// The remainder with the sign of the divisor.
    static Atom mod(Atom a, Atom b) {
        requireNumbers("%", a, b);
        requireDivisor(b);
        if (!reals(a, b)) {
            BigInteger divisor = whole(b);
            BigInteger remainder = whole(a).mod(divisor.abs());
            return new Atom.Whole(divisor.signum() < 0 && remainder.signum() != 0 ? remainder.add(divisor) : remainder);
        }
        double divisor = real(b);
        double remainder = real(a) % divisor;
        if (remainder == 0) {
            return Atom.of(Math.copySign(0.0, divisor));
        }
        return Atom.of((remainder < 0) == (divisor < 0) ? remainder : remainder + divisor);
    }

    static Atom pow(Atom a, Atom b) {
        requireNumbers("^", a, b);
        if (!reals(a, b) && whole(b).signum() >= 0) {
            return power(whole(a), whole(b));
        }
        double base = real(a);
        double exponent = real(b);
        if (base == 0 && exponent < 0) {
            throw new SequenceError("0 to a negative power");
        }
        if (base < 0 && Double.isFinite(exponent) && exponent != Math.rint(exponent) && Double.isFinite(base)) {
            throw new SequenceError("a negative number to a power that is no integer is no real number");
        }
        double value = base == 1 || exponent == 0 ? 1 : Math.pow(base, exponent);
        if (Double.isInfinite(value) && Double.isFinite(base) && Double.isFinite(exponent)) {
            throw new SequenceError("the power is too large for a float");
        }
        return Atom.of(value);
    }

    private static Atom power(BigInteger base, BigInteger exponent) {
        if (base.bitLength() <= 1 && base.abs().compareTo(BigInteger.ONE) <= 0) {
            boolean odd = exponent.testBit(0);
            return new Atom.Whole(exponent.signum() == 0 ? BigInteger.ONE : odd ? base : base.multiply(base));
        }
        if (exponent.bitLength() > 31 || (long) base.bitLength() * exponent.longValue() > MAX_BITS) {
            throw new SequenceError("the power would have more than " + MAX_BITS + " bits");
        }
        return new Atom.Whole(base.pow(exponent.intValue()));
    }

    private static Atom bounded(BigInteger value) {
        if (value.bitLength() > MAX_BITS) {
            throw new SequenceError("the integer would have more than " + MAX_BITS + " bits");
        }
        return new Atom.Whole(value);
    }

    static Atom neg(Atom x) {
        requireNumber("-", x);
        return x instanceof Atom.Real r ? Atom.of(-r.value()) : new Atom.Whole(whole(x).negate());
    }

    static Atom pos(Atom x) {
        requireNumber("+", x);
        return x instanceof Atom.Real ? x : new Atom.Whole(whole(x));
    }

    /// The nearest integer, of two the even one.
    static Atom round(Atom x) {
        requireNumber("round", x);
        if (!(x instanceof Atom.Real r)) {
            return new Atom.Whole(whole(x));
        }
        if (!Double.isFinite(r.value())) {
            throw new SequenceError("round of " + PythonText.of(x) + ", which is no number");
        }
        return new Atom.Whole(new BigDecimal(Math.rint(r.value())).toBigInteger());
    }

    private static boolean reals(Atom a, Atom b) {
        return a instanceof Atom.Real || b instanceof Atom.Real;
    }

    private static void requireNumber(String operator, Atom x) {
        if (!x.kind().isNumber()) {
            throw new SequenceError(
                    operator + " is not defined on a " + x.kind().text());
        }
    }

    private static void requireNumbers(String operator, Atom a, Atom b) {
        if (!a.kind().isNumber() || !b.kind().isNumber()) {
            throw undefined(operator, a, b);
        }
    }

    private static void requireDivisor(Atom b) {
        if (!truth(b)) {
            throw new SequenceError("division by zero");
        }
    }

    static SequenceError undefined(String operator, Atom a, Atom b) {
        return new SequenceError(operator + " is not defined on " + a.kind().text() + " and "
                + b.kind().text());
    }
}
