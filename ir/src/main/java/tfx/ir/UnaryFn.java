package tfx.ir;

import java.util.Optional;
import java.util.function.DoubleUnaryOperator;
import java.util.function.LongUnaryOperator;
import tfx.runtime.DType;
import tfx.runtime.Numbers;

/// Rows of the op table: functions of one element. The reference evaluation is in double or 64-bit integers; the
/// caller rounds or wraps to the declared type.
public enum UnaryFn {
    NEG("neg", "Negation; integers wrap.", v -> -v, v -> -v, null),
    ABS("abs", "Absolute value; the smallest integer stays itself.", Math::abs, Math::abs, null),
    SIGN("sign", "-1, 0 or 1 by the sign; NaN stays.", Numbers::sign, v -> Long.signum(v), null),
    EXP("exp", "The exponential function.", Math::exp, null, null),
    EXP2("exp2", "2 to the power of x.", Numbers::exp2, null, null),
    EXPM1("expm1", "exp(x) - 1, precise near 0.", Math::expm1, null, null),
    LOG("log", "Natural logarithm; -inf at 0, NaN below.", Math::log, null, null),
    LOG1P("log1p", "log(1 + x), precise near 0.", Math::log1p, null, null),
    LOG2("log2", "Logarithm to base 2; exact for powers of 2.", Numbers::log2, null, null),
    LOG10("log10", "Logarithm to base 10.", Math::log10, null, null),
    SQRT("sqrt", "Square root, correctly rounded; NaN below 0.", Math::sqrt, null, null),
    RSQRT("rsqrt", "1 / sqrt(x); inf at 0, NaN below.", Numbers::rsqrt, null, null),
    CBRT("cbrt", "Cube root.", Math::cbrt, null, null),
    SIGMOID("sigmoid", "The logistic function 1 / (1 + exp(-x)).", Numbers::sigmoid, null, null),
    TANH("tanh", "Hyperbolic tangent.", Math::tanh, null, null),
    ERF("erf", "The error function, 2/sqrt(pi) times the integral of exp(-t^2) from 0.", Numbers::erf, null, null),
    SIN("sin", "Sine, the argument in radians.", Math::sin, null, null),
    COS("cos", "Cosine, the argument in radians.", Math::cos, null, null),
    TAN("tan", "Tangent, the argument in radians.", Math::tan, null, null),
    ASIN("asin", "Inverse sine; NaN outside -1..1.", Math::asin, null, null),
    ACOS("acos", "Inverse cosine; NaN outside -1..1.", Math::acos, null, null),
    ATAN("atan", "Inverse tangent.", Math::atan, null, null),
    SINH("sinh", "Hyperbolic sine.", Math::sinh, null, null),
    COSH("cosh", "Hyperbolic cosine.", Math::cosh, null, null),
    ASINH("asinh", "Inverse hyperbolic sine.", Numbers::asinh, null, null),
    ACOSH("acosh", "Inverse hyperbolic cosine; NaN below 1.", Numbers::acosh, null, null),
    ATANH("atanh", "Inverse hyperbolic tangent; NaN outside -1..1.", Numbers::atanh, null, null),
    FLOOR("floor", "The largest integral value not above.", Math::floor, null, null),
    CEIL("ceil", "The smallest integral value not below.", Math::ceil, null, null),
    ROUND("round", "The nearest integral value, ties to even.", Math::rint, null, null),
    TRUNC("trunc", "The integral part, towards 0.", Numbers::trunc, null, null),
    ISNAN("isnan", "Whether the value is NaN.", v -> v != v ? 1 : 0, null, null),
    ISINF("isinf", "Whether the value is inf or -inf.", v -> Double.isInfinite(v) ? 1 : 0, null, null),
    ISFINITE("isfinite", "Whether the value is neither NaN nor infinite.", v -> v - v == 0 ? 1 : 0, null, null),
    BIT_NOT("bit_not", "All bits inverted.", null, v -> ~v, null),
    NOT("not", "Logical negation.", null, null, v -> 1 - v);

    private final String text;
    private final String doc;
    private final Optional<DoubleUnaryOperator> onFloats;
    private final Optional<LongUnaryOperator> onIntegers;
    private final Optional<LongUnaryOperator> onBools;

    UnaryFn(String text, String doc, DoubleUnaryOperator floats, LongUnaryOperator integers, LongUnaryOperator bools) {
        this.text = text;
        this.doc = doc;
        this.onFloats = Optional.ofNullable(floats);
        this.onIntegers = Optional.ofNullable(integers);
        this.onBools = Optional.ofNullable(bools);
    }

    /// The name in source and IR text.
    public String text() {
        return text;
    }

    public String doc() {
        return doc;
    }

    /// Whether the result is `bool`.
    public boolean isTest() {
        return this == ISNAN || this == ISINF || this == ISFINITE;
    }

    public boolean accepts(DType type) {
        return type.isFloat() ? onFloats.isPresent() : type.isInteger() ? onIntegers.isPresent() : onBools.isPresent();
    }

    public DType result(DType operand) {
        return isTest() ? DType.BOOL : operand;
    }

    /// Reference evaluation on floats, before rounding; a test gives 0 or 1.
    public double apply(double value) {
        return onFloats.orElseThrow().applyAsDouble(value);
    }

    /// Reference evaluation on integers (before wrapping) or on bools as 0 and 1.
    public long apply(DType type, long value) {
        return (type == DType.BOOL ? onBools : onIntegers).orElseThrow().applyAsLong(value);
    }
}
