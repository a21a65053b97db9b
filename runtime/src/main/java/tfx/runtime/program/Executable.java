package tfx.runtime.program;

import java.lang.foreign.Arena;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
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

    /// A step whose buffers are places among the values.
    private sealed interface Step {}

    private record Launch(Execution.Launch launch, int[] arguments) implements Step {}

    private record Repeat(Execution.Repeat repeat, List<Step> test, List<Step> body) implements Step {}

    private record Either(Execution.Either either, List<Step> small, List<Step> other) implements Step {}

    /// What the shapes of the arguments decide.
    ///
    /// @param given   the shapes of the inputs, in their order
    /// @param outputs the shapes of the outputs
    private record Shaped(long[][] given, Sizes sizes, long[][] outputs, Temporaries.Slab slab) {}

    private final Execution execution;
    private final Machine<M> machine;
    private final Sizes weightSizes = new Sizes();
    private final Map<String, Execution.Value> values = new HashMap<>();
    private final Map<String, Integer> places = new HashMap<>();
    private final List<Execution.Value> inputs = new ArrayList<>();
    private final List<Step> steps;

    /// The memory of weights and constants, by place.
    private final List<Optional<M>> constants;

    private final Temporaries temporaries;
    private final ReadWriteLock open = new ReentrantReadWriteLock();
    private boolean closed;

    /// Of the last call, for the next may be of the same shapes.
    private volatile Optional<Shaped> last = Optional.empty();

    private Executable(Execution execution, Machine<M> machine) {
        this.execution = execution;
        this.machine = machine;
        Set<String> placed = new HashSet<>();
        for (Execution.Value value : execution.values()) {
            places.put(value.name(), places.size());
            values.put(value.name(), value);
            if (value.role() != Role.TEMPORARY) {
                placed.add(value.name());
            }
            if (value.role() == Role.INPUT) {
                inputs.add(value);
            }
        }
        execution.outputs().forEach(o -> placed.add(o.value()));
        this.constants = new ArrayList<>(Collections.nCopies(places.size(), Optional.empty()));
        this.steps = placed(execution.steps());
        this.temporaries = new Temporaries(execution, values, placed);
    }

    private List<Step> placed(List<Execution.Step> steps) {
        return steps.stream().map(this::placed).toList();
    }

    private Step placed(Execution.Step step) {
        return switch (step) {
            case Execution.Launch launch ->
                new Launch(
                        launch,
                        launch.arguments().stream().mapToInt(places::get).toArray());
            case Execution.Repeat repeat -> new Repeat(repeat, placed(repeat.test()), placed(repeat.body()));
            case Execution.Either either -> new Either(either, placed(either.small()), placed(either.other()));
        };
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
                put(constants, value.name(), machine.weight(tensor));
            }
        }
        for (Execution.Value value : execution.values()) {
            if (value.role() == Role.CONSTANT) {
                put(constants, value.name(), machine.constant(value.bytes(weightSizes)));
            }
        }
        // What depends on weights alone runs now, before any call checks the other guards.
        execution.guards().stream().filter(g -> g.isKnown(weightSizes)).forEach(g -> g.check(weightSizes));
        try (Machine.Call<M> call = machine.begin(0, Optional.empty())) {
            run(placed(execution.once()), call, constants, weightSizes);
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

    private Map<String, Tensor> call(Map<String, Tensor> given, Arena results, Optional<Observer> observer) {
        Shaped shaped = shaped(given);
        Map<String, Tensor> outputs = new LinkedHashMap<>();
        for (int i = 0; i < shaped.outputs.length; i++) {
            Execution.Output output = execution.outputs().get(i);
            outputs.put(
                    output.name(),
                    Tensor.zeros(results, values.get(output.value()).type().dtype(), shaped.outputs[i]));
        }
        try (Machine.Call<M> call = machine.begin(shaped.slab.bytes(), observer)) {
            List<Optional<M>> memory = new ArrayList<>(constants);
            for (Execution.Value value : inputs) {
                put(memory, value.name(), call.input(value.source(), given.get(value.source())));
            }
            for (Temporaries.Place place : shaped.slab.places()) {
                put(memory, place.name(), call.temporary(place.offset(), place.bytes()));
            }
            Map<String, M> copied = new LinkedHashMap<>();
            for (Execution.Output output : execution.outputs()) {
                M result = call.result(output.name(), outputs.get(output.name()));
                if (memory.get(places.get(output.value())).isEmpty()) {
                    put(memory, output.value(), result);
                } else {
                    copied.put(output.name(), result);
                }
            }
            run(steps, call, memory, shaped.sizes);
            for (Execution.Output output : execution.outputs()) {
                if (copied.containsKey(output.name())) {
                    long bytes = values.get(output.value()).bytes(shaped.sizes);
                    call.copy(at(memory, output.value()), copied.get(output.name()), 0, bytes);
                }
            }
            call.finish();
        }
        Warmup.called();
        return outputs;
    }

    /// Checks the arguments, and finds what their shapes decide, or takes it from the call before.
    private Shaped shaped(Map<String, Tensor> given) {
        long[][] shapes = new long[inputs.size()][];
        for (int i = 0; i < shapes.length; i++) {
            Execution.Value value = inputs.get(i);
            Tensor tensor = given.get(value.source());
            if (tensor == null || tensor.dtype() != value.type().dtype()) {
                throw new RunException("argument '" + value.source() + "' is "
                        + (tensor == null ? "missing" : tensor.toString()) + ", declared " + value.type());
            }
            shapes[i] = tensor.shape();
        }
        Optional<Shaped> known = last;
        if (known.isPresent() && Arrays.deepEquals(known.get().given, shapes)) {
            return known.get();
        }
        Sizes sizes = weightSizes.copy();
        for (int i = 0; i < shapes.length; i++) {
            sizes.bind(inputs.get(i).source(), inputs.get(i).type(), shapes[i]);
        }
        execution.guards().forEach(g -> g.check(sizes));
        long[][] outputs = execution.outputs().stream()
                .map(o -> sizes.evaluate(values.get(o.value()).type()))
                .toArray(long[][]::new);
        Shaped shaped = new Shaped(shapes, sizes, outputs, temporaries.place(sizes));
        last = Optional.of(shaped);
        return shaped;
    }

    private void put(List<Optional<M>> memory, String buffer, M its) {
        memory.set(places.get(buffer), Optional.of(its));
    }

    private M at(List<Optional<M>> memory, String buffer) {
        return memory.get(places.get(buffer)).orElseThrow();
    }

    private void run(List<Step> steps, Machine.Call<M> call, List<Optional<M>> memory, Sizes sizes) {
        for (Step step : steps) {
            switch (step) {
                case Launch(Execution.Launch launch, int[] buffers) -> {
                    List<M> arguments = new ArrayList<>(buffers.length);
                    for (int buffer : buffers) {
                        arguments.add(memory.get(buffer).orElseThrow());
                    }
                    call.launch(launch, arguments, sizes);
                }
                case Repeat repeat -> repeat(repeat, call, memory, sizes);
                case Either(Execution.Either either, List<Step> small, List<Step> other) ->
                    run(sizes.evaluate(either.size()) <= either.most() ? small : other, call, memory, sizes);
            }
        }
    }

    private void repeat(Repeat step, Machine.Call<M> call, List<Optional<M>> memory, Sizes sizes) {
        Execution.Repeat repeat = step.repeat;
        Set<String> states = new TreeSet<>();
        for (Execution.Carry carry : repeat.carried()) {
            long bytes = values.get(carry.state()).bytes(sizes);
            call.copy(at(memory, carry.initial()), at(memory, carry.state()), 0, bytes);
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
            call.set(at(memory, repeat.counter()), (int) i);
            run(step.test, call, memory, sizes);
            if (repeat.go().isPresent() && !call.holds(at(memory, repeat.go().get()))) {
                return;
            }
            run(step.body, call, memory, sizes);
            for (Execution.Stack stack : repeat.stacked()) {
                long bytes = values.get(stack.each()).bytes(sizes);
                call.copy(at(memory, stack.each()), at(memory, stack.all()), i * bytes, bytes);
            }
            advance(repeat, call, aside, memory, sizes);
        }
    }

    /// Replaces the states by the next ones, all at once.
    ///
    /// @param aside memory for the next states that are states themselves
    private void advance(
            Execution.Repeat repeat,
            Machine.Call<M> call,
            Map<String, M> aside,
            List<Optional<M>> memory,
            Sizes sizes) {
        aside.forEach((name, to) ->
                call.copy(at(memory, name), to, 0, values.get(name).bytes(sizes)));
        for (Execution.Carry carry : repeat.carried()) {
            if (!carry.next().equals(carry.state())) {
                M from = aside.getOrDefault(carry.next(), at(memory, carry.next()));
                long bytes = values.get(carry.state()).bytes(sizes);
                call.copy(from, at(memory, carry.state()), 0, bytes);
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
