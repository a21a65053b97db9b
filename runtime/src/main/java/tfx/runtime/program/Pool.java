package tfx.runtime.program;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/// The threads of the process ({@link #shared}). A call hands its tasks to the workers and takes part itself; a
/// second call at the same time finds the pool busy, also where workers are yet to join the first, and runs alone,
/// so that nothing ever waits for anything but its own tasks.
final class Pool {
    /// Work on the tasks `from` to `to - 1`.
    interface Body {
        void run(long from, long to);
    }

    /// How threads begin with a call.
    ///
    /// @param threads how many begin at once, the caller among them
    /// @param rest    when the others join, if there is work left, as `System.nanoTime()` tells it
    record Start(int threads, long rest) {}

    private static final class Job {
        final Body body;
        final long tasks;
        final int helpers;
        final Start start;
        final long chunk;
        final AtomicLong next = new AtomicLong();
        final AtomicLong done = new AtomicLong();
        final AtomicInteger joined = new AtomicInteger();
        final AtomicReference<Throwable> failure = new AtomicReference<>();

        Job(Body body, long tasks, int helpers, Start start) {
            this.body = body;
            this.tasks = tasks;
            this.helpers = helpers;
            this.start = start;
            this.chunk = Math.max(1, tasks / ((helpers + 1L) * CHUNKS));
        }

        void work() {
            for (long from = next.getAndAdd(chunk); from < tasks; from = next.getAndAdd(chunk)) {
                long to = Math.min(tasks, from + chunk);
                try {
                    if (failure.get() == null) {
                        body.run(from, to);
                    }
                } catch (RuntimeException | Error e) {
                    failure.compareAndSet(null, e);
                } finally {
                    done.addAndGet(to - from);
                }
            }
        }
    }

    private static final Pool SHARED = new Pool();
    private static final int SPINS = 10_000;

    /// Stretches of neighbouring tasks that each thread takes, one after the other, where there are as many: fewer
    /// and the last one to end is waited for, more and threads alternate within what one of them could stream.
    private static final int CHUNKS = 16;

    private final AtomicReference<Job> current = new AtomicReference<>();
    private final List<Thread> workers = new CopyOnWriteArrayList<>();
    private volatile int sleeping;

    static Pool shared() {
        return SHARED;
    }

    /// Runs tasks 0 to `tasks - 1` on at most `threads` threads, the caller among them.
    void run(int threads, Start start, long tasks, Body body) {
        int helpers = (int) Math.min(threads - 1L, tasks - 1);
        if (helpers > 0) {
            Job job = new Job(body, tasks, helpers, start);
            start(threads - 1);
            if (current.compareAndSet(null, job)) {
                try {
                    wake();
                    job.work();
                } finally {
                    for (int spin = 0; job.done.get() < tasks; spin++) {
                        pause(spin);
                    }
                    current.set(null);
                }
                rethrow(job.failure.get());
                return;
            }
        }
        body.run(0, tasks);
    }

    private static void rethrow(Throwable failure) {
        switch (failure) {
            case null -> {}
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            default -> throw new IllegalStateException(failure);
        }
    }

    private synchronized void start(int count) {
        while (workers.size() < count) {
            Thread worker = new Thread(this::loop, "tfx-worker-" + workers.size());
            worker.setDaemon(true);
            workers.add(worker);
            worker.start();
        }
    }

    private void wake() {
        if (sleeping > 0) {
            workers.forEach(LockSupport::unpark);
        }
    }

    private void loop() {
        Job last = null;
        while (true) {
            Job job = current.get();
            for (int spin = 0; spin < SPINS && (job == null || job == last); spin++) {
                pause(spin);
                job = current.get();
            }
            if (job == null || job == last) {
                sleep(last, Long.MAX_VALUE);
                continue;
            }
            last = job;
            join(job, job.joined.incrementAndGet());
        }
    }

    /// @param place of a worker among the job's helpers, from 1
    private void join(Job job, int place) {
        if (place > job.helpers) {
            return;
        }
        if (place >= job.start.threads) {
            long wait = job.start.rest - System.nanoTime();
            while (wait > 0 && current.get() == job) {
                sleep(job, wait);
                wait = job.start.rest - System.nanoTime();
            }
        }
        job.work();
    }

    /// Waits a moment. Now and then it gives the core away: the thread waited for may have been woken on this
    /// one.
    private static void pause(int spin) {
        if (spin % 64 == 63) {
            Thread.yield();
        } else {
            Thread.onSpinWait();
        }
    }

    /// Sleeps until there may be another job than `last`, or so many nanoseconds.
    private void sleep(Job last, long nanos) {
        synchronized (this) {
            sleeping++;
        }
        Job job = current.get();
        if (job == null || job == last) {
            LockSupport.parkNanos(this, nanos);
        }
        synchronized (this) {
            sleeping--;
        }
    }
}
