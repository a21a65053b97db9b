package tfx.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import tfx.compiler.Pipeline;
import tfx.cpu.CpuProgram;
import tfx.frontend.Frontend;
import tfx.frontend.Problems;
import tfx.frontend.ast.AstText;
import tfx.ir.Target;
import tfx.ir.graph.Graph;
import tfx.ir.sequence.Kind;
import tfx.ir.sequence.SequenceNode;
import tfx.opencl.Group;
import tfx.opencl.ProgramSource;
import tfx.opencl.host.Device;
import tfx.passes.sequence.Irregular;
import tfx.passes.sequence.SequenceLowering;
import tfx.runtime.RunException;

@CommandLine.Command(name = "emit", description = "Print a program as it is after a phase of compilation.")
final class EmitCommand implements Callable<Integer> {
    /// The phases, in order.
    enum Phase {
        AST,
        GRAPH,
        SCHEDULE,
        FUSED,
        KERNEL,
        BYTECODE,
        OPENCL
    }

    private static final Group PROCESSOR = new Group(1, 16, true);

    @CommandLine.Parameters(index = "0", paramLabel = "FILE")
    private Path file = Path.of("");

    @CommandLine.Parameters(index = "1", arity = "0..1", paramLabel = "ENTRY", description = "A program of the file.")
    private Optional<String> entry = Optional.empty();

    @CommandLine.Option(names = "--phase", required = true, description = "${COMPLETION-CANDIDATES}")
    private Phase phase = Phase.GRAPH;

    @CommandLine.Option(names = "--width", description = "Vector lanes to compile for; 1 is scalar.")
    private Optional<Integer> width = Optional.empty();

    @CommandLine.Option(
            names = "--device",
            paramLabel = "N",
            description = "The OpenCL device to write for, by its number; without, a processor with vectors of 16.")
    private Optional<Integer> device = Optional.empty();

    @CommandLine.Option(
            names = "--tokens",
            defaultValue = "TEXT",
            description = "What a sequence program's tokens are: ${COMPLETION-CANDIDATES}.")
    private Kind tokens = Kind.TEXT;

    @Override
    public Integer call() throws Exception {
        Optional<Frontend.Checked> checked = Programs.checked(file);
        if (checked.isEmpty()) {
            return Main.WRONG_PROGRAM;
        }
        if (phase == Phase.AST) {
            Frontend.parse(file.toString(), Files.readAllBytes(file), new Problems())
                    .forEach(item -> System.out.println(AstText.print(item)));
            return Main.OK;
        }
        Optional<SequenceNode> sequence = entry.map(checked.get().sequences()::get);
        Graph graph = sequence.isPresent()
                ? lowered(sequence.get())
                : Programs.choose(checked.get(), entry, file).graph();
        int lanes = width.orElseGet(CpuProgram::nativeLanes);
        Optional<Device> chosen = device.map(Device::choose);
        Group group = chosen.map(Device::tasks).orElse(PROCESSOR);
        Target target = chosen.isPresent() || phase == Phase.OPENCL ? group.target() : Target.cpu(lanes);
        Pipeline.Phases phases = Pipeline.run(graph, new Pipeline.Options(target, true));
        System.out.print(
                switch (phase) {
                    case AST -> "";
                    case GRAPH -> phases.graph();
                    case SCHEDULE -> phases.schedule();
                    case FUSED -> phases.fused();
                    case KERNEL -> phases.kernels();
                    case BYTECODE -> CpuProgram.render(phases.kernels(), lanes);
                    case OPENCL -> ProgramSource.of(phases.kernels(), group).text();
                });
        return Main.OK;
    }

    private Graph lowered(SequenceNode sequence) {
        try {
            return SequenceLowering.lower(sequence, tokens, false).graph();
        } catch (Irregular e) {
            throw new RunException(
                    "this sequence program has no vector form, the evaluator runs it: " + e.getMessage());
        }
    }
}
