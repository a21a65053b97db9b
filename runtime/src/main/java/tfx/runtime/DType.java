package tfx.runtime;

import java.util.Optional;

/// Element types of tensors. `bool` is stored as one byte, 0 or 1; every other type little-endian in its natural
/// width.
public enum DType {
    F64("f64", 8),
    F32("f32", 4),
    I64("i64", 8),
    I32("i32", 4),
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
        return this == F64 || this == F32;
    }

    public boolean isInteger() {
        return this == I64 || this == I32;
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

    /// Rounds `value` to the nearest value of this floating type.
    public double round(double value) {
        return this == F32 ? (float) value : value;
    }

    /// Wraps `value` to the width of this integer type.
    public long wrap(long value) {
        return this == I32 ? (int) value : value;
    }

    @Override
    public String toString() {
        return text;
    }
}
