package tfx.ir.kernel;

import java.util.List;
import tfx.runtime.program.Execution;

/// A program as the backends take it: kernels, and what a call does with them.
///
/// @param execution steps name kernels by their position
public record KernelProgram(Execution execution, List<Kernel> kernels) {
    public KernelProgram {
        kernels = List.copyOf(kernels);
    }

    @Override
    public String toString() {
        return ProgramText.print(this);
    }
}
