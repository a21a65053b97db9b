package tfx.compiler;

import java.lang.foreign.Arena;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import tfx.cpu.CpuProgram;
import tfx.ir.Target;
import tfx.ir.graph.Graph;
import tfx.ir.graph.Nd;
import tfx.ir.kernel.KernelProgram;
import tfx.opencl.Group;
import tfx.opencl.host.ClProgram;
import tfx.opencl.host.Device;
import tfx.runtime.Tensor;

/// The engines that every test runs on, beside the evaluator.
enum Engines {
    CPU_SCALAR(new Cpu(1, CpuProgram.Code.SCALAR), true),
    CPU_SCALAR_PLAIN(new Cpu(1, CpuProgram.Code.SCALAR), false),
    CPU_NATIVE(new Cpu(CpuProgram.nativeLanes(), CpuProgram.Code.VECTORS), true),
    CPU_NATIVE_PLAIN(new Cpu(CpuProgram.nativeLanes(), CpuProgram.Code.VECTORS), false),
    /// Scalar code that keeps the order of sums of the native width.
    CPU_TWIN(new Cpu(CpuProgram.nativeLanes(), CpuProgram.Code.SCALAR), true),
    /// Some of each, as it comes.
    CPU_WARMED(new Cpu(CpuProgram.nativeLanes(), CpuProgram.Code.WARMED), true),
    /// One work-item a task, with vectors.
    OPENCL_VECTORS(new OpenCl(1, 16), true),
    /// Many work-items a task, as on a GPU.
    OPENCL_GROUPS(new OpenCl(32, 1), true);

    /// Those that a random program of this seed runs on: OpenCL programs take a tenth of a second to build, so
    /// that each runs on one of the two ways.
    static List<Engines> of(long seed) {
        Engines other = seed % 2 == 0 ? OPENCL_GROUPS : OPENCL_VECTORS;
        return Stream.of(values()).filter(e -> e != other).toList();
    }

    /// A way to run kernels.
    private sealed interface How {}

    private record Cpu(int lanes, CpuProgram.Code code) implements How {}

    private record OpenCl(int items, int width) implements How {}

    /// Whether each buffer is an allocation of its own, for tools that watch accesses.
    private static final boolean SEPARATE = Boolean.getBoolean("tfx.opencl.separate");

    /// A graph that was compiled, and what came of it.
    private record Compiled(Graph graph, ClProgram program) {}

    private final How how;
    private final boolean passes;

    /// OpenCL programs take long to build; tests often run one graph on several inputs.
    private final ThreadLocal<Optional<Compiled>> last = ThreadLocal.withInitial(Optional::empty);

    Engines(How how, boolean passes) {
        this.how = how;
        this.passes = passes;
    }

    /// Compiles and runs a graph.
    Map<String, Nd> run(Graph graph, Map<String, Nd> inputs) {
        try (Arena arena = Arena.ofShared()) {
            Map<String, Tensor> tensors = new HashMap<>();
            inputs.forEach((name, nd) -> tensors.put(name, nd.toTensor(arena)));
            Map<String, Nd> outputs = new LinkedHashMap<>();
            run(graph, tensors, arena).forEach((name, tensor) -> outputs.put(name, Nd.of(tensor)));
            return outputs;
        }
    }

    private Map<String, Tensor> run(Graph graph, Map<String, Tensor> inputs, Arena arena) {
        switch (how) {
            case Cpu cpu -> {
                CpuProgram.Options options = new CpuProgram.Options(cpu.lanes, cpu.code, 2);
                try (CpuProgram program = CpuProgram.load(kernels(graph, Target.cpu(cpu.lanes)), Map.of(), options)) {
                    return program.run(inputs, arena, Optional.empty());
                }
            }
            case OpenCl cl -> {
                return program(graph, cl).run(inputs, arena, Optional.empty());
            }
        }
    }

    private KernelProgram kernels(Graph graph, Target target) {
        return Pipeline.run(graph, new Pipeline.Options(target, passes)).kernels();
    }

    private ClProgram program(Graph graph, OpenCl how) {
        Optional<Compiled> known = last.get();
        if (known.isEmpty() || !known.get().graph.equals(graph)) {
            known.ifPresent(c -> c.program.close());
            last.set(Optional.empty());
            Device device = Device.choose(0);
            Group group = new Group(how.items, how.width, device.doubles());
            ClProgram program = ClProgram.load(kernels(graph, group.target()), Map.of(), device, group, SEPARATE);
            last.set(Optional.of(new Compiled(graph, program)));
        }
        return last.get().orElseThrow().program;
    }
}
