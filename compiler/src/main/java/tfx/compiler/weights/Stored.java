package tfx.compiler.weights;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import tfx.runtime.DType;
import tfx.runtime.Tensor;

/// A tensor as it lies in a file: little-endian, row-major, checked to fill its bytes exactly.
///
/// @param what what a message calls it
record Stored(String what, DType dtype, long[] shape, MemorySegment bytes) {
    private static final int MAX_RANK = 16;

    /// @throws IOException if the shape and the bytes do not fit each other
    static Stored of(String what, DType dtype, long[] shape, MemorySegment bytes) throws IOException {
        if (size(what, dtype, shape) != bytes.byteSize()) {
            throw new IOException(what + " of " + dtype + Arrays.toString(shape) + " needs " + size(what, dtype, shape)
                    + " bytes and has " + bytes.byteSize());
        }
        return new Stored(what, dtype, shape, bytes);
    }

    /// The bytes that a shape takes.
    ///
    /// @throws IOException if the shape is impossible
    static long size(String what, DType dtype, long[] shape) throws IOException {
        try {
            if (shape.length > MAX_RANK) {
                throw new IllegalArgumentException("more than " + MAX_RANK + " dimensions");
            }
            return Math.multiplyExact(Tensor.count(shape), (long) dtype.bytes());
        } catch (ArithmeticException | IllegalArgumentException e) {
            throw new IOException(what + " has the impossible shape " + Arrays.toString(shape), e);
        }
    }

    /// A stretch of a file.
    ///
    /// @throws IOException if it is not inside
    static MemorySegment slice(String what, MemorySegment file, long offset, long length) throws IOException {
        if (offset < 0 || length < 0 || offset > file.byteSize() || length > file.byteSize() - offset) {
            throw new IOException(
                    what + " claims " + length + " bytes from byte " + offset + " of a file of " + file.byteSize());
        }
        return file.asSlice(offset, length);
    }

    /// The tensor in place; only bools are copied, so that each is 0 or 1.
    Tensor tensor(Arena arena) {
        Tensor whole = Tensor.of(bytes, dtype, shape);
        if (dtype != DType.BOOL) {
            return whole;
        }
        Tensor clean = Tensor.zeros(arena, dtype, shape);
        for (long i = 0; i < whole.count(); i++) {
            clean.setLong(i, whole.getLong(i));
        }
        return clean;
    }

    /// A copy with the order of the dimensions turned round.
    Tensor transposed(Arena arena) {
        long[] turned = new long[shape.length];
        for (int i = 0; i < turned.length; i++) {
            turned[i] = shape[shape.length - 1 - i];
        }
        Tensor result = Tensor.zeros(arena, dtype, turned);
        long width = dtype.bytes();
        long[] steps = new long[shape.length];
        long step = width;
        for (int i = 0; i < steps.length; i++) {
            steps[i] = step;
            step *= shape[i];
        }
        long count = bytes.byteSize() / width;
        long[] at = new long[shape.length];
        long to = 0;
        for (long i = 0; i < count; i++) {
            MemorySegment.copy(bytes, i * width, result.data(), to, width);
            for (int axis = at.length - 1; axis >= 0; axis--) {
                to += steps[axis];
                if (++at[axis] < shape[axis]) {
                    break;
                }
                to -= at[axis] * steps[axis];
                at[axis] = 0;
            }
        }
        return result;
    }
}
