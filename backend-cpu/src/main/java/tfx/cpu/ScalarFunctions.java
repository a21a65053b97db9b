package tfx.cpu;

import org.objectweb.asm.Type;
import tfx.cpu.code.Expr;
import tfx.ir.BinaryFn;
import tfx.ir.UnaryFn;
import tfx.ir.kernel.FloatMath;
import tfx.ir.kernel.Kernel;
import tfx.runtime.DType;

/// The lowering of each row of the op table to code for one element: the functions of f32 that have a vector
/// form as the arithmetic of {@link FloatMath}, the others in double, rounded or wrapped to the element type.
record ScalarFunctions(ScalarLanes scalars) {
    static Expr literal(Kernel.Constant c) {
        return new Expr.Literal(
                switch (c.dtype()) {
                    case F32, F16, BF16 -> (Number) c.value().floatValue();
                    case F64 -> (Number) c.value().doubleValue();
                    case I64 -> (Number) c.value().longValue();
                    case I32, I8, U8, BOOL -> (Number) c.value().intValue();
                });
    }

    private static Expr zero(DType dtype) {
        return literal(new Kernel.Constant(dtype, 0));
    }

    /// A value in registers brought to the width of its type.
    private static Expr narrow(Expr x, DType dtype) {
        return switch (dtype) {
            case F16 -> Stage.numbers("roundF16", Type.FLOAT_TYPE, x);
            case BF16 -> Stage.numbers("roundBf16", Type.FLOAT_TYPE, x);
            case I8 -> new Expr.Convert(Type.INT_TYPE, new Expr.Convert(Type.BYTE_TYPE, x));
            case U8 -> new Expr.Arithmetic("&", x, Expr.literal(255));
            case F64, F32, I64, I32, BOOL -> x;
        };
    }

    static Expr convert(Expr x, DType from, DType to) {
        if (from == to) {
            return x;
        }
        if (to == DType.BOOL) {
            return new Expr.Compare("!=", x, zero(from));
        }
        if (to.bytes() == 1 && from.isFloat()) {
            Expr whole = new Expr.Convert(Type.INT_TYPE, x);
            Expr low = ScalarLanes.math("max", whole, Expr.literal((int) to.smallest()));
            return ScalarLanes.math("min", low, Expr.literal((int) to.largest()));
        }
        Type type = Stage.type(to);
        if (to.isFloat() && (from == DType.I64 || to.isHalf() && (from == DType.F64 || from == DType.I32))) {
            Expr wide = new Expr.Convert(Type.DOUBLE_TYPE, x);
            return to.isHalf() ? narrow(wide, to) : new Expr.Convert(type, wide);
        }
        return narrow(x.type().equals(type) ? x : new Expr.Convert(type, x), to);
    }

    /// A unary function of a scalar of type `dtype`.
    Expr unary(UnaryFn fn, DType dtype, Expr x) {
        Expr value = dtype.isFloat() ? ofFloat(fn, dtype, x) : ofInteger(fn, x);
        return fn.isTest() ? value : narrow(value, dtype);
    }

    private Expr ofFloat(UnaryFn fn, DType dtype, Expr x) {
        boolean single = dtype != DType.F64;
        return switch (fn) {
            case NEG -> new Expr.Negate(x);
            case ABS -> ScalarLanes.math("abs", x);
            case EXP -> single ? FloatMath.exp(scalars, x) : ScalarLanes.math("exp", x);
            case TANH -> single ? FloatMath.tanh(scalars, x) : ScalarLanes.math("tanh", x);
            case ERF -> single ? FloatMath.erf(scalars, x) : inDouble("tfx/runtime/Numbers", "erf", x);
            case SIGMOID -> single ? FloatMath.sigmoid(scalars, x) : inDouble("tfx/runtime/Numbers", "sigmoid", x);
            case ISNAN -> new Expr.Compare("!=", x, x);
            case ISINF -> new Expr.Compare("==", ScalarLanes.math("abs", x), infinity(single));
            case ISFINITE -> new Expr.Compare("<", ScalarLanes.math("abs", x), infinity(single));
            case SIGN -> ScalarLanes.math("signum", x);
            case ROUND -> inDouble("java/lang/Math", "rint", x);
            case SQRT, EXPM1, LOG, LOG1P, LOG10, CBRT, SIN, COS, TAN, ASIN, ACOS, ATAN, SINH, COSH, FLOOR, CEIL ->
                inDouble("java/lang/Math", fn.text(), x);
            case EXP2, LOG2, RSQRT, ASINH, ACOSH, ATANH, TRUNC -> inDouble("tfx/runtime/Numbers", fn.text(), x);
            case BIT_NOT, NOT -> throw new IllegalArgumentException(fn.text() + " of " + dtype);
        };
    }

