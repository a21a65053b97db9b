package tfx.runtime.program;

import java.util.concurrent.atomic.AtomicLongArray;

/// Gets vector code compiled while its scalar twin works: the base of emitted classes that know a program's parts.
///
/// The JVM interprets new code, and optimises it after thousands of calls. Vector code is hundreds of times slower
/// until then, since each operation makes an object; scalar code is not. So
/// each part, a stage or a register tile, exists in both forms, which give the same bits. While a part is cold
/// its twin works, and now and then a round calls the vector code many times with nothing to do, which costs
/// next to nothing and counts as much. Trials on a few points show the compiler what the code does, and tell how
/// fast it is. A part is hot once its vector code is not slower than its twin.
///
/// Rounds of a stage are part of its calls. Register tiles need no more than memory to read, so their rounds run
/// beside the program ({@link ColdTiles}).
public abstract class Warmup {
    /// Parts that one class knows: with more, its method of calls would be too long for the JVM to compile.
    public static final int PARTS = 128;

    /// The forms of a part.
    static final int VECTOR = 0;

    static final int TWIN = 1;

    /// Whether rounds begin at once. Only tests do not wait, so that short programs have rounds too.
    private static final boolean EAGER = Boolean.getBoolean("tfx.warmup.eager");

    /// Nanoseconds from the first stage that runs to the first round, if no call of a program ends before: a first
    /// call should not wait for any.
    private static final long DELAY = EAGER ? 0 : 450_000_000;

    /// Nanoseconds that a stage's twin works between two rounds: what takes longest is hot first.
    private static final long SPENT = EAGER ? 0 : 300_000;

    /// Steps that the twin of a register tile works along summed axes before the first round.
    private static final long STEPS = EAGER ? 0 : 8_000;

    /// When a call of a program last ended.
    private static volatile long called = System.nanoTime();

    /// Empty calls of a twin before its first work, after which the JVM compiles it.
    private static final int FIRST_CALLS = 250;

    /// Points that a twin then takes one by one, so that compiled code soon takes over.
    private static final int SINGLE = 1_000;

    /// Nanoseconds after which a round counts as lost, as one that fails is.
    private static final long CLAIM = 1_000_000_000;

    /// Which parts run as vector code. Read without locks: both forms are right.
    public final boolean[] hot = new boolean[PARTS];

    private final Stage[] stages = new Stage[PARTS];
    private final ColdTiles.Tile[] tiles = new ColdTiles.Tile[PARTS];

    /// Steps that twins of tiles have worked, but for those that threads lose.
    private final long[] worked = new long[PARTS];

    /// When the next round of each stage is due.
    private final AtomicLongArray due = new AtomicLongArray(PARTS);

    /// A cold stage.
    private static final class Stage {
        /// Points, roughly, that the twin has worked on one by one.
        long single;

        /// Nanoseconds that the twin has worked since the last round. Threads may lose some of each other's, which
        /// puts the next round off and nothing else.
        long spent;

        /// Belongs to the thread that claimed a round, as all below.
        final Rounds rounds = new Rounds();

        /// How long the vector code took for so many points that cannot be divided, until its twin's time for as
        /// many is known.
        long whole;

        long points;
    }

    /// When the first round may be, once a stage has run.
    private volatile long first;

    private volatile boolean ran;

    /// Says that a call of some program has ended.
    static void called() {
        called = System.nanoTime();
    }

    /// For emitted subclasses.
    protected Warmup() {
        long now = System.nanoTime();
        for (int i = 0; i < PARTS; i++) {
            stages[i] = new Stage();
            due.set(i, now);
        }
    }

    /// Calls a part some times: code `2 part` is its vector code, `2 part + 1` its twin. For a register tile,
    /// `frame` holds an address to read from and the depth.
    ///
    /// @param end  a place in `ranges` to which each call adds `step`
    /// @param skip a second such place
    protected abstract void call(
            int code,
            long times,
            int end,
            int skip,
            long step,
            long[] frame,
            float[] floats,
            double[] doubles,
            long[] longs,
            long[] ranges);

    private void call(
            int code, long times, long[] frame, float[] floats, double[] doubles, long[] longs, long[] ranges) {
        call(code, times, 0, 0, 0, frame, floats, doubles, longs, ranges);
    }

