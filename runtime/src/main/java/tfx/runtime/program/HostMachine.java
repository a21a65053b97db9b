package tfx.runtime.program;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;
import tfx.runtime.Dim;
import tfx.runtime.RunException;
import tfx.runtime.Sizes;
import tfx.runtime.Tensor;

/// The processor that this JVM runs on: kernels are classes, their tasks are shared among the threads of the pool,
/// and memory is the memory of tensors itself.
public final class HostMachine implements Machine<MemorySegment> {
    /// Loops along one axis count in ints.
    private static final long MAX_AXIS = Integer.MAX_VALUE - 1024L;

    /// A kernel ready to run.
    ///
    /// @param sizes the size symbols that its frame holds
    /// @param axes  sizes of axes that only a call knows
    public record Loaded(CompiledKernel code, String name, List<String> sizes, List<Dim> axes, Needs needs) {}

    /// What the sizes of a call are to a kernel. Calls whose arguments have the shapes of the call before bring
    /// the same object.
    ///
    /// @param values of the symbols that its frame holds
    private record Sized(Sizes sizes, long[] values) {}

    private final List<Loaded> kernels;
    private final int threads;

    /// Of each kernel's last launch: the next one mostly has the same sizes. Threads may miss what others found.
    private final Sized[] sized;

    private final FirstLaunches firstLaunches;
    private final Arena arena = Arena.ofShared();
    private final Slabs slabs = new Slabs();

    /// @param kernels by their position
    /// @param threads how many threads work on one call
    public HostMachine(List<Loaded> kernels, int threads) {
        this.kernels = List.copyOf(kernels);
        if (threads < 1) {
            throw new IllegalArgumentException("threads is " + threads + "; it must be at least 1");
        }
        this.threads = threads;
        this.sized = new Sized[kernels.size()];
        this.firstLaunches = new FirstLaunches(
                kernels.size(), threads, Runtime.getRuntime().availableProcessors(), System.nanoTime());
    }

    /// Axes of a kernel whose size only a call knows; the others were checked when it was compiled.
    public static boolean isChecked(Dim axis) {
        return axis.constant().filter(c -> c <= MAX_AXIS).isEmpty();
    }

    @Override
    public MemorySegment weight(Tensor tensor) {
        return tensor.data();
    }

    @Override
    public MemorySegment constant(long bytes) {
        return arena.allocate(Math.max(1, bytes), Tensor.ALIGNMENT);
    }

    @Override
    public Machine.Call<MemorySegment> begin(long bytes, Optional<Executable.Observer> observer) {
        return new Call(slabs.take(bytes), observer);
    }

    /// Values of the size symbols in a kernel's frame.
    ///
    /// @throws RunException if one of its axes is too long
    private long[] values(int number, Sizes sizes) {
        Sized known = sized[number];
        if (known != null && known.sizes == sizes) {
            return known.values;
        }
        Loaded kernel = kernels.get(number);
        for (Dim axis : kernel.axes) {
            long size = sizes.evaluate(axis);
            if (size > MAX_AXIS) {
                throw new RunException("the dimension " + axis + " has " + size + " elements; at most " + MAX_AXIS);
            }
        }
        long[] values = kernel.sizes.stream().mapToLong(sizes::value).toArray();
        sized[number] = new Sized(sizes, values);
        return values;
    }

    @Override
    public void close() {
        slabs.close();
        arena.close();
    }

    private final class Call implements Machine.Call<MemorySegment> {
        private final MemorySegment slab;
        private final Optional<Executable.Observer> observer;
        private Optional<Arena> aside = Optional.empty();

        Call(MemorySegment slab, Optional<Executable.Observer> observer) {
            this.slab = slab;
            this.observer = observer;
        }

        @Override
        public MemorySegment input(String name, Tensor tensor) {
            return tensor.data();
        }

        @Override
        public MemorySegment result(String name, Tensor tensor) {
            return tensor.data();
        }

        @Override
        public MemorySegment temporary(long offset, long bytes) {
            return slab.asSlice(offset, bytes);
        }

        @Override
        public MemorySegment aside(long bytes) {
            Arena own = aside.orElseGet(Arena::ofConfined);
            aside = Optional.of(own);
            return own.allocate(Math.max(1, bytes), Tensor.ALIGNMENT);
        }

        @Override
        public void launch(Execution.Launch launch, List<MemorySegment> arguments, Sizes sizes) {
            long start = System.nanoTime();
            Loaded kernel = kernels.get(launch.kernel());
            int buffers = arguments.size();
            long[] values = values(launch.kernel(), sizes);
            long[] frame = new long[buffers + values.length];
            for (int i = 0; i < buffers; i++) {
                frame[i] = arguments.get(i).address();
            }
            System.arraycopy(values, 0, frame, buffers, values.length);
            run(kernel, launch, frame);
            observer.ifPresent(o -> o.launched(new Executable.Launched(
                    launch.kernel(), kernel.name, launch.where(), frame, start, System.nanoTime() - start)));
        }

        private void run(Loaded kernel, Execution.Launch launch, long[] frame) {
            Needs needs = kernel.needs;
            Pool.Start start = firstLaunches.start(launch.kernel(), System.nanoTime());
            try {
                Pool.shared().run(threads, start, kernel.code.tasks(frame), (from, to) -> {
                    Scratch scratch = Scratch.of(needs);
                    kernel.code.run(frame, scratch.floats, scratch.doubles, scratch.longs, scratch.ranges, from, to);
                });
            } catch (RunException e) {
                String where = launch.where();
                throw new RunException(where.isEmpty() ? e.getMessage() : e.getMessage() + " (" + where + ")", e);
            }
        }

        @Override
        public void copy(MemorySegment from, MemorySegment to, long at, long bytes) {
            MemorySegment.copy(from, 0, to, at, bytes);
        }

        @Override
        public void set(MemorySegment to, int value) {
            to.set(ValueLayout.JAVA_INT_UNALIGNED, 0, value);
        }

        @Override
        public boolean holds(MemorySegment condition) {
            return condition.get(ValueLayout.JAVA_BYTE, 0) != 0;
        }

        @Override
        public void finish() {}

        @Override
        public void close() {
            aside.ifPresent(Arena::close);
            slabs.give(slab);
        }
    }
}
