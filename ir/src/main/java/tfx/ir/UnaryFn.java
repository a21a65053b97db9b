package tfx.ir;

import java.util.Optional;
import java.util.function.DoubleUnaryOperator;
import java.util.function.LongUnaryOperator;
import tfx.runtime.DType;

/// Rows of the op table: functions of one element. The reference evaluation is in double or 64-bit integers; the
/// caller
/// rounds or wraps to the declared type.
public enum UnaryFn {
    NEG("neg", "Negation; integers wrap.", v -> -v, v -> -v, null),
    ABS("abs", "Absolute value; the smallest integer stays itself.", Math::abs, Math::abs, null),
    EXP("exp", "The exponential function.", Math::exp, null, null),
    LOG("log", "Natural logarithm; -inf at 0, NaN below.", Math::log, null, null),
    SQRT("sqrt", "Square root, correctly rounded; NaN below 0.", Math::sqrt, null, null),
    TANH("tanh", "Hyperbolic tangent.", Math::tanh, null, null),
    ERF("erf", "The error function, 2/sqrt(pi) times the integral of exp(-t^2) from 0.", Erf::erf, null, null),
    SIN("sin", "Sine, the argument in radians.", Math::sin, null, null),
    COS("cos", "Cosine, the argument in radians.", Math::cos, null, null),
    FLOOR("floor", "The largest integral value not above.", Math::floor, null, null),
    CEIL("ceil", "The smallest integral value not below.", Math::ceil, null, null),
    ROUND("round", "The nearest integral value, ties to even.", Math::rint, null, null),
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

    public boolean accepts(DType type) {
        return type.isFloat() ? onFloats.isPresent() : type.isInteger() ? onIntegers.isPresent() : onBools.isPresent();
    }

    /// Reference evaluation on floats, before rounding.
    public double apply(double value) {
        return onFloats.orElseThrow().applyAsDouble(value);
    }

    /// Reference evaluation on integers (before wrapping) or on bools as 0 and 1.
    public long apply(DType type, long value) {
        return (type == DType.BOOL ? onBools : onIntegers).orElseThrow().applyAsLong(value);
    }
}
