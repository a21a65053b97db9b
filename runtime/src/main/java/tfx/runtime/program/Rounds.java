package tfx.runtime.program;

/// The rounds that a cold part has had; see {@link Warmup}. Belongs to one thread at a time.
final class Rounds {
    /// Empty calls of a round.
    static final int CALLS = 1_000;

    /// Rounds until the JVM has been asked to optimise the part.
    private static final int ASKED = 12;

    /// The round of the first trial: after calls enough for the JVM to keep counts of what the part does, before
    /// those with which it optimises the part.
    static final int FIRST_TRIAL = 3;

    /// Trials of which the compiler learns what the part does.
    private static final int TRIALS = 2;

    /// Nanoseconds between rounds once the JVM has been asked: at first, and at most.
    private static final long TRIAL_GAP = 20_000_000;
    private static final long LAST_GAP = 40_000_000;

    /// How many nanoseconds slower than the twin fast code may be: the clock's precision.
    private static final long SLACK = 500;

    private int count;
    private long gap;

    /// Whether this round tries the part on a few points.
    boolean isTrial() {
        return count >= FIRST_TRIAL && count < FIRST_TRIAL + TRIALS || judges();
    }

    /// Whether this round tells if the part is hot.
    boolean judges() {
        return count >= ASKED;
    }

    /// Whether vector code that took so many nanoseconds, and its twin so many, is worth it from now on.
    boolean isHot(long vector, long twin) {
        return judges() && vector <= twin + SLACK;
    }

    /// Ends a round.
    ///
    /// @return nanoseconds until the next
    long next() {
        count++;
        if (count >= ASKED) {
            gap = Math.clamp(gap + gap / 4, TRIAL_GAP, LAST_GAP);
        }
        return gap;
    }

    int count() {
        return count;
    }

    /// Whether no round before this one was a trial.
    boolean isFirstTrial() {
        return count == FIRST_TRIAL;
    }
}
