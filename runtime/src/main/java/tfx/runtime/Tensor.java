package tfx.runtime;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/// A dense row-major tensor on native memory, 64-byte aligned where this class allocates it.
///
/// The arena given at creation owns the memory; reading a tensor of a closed arena throws
/// `IllegalStateException`.
/// Tensors are safe to read from many threads.
public final class Tensor {
    /// Alignment of every tensor that tfx allocates, in bytes: one cache line, one AVX-512 register.
    public static final long ALIGNMENT = 64;

    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final ValueLayout.OfDouble DOUBLE = ValueLayout.JAVA_DOUBLE_UNALIGNED;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;

    private final DType dtype;
    private final long[] shape;
    private final MemorySegment data;

    private Tensor(DType dtype, long[] shape, MemorySegment data) {
        this.dtype = dtype;
        this.shape = shape.clone();
        this.data = data;
    }

    /// A tensor of zeros.
    ///
    /// @throws IllegalArgumentException if a dimension is negative or the size overflows
    public static Tensor zeros(Arena arena, DType dtype, long... shape) {
        long bytes;
        try {
            bytes = Math.multiplyExact(count(shape), (long) dtype.bytes());
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException("a " + dtype + Arrays.toString(shape) + " has more than 2^63 bytes", e);
        }
        return new Tensor(dtype, shape, arena.allocate(Math.max(bytes, 1), ALIGNMENT));
    }

    /// A view of existing memory, which must hold at least the elements of `shape`.
    public static Tensor of(MemorySegment data, DType dtype, long... shape) {
        if (!data.isNative()) {
            throw new IllegalArgumentException("tensors lie in native memory; allocate the segment in an arena");
        }
        long bytes = Math.multiplyExact(count(shape), (long) dtype.bytes());
        if (data.byteSize() < bytes) {
            throw new IllegalArgumentException("a " + dtype + Arrays.toString(shape) + " takes " + bytes
                    + " bytes, the memory given has " + data.byteSize());
        }
        return new Tensor(dtype, shape, data);
    }

    public static Tensor of(Arena arena, float[] values, long... shape) {
        Tensor tensor = zeros(arena, DType.F32, shape);
        checkCount(values.length, shape);
        MemorySegment.copy(values, 0, tensor.data, FLOAT, 0, values.length);
        return tensor;
    }

    public static Tensor of(Arena arena, int[] values, long... shape) {
        Tensor tensor = zeros(arena, DType.I32, shape);
        checkCount(values.length, shape);
        MemorySegment.copy(values, 0, tensor.data, INT, 0, values.length);
        return tensor;
    }

    private static void checkCount(long given, long[] shape) {
        if (given != count(shape)) {
            throw new IllegalArgumentException(given + " values do not fill the shape " + Arrays.toString(shape));
        }
    }

    /// The number of elements of a shape.
    public static long count(long... shape) {
        long count = 1;
        for (long size : shape) {
            if (size < 0) {
                throw new IllegalArgumentException("negative dimension in the shape " + Arrays.toString(shape));
            }
            count = Math.multiplyExact(count, size);
        }
        return count;
    }

    public DType dtype() {
        return dtype;
    }

    /// The sizes of the dimensions, outermost first (a copy).
    public long[] shape() {
        return shape.clone();
    }

    public long count() {
        return count(shape);
    }

    /// The memory of the elements.
    public MemorySegment data() {
        return data;
    }

    /// The element at a row-major position; integers become doubles.
    public double getDouble(long index) {
        return switch (dtype) {
            case F64 -> data.get(DOUBLE, index * 8);
            case F32 -> data.get(FLOAT, index * 4);
            case F16 -> Numbers.fromF16(data.get(SHORT, index * 2));
            case BF16 -> Numbers.fromBf16(data.get(SHORT, index * 2));
            case I64, I32, I8, U8, BOOL -> getLong(index);
        };
    }

    /// The element at a row-major position, of an integer or bool tensor.
    public long getLong(long index) {
        return switch (dtype) {
            case I64 -> data.get(LONG, index * 8);
            case I32 -> data.get(INT, index * 4);
            case I8 -> data.get(ValueLayout.JAVA_BYTE, index);
            case U8 -> data.get(ValueLayout.JAVA_BYTE, index) & 255;
            case BOOL -> data.get(ValueLayout.JAVA_BYTE, index) != 0 ? 1 : 0;
            case F64, F32, F16, BF16 ->
                throw new IllegalArgumentException("this tensor is " + dtype + ", not an integer type");
        };
    }

    /// Stores a value rounded to the element type, of a floating tensor.
    public void setDouble(long index, double value) {
        switch (dtype) {
            case F64 -> data.set(DOUBLE, index * 8, value);
            case F32 -> data.set(FLOAT, index * 4, (float) value);
            case F16 -> data.set(SHORT, index * 2, Numbers.toF16(value));
            case BF16 -> data.set(SHORT, index * 2, Numbers.toBf16(value));
            case I64, I32, I8, U8, BOOL ->
                throw new IllegalArgumentException("this tensor is " + dtype + ", not a float type");
        }
    }

    /// Stores an integer.
    ///
    /// @throws ArithmeticException if the element type does not hold it
    public void setLong(long index, long value) {
        switch (dtype) {
            case I64 -> data.set(LONG, index * 8, value);
            case I32 -> data.set(INT, index * 4, Math.toIntExact(value));
            case I8, U8 -> {
                if (value < dtype.smallest() || value > dtype.largest()) {
                    throw new ArithmeticException(value + " does not fit " + dtype);
                }
                data.set(ValueLayout.JAVA_BYTE, index, (byte) value);
            }
            case BOOL -> data.set(ValueLayout.JAVA_BYTE, index, (byte) (value != 0 ? 1 : 0));
            case F64, F32, F16, BF16 -> setDouble(index, value);
        }
    }

    /// The elements as floats (a copy), of an f32 tensor of at most 2^31 - 1 elements.
    public float[] toFloats() {
        if (dtype != DType.F32) {
            throw new IllegalArgumentException("this tensor is " + dtype + ", not f32");
        }
        float[] values = new float[Math.toIntExact(count())];
        MemorySegment.copy(data, FLOAT, 0, values, 0, values.length);
        return values;
    }

    @Override
    public String toString() {
        return dtype + Arrays.toString(shape);
    }
}
