package tfx.runtime.program;

import java.util.Arrays;

/// How threads begin with a launch. While a kernel is new, half of the processors are the JIT compiler's: for its
/// first launches, but not for longer than a while, which may pass within the first of them.
///
/// Threads call this at the same time and see each other's writes late or not at all. All that changes by that is
/// how many of them begin at once.
final class FirstLaunches {
    private static final int LAUNCHES = 2;
    private static final long NANOS = 300_000_000;

    private final int threads;
    private final int early;
    private final int[] launches;

    /// Until when each kernel is new.
    private final long[] until;

    /// @param threads    how many work on a launch
    /// @param processors of the machine
    /// @param now        as all times here, of `System.nanoTime()`
    FirstLaunches(int kernels, int threads, int processors, long now) {
        this.threads = threads;
        this.early = Math.clamp(processors / 2, 1, threads);
        this.launches = new int[kernels];
        this.until = new long[kernels];
        Arrays.fill(until, now);
    }

    /// How threads begin with a launch of `kernel` now.
    Pool.Start start(int kernel, long now) {
        if (launches[kernel] >= LAUNCHES) {
            return new Pool.Start(threads, now);
        }
        if (launches[kernel]++ == 0) {
            until[kernel] = now + NANOS;
        }
        return new Pool.Start(early, until[kernel]);
    }
}
