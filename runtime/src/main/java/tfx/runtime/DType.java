package tfx.runtime;

import java.util.Optional;

/// Element types of tensors, stored little-endian in their natural width; `bool` is one byte, 0 or 1.
///
/// `f16` is IEEE binary16, `bf16` the upper half of an f32. Arithmetic on both runs in f32, and each operation's
/// result is rounded to the type. Integers wrap to their width; `u8` is the one unsigned type.
public enum DType {
    F64("f64", 8),
    F32("f32", 4),
    F16("f16", 2),
    BF16("bf16", 2),
    I64("i64", 8),
    I32("i32", 4),
    I8("i8", 1),
    U8("u8", 1),
    BOOL("bool", 1);

    private final String text;
    private final int bytes;

    DType(String text, int bytes) {
        this.text = text;
        this.bytes = bytes;
    }

    /// Size of one element in bytes.
    public int bytes() {
        return bytes;
    }

    public boolean isFloat() {
        return switch (this) {
            case F64, F32, F16, BF16 -> true;
            case I64, I32, I8, U8, BOOL -> false;
        };
    }

    /// Whether values are 16 bits of a float.
    public boolean isHalf() {
        return this == F16 || this == BF16;
    }

    public boolean isInteger() {
        return !isFloat() && this != BOOL;
    }

    /// The type in which sums of this type run: f32 for the 16-bit floats.
    public DType accumulator() {
        return isHalf() ? F32 : this;
    }

    /// The smallest integer of this type.
    public long smallest() {
        return switch (this) {
            case I64 -> Long.MIN_VALUE;
            case I32 -> Integer.MIN_VALUE;
            case I8 -> Byte.MIN_VALUE;
            case U8, BOOL -> 0;
            case F64, F32, F16, BF16 -> throw new IllegalArgumentException(text + " is no integer type");
        };
    }

    /// The largest integer of this type.
    public long largest() {
        return switch (this) {
            case I64 -> Long.MAX_VALUE;
            case I32 -> Integer.MAX_VALUE;
            case I8 -> Byte.MAX_VALUE;
            case U8 -> 255;
            case BOOL -> 1;
            case F64, F32, F16, BF16 -> throw new IllegalArgumentException(text + " is no integer type");
        };
    }

    /// The type with this spelling in source and IR text.
    public static Optional<DType> parse(String text) {
        for (DType type : values()) {
            if (type.text.equals(text)) {
                return Optional.of(type);
            }
        }
        return Optional.empty();
    }

    /// Rounds `value` to the nearest value of this floating type, ties to even.
    public double round(double value) {
        return switch (this) {
            case F32 -> (float) value;
            case F16 -> Numbers.fromF16(Numbers.toF16(value));
            case BF16 -> Numbers.fromBf16(Numbers.toBf16(value));
            case F64, I64, I32, I8, U8, BOOL -> value;
        };
    }

    /// Wraps `value` to the width of this integer type.
    public long wrap(long value) {
        return switch (this) {
            case I32 -> (int) value;
            case I8 -> (byte) value;
            case U8 -> value & 255;
            case I64, BOOL, F64, F32, F16, BF16 -> value;
        };
    }

    /// The integer or bool that a float becomes: cut towards zero, clamped to the type, 0 for NaN; for bools "not
    /// zero".
    public long truncate(double value) {
        return this == BOOL ? (value != 0 ? 1 : 0) : Math.clamp((long) value, smallest(), largest());
    }

    @Override
    public String toString() {
        return text;
    }
}
