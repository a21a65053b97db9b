package tfx.cpu;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import tfx.ir.RunException;
import tfx.ir.UnaryFn;

/// What emitted code calls besides the JDK.
public final class Support {
    /// All memory, as one segment: emitted code addresses buffers by absolute address. That every address lies
    /// inside its
    /// buffer follows from the sizes, which are checked before a kernel runs, and from {@link #index} for looked-up
    /// rows.
    public static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    public static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;

    private Support() {}

    /// Checks a looked-up index.
    public static long index(long value, long limit) {
        if (value < 0 || value >= limit) {
            throw new RunException("gather: index " + value + " is outside 0.." + (limit - 1));
        }
        return value;
    }

    public static int floorDiv(int a, int b) {
        return b == 0 ? 0 : Math.floorDiv(a, b);
    }

    public static long floorDiv(long a, long b) {
        return b == 0 ? 0 : Math.floorDiv(a, b);
    }

    public static int floorMod(int a, int b) {
        return b == 0 ? 0 : Math.floorMod(a, b);
    }

    public static long floorMod(long a, long b) {
        return b == 0 ? 0 : Math.floorMod(a, b);
    }

    public static double erf(double x) {
        return UnaryFn.ERF.apply(x);
    }
}
