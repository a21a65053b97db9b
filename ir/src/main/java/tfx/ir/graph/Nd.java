package tfx.ir.graph;

import java.lang.foreign.Arena;
import java.util.Arrays;
import tfx.runtime.DType;
import tfx.runtime.Tensor;

/// The evaluator's tensors: doubles for floating types, longs for integers and bools (0, 1), row-major.
///
/// @param floats  the elements of a floating tensor, else empty
/// @param longs   the elements of an integer or bool tensor, else empty
public record Nd(DType dtype, long[] shape, double[] floats, long[] longs) {
    public static Nd zeros(DType dtype, long... shape) {
        int count = Math.toIntExact(Tensor.count(shape));
        return new Nd(dtype, shape, new double[dtype.isFloat() ? count : 0], new long[dtype.isFloat() ? 0 : count]);
    }

    public static Nd of(Tensor tensor) {
        Nd nd = zeros(tensor.dtype(), tensor.shape());
        for (int i = 0; i < nd.count(); i++) {
            if (nd.dtype.isFloat()) {
                nd.floats[i] = tensor.getDouble(i);
            } else {
                nd.longs[i] = tensor.getLong(i);
            }
        }
        return nd;
    }

    public Tensor toTensor(Arena arena) {
        Tensor tensor = Tensor.zeros(arena, dtype, shape);
        for (int i = 0; i < count(); i++) {
            if (dtype.isFloat()) {
                tensor.setDouble(i, floats[i]);
            } else {
                tensor.setLong(i, longs[i]);
            }
        }
        return tensor;
    }

    public int count() {
        return dtype.isFloat() ? floats.length : longs.length;
    }

    /// Stores an element of another tensor of the same kind here.
    void copy(int to, Nd from, int index) {
        if (dtype.isFloat()) {
            floats[to] = from.floats[index];
        } else {
            longs[to] = from.longs[index];
        }
    }

    /// How far apart neighbours along each dimension lie.
    int[] strides() {
        int[] strides = new int[shape.length];
        int stride = 1;
        for (int i = shape.length - 1; i >= 0; i--) {
            strides[i] = stride;
            stride = (int) (stride * shape[i]);
        }
        return strides;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Nd nd
                && dtype == nd.dtype
                && Arrays.equals(shape, nd.shape)
                && Arrays.equals(floats, nd.floats)
                && Arrays.equals(longs, nd.longs);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(floats) + 31 * Arrays.hashCode(longs) + dtype.hashCode();
    }

    @Override
    public String toString() {
        return dtype + Arrays.toString(shape) + (dtype.isFloat() ? Arrays.toString(floats) : Arrays.toString(longs));
    }
}
