package tfx.ir;

import java.util.Optional;
import java.util.function.DoubleBinaryOperator;
import java.util.function.LongBinaryOperator;
import tfx.runtime.DType;
import tfx.runtime.Numbers;

/// Rows of the op table: functions of two elements of one type. Comparisons give `bool`, the others the operands'
/// type.
public enum BinaryFn {
    ADD("add", "Sum; integers wrap.", false, Double::sum, Long::sum, null),
    SUB("sub", "Difference; integers wrap.", false, (a, b) -> a - b, (a, b) -> a - b, null),
    MUL("mul", "Product; integers wrap.", false, (a, b) -> a * b, (a, b) -> a * b, null),
    DIV("div", "True division, of floats only.", false, (a, b) -> a / b, null, null),
    FLOORDIV(
            "floordiv",
            "Quotient rounded down; of integers 0 where the divisor is 0.",
            false,
            Numbers::floorDiv,
            Numbers::floorDiv,
            null),
    MOD(
            "mod",
            "Remainder with the sign of the divisor; of integers 0 where the divisor is 0.",
            false,
            Numbers::floorMod,
            Numbers::floorMod,
            null),
    POW(
            "pow",
            "Power, of floats as Java's Math.pow (NaN where either is, but x^0 is 1); integers wrap.",
            false,
            Math::pow,
            Numbers::pow,
            null),
    ATAN2("atan2", "The angle of the point (b, a), in -pi..pi.", false, Math::atan2, null, null),
    LOGADDEXP("logaddexp", "log(exp(a) + exp(b)) without overflow.", false, Numbers::logAddExp, null, null),
    MIN("min", "The smaller; NaN if either is.", false, Math::min, Math::min, null),
    MAX("max", "The larger; NaN if either is.", false, Math::max, Math::max, null),
    BIT_AND("bit_and", "Bits set in both.", false, null, (a, b) -> a & b, null),
    BIT_OR("bit_or", "Bits set in either or both.", false, null, (a, b) -> a | b, null),
    BIT_XOR("bit_xor", "Bits set in one.", false, null, (a, b) -> a ^ b, null),
    SHIFT_LEFT(
            "shift_left",
            "Bits moved up by b, zeros come in; 0 if b is negative or the width or more.",
            false,
            null,
            Numbers::shiftLeft,
            null),
    SHIFT_RIGHT(
            "shift_right",
            "Bits moved down by b, copies of the sign come in; a negative b counts as the width.",
            false,
            null,
            Numbers::shiftRight,
            null),
    THREEFRY(
            "threefry",
            "64 random bits of the key a and the counter b: Threefry-2x32-20 (Salmon et al. 2011, \"Parallel random"
                    + " numbers: as easy as 1, 2, 3\"); of i64 only.",
            false,
            null,
            Numbers::threefry,
            null),
    EQ(
            "eq",
            "Equal; false on NaN.",
            true,
            (a, b) -> a == b ? 1 : 0,
            (a, b) -> a == b ? 1 : 0,
            (a, b) -> a == b ? 1 : 0),
    NE(
            "ne",
            "Not equal; true on NaN.",
            true,
            (a, b) -> a != b ? 1 : 0,
            (a, b) -> a != b ? 1 : 0,
            (a, b) -> a != b ? 1 : 0),
    LT("lt", "Less; false on NaN.", true, (a, b) -> a < b ? 1 : 0, (a, b) -> a < b ? 1 : 0, null),
    LE("le", "Less or equal; false on NaN.", true, (a, b) -> a <= b ? 1 : 0, (a, b) -> a <= b ? 1 : 0, null),
    GT("gt", "Greater; false on NaN.", true, (a, b) -> a > b ? 1 : 0, (a, b) -> a > b ? 1 : 0, null),
    GE("ge", "Greater or equal; false on NaN.", true, (a, b) -> a >= b ? 1 : 0, (a, b) -> a >= b ? 1 : 0, null),
    AND("and", "Both.", false, null, null, (a, b) -> a & b),
    OR("or", "Either or both.", false, null, null, (a, b) -> a | b);

    private final String text;
    private final String doc;
    private final boolean comparison;
    private final Optional<DoubleBinaryOperator> onFloats;
    private final Optional<LongBinaryOperator> onIntegers;
    private final Optional<LongBinaryOperator> onBools;

    BinaryFn(
            String text,
            String doc,
            boolean comparison,
            DoubleBinaryOperator floats,
            LongBinaryOperator integers,
            LongBinaryOperator bools) {
        this.text = text;
        this.doc = doc;
        this.comparison = comparison;
        this.onFloats = Optional.ofNullable(floats);
        this.onIntegers = Optional.ofNullable(integers);
        this.onBools = Optional.ofNullable(bools);
    }

    /// The name in IR text.
    public String text() {
        return text;
    }

    public String doc() {
        return doc;
    }

    /// Whether the result is `bool`.
    public boolean isComparison() {
        return comparison;
    }

    public boolean accepts(DType type) {
        if (this == THREEFRY) {
            return type == DType.I64;
        }
        return type.isFloat() ? onFloats.isPresent() : type.isInteger() ? onIntegers.isPresent() : onBools.isPresent();
    }

    public DType result(DType operands) {
        return comparison ? DType.BOOL : operands;
    }

    /// Reference evaluation on floats, before rounding; a comparison gives 0 or 1.
    public double apply(double a, double b) {
        return onFloats.orElseThrow().applyAsDouble(a, b);
    }

    /// Reference evaluation on integers (before wrapping) or on bools as 0 and 1.
    public long apply(DType type, long a, long b) {
        return (type == DType.BOOL ? onBools : onIntegers).orElseThrow().applyAsLong(a, b);
    }
}