    private static Expr infinity(boolean single) {
        return new Expr.Literal(single ? (Number) Float.POSITIVE_INFINITY : (Number) Double.POSITIVE_INFINITY);
    }

    /// A function of doubles, of a float or double, rounded to the operand's type.
    private static Expr inDouble(String owner, String name, Expr... operands) {
        Type type = operands[0].type();
        Expr[] wide = new Expr[operands.length];
        for (int i = 0; i < wide.length; i++) {
            wide[i] = new Expr.Convert(Type.DOUBLE_TYPE, operands[i]);
        }
        return new Expr.Convert(type, ScalarLanes.invoke(owner, name, Type.DOUBLE_TYPE, wide));
    }

    /// A function of longs, of ints or longs, cut to the operand's type.
    private static Expr inLong(String name, Expr a, Expr b) {
        return new Expr.Convert(a.type(), Stage.numbers(name, Type.LONG_TYPE, a.asLong(), b.asLong()));
    }

    private Expr ofInteger(UnaryFn fn, Expr x) {
        return switch (fn) {
            case NEG -> new Expr.Negate(x);
            case ABS -> ScalarLanes.math("abs", x);
            case SIGN -> {
                String owner = x.type().equals(Type.LONG_TYPE) ? "java/lang/Long" : "java/lang/Integer";
                yield new Expr.Convert(x.type(), ScalarLanes.invoke(owner, "signum", Type.INT_TYPE, x));
            }
            case BIT_NOT -> new Expr.Negate(x).minus(literal(x.type(), 1));
            case NOT -> scalars.not(x);
            default -> throw new IllegalArgumentException(fn.text() + " of an integer");
        };
    }

    private static Expr literal(Type type, int value) {
        return type.equals(Type.LONG_TYPE) ? Expr.literal((long) value) : Expr.literal(value);
    }

    static String comparison(BinaryFn fn) {
        return switch (fn) {
            case EQ -> "==";
            case NE -> "!=";
            case LT -> "<";
            case LE -> "<=";
            case GT -> ">";
            case GE -> ">=";
            default -> throw new IllegalArgumentException(fn.text());
        };
    }

    /// A binary function of two scalars.
    Expr binary(BinaryFn fn, DType dtype, Expr a, Expr b) {
        return switch (fn) {
            case EQ, NE, LT, LE, GT, GE -> new Expr.Compare(comparison(fn), a, b);
            case AND -> scalars.and(a, b);
            case OR -> scalars.or(a, b);
            case ADD -> narrow(a.plus(b), dtype);
            case SUB -> narrow(a.minus(b), dtype);
            case MUL -> narrow(a.times(b), dtype);
            case DIV -> narrow(new Expr.Arithmetic("/", a, b), dtype);
            case MIN -> ScalarLanes.math("min", a, b);
            case MAX -> ScalarLanes.math("max", a, b);
            case POW -> narrow(dtype.isFloat() ? inDouble("java/lang/Math", "pow", a, b) : inLong("pow", a, b), dtype);
            case ATAN2 -> narrow(inDouble("java/lang/Math", "atan2", a, b), dtype);
            case LOGADDEXP -> narrow(inDouble("tfx/runtime/Numbers", "logAddExp", a, b), dtype);
            case FLOORDIV -> narrow(rounding("floorDiv", dtype, a, b), dtype);
            case MOD -> narrow(rounding("floorMod", dtype, a, b), dtype);
            case BIT_AND -> new Expr.Arithmetic("&", a, b);
            case BIT_OR -> new Expr.Arithmetic("|", a, b);
            case BIT_XOR -> new Expr.Arithmetic("^", a, b);
            case SHIFT_LEFT -> narrow(inLong("shiftLeft", a, b), dtype);
            case SHIFT_RIGHT -> inLong("shiftRight", a, b);
            case THREEFRY -> inLong("threefry", a, b);
        };
    }

    private static Expr rounding(String name, DType dtype, Expr a, Expr b) {
        return dtype.isFloat() ? inDouble("tfx/runtime/Numbers", name, a, b) : inLong(name, a, b);
    }
}
