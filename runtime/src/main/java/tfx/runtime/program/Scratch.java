package tfx.runtime.program;

/// The scratch arrays of one thread, grown to what the largest kernel needs.
final class Scratch {
    private static final ThreadLocal<Scratch> OWN = ThreadLocal.withInitial(Scratch::new);

    float[] floats = new float[0];
    double[] doubles = new double[0];
    long[] longs = new long[0];
    long[] ranges = new long[0];

    /// This thread's arrays, at least as large as `needs` says.
    static Scratch of(Needs needs) {
        Scratch scratch = OWN.get();
        if (scratch.floats.length < needs.floats()) {
            scratch.floats = new float[needs.floats()];
        }
        if (scratch.doubles.length < needs.doubles()) {
            scratch.doubles = new double[needs.doubles()];
        }
        if (scratch.longs.length < needs.longs()) {
            scratch.longs = new long[needs.longs()];
        }
        if (scratch.ranges.length < needs.ranges()) {
            scratch.ranges = new long[needs.ranges()];
        }
        return scratch;
    }
}
