package tfx.runtime.program;

import java.util.List;
import java.util.Optional;
import tfx.runtime.Sizes;
import tfx.runtime.Tensor;

/// What the kernels of a program run on: memory, copies, launches. Weights and constants stay on it from call to
/// call; only inputs and results cross its border. Safe for concurrent calls.
///
/// @param <M> a stretch of its memory
public interface Machine<M> extends AutoCloseable {
    /// The contents of a weight. The tensor stays open as long as this machine.
    M weight(Tensor tensor);

    /// Memory for what is computed when the weights are loaded.
    M constant(long bytes);

    /// Begins a call.
    ///
    /// @param bytes of its temporaries
    Call<M> begin(long bytes, Optional<Executable.Observer> observer);

    @Override
    void close();

    /// One call. What it does happens in the order of the methods called, as far as anyone can tell.
    interface Call<M> extends AutoCloseable {
        /// The contents of an argument.
        M input(String name, Tensor tensor);

        /// Memory whose contents are the tensor's once the call is finished.
        M result(String name, Tensor tensor);

        /// A stretch of the temporaries.
        M temporary(long offset, long bytes);

        /// Memory beside the temporaries.
        M aside(long bytes);

        /// Runs a kernel.
        void launch(Execution.Launch launch, List<M> arguments, Sizes sizes);

        /// Copies `bytes` bytes to the place `at` of another memory.
        void copy(M from, M to, long at, long bytes);

        /// Writes an `i32`.
        void set(M to, int value);

        /// Reads a `bool`.
        boolean holds(M condition);

        /// Waits until everything is done.
        ///
        /// @throws tfx.runtime.RunException if something failed
        void finish();

        /// Gives back the memory of the call, finished or not.
        @Override
        void close();
    }
}