    /// Runs a stage that is not hot.
    ///
    /// @param axis the place in `ranges` of the axis that the outermost loop walks
    /// @param skip the place in `ranges` of how many points of this axis the stage leaves out; negative for a
    ///             stage that cannot
    public final void stage(
            int part, int axis, int skip, long[] frame, float[] floats, double[] doubles, long[] longs, long[] ranges) {
        int vector = 2 * part + VECTOR;
        int twin = 2 * part + TWIN;
        long low = ranges[axis];
        long high = ranges[axis + 1];
        Stage stage = stages[part];
        if (low >= high || !claim(part)) {
            long start = System.nanoTime();
            if (low < high && skip >= 0 && stage.single < SINGLE) {
                singly(stage, twin, axis, skip, frame, floats, doubles, longs, ranges);
            } else {
                call(twin, 1, frame, floats, doubles, longs, ranges);
            }
            stage.spent += System.nanoTime() - start;
            return;
        }
        stage.spent = 0;
        ranges[axis + 1] = low;
        call(vector, Rounds.CALLS, frame, floats, doubles, longs, ranges);
        ranges[axis + 1] = high;
        if (!stage.rounds.isTrial()) {
            call(twin, 1, frame, floats, doubles, longs, ranges);
        } else if (skip < 0 || high - low == 1) {
            boolean compares = stage.points == high - low;
            long start = System.nanoTime();
            call(compares ? twin : vector, 1, frame, floats, doubles, longs, ranges);
            long nanos = System.nanoTime() - start;
            hot[part] = compares && stage.rounds.isHot(stage.whole, nanos);
            stage.whole = nanos;
            stage.points = compares ? 0 : high - low;
        } else {
            ranges[axis + 1] = low + 1;
            long start = System.nanoTime();
            call(vector, 1, frame, floats, doubles, longs, ranges);
            long middle = System.nanoTime();
            ranges[axis + 1] = high;
            ranges[skip] = 1;
            call(twin, 1, frame, floats, doubles, longs, ranges);
            ranges[skip] = 0;
            hot[part] = stage.rounds.isHot(middle - start, (System.nanoTime() - middle) / (high - low - 1));
        }
        due.set(part, System.nanoTime() + stage.rounds.next());
    }

    /// Runs the twin of a stage point by point.
    private void singly(
            Stage stage,
            int twin,
            int axis,
            int skip,
            long[] frame,
            float[] floats,
            double[] doubles,
            long[] longs,
            long[] ranges) {
        long low = ranges[axis];
        long high = ranges[axis + 1];
        if (stage.single == 0) {
            ranges[axis + 1] = low;
            call(twin, FIRST_CALLS, frame, floats, doubles, longs, ranges);
        }
        ranges[axis + 1] = low + 1;
        call(twin, high - low, axis + 1, skip, 1, frame, floats, doubles, longs, ranges);
        ranges[axis + 1] = high;
        ranges[skip] = 0;
        stage.single += high - low;
    }

    private boolean claim(int part) {
        long now = System.nanoTime();
        if (!ran) {
            first = now;
            ran = true;
        }
        long before = due.get(part);
        boolean begun = now - first >= DELAY || called - first > 0;
        return begun
                && stages[part].spent >= SPENT
                && now - before >= 0
                && due.compareAndSet(part, before, now + CLAIM);
    }

    /// Tells of a register tile.
    ///
    /// @param floats elements of scratch memory that a trial takes
    /// @param bytes  of memory that it reads
    /// @param steps  along the summed axis
    protected final void tile(int part, int floats, int bytes, int steps) {
        tiles[part] = new ColdTiles.Tile(this, part, floats, bytes, steps);
    }

    /// Says that the twin of a register tile works, or will.
    ///
    /// @param steps along the summed axis
    public final void want(int part, int steps) {
        worked[part] += steps;
        if (worked[part] >= STEPS && tiles[part] != null) {
            add(part);
        }
    }

    private synchronized void add(int part) {
        if (tiles[part] != null) {
            ColdTiles.add(tiles[part]);
            tiles[part] = null;
        }
    }
}
