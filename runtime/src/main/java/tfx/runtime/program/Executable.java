package tfx.runtime.program;

import java.lang.foreign.Arena;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import tfx.runtime.RunException;
import tfx.runtime.Sizes;
import tfx.runtime.Tensor;
import tfx.runtime.program.Execution.Role;

/// A compiled program with its weights in place, on some machine. Safe for concurrent calls.
///
/// @param <M> the machine's memory
public final class Executable<M> implements AutoCloseable {
    /// Sees what a call does on its machine.
    public interface Observer {
        void launched(Launched launch);

        /// A copy between the host and a machine with memory of its own.
        default void transferred(Transferred transfer) {}
    }

    /// A launch that has ended.
    ///
    /// @param kernel the kernel's position
    /// @param where  the place in the source
    /// @param frame  the addresses of its buffers, where the machine has such, then the values of its sizes
    /// @param start  when it began, in nanoseconds by the machine's clock
    /// @param nanos  how long it took
    public record Launched(int kernel, String name, String where, long[] frame, long start, long nanos) {}

    /// A transfer that has ended.
    ///
    /// @param name  the argument or result
    /// @param start when it began, in nanoseconds by the machine's clock
    public record Transferred(String name, boolean toMachine, long bytes, long start, long nanos) {}

    private final Execution execution;
    private final Machine<M> machine;
    private final Sizes weightSizes = new Sizes();
    private final Map<String, Execution.Value> values = new HashMap<>();
    private final Map<String, M> constants = new HashMap<>();
    private final Temporaries temporaries;
    private final ReadWriteLock open = new ReentrantReadWriteLock();
    private boolean closed;

    private Executable(Execution execution, Machine<M> machine) {
        this.execution = execution;
        this.machine = machine;
        Set<String> placed = new HashSet<>();
        for (Execution.Value value : execution.values()) {
            values.put(value.name(), value);
            if (value.role() != Role.TEMPORARY) {
                placed.add(value.name());
            }
        }
        execution.outputs().forEach(o -> placed.add(o.value()));
        this.temporaries = new Temporaries(execution, values, placed);
    }

