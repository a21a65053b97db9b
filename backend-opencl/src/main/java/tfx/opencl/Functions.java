package tfx.opencl;

import tfx.ir.BinaryFn;
import tfx.ir.UnaryFn;
import tfx.runtime.DType;

/// The lowering table of this backend: OpenCL C for each row of the op table. The text is the same for one element
/// and for a vector of floats; what the language lacks is a function of the {@link Library}.
final class Functions {
    private Functions() {}

    /// The function of the library for vectors of a width.
    static String library(String name, int width, String... operands) {
        return "tfx_" + name + (width == 1 ? "" : "_" + width) + "(" + String.join(", ", operands) + ")";
    }

    private static String suffix(DType dtype) {
        return switch (dtype) {
            case F64 -> "f64";
            case F32, F16, BF16 -> "f32";
            case I64 -> "i64";
            case I32, I8, U8, BOOL -> "i32";
        };
    }

    /// A value in a register brought to the width of its type.
    private static String narrow(String x, DType dtype, int width) {
        return switch (dtype) {
            case F16 -> library("round_f16", width, x);
            case BF16 -> library("round_bf16", width, x);
            case I8 -> "(int)(char)(" + x + ")";
            case U8 -> "((" + x + ") & 255)";
            case F64, F32, I64, I32, BOOL -> x;
        };
    }

    static String convert(String x, DType from, DType to, int width) {
        if (from == to) {
            return x;
        }
        if (to == DType.BOOL) {
            return "(" + x + " != 0)";
        }
        String target = Types.vector(to, width);
        if (from == DType.BOOL && width > 1) {
            return "convert_" + target + "(-" + x + ")";
        }
        if (!from.isFloat() || to.isFloat()) {
            boolean same = Types.register(from).equals(Types.register(to));
            return narrow(
                    same ? x : width == 1 ? "(" + target + ")(" + x + ")" : "convert_" + target + "(" + x + ")",
                    to,
                    width);
        }
        // NaN is 0; not every device's conversion says so.
        String bound = switch (to) {
            case I8 -> "(int)convert_char_sat(" + x + ")";
            case U8 -> "(int)convert_uchar_sat(" + x + ")";
            case I32, I64 -> "convert_" + target + "_sat(" + x + ")";
            case F64, F32, F16, BF16, BOOL -> throw new IllegalStateException("floats to " + to);
        };
        return "(" + x + " == " + x + " ? " + bound + " : (" + target + ")(0))";
    }

    /// A function of one value of type `dtype`.
    static String unary(UnaryFn fn, DType dtype, String x, int width) {
        String value = dtype.isFloat() ? ofFloat(fn, dtype, x, width) : ofInteger(fn, dtype, x);
        return fn.isTest() ? value : narrow(value, dtype, width);
    }

    private static String ofFloat(UnaryFn fn, DType dtype, String x, int width) {
        boolean single = dtype != DType.F64;
        return switch (fn) {
            case NEG -> "(-" + x + ")";
            case ABS -> "fabs(" + x + ")";
            case EXP, TANH, ERF -> single ? library(fn.text(), width, x) : fn.text() + "(" + x + ")";
            case SIGMOID -> library(single ? fn.text() : fn.text() + "_f64", width, x);
            case SIGN, ACOSH -> library(fn.text() + "_" + suffix(dtype), width, x);
            case ISNAN -> "(" + x + " != " + x + ")";
            case ISINF -> "(fabs(" + x + ") == " + infinity(single) + ")";
            case ISFINITE -> "(fabs(" + x + ") < " + infinity(single) + ")";
            case ROUND -> "rint(" + x + ")";
            case EXP2,
                    EXPM1,
                    LOG,
                    LOG1P,
                    LOG2,
                    LOG10,
                    SQRT,
                    CBRT,
                    SIN,
                    COS,
                    TAN,
                    ASIN,
                    ACOS,
                    ATAN,
                    SINH,
                    COSH,
                    ASINH,
                    ATANH,
                    FLOOR,
                    CEIL,
                    TRUNC -> fn.text() + "(" + x + ")";
            case RSQRT -> "(" + (single ? "1.0f" : "1.0") + " / sqrt(" + x + "))";
            case BIT_NOT, NOT -> throw new IllegalArgumentException(fn.text() + " of " + dtype);
        };
    }

    private static String infinity(boolean single) {
        return single ? "INFINITY" : "(double)INFINITY";
    }

