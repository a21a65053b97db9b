package tfx.runtime.program;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import tfx.runtime.Numbers;
import tfx.runtime.RunException;

/// What emitted code calls besides the JDK.
public final class Support {
    /// All memory, as one segment: emitted code addresses buffers by absolute address. That every address lies
    /// inside its buffer follows from the sizes, which are checked before a kernel runs, and from {@link #index}
    /// for looked-up rows.
    public static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    public static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;

    static {
        // The JIT compiler takes the first kind of segment for the only one until another is loaded, and then throws
        // away what it compiled: the interpreter's vectors load this one in the midst of a first call.
        MemorySegment.ofArray(new byte[1]);
    }

    private Support() {}

    /// Room for what a block of a product without terms writes.
    public static float[] block() {
        return new float[16];
    }

    // ---- elements of scalar twins ----

    /// The floats of {@link #read} and {@link #write}.
    public static final int F32 = 0;

    public static final int F16 = 1;
    public static final int BF16 = 2;

    /// Reads a float. Scalar twins share this: it is too long for the JVM's first compiler to put into each of
    /// them, which takes that compiler much less time, and is itself soon optimised.
    public static float read(int type, long address) {
        return switch (type) {
            case F16 -> Numbers.fromF16(ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, address));
            case BF16 -> Numbers.fromBf16(ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, address));
            default -> ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, address);
        };
    }

    /// Writes a float, likewise.
    public static void write(int type, long address, float value) {
        switch (type) {
            case F16 -> ALL.set(ValueLayout.JAVA_SHORT_UNALIGNED, address, Numbers.toF16(value));
            case BF16 -> ALL.set(ValueLayout.JAVA_SHORT_UNALIGNED, address, Numbers.toBf16(value));
            default -> ALL.set(ValueLayout.JAVA_FLOAT_UNALIGNED, address, value);
        }
    }

    /// Elements of a block that a transposition works on, for the first-level cache.
    private static final int BLOCK = 4096;

    /// Elements that a round of its loop moves.
    private static final int UNROLLED = 8;

    /// Copies `rows` times `columns` elements of 4 bytes, evenly spaced on both sides, row after row. Kernels that
    /// only move such elements share this, so that the JIT compiler has it early, for the weights that a load
    /// transposes.
    ///
    /// @param toRow    bytes from a row to the next where they go
    /// @param toStep   bytes from an element of a row to the next there
    /// @param fromRow  the same where they are
    /// @param fromStep the same where they are
    public static void copy(
            long to, long toRow, long toStep, long from, long fromRow, long fromStep, int rows, int columns) {
        boolean blocks = rows >= UNROLLED && columns <= BLOCK / UNROLLED;
        if (blocks && fromRow == Integer.BYTES && toStep == Integer.BYTES && toRow == (long) Integer.BYTES * columns) {
            transpose(to, from, fromStep, rows, columns);
            return;
        }
        for (int row = 0; row < rows; row++) {
            for (int i = 0; i < columns; i++) {
                int element = ALL.get(ValueLayout.JAVA_INT_UNALIGNED, from + row * fromRow + i * fromStep);
                ALL.set(ValueLayout.JAVA_INT_UNALIGNED, to + row * toRow + i * toStep, element);
            }
        }
    }

    /// Columns that lie one after the other, to rows that do. It goes by way of arrays: until the JIT compiler has
    /// taken code, an element of memory takes it many times longer than one of an array.
    private static void transpose(long to, long from, long fromColumn, int rows, int columns) {
        int most = Math.clamp(BLOCK / Math.max(1, columns), 1, Math.max(1, rows));
        int[] column = new int[most];
        int[] block = new int[most * columns];
        for (int first = 0; first < rows; first += most) {
            int count = Math.min(most, rows - first);
            long start = from + (long) Integer.BYTES * first;
            for (int i = 0; i < columns; i++) {
                MemorySegment.copy(ALL, ValueLayout.JAVA_INT_UNALIGNED, start + i * fromColumn, column, 0, count);
                spread(column, count, block, i, columns);
            }
            long end = to + (long) Integer.BYTES * first * columns;
            MemorySegment.copy(block, 0, ALL, ValueLayout.JAVA_INT_UNALIGNED, end, count * columns);
        }
    }

    /// Eight at a time, since a round of a loop takes code that counts its rounds for the JIT compiler as long.
    private static void spread(int[] elements, int count, int[] to, int at, int step) {
        int i = 0;
        int p = at;
        for (; i + UNROLLED <= count; i += UNROLLED) {
            to[p] = elements[i];
            to[p += step] = elements[i + 1];
            to[p += step] = elements[i + 2];
            to[p += step] = elements[i + 3];
            to[p += step] = elements[i + 4];
            to[p += step] = elements[i + 5];
            to[p += step] = elements[i + 6];
            to[p += step] = elements[i + 7];
            p += step;
        }
        for (; i < count; i++, p += step) {
            to[p] = elements[i];
        }
    }

    /// Checks a looked-up index.
    public static long index(long value, long limit) {
        if (value < 0 || value >= limit) {
            throw new RunException("index " + value + " is outside 0.." + (limit - 1));
        }
        return value;
    }

    // ---- what is known of a whole block ----

    /// The least of `count` ints at an address.
    public static long least(long address, int count) {
        int least = Integer.MAX_VALUE;
        for (int i = 0; i < count; i++) {
            least = Math.min(least, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, address + 4L * i));
        }
        return least;
    }

    /// The greatest of `count` ints at an address.
    public static long greatest(long address, int count) {
        int greatest = Integer.MIN_VALUE;
        for (int i = 0; i < count; i++) {
            greatest = Math.max(greatest, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, address + 4L * i));
        }
        return greatest;
    }

    /// Whether all, with `any` whether one of `count` bools at an address is true: 1 or 0.
    public static int holds(long address, int count, boolean any) {
        for (int i = 0; i < count; i++) {
            if (ALL.get(ValueLayout.JAVA_BYTE, address + i) != 0 == any) {
                return any ? 1 : 0;
            }
        }
        return any ? 0 : 1;
    }

    // ---- sorting: keys in the order of their values ----

    private static final ThreadLocal<long[]> KEYS = ThreadLocal.withInitial(() -> new long[0]);

    /// Room for `count` keys, of this thread.
    public static long[] keys(int count) {
        long[] keys = KEYS.get();
        if (keys.length < count) {
            keys = new long[count];
            KEYS.set(keys);
        }
        return keys;
    }

    /// A key below 2^31 in size; NaN is above all numbers, -0 equals 0.
    public static long key(float value) {
        int bits = Float.floatToIntBits(value + 0f);
        return bits ^ bits >> 31 & Integer.MAX_VALUE;
    }

    public static long key(double value) {
        long bits = Double.doubleToLongBits(value + 0.0);
        return bits ^ bits >> 63 & Long.MAX_VALUE;
    }

    public static long key(long value) {
        return value;
    }

    public static long key(int value) {
        return value;
    }

    /// Writes the stable order of the first `count` keys as i32 at `address`, `step` bytes apart.
    ///
    /// @param narrow whether all keys fit 32 bits
    public static void sort(long[] keys, int count, boolean narrow, boolean descending, long address, long step) {
        if (descending) {
            for (int i = 0; i < count; i++) {
                keys[i] = ~keys[i];
            }
        }
        int[] order = narrow ? sortNarrow(keys, count) : sortWide(keys, count);
        for (int i = 0; i < count; i++) {
            ALL.set(ValueLayout.JAVA_INT_UNALIGNED, address + i * step, order[i]);
        }
    }

    /// Keys above, positions below: sorting the pairs is stable.
    private static int[] sortNarrow(long[] keys, int count) {
        for (int i = 0; i < count; i++) {
            keys[i] = keys[i] << 32 | i;
        }
        Arrays.sort(keys, 0, count);
        int[] order = new int[count];
        for (int i = 0; i < count; i++) {
            order[i] = (int) keys[i];
        }
        return order;
    }

    /// Merges runs of 1, 2, 4, ... positions.
    private static int[] sortWide(long[] keys, int count) {
        int[] from = new int[count];
        int[] to = new int[count];
        for (int i = 0; i < count; i++) {
            from[i] = i;
        }
        for (long run = 1; run < count; run *= 2) {
            for (long low = 0; low < count; low += 2 * run) {
                int middle = (int) Math.min(low + run, count);
                int high = (int) Math.min(low + 2 * run, count);
                int a = (int) low;
                int b = middle;
                for (int i = (int) low; i < high; i++) {
                    boolean left = a < middle && (b >= high || keys[from[a]] <= keys[from[b]]);
                    to[i] = left ? from[a++] : from[b++];
                }
            }
            int[] swap = from;
            from = to;
            to = swap;
        }
        return from;
    }
}
