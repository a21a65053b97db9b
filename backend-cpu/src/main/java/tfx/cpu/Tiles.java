package tfx.cpu;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import tfx.ir.kernel.Kernel;
import tfx.runtime.DType;

/// Where tile values lie in the scratch arrays: row-major, each row of the last axis padded to whole register
/// tiles.
final class Tiles {
    /// A tile value.
    ///
    /// @param offset  first element in the array of its kind
    /// @param strides elements between neighbours along each axis
    record Tile(DType dtype, List<String> axes, int offset, int[] strides) {
        int stride(String axis) {
            return strides[axes.indexOf(axis)];
        }
    }

    /// The three scratch arrays.
    enum Kind {
        FLOATS,
        DOUBLES,
        LONGS
    }

    private final Kernel kernel;
    private final int padding;
    private final Map<String, Tile> tiles = new HashMap<>();
    private final int[] used = new int[Kind.values().length];

    Tiles(Kernel kernel, int padding) {
        this.kernel = kernel;
        this.padding = padding;
        kernel.body().forEach(this::collect);
    }

    static Kind kind(DType dtype) {
        return switch (dtype) {
            case F32, F16, BF16 -> Kind.FLOATS;
            case F64 -> Kind.DOUBLES;
            case I64, I32, I8, U8, BOOL -> Kind.LONGS;
        };
    }

    private void collect(Kernel.Statement statement) {
        switch (statement) {
            case Kernel.Let s -> tiles.computeIfAbsent(s.name(), k -> place(s.dtype(), s.axes()));
            case Kernel.Reduce s -> tiles.computeIfAbsent(s.name(), k -> place(s.dtype(), s.axes()));
            case Kernel.Dot s -> tiles.computeIfAbsent(s.name(), k -> place(s.dtype(), s.axes()));
            case Kernel.Store s -> {}
            case Kernel.Scan s -> {}
            case Kernel.Sort s -> {}
            case Kernel.Loop s -> s.body().forEach(this::collect);
        }
    }

    private Tile place(DType dtype, List<String> axes) {
        int[] strides = new int[axes.size()];
        int stride = 1;
        for (int i = axes.size() - 1; i >= 0; i--) {
            strides[i] = stride;
            int extent = extent(axes.get(i));
            stride *= i == axes.size() - 1 && axes.size() > 1 ? (extent + padding - 1) / padding * padding : extent;
        }
        return new Tile(dtype, axes, reserve(kind(dtype), stride), strides);
    }

    /// The most points of an axis that one tile holds.
    int extent(String name) {
        return kernel.extent(name);
    }

    /// Room for `count` more elements; the offset where it begins.
    int reserve(Kind kind, int count) {
        int offset = used[kind.ordinal()];
        used[kind.ordinal()] = (offset + count + 15) / 16 * 16;
        return offset;
    }

    Tile get(String name) {
        return tiles.get(name);
    }

    int used(Kind kind) {
        return used[kind.ordinal()];
    }
}
