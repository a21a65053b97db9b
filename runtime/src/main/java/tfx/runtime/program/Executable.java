package tfx.runtime.program;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import tfx.runtime.DType;
import tfx.runtime.Dim;
import tfx.runtime.RunException;
import tfx.runtime.Sizes;
import tfx.runtime.Tensor;
import tfx.runtime.program.Execution.Role;

/// A compiled program with its weights in place. Safe for concurrent calls.
public final class Executable implements AutoCloseable {
    /// Loops along one axis count in ints.
    private static final long MAX_AXIS = Integer.MAX_VALUE - 1024L;

    /// A kernel ready to run.
    ///
    /// @param sizes the size symbols that its frame holds
    /// @param axes  sizes of axes that only a call knows
    public record Loaded(CompiledKernel code, String name, List<String> sizes, List<Dim> axes, Needs needs) {}

    /// Sees each launch of a call.
    @FunctionalInterface
    public interface Observer {
        void launched(Launched launch);
    }

    /// A launch that has ended.
    ///
    /// @param kernel the kernel's position
    /// @param where  the place in the source
    /// @param frame  the addresses of its buffers, then the values of its sizes
    /// @param start  when it began, by {@link System#nanoTime}
    /// @param nanos  how long it took
    public record Launched(int kernel, String name, String where, long[] frame, long start, long nanos) {}

    private final Execution execution;
    private final List<Loaded> kernels;
    private final int threads;
    private final Arena arena = Arena.ofShared();
    private final Sizes weightSizes = new Sizes();
    private final Map<String, Execution.Value> values = new HashMap<>();
    private final Map<String, MemorySegment> constants = new HashMap<>();
    private final Slabs slabs = new Slabs();
    private final ReadWriteLock open = new ReentrantReadWriteLock();
    private boolean closed;

    private Executable(Execution execution, List<Loaded> kernels, int threads) {
        this.execution = execution;
        this.kernels = kernels;
        this.threads = threads;
        execution.values().forEach(v -> values.put(v.name(), v));
    }

    /// Binds the weights and runs the steps that depend on them alone.
    ///
    /// @param weights by name, of the declared types; they must stay open as long as this program
    /// @param threads how many threads work on one call
    public static Executable load(Execution execution, List<Loaded> kernels, Map<String, Tensor> weights, int threads) {
        Executable loaded = new Executable(execution, kernels, threads);
        try {
            loaded.bindWeights(weights);
            return loaded;
        } catch (RuntimeException | Error e) {
            loaded.close();
            throw e;
        }
    }

    private void bindWeights(Map<String, Tensor> weights) {
        for (Execution.Value value : execution.values()) {
            if (value.role() == Role.WEIGHT) {
                Tensor tensor = weights.get(value.source());
                if (tensor == null) {
                    throw new RunException("weight '" + value.source() + "' is missing");
                }
                weightSizes.bind(value.source(), value.type(), tensor.shape());
                constants.put(value.name(), tensor.data());
            }
        }
        for (Execution.Value value : execution.values()) {
            if (value.role() == Role.CONSTANT) {
                long bytes = Math.max(1, value.bytes(weightSizes));
                constants.put(value.name(), arena.allocate(bytes, Tensor.ALIGNMENT));
            }
        }
        // What depends on weights alone runs now, before any call checks the other guards.
        execution.guards().stream().filter(g -> g.isKnown(weightSizes)).forEach(g -> g.check(weightSizes));
        run(execution.once(), constants, weightSizes, Optional.empty());
    }

    /// Runs the program.
    ///
    /// @param inputs  by name, of the declared types
    /// @param results owns the results
    public Map<String, Tensor> run(Map<String, Tensor> inputs, Arena results, Optional<Observer> observer) {
        // Kernels address memory absolutely: nothing they use may be freed while a call runs.
        open.readLock().lock();
        try {
            if (closed) {
                throw new IllegalStateException("program " + execution.name() + " is closed");
            }
            return call(inputs, results, observer);
        } finally {
            open.readLock().unlock();
            Reference.reachabilityFence(inputs);
        }
    }

    private Map<String, Tensor> call(Map<String, Tensor> inputs, Arena results, Optional<Observer> observer) {
        Sizes sizes = weightSizes.copy();
        Map<String, MemorySegment> memory = new HashMap<>(constants);
        for (Execution.Value value : execution.values()) {
            if (value.role() == Role.INPUT) {
                Tensor tensor = inputs.get(value.source());
                if (tensor == null || tensor.dtype() != value.type().dtype()) {
                    throw new RunException("argument '" + value.source() + "' is "
                            + (tensor == null ? "missing" : tensor.toString()) + ", declared " + value.type());
                }
                sizes.bind(value.source(), value.type(), tensor.shape());
                memory.put(value.name(), tensor.data());
            }
        }
        execution.guards().forEach(g -> g.check(sizes));
        Map<String, Tensor> outputs = new LinkedHashMap<>();
        for (Execution.Output output : execution.outputs()) {
            Execution.Value value = values.get(output.value());
            DType dtype = value.type().dtype();
            Tensor tensor = Tensor.zeros(results, dtype, sizes.evaluate(value.type()));
            outputs.put(output.name(), tensor);
            if (value.role() == Role.TEMPORARY) {
                memory.putIfAbsent(value.name(), tensor.data());
            }
        }
        Plan plan = Plan.of(execution, values, sizes, memory.keySet());
        MemorySegment slab = slabs.take(plan.bytes());
        try {
            plan.offsets().forEach((name, place) -> memory.put(name, slab.asSlice(place.offset(), place.bytes())));
            run(execution.steps(), memory, sizes, observer);
        } finally {
            slabs.give(slab);
        }
        for (Execution.Output output : execution.outputs()) {
            MemorySegment to = outputs.get(output.name()).data();
            MemorySegment from = memory.get(output.value());
            if (from.address() != to.address()) {
                MemorySegment.copy(from, 0, to, 0, values.get(output.value()).bytes(sizes));
            }
        }
        return outputs;
    }

