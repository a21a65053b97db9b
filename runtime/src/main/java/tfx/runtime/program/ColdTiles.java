package tfx.runtime.program;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;

/// Rounds of the register tiles of all programs, on a thread beside them, which ends when there is nothing to do.
final class ColdTiles {
    /// After so many rounds a tile stays with its twin: the JVM does not optimise it.
    private static final int MOST_ROUNDS = 100;

    /// Nanoseconds that no trial of compiled code takes, a few steps as it is. One of an interpreted twin does;
    /// against that, vector code which is still slow would count as fast.
    private static final long MOST_COMPILED = 20_000;

    /// Nanoseconds between looks at what is due.
    private static final long PAUSE = 3_000_000;

    /// Reads of a float while the first tiles have their first rounds. Where the JVM's optimising compiler has
    /// less than a thousand counts of what the JDK does in one, it leaves calls in tiles (`docs/performance.md`).
    /// They come in parts, since the first compiler makes the code that counts, and takes a while.
    private static final int READS = 6_000;

    private static final int READS_AT_ONCE = 1_500;

    private static final double[] NO_DOUBLES = {};

    private static final ThreadPoolExecutor THREAD =
            new ThreadPoolExecutor(1, 1, 1, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
                Thread thread = new Thread(task, "tfx-warmup");
                thread.setDaemon(true);
                thread.setContextClassLoader(null);
                return thread;
            });

    static {
        THREAD.allowCoreThreadTimeOut(true);
    }

    private static final Queue<Tile> ADDED = new ConcurrentLinkedQueue<>();
    private static final AtomicBoolean RUNNING = new AtomicBoolean();

    /// Reads so far. Belongs to the thread.
    private static int reads;

    private ColdTiles() {}

    /// A register tile, and what a trial of it needs.
    static final class Tile {
        private final Warmup warmup;
        private final int part;
        private final int floats;
        private final int bytes;
        private final int steps;
        private final Rounds rounds = new Rounds();
        private long due = System.nanoTime();

        /// @param floats elements of scratch memory
        /// @param bytes  of memory that is read
        /// @param steps  along the summed axis
        Tile(Warmup warmup, int part, int floats, int bytes, int steps) {
            this.warmup = warmup;
            this.part = part;
            this.floats = floats;
            this.bytes = bytes;
            this.steps = steps;
        }

        /// A round, if it is time for one; whether it was the last. What fails here leaves the tile to its twin,
        /// and fails in a call if it matters.
        private boolean last() {
            try {
                return System.nanoTime() - due >= 0 && round();
            } catch (RuntimeException | Error e) {
                return true;
            }
        }

        private boolean round() {
            float[] scratch = new float[floats];
            try (Arena arena = Arena.ofConfined()) {
                long[] frame = {arena.allocate(bytes, Long.BYTES).address(), -1};
                call(Warmup.VECTOR, Rounds.CALLS, frame, scratch);
                if (rounds.isTrial()) {
                    frame[1] = rounds.isFirstTrial() ? 1 : steps; // the first loads classes, and is slow
                    long start = System.nanoTime();
                    call(Warmup.VECTOR, 1, frame, scratch);
                    if (rounds.judges()) {
                        long middle = System.nanoTime();
                        call(Warmup.TWIN, 1, frame, scratch);
                        long twin = Math.min(MOST_COMPILED, System.nanoTime() - middle);
                        warmup.hot[part] = rounds.isHot(middle - start, twin);
                    }
                }
            }
            due = System.nanoTime() + rounds.next();
            return warmup.hot[part] || rounds.count() == MOST_ROUNDS;
        }

        private void call(int form, int times, long[] frame, float[] scratch) {
            warmup.call(2 * part + form, times, 0, 0, 0, frame, scratch, NO_DOUBLES, frame, frame);
        }
    }

    /// Adds a tile.
    static void add(Tile tile) {
        ADDED.add(tile);
        start();
    }

    private static void start() {
        if (RUNNING.compareAndSet(false, true)) {
            try {
                THREAD.execute(ColdTiles::run);
            } catch (RuntimeException | Error e) {
                RUNNING.set(false); // no thread to be had: the twins go on working
            }
        }
    }

    private static void readSome() {
        if (reads < READS) {
            reads += READS_AT_ONCE;
            try (Arena arena = Arena.ofConfined()) {
                long address = arena.allocate(Float.BYTES, Float.BYTES).address();
                for (int i = 0; i < READS_AT_ONCE; i++) {
                    Support.read(Support.F32, address);
                }
            } catch (RuntimeException | Error e) {
                reads = READS; // tiles may be slow, and still get their rounds
            }
        }
    }

    private static void run() {
        List<Tile> tiles = new ArrayList<>();
        try {
            do {
                for (Tile tile = ADDED.poll(); tile != null; tile = ADDED.poll()) {
                    tiles.add(tile);
                }
                readSome();
                tiles.removeIf(Tile::last);
                LockSupport.parkNanos(PAUSE);
            } while (!tiles.isEmpty());
        } finally {
            RUNNING.set(false);
        }
        if (!ADDED.isEmpty()) {
            start();
        }
    }
}
