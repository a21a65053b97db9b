package tfx.ir.sequence;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.regex.Pattern;

/// Text of atoms and atoms of text, as Python's `str`, `repr`, `int` and `float` have them.
public final class PythonText {
    private static final Pattern WHOLE = Pattern.compile("[+-]?\\d+(_\\d+)*");
    private static final Pattern REAL =
            Pattern.compile("[+-]?(\\d+(_\\d+)*\\.?(\\d+(_\\d+)*)?|\\.\\d+(_\\d+)*)([eE][+-]?\\d+(_\\d+)*)?");
    private static final Pattern INFINITE = Pattern.compile("[+-]?inf(inity)?", Pattern.CASE_INSENSITIVE);
    private static final Pattern NO_NUMBER = Pattern.compile("[+-]?nan", Pattern.CASE_INSENSITIVE);
    private static final int MAX_DIGITS = 4300;

    private PythonText() {}

    /// `str(x)`.
    public static String of(Atom x) {
        return switch (x) {
            case Atom.Whole w -> w.value().toString();
            case Atom.Real r -> of(r.value());
            case Atom.Text t -> t.value();
            case Atom.Truth t -> t.value() ? "True" : "False";
        };
    }

    /// `repr(x)`: strings in quotes, single ones unless the string has those and no double ones.
    public static String quoted(Atom x) {
        if (!(x instanceof Atom.Text t)) {
            return of(x);
        }
        char quote = t.value().indexOf('\'') >= 0 && t.value().indexOf('"') < 0 ? '"' : '\'';
        StringBuilder out = new StringBuilder().append(quote);
        t.value().codePoints().forEach(c -> {
            switch (c) {
                case '\\' -> out.append("\\\\");
                case '\t' -> out.append("\\t");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                default -> {
                    if (c == quote) {
                        out.append('\\').append(quote);
                    } else if (Character.isISOControl(c)) {
                        out.append(String.format("\\x%02x", c));
                    } else {
                        out.appendCodePoint(c);
                    }
                }
            }
        });
        return out.append(quote).toString();
    }

    /// The shortest digits that are this float, with an exponent below 1e-4 and from 1e16 on.
    static String of(double x) {
        if (!Double.isFinite(x)) {
            return Double.isNaN(x) ? "nan" : x > 0 ? "inf" : "-inf";
        }
        if (x == 0) {
            return 1 / x < 0 ? "-0.0" : "0.0";
        }
        BigDecimal shortest = new BigDecimal(Double.toString(Math.abs(x))).stripTrailingZeros();
        String digits = shortest.unscaledValue().toString();
        int exponent = digits.length() - 1 - shortest.scale();
        String text;
        if (exponent < -4 || exponent >= 16) {
            String sign = exponent < 0 ? "-" : "+";
            String power = Math.abs(exponent) < 10 ? "0" + Math.abs(exponent) : Integer.toString(Math.abs(exponent));
            text = digits.charAt(0) + (digits.length() > 1 ? "." + digits.substring(1) : "") + "e" + sign + power;
        } else {
            text = shortest.toPlainString();
            text = text.contains(".") ? text : text + ".0";
        }
        return x < 0 ? "-" + text : text;
    }

    /// What a sequence shows at one position: floats to three digits, bools as T and F.
    public static String shown(Atom x) {
        return switch (x) {
            case Atom.Real r -> of(rounded(r.value()));
            case Atom.Truth t -> t.value() ? "T" : "F";
            case Atom.Whole w -> of(w);
            case Atom.Text t -> t.value();
        };
    }

    /// `round(x, 3)`: by the exact value of the float, half to even.
    private static double rounded(double x) {
        if (!Double.isFinite(x)) {
            return x;
        }
        double value = new BigDecimal(x).setScale(3, RoundingMode.HALF_EVEN).doubleValue();
        return value == 0 ? Math.copySign(0.0, x) : value;
    }

    /// `int(x)`.
    ///
    /// @throws SequenceError where there is none
    public static Atom whole(Atom x) {
        return switch (x) {
            case Atom.Whole w -> w;
            case Atom.Truth t -> Atom.of(t.value() ? 1 : 0);
            case Atom.Real r -> {
                if (!Double.isFinite(r.value())) {
                    throw new SequenceError(of(r) + " is no int");
                }
                yield new Atom.Whole(new BigDecimal(r.value()).toBigInteger());
            }
            case Atom.Text t -> {
                String text = ascii(t.value());
                if (!WHOLE.matcher(text).matches() || text.length() > MAX_DIGITS) {
                    throw new SequenceError(quoted(t) + " is no int");
                }
                yield new Atom.Whole(new BigInteger(text.replace("_", "")));
            }
        };
    }

    /// Without space around it, digits of all scripts as 0 to 9.
    private static String ascii(String text) {
        StringBuilder out = new StringBuilder();
        text.strip()
                .codePoints()
                .forEach(c -> out.appendCodePoint(Character.isDigit(c) ? '0' + Character.digit(c, 10) : c));
        return out.toString();
    }

    /// `float(x)`.
    ///
    /// @throws SequenceError where there is none
    public static Atom real(Atom x) {
        if (!(x instanceof Atom.Text t)) {
            return Atom.of(Numbers.real(x));
        }
        String text = ascii(t.value());
        if (INFINITE.matcher(text).matches()) {
            return Atom.of(text.startsWith("-") ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY);
        }
        if (NO_NUMBER.matcher(text).matches()) {
            return Atom.of(Double.NaN);
        }
        if (!REAL.matcher(text).matches()) {
            throw new SequenceError(quoted(t) + " is no float");
        }
        return Atom.of(Double.parseDouble(text.replace("_", "")));
    }
}
