package tfx.opencl;

import tfx.ir.kernel.Kernel;
import tfx.runtime.DType;

/// Element types in OpenCL C. In registers and tiles, 16-bit floats are floats, and narrow integers and bools (0
/// or 1) are ints; vectors hold bools as masks, 0 or -1.
final class Types {
    private Types() {}

    /// The type of an element in a buffer.
    static String stored(DType dtype) {
        return switch (dtype) {
            case F64 -> "double";
            case F32 -> "float";
            case F16, BF16 -> "ushort";
            case I64 -> "long";
            case I32 -> "int";
            case I8 -> "char";
            case U8, BOOL -> "uchar";
        };
    }

    /// The type of a value in a register.
    static String register(DType dtype) {
        return switch (dtype) {
            case F64 -> "double";
            case F32, F16, BF16 -> "float";
            case I64 -> "long";
            case I32, I8, U8, BOOL -> "int";
        };
    }

    /// Bytes of a value in a register.
    static int bytes(DType dtype) {
        return bytes(register(dtype));
    }

    /// Bytes of a value of such a type in a register.
    static int bytes(String register) {
        return register.equals("double") || register.equals("long") ? 8 : 4;
    }

    /// The type of `width` values in a register.
    static String vector(DType dtype, int width) {
        return width == 1 ? register(dtype) : register(dtype) + width;
    }

    static String literal(Kernel.Constant c) {
        return literal(c.dtype(), c.value());
    }

    static String literal(DType dtype, Number value) {
        return switch (dtype) {
            case F64 -> ofDouble(value.doubleValue());
            case F32, F16, BF16 -> ofFloat(value.floatValue());
            case I64 -> ofLong(value.longValue());
            case I32, I8, U8, BOOL -> ofInt(value.intValue());
        };
    }

    static String ofFloat(float value) {
        if (Float.isNaN(value)) {
            return "NAN";
        }
        return Float.isInfinite(value) ? (value > 0 ? "INFINITY" : "-INFINITY") : value + "f";
    }

    private static String ofDouble(double value) {
        if (Double.isNaN(value)) {
            return "(double)NAN";
        }
        return Double.isInfinite(value) ? (value > 0 ? "(double)INFINITY" : "-(double)INFINITY") : value + "";
    }

    static String ofLong(long value) {
        return value == Long.MIN_VALUE ? "(-" + Long.MAX_VALUE + "L - 1)" : value + "L";
    }

    private static String ofInt(int value) {
        return value == Integer.MIN_VALUE ? "(-" + Integer.MAX_VALUE + " - 1)" : value + "";
    }
}
