package tfx.ir.kernel;

import java.util.List;
import tfx.ir.TensorType;

/// A program as the backends run it: buffers, kernels, and the order in which kernels run on buffers.
///
/// @param values  all buffers
/// @param once    steps that depend on weights alone, run when the weights are loaded
/// @param steps   steps of each call
/// @param outputs the results, by name
public record KernelProgram(
        String name,
        List<Value> values,
        List<Kernel> kernels,
        List<Step> once,
        List<Step> steps,
        List<Output> outputs) {
    public KernelProgram {
        values = List.copyOf(values);
        kernels = List.copyOf(kernels);
        once = List.copyOf(once);
        steps = List.copyOf(steps);
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
    /// @param panels as in {@link Kernel.Buffer}
    public record Value(String name, Role role, String source, TensorType type, int panels) {}

    /// One launch: a kernel (by position) on buffers, in the order of the kernel's own.
    public record Step(int kernel, List<String> arguments) {
        public Step {
            arguments = List.copyOf(arguments);
        }
    }

    /// A result.
    public record Output(String name, String value) {}

    public Value value(String name) {
        return values.stream().filter(v -> v.name().equals(name)).findFirst().orElseThrow();
    }

    @Override
    public String toString() {
        return KernelText.print(this);
    }
}
