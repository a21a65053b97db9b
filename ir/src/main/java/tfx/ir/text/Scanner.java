package tfx.ir.text;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import tfx.runtime.DType;
import tfx.runtime.Dim;
import tfx.runtime.TensorType;

/// Reads the pieces that all IR texts share: words, numbers, strings, sizes, types. IR text comes from files, so
/// every surprise is a {@link ParseException} with a line.
public final class Scanner {
    private static final int MAX_DEPTH = 200;

    private final String text;
    private int at;
    private int depth;

    public Scanner(String text) {
        this.text = text;
    }

    /// A parse error at the current place.
    public ParseException error(String message) {
        int line = 1
                + (int) text.substring(0, Math.min(at, text.length()))
                        .chars()
                        .filter(c -> c == '\n')
                        .count();
        return new ParseException("line " + line + ": " + message);
    }

    private void skip() {
        while (at < text.length()) {
            char c = text.charAt(at);
            if (c == '#') {
                int end = text.indexOf('\n', at);
                at = end < 0 ? text.length() : end;
            } else if (Character.isWhitespace(c)) {
                at++;
            } else {
                return;
            }
        }
    }

    public boolean atEnd() {
        skip();
        return at >= text.length();
    }

    /// Whether the next characters are `token`.
    public boolean looking(String token) {
        skip();
        if (!text.startsWith(token, at)) {
            return false;
        }
        int end = at + token.length();
        boolean wordy = isWord(token.charAt(token.length() - 1));
        return !wordy || end >= text.length() || !isWord(text.charAt(end));
    }

    /// Takes `token` if it is next.
    public boolean accept(String token) {
        if (looking(token)) {
            at += token.length();
            return true;
        }
        return false;
    }

    public void expect(String token) {
        if (!accept(token)) {
            throw error("expected '" + token + "'" + found());
        }
    }

    private String found() {
        skip();
        return at >= text.length()
                ? " before the end"
                : ", found '" + text.substring(at, Math.min(at + 12, text.length())) + "'";
    }

    private static boolean isWord(char c) {
        return Character.isLetterOrDigit(c) || c == '_' || c == '.';
    }

    /// A word of letters, digits, underscores and dots.
    public String word() {
        skip();
        int start = at;
        while (at < text.length() && isWord(text.charAt(at))) {
            at++;
        }
        if (start == at) {
            throw error("expected a name" + found());
        }
        return text.substring(start, at);
    }

    /// A quoted string; `\"`, `\\` and `\n` are escapes.
    public String string() {
        expect("\"");
        StringBuilder out = new StringBuilder();
        while (at < text.length() && text.charAt(at) != '"') {
            char c = text.charAt(at++);
            if (c == '\\' && at < text.length()) {
                c = text.charAt(at++);
                c = c == 'n' ? '\n' : c;
            }
            out.append(c);
        }
        expect("\"");
        return out.toString();
    }

    public static String quote(String value) {
        return '"' + value.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + '"';
    }

    /// An integer, possibly negative.
    public long integer() {
        boolean negative = accept("-");
        try {
            String digits = word();
            return Long.parseLong(negative ? "-" + digits : digits);
        } catch (NumberFormatException e) {
            throw error("expected an integer");
        }
    }

    /// An integer of 32 bits.
    public int small() {
        long value = integer();
        if (value != (int) value) {
            throw error(value + " is too large");
        }
        return (int) value;
    }

    /// A float as `Double.toString` prints it, or an integer; `Double` if it has a point, exponent or is not
    /// finite.
    public Number number() {
        skip();
        int start = at;
        while (at < text.length() && (isWord(text.charAt(at)) || text.charAt(at) == '-' || text.charAt(at) == '+')) {
            at++;
        }
        String digits = text.substring(start, at);
        try {
            return digits.matches("-?[0-9]+") ? (Number) Long.parseLong(digits) : (Number) Double.parseDouble(digits);
        } catch (NumberFormatException e) {
            throw error("expected a number, found '" + digits + "'");
        }
    }

    /// `[0, 2, 1]`.
    public List<Integer> integers() {
        return list("[", "]", this::small);
    }

    /// Items between two brackets, separated by commas.
    public <T> List<T> list(String open, String close, java.util.function.Supplier<T> item) {
        expect(open);
        List<T> items = new ArrayList<>();
        while (!accept(close)) {
            if (!items.isEmpty()) {
                expect(",");
            }
            items.add(item.get());
        }
        return items;
    }

    public DType dtype() {
        String name = word();
        return DType.parse(name).orElseThrow(() -> error("unknown element type " + name));
    }

    /// `f32[N, 384]`.
    public TensorType type() {
        DType dtype = dtype();
        return new TensorType(dtype, list("[", "]", this::dim));
    }

    /// A size polynomial as {@link Dim#toString} prints it.
    public Dim dim() {
        if (++depth > MAX_DEPTH) {
            throw error("size expression nested deeper than " + MAX_DEPTH);
        }
        try {
            Dim sum = accept("-") ? Dim.ZERO.minus(product()) : product();
            while (true) {
                if (accept("+")) {
                    sum = sum.plus(product());
                } else if (accept("-")) {
                    sum = sum.minus(product());
                } else {
                    return sum;
                }
            }
        } catch (ArithmeticException e) {
            throw error("size expression out of range");
        } finally {
            depth--;
        }
    }

    private Dim product() {
        Dim value = factor();
        while (true) {
            Function<String, Optional<Dim>> unknown = s -> Optional.empty();
            if (accept("*")) {
                value = value.times(factor());
            } else if (accept("/")) {
                value = value.floorDivide(positive(factor()), unknown);
            } else if (accept("%")) {
                value = value.remainder(positive(factor()), unknown);
            } else {
                return value;
            }
        }
    }

    private Dim positive(Dim divisor) {
        if (divisor.constant().filter(c -> c <= 0).isPresent()) {
            throw error("a divisor must be positive");
        }
        return divisor;
    }

    private Dim factor() {
        if (accept("(")) {
            Dim inner = dim();
            expect(")");
            return inner;
        }
        String word = word();
        if (Character.isDigit(word.charAt(0))) {
            try {
                return Dim.of(Long.parseLong(word));
            } catch (NumberFormatException e) {
                throw error("expected a size, found " + word);
            }
        }
        return Dim.symbol(word);
    }
}
