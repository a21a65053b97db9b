package tfx.runtime.program;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tfx.runtime.Dim;
import tfx.runtime.Sizes;
import tfx.runtime.Tensor;
import tfx.runtime.TensorType;

/// What a compiled program does in a call: its buffers, and the order in which kernels run on them.
///
/// @param values  all buffers
/// @param once    steps that depend on weights alone, run when the weights are loaded
/// @param steps   steps of each call
/// @param guards  what must hold of the sizes of a call
/// @param outputs the results, by name
public record Execution(
        String name, List<Value> values, List<Step> once, List<Step> steps, List<Guard> guards, List<Output> outputs) {
    public Execution {
        values = List.copyOf(values);
        once = List.copyOf(once);
        steps = List.copyOf(steps);
        guards = List.copyOf(guards);
        outputs = List.copyOf(outputs);
    }

    /// Where the contents of a buffer come from.
    public enum Role {
        INPUT,
        WEIGHT,
        /// Made by `once`, kept across calls.
        CONSTANT,
        /// Made and used within a call.
        TEMPORARY
    }

    /// A buffer.
    ///
    /// @param source the name of the input or weight, else empty
    /// @param panels 0 for row-major; else a matrix stored as panels of this many columns, the last padded with
    ///               zeros
    public record Value(String name, Role role, String source, TensorType type, int panels) {
        /// The memory it takes, in bytes.
        ///
        /// @throws ArithmeticException if that is beyond 64 bits
        long bytes(Sizes sizes) {
            long[] shape = sizes.evaluate(type);
            if (panels > 0) {
                shape[1] = (shape[1] + panels - 1) / panels * panels;
            }
            return Math.multiplyExact(Tensor.count(shape), (long) type.dtype().bytes());
        }
    }

    /// What happens in a call, in order.
    public sealed interface Step {}

    /// One launch: a kernel (by position) on buffers, in the order of the kernel's own.
    ///
    /// @param where the place in the source, for messages; one kernel may serve several
    public record Launch(int kernel, List<String> arguments, String where) implements Step {
        public Launch {
            arguments = List.copyOf(arguments);
        }
    }

    /// Steps that run again and again: the first states are copied in; then, for each trip, `counter` gets its
    /// number, the steps of `test` run and end the loop where `go` is false, those of `body` run, what they made
    /// is stacked, and the next states replace the old ones all at once.
    ///
    /// @param trips how many times at most; without, until the test fails
    public record Repeat(
            Optional<Dim> trips,
            String counter,
            List<Carry> carried,
            List<Step> test,
            Optional<String> go,
            List<Step> body,
            List<Stack> stacked)
            implements Step {
        public Repeat {
            carried = List.copyOf(carried);
            test = List.copyOf(test);
            body = List.copyOf(body);
            stacked = List.copyOf(stacked);
        }
    }

    /// Steps for calls in which a size is at most `most`, and steps for the others, which compute the same.
    public record Either(Dim size, long most, List<Step> small, List<Step> other) implements Step {
        public Either {
            small = List.copyOf(small);
            other = List.copyOf(other);
        }
    }

    /// The buffers of one carried state: where it begins, where it lies, where its next value is made.
    public record Carry(String initial, String state, String next) {}

    /// A buffer made in each trip, and where all of them go.
    public record Stack(String each, String all) {}

    /// Every buffer that a step names.
    public static List<String> buffers(Step step) {
        return switch (step) {
            case Launch l -> l.arguments();
            case Repeat r -> {
                List<String> all = new ArrayList<>(List.of(r.counter()));
                r.carried().forEach(c -> all.addAll(List.of(c.initial(), c.state(), c.next())));
                r.stacked().forEach(s -> all.addAll(List.of(s.each(), s.all())));
                r.go().ifPresent(all::add);
                r.test().forEach(s -> all.addAll(buffers(s)));
                r.body().forEach(s -> all.addAll(buffers(s)));
                yield all;
            }
            case Either e -> {
                List<String> all = new ArrayList<>();
                e.small().forEach(s -> all.addAll(buffers(s)));
                e.other().forEach(s -> all.addAll(buffers(s)));
                yield all;
            }
        };
    }

    /// A result.
    public record Output(String name, String value) {}

    /// The buffer with this name.
    public Value value(String name) {
        return values.stream().filter(v -> v.name().equals(name)).findFirst().orElseThrow();
    }
}
