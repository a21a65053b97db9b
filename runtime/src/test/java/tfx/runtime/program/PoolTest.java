package tfx.runtime.program;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;

final class PoolTest {
    private static final long HOUR = TimeUnit.HOURS.toNanos(1);

    private final Pool pool = new Pool();

    @Test
    void everyTaskRunsOnce() {
        for (int threads = 1; threads <= 4; threads++) {
            for (int early = 1; early <= threads; early++) {
                for (long late : new long[] {-HOUR, 0, 1_000, 100_000, HOUR}) {
                    for (int tasks : new int[] {0, 1, 2, 7, 1_000}) {
                        AtomicIntegerArray met = new AtomicIntegerArray(tasks);
                        pool.run(threads, early, System.nanoTime() + late, tasks, (from, to) -> {
                            for (long task = from; task < to; task++) {
                                met.incrementAndGet((int) task);
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
    void fewThreadsWorkOnWhatOthersJoinLate() {
        Set<Thread> threads = ConcurrentHashMap.newKeySet();
        pool.run(3, 1, System.nanoTime() + HOUR, 60, (from, to) -> {
            threads.add(Thread.currentThread());
            sleepAMillisecond();
        });
        assertThat(threads).containsExactly(Thread.currentThread());
    }

    @Test
    void othersJoinLate() {
        assertThat(meet(2, 1, System.nanoTime() + 50_000_000)).isTrue();
    }

    @Test
    void whoWaitsForOneCallTakesPartInTheNext() {
        for (int i = 0; i < 20; i++) {
            pool.run(2, 1, System.nanoTime() + HOUR, 2, (from, to) -> sleepAMillisecond());
            assertThat(meet(2, 2, 0)).isTrue();
        }
    }

    /// Whether so many threads work at the same time.
    private boolean meet(int threads, int early, long late) {
        CountDownLatch there = new CountDownLatch(threads);
        AtomicBoolean met = new AtomicBoolean(true);
        pool.run(threads, early, late, threads, (from, to) -> {
            there.countDown();
            try {
                met.compareAndSet(true, there.await(20, TimeUnit.SECONDS));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        return met.get();
    }

    private static void sleepAMillisecond() {
        try {
            Thread.sleep(1);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
