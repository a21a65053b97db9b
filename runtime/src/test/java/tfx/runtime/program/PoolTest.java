package tfx.runtime.program;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import tfx.runtime.RunException;

final class PoolTest {
    private static final long HOUR = TimeUnit.HOURS.toNanos(1);

    private final Pool pool = new Pool();

    @Test
    void everyTaskRunsOnce() {
        for (int threads = 1; threads <= 4; threads++) {
            for (int early = 1; early <= threads; early++) {
                for (long rest : new long[] {-HOUR, 0, 10_000, 100_000, HOUR}) {
                    for (int tasks : new int[] {0, 1, 2, 7, 300}) {
                        AtomicIntegerArray met = new AtomicIntegerArray(tasks);
                        pool.run(threads, in(early, rest), tasks, (from, to) -> {
                            for (long task = from; task < to; task++) {
                                met.incrementAndGet((int) task);
                                busy();
                            }
                        });
                        for (int task = 0; task < tasks; task++) {
                            assertThat(met.get(task)).isEqualTo(1);
                        }
                    }
                }
            }
        }
    }

    @Test
    void othersDoNotJoinEarly() {
        assertThat(working(3, in(1, HOUR))).containsExactly(Thread.currentThread());
    }

    @Test
    void othersJoinLate() {
        assertThat(meet(in(1, 50_000_000))).isTrue();
    }

    @Test
    void whoWaitsForOneCallTakesPartInTheNext() {
        for (int i = 0; i < 20; i++) {
            working(2, in(1, HOUR));
            assertThat(meet(in(2, 0))).isTrue();
        }
    }

    @Test
    void whoWaitsForACallThatFailsTakesPartInTheNext() {
        for (int i = 0; i < 20; i++) {
            assertThatThrownBy(() -> pool.run(2, in(1, HOUR), 2, (from, to) -> {
                        sleepAMillisecond();
                        throw new RunException("no");
                    }))
                    .hasMessage("no");
            assertThat(meet(in(2, 0))).isTrue();
        }
    }

    @Test
    void aSecondCallRunsAlone() throws InterruptedException {
        CountDownLatch second = new CountDownLatch(1);
        Set<Thread> alone = ConcurrentHashMap.newKeySet();
        Thread caller = new Thread(() -> {
            alone.addAll(working(2, in(2, 0)));
            second.countDown();
        });
        AtomicBoolean ended = new AtomicBoolean();
        pool.run(2, in(1, HOUR), 2, (from, to) -> {
            if (from == 0) {
                caller.start();
                ended.set(await(second));
            }
        });
        assertThat(ended).isTrue();
        assertThat(alone).containsExactly(caller);
    }

    private static Pool.Start in(int threads, long nanos) {
        return new Pool.Start(threads, System.nanoTime() + nanos);
    }

    /// The threads that work on 60 tasks of a millisecond.
    private Set<Thread> working(int threads, Pool.Start start) {
        Set<Thread> met = ConcurrentHashMap.newKeySet();
        pool.run(threads, start, 60, (from, to) -> {
            met.add(Thread.currentThread());
            sleepAMillisecond();
        });
        return met;
    }

    /// Whether two threads work at the same time.
    private boolean meet(Pool.Start start) {
        CountDownLatch there = new CountDownLatch(2);
        AtomicBoolean met = new AtomicBoolean(true);
        pool.run(2, start, 2, (from, to) -> {
            there.countDown();
            if (!await(there)) {
                met.set(false);
            }
        });
        return met.get();
    }

    private static boolean await(CountDownLatch latch) {
        try {
            return latch.await(20, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            return false;
        }
    }

    private static void busy() {
        for (long end = System.nanoTime() + 2_000; System.nanoTime() < end; ) {
            Thread.onSpinWait();
        }
    }

    private static void sleepAMillisecond() {
        try {
            Thread.sleep(1);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