    /// Binds the weights and runs the steps that depend on them alone.
    ///
    /// @param machine is closed with this program
    /// @param weights by name, of the declared types; they must stay open as long as this program
    public static <M> Executable<M> load(Execution execution, Machine<M> machine, Map<String, Tensor> weights) {
        Executable<M> loaded = new Executable<>(execution, machine);
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
                constants.put(value.name(), machine.weight(tensor));
            }
        }
        for (Execution.Value value : execution.values()) {
            if (value.role() == Role.CONSTANT) {
                constants.put(value.name(), machine.constant(value.bytes(weightSizes)));
            }
        }
        // What depends on weights alone runs now, before any call checks the other guards.
        execution.guards().stream().filter(g -> g.isKnown(weightSizes)).forEach(g -> g.check(weightSizes));
        try (Machine.Call<M> call = machine.begin(0, Optional.empty())) {
            run(execution.once(), call, constants, weightSizes);
            call.finish();
        }
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
        for (Execution.Value value : execution.values()) {
            if (value.role() == Role.INPUT) {
                Tensor tensor = inputs.get(value.source());
                if (tensor == null || tensor.dtype() != value.type().dtype()) {
                    throw new RunException("argument '" + value.source() + "' is "
                            + (tensor == null ? "missing" : tensor.toString()) + ", declared " + value.type());
                }
                sizes.bind(value.source(), value.type(), tensor.shape());
            }
        }
        execution.guards().forEach(g -> g.check(sizes));
        Map<String, Tensor> outputs = new LinkedHashMap<>();
        for (Execution.Output output : execution.outputs()) {
            Execution.Value value = values.get(output.value());
            outputs.put(output.name(), Tensor.zeros(results, value.type().dtype(), sizes.evaluate(value.type())));
        }
        Temporaries.Slab slab = temporaries.place(sizes);
        try (Machine.Call<M> call = machine.begin(slab.bytes(), observer)) {
            Map<String, M> memory = new HashMap<>(constants);
            for (Execution.Value value : execution.values()) {
                if (value.role() == Role.INPUT) {
                    memory.put(value.name(), call.input(value.source(), inputs.get(value.source())));
                }
            }
            slab.places().forEach(p -> memory.put(p.name(), call.temporary(p.offset(), p.bytes())));
            Map<String, M> copied = new LinkedHashMap<>();
            for (Execution.Output output : execution.outputs()) {
                M result = call.result(output.name(), outputs.get(output.name()));
                if (memory.putIfAbsent(output.value(), result) != null) {
                    copied.put(output.name(), result);
                }
            }
            run(execution.steps(), call, memory, sizes);
            for (Execution.Output output : execution.outputs()) {
                if (copied.containsKey(output.name())) {
                    long bytes = values.get(output.value()).bytes(sizes);
                    call.copy(memory.get(output.value()), copied.get(output.name()), 0, bytes);
                }
            }
            call.finish();
        }
        Warmup.called();
        return outputs;
    }

    private void run(List<Execution.Step> steps, Machine.Call<M> call, Map<String, M> memory, Sizes sizes) {
        for (Execution.Step step : steps) {
            switch (step) {
                case Execution.Launch launch -> {
                    List<M> arguments = new ArrayList<>();
                    launch.arguments().forEach(a -> arguments.add(memory.get(a)));
                    call.launch(launch, arguments, sizes);
                }
                case Execution.Repeat repeat -> repeat(repeat, call, memory, sizes);
            }
        }
    }

    private void repeat(Execution.Repeat repeat, Machine.Call<M> call, Map<String, M> memory, Sizes sizes) {
        Set<String> states = new TreeSet<>();
        for (Execution.Carry carry : repeat.carried()) {
            long bytes = values.get(carry.state()).bytes(sizes);
            call.copy(memory.get(carry.initial()), memory.get(carry.state()), 0, bytes);
            states.add(carry.state());
        }
        Map<String, M> aside = new HashMap<>();
        for (Execution.Carry carry : repeat.carried()) {
            if (!carry.next().equals(carry.state()) && states.contains(carry.next())) {
                long bytes = values.get(carry.next()).bytes(sizes);
                aside.computeIfAbsent(carry.next(), n -> call.aside(bytes));
            }
        }
        long trips = repeat.trips().map(sizes::evaluate).orElse((long) Integer.MAX_VALUE);
        for (long i = 0; i < trips; i++) {
            call.set(memory.get(repeat.counter()), (int) i);
            run(repeat.test(), call, memory, sizes);
            if (repeat.go().isPresent() && !call.holds(memory.get(repeat.go().get()))) {
                return;
            }
            run(repeat.body(), call, memory, sizes);
            for (Execution.Stack stack : repeat.stacked()) {
                long bytes = values.get(stack.each()).bytes(sizes);
                call.copy(memory.get(stack.each()), memory.get(stack.all()), i * bytes, bytes);
            }
            advance(repeat, call, aside, memory, sizes);
        }
    }

    /// Replaces the states by the next ones, all at once.
    ///
    /// @param aside memory for the next states that are states themselves
    private void advance(
            Execution.Repeat repeat, Machine.Call<M> call, Map<String, M> aside, Map<String, M> memory, Sizes sizes) {
        aside.forEach((name, to) ->
                call.copy(memory.get(name), to, 0, values.get(name).bytes(sizes)));
        for (Execution.Carry carry : repeat.carried()) {
            if (!carry.next().equals(carry.state())) {
                M from = aside.getOrDefault(carry.next(), memory.get(carry.next()));
                long bytes = values.get(carry.state()).bytes(sizes);
                call.copy(from, memory.get(carry.state()), 0, bytes);
            }
        }
    }

    /// Waits for calls that run, then closes the machine.
    @Override
    public void close() {
        open.writeLock().lock();
        try {
            if (!closed) {
                closed = true;
                machine.close();
            }
        } finally {
            open.writeLock().unlock();
        }
    }
}
