package tfx.runtime.program;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import tfx.runtime.RunException;

final class WarmupTest {
    private static final int AXIS = 2;
    private static final int SKIP = 4;

    /// Part 0 is a stage that counts how often it meets each point, part 1 a register tile.
    private static final class Fake extends Warmup {
        final int[] met = new int[64];
        final long[] nanos = new long[2];
        int vectors;
        boolean fails;

        @Override
        protected void call(
                int code,
                long times,
                int end,
                int skip,
                long step,
                long[] frame,
                float[] floats,
                double[] doubles,
                long[] longs,
                long[] ranges) {
            for (long i = 0; i < times; i++) {
                call(code, frame, ranges);
                ranges[end] += step;
                ranges[skip] += step;
            }
        }

        private void call(int code, long[] frame, long[] ranges) {
            if (code >= 2) {
                busy(frame[1] > 0 ? nanos[code - 2] : 0);
                return;
            }
            for (long at = ranges[AXIS] + ranges[SKIP]; at < ranges[AXIS + 1]; at++) {
                met[(int) at]++;
                vectors += 1 - code;
                busy(nanos[code]);
                if (fails) {
                    throw new RunException("no");
                }
            }
        }

        private static void busy(long nanos) {
            for (long end = System.nanoTime() + nanos; System.nanoTime() < end; ) {
                Thread.onSpinWait();
            }
        }

        void run(int low, int high, int skip) {
            Arrays.fill(met, 0);
            long[] ranges = {0, 0, low, high, 0};
            stage(0, AXIS, skip, ranges, new float[0], new double[0], ranges, ranges);
            assertThat(ranges).containsExactly(0, 0, low, high, 0);
            int[] expected = IntStream.range(0, met.length)
                    .map(i -> i >= low && i < high ? 1 : 0)
                    .toArray();
            assertThat(met).isEqualTo(expected);
        }

        /// Runs a stage until its first trial, which is the last of these runs.
        void firstTrial(int high, int skip) throws InterruptedException {
            for (int i = 0; i < Rounds.FIRST_TRIAL; i++) {
                run(3, high, skip);
                assertThat(vectors).isZero();
                Thread.sleep(10);
            }
            run(3, high, skip);
        }

        /// Runs a stage for as many rounds as take long enough to judge it.
        void rounds(int high, int skip) throws InterruptedException {
            for (int i = 0; i < 30 && !hot[0]; i++) {
                run(3, high, skip);
                Thread.sleep(60);
            }
        }
    }

    @Test
    void aRoundMeetsEachPointOnce() throws InterruptedException {
        for (int skip : new int[] {-1, SKIP}) {
            for (int high : new int[] {3, 4, 5, 40}) {
                Fake warmup = new Fake();
                warmup.firstTrial(high, skip);
                assertThat(warmup.vectors).isEqualTo(skip < 0 ? high - 3 : Math.min(high - 3, 1));
                warmup.run(3, high, skip);
            }
        }
    }

    @Test
    void aStageIsHotOnceItsVectorCodeIsFast() throws InterruptedException {
        for (int skip : new int[] {-1, SKIP}) {
            Fake warmup = new Fake();
            warmup.nanos[Warmup.TWIN] = 20_000;
            warmup.rounds(20, skip);
            assertThat(warmup.hot[0]).isTrue();
        }
    }

    @Test
    void aStageStaysColdWhileItsVectorCodeIsSlow() throws InterruptedException {
        Fake warmup = new Fake();
        warmup.nanos[Warmup.VECTOR] = 2_000_000;
        warmup.rounds(5, SKIP);
        assertThat(warmup.hot[0]).isFalse();
    }

    @Test
    void aStageThatFailedIsNotLost() throws InterruptedException {
        Fake warmup = new Fake();
        warmup.fails = true;
        assertThatThrownBy(() -> warmup.run(3, 9, SKIP)).isInstanceOf(RunException.class);
        warmup.fails = false;
        Thread.sleep(1_100);
        warmup.firstTrial(9, SKIP);
        assertThat(warmup.vectors).isEqualTo(1);
    }

    @Test
    void aRegisterTileIsWarmedBesideTheProgram() throws InterruptedException {
        Fake warmup = new Fake();
        warmup.nanos[Warmup.TWIN] = 20_000;
        warmup.tile(1, 0, 64, 8);
        warmup.want(1, 8);
        warmup.want(1, 8);
        for (int i = 0; i < 1_000 && !warmup.hot[1]; i++) {
            Thread.sleep(10);
        }
        assertThat(warmup.hot[1]).isTrue();
    }
}