    private void run(
            List<Execution.Step> steps, Map<String, MemorySegment> memory, Sizes sizes, Optional<Observer> observer) {
        for (Execution.Step step : steps) {
            switch (step) {
                case Execution.Launch launch -> {
                    long start = System.nanoTime();
                    long[] frame = launch(launch, memory, sizes);
                    observer.ifPresent(o -> o.launched(new Launched(
                            launch.kernel(),
                            kernels.get(launch.kernel()).name(),
                            launch.where(),
                            frame,
                            start,
                            System.nanoTime() - start)));
                }
                case Execution.Repeat repeat -> repeat(repeat, memory, sizes, observer);
            }
        }
    }

    private void repeat(
            Execution.Repeat repeat, Map<String, MemorySegment> memory, Sizes sizes, Optional<Observer> observer) {
        Set<String> states = new TreeSet<>();
        for (Execution.Carry carry : repeat.carried()) {
            long bytes = values.get(carry.state()).bytes(sizes);
            MemorySegment.copy(memory.get(carry.initial()), 0, memory.get(carry.state()), 0, bytes);
            states.add(carry.state());
        }
        long trips = repeat.trips().map(sizes::evaluate).orElse((long) Integer.MAX_VALUE);
        for (long i = 0; i < trips; i++) {
            memory.get(repeat.counter()).set(ValueLayout.JAVA_INT_UNALIGNED, 0, (int) i);
            run(repeat.test(), memory, sizes, observer);
            if (repeat.go().isPresent() && memory.get(repeat.go().get()).get(ValueLayout.JAVA_BYTE, 0) == 0) {
                return;
            }
            run(repeat.body(), memory, sizes, observer);
            for (Execution.Stack stack : repeat.stacked()) {
                long bytes = values.get(stack.each()).bytes(sizes);
                MemorySegment.copy(memory.get(stack.each()), 0, memory.get(stack.all()), i * bytes, bytes);
            }
            advance(repeat, states, memory, sizes);
        }
    }

    /// Replaces the states by the next ones, all at once: a next state that is another state is set aside first.
    private void advance(Execution.Repeat repeat, Set<String> states, Map<String, MemorySegment> memory, Sizes sizes) {
        try (Arena trip = Arena.ofConfined()) {
            Map<String, MemorySegment> aside = new HashMap<>();
            List<Execution.Carry> moving = repeat.carried().stream()
                    .filter(c -> !c.next().equals(c.state()))
                    .toList();
            for (Execution.Carry carry : moving) {
                if (states.contains(carry.next())) {
                    long bytes = values.get(carry.next()).bytes(sizes);
                    aside.computeIfAbsent(
                            carry.next(),
                            n -> trip.allocate(Math.max(bytes, 1))
                                    .copyFrom(memory.get(n).asSlice(0, bytes)));
                }
            }
            for (Execution.Carry carry : moving) {
                MemorySegment from = aside.getOrDefault(carry.next(), memory.get(carry.next()));
                long bytes = values.get(carry.state()).bytes(sizes);
                MemorySegment.copy(from, 0, memory.get(carry.state()), 0, bytes);
            }
        }
    }

    private long[] launch(Execution.Launch launch, Map<String, MemorySegment> memory, Sizes sizes) {
        Loaded kernel = kernels.get(launch.kernel());
        int buffers = launch.arguments().size();
        long[] frame = new long[buffers + kernel.sizes.size()];
        for (int i = 0; i < buffers; i++) {
            frame[i] = memory.get(launch.arguments().get(i)).address();
        }
        for (int i = 0; i < kernel.sizes.size(); i++) {
            frame[buffers + i] = sizes.value(kernel.sizes.get(i));
        }
        for (Dim axis : kernel.axes) {
            if (sizes.evaluate(axis) > MAX_AXIS) {
                throw new RunException(
                        "the dimension " + axis + " has " + sizes.evaluate(axis) + " elements; at most " + MAX_AXIS);
            }
        }
        Needs needs = kernel.needs;
        try {
            Pool.shared().run(threads, kernel.code.tasks(frame), (from, to) -> {
                Scratch scratch = Scratch.of(needs);
                kernel.code.run(frame, scratch.floats, scratch.doubles, scratch.longs, scratch.ranges, from, to);
            });
        } catch (RunException e) {
            String where = launch.where();
            throw new RunException(where.isEmpty() ? e.getMessage() : e.getMessage() + " (" + where + ")", e);
        }
        return frame;
    }

    /// Axes of a kernel whose size only a call knows; the others were checked when it was compiled.
    public static boolean isChecked(Dim axis) {
        return axis.constant().filter(c -> c <= MAX_AXIS).isEmpty();
    }

    /// Waits for calls that run, then frees the constants.
    @Override
    public void close() {
        open.writeLock().lock();
        try {
            if (!closed) {
                closed = true;
                slabs.close();
                arena.close();
            }
        } finally {
            open.writeLock().unlock();
        }
    }
}