    private static String ofInteger(UnaryFn fn, DType dtype, String x) {
        return switch (fn) {
            case NEG -> library("sub_" + suffix(dtype), 1, "0", x);
            case ABS -> library("abs_" + suffix(dtype), 1, x);
            case SIGN -> "((" + x + " > 0) - (" + x + " < 0))";
            case BIT_NOT -> "(~" + x + ")";
            case NOT -> "(!" + x + ")";
            case EXP,
                    EXP2,
                    EXPM1,
                    LOG,
                    LOG1P,
                    LOG2,
                    LOG10,
                    SQRT,
                    RSQRT,
                    CBRT,
                    SIGMOID,
                    TANH,
                    ERF,
                    SIN,
                    COS,
                    TAN,
                    ASIN,
                    ACOS,
                    ATAN,
                    SINH,
                    COSH,
                    ASINH,
                    ACOSH,
                    ATANH,
                    FLOOR,
                    CEIL,
                    ROUND,
                    TRUNC,
                    ISNAN,
                    ISINF,
                    ISFINITE -> throw new IllegalArgumentException(fn.text() + " of " + dtype);
        };
    }

    /// An operator between two values.
    static String infix(String operator, String a, String b) {
        return "(" + a + " " + operator + " " + b + ")";
    }

    static String choose(String condition, String a, String b) {
        return "(" + condition + " ? " + a + " : " + b + ")";
    }

    /// A function of two values of type `dtype`.
    static String binary(BinaryFn fn, DType dtype, String a, String b, int width) {
        boolean real = dtype.isFloat();
        String type = suffix(dtype);
        return switch (fn) {
            case EQ -> infix("==", a, b);
            case NE -> infix("!=", a, b);
            case LT -> infix("<", a, b);
            case LE -> infix("<=", a, b);
            case GT -> infix(">", a, b);
            case GE -> infix(">=", a, b);
            case AND -> infix("&", a, b);
            case OR -> infix("|", a, b);
            case ADD -> narrow(real ? infix("+", a, b) : library("add_" + type, width, a, b), dtype, width);
            case SUB -> narrow(real ? infix("-", a, b) : library("sub_" + type, width, a, b), dtype, width);
            case MUL -> narrow(real ? infix("*", a, b) : library("mul_" + type, width, a, b), dtype, width);
            case DIV -> narrow(infix("/", a, b), dtype, width);
            case MIN, MAX -> real ? library(fn.text() + "_" + type, width, a, b) : fn.text() + "(" + a + ", " + b + ")";
            case POW, FLOORDIV, MOD -> narrow(library(fn.text() + "_" + type, width, a, b), dtype, width);
            case ATAN2 -> narrow("atan2(" + a + ", " + b + ")", dtype, width);
            case LOGADDEXP -> narrow(library("logaddexp_" + type, width, a, b), dtype, width);
            case BIT_AND -> infix("&", a, b);
            case BIT_OR -> infix("|", a, b);
            case BIT_XOR -> infix("^", a, b);
            case SHIFT_LEFT -> narrow("(" + Types.register(dtype) + ")" + library("shift_left", 1, a, b), dtype, width);
            case SHIFT_RIGHT -> "(" + Types.register(dtype) + ")" + library("shift_right", 1, a, b);
            case THREEFRY -> library("threefry", 1, a, b);
        };
    }

    /// Whether a function takes vectors. PoCL's sines of vectors are wrong where one of the elements is large.
    static boolean hasVectorForm(UnaryFn fn, DType dtype) {
        boolean angles = fn == UnaryFn.SIN || fn == UnaryFn.COS || fn == UnaryFn.TAN;
        return dtype.isFloat() ? !angles : fn == UnaryFn.NOT;
    }

    /// Whether a function of floats, or of i32 where it has such, takes vectors.
    static boolean hasVectorForm(BinaryFn fn, DType dtype) {
        return switch (fn) {
            case ADD, SUB, MUL, EQ, NE, LT, LE, GT, GE, AND, OR, MIN, MAX -> true;
            case DIV, POW, ATAN2, LOGADDEXP -> dtype.isFloat();
            case FLOORDIV, MOD -> true;
            case BIT_AND, BIT_OR, BIT_XOR -> !dtype.isFloat();
            case SHIFT_LEFT, SHIFT_RIGHT, THREEFRY -> false;
        };
    }
}
