package tfx.compiler;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;
import tfx.compiler.weights.WeightFiles;
import tfx.cpu.CpuProgram;
import tfx.frontend.Program;
import tfx.ir.LargeStack;
import tfx.ir.Target;
import tfx.ir.graph.Graph;
import tfx.ir.graph.Node;
import tfx.ir.graph.Op;
import tfx.ir.kernel.KernelProgram;
import tfx.opencl.host.Device;
import tfx.runtime.RunException;
import tfx.runtime.Sizes;
import tfx.runtime.Tensor;
import tfx.runtime.Tokenizer;
import tfx.runtime.Tokenizers;
import tfx.runtime.WeightSource;
import tfx.runtime.program.Arguments;
import tfx.runtime.program.Executable;

/// A program made ready to run: compiled, its weights loaded, its tokenizer opened. Safe for concurrent calls;
/// results belong to the caller's arena.
public final class Session implements AutoCloseable {
    /// Where programs run.
    public enum Backend {
        CPU,
        OPENCL,
        EVALUATOR
    }

    /// @param weights a file in place of the one that the source names
    /// @param threads how many threads work on one call, at least 1
    /// @param device  the number of the OpenCL device
    public record Options(Backend backend, Optional<Path> weights, int threads, int device) {
        public Options(Backend backend, Optional<Path> weights, int threads) {
            this(backend, weights, threads, 0);
        }
    }

    private static final String COMPILER = "tfx-compiler";
    private static final Executor READERS =
            task -> Thread.ofPlatform().name("tfx-reader").daemon(true).start(task);

    private final Program program;
    private final int threads;
    private final Arena arena = Arena.ofShared();
    private final Engine engine;
    private final Optional<Tokenizer> tokenizer;
    private final ReadWriteLock open = new ReentrantReadWriteLock();
    private boolean closed;

    /// @param folder the folder of the source, which file names in it are relative to
    /// @throws RunException if a file or a weight is missing or does not fit
    public Session(Program program, Path folder, Options options, Tokenizers tokenizers) {
        this.program = program;
        this.threads = options.threads();
        Optional<Engine> made = Optional.empty();
        // Weights and the tokenizer are read while the program is compiled.
        CompletableFuture<Map<String, Tensor>> weights =
                CompletableFuture.supplyAsync(() -> weights(program, folder, options.weights(), arena), READERS);
        CompletableFuture<Optional<Tokenizer>> opened = CompletableFuture.supplyAsync(
                () -> program.tokenizer()
                        .map(t -> tokenizer(folder.resolve(t.file().path()), t, tokenizers)),
                READERS);
        try {
            made = Optional.of(
                    switch (options.backend()) {
                        case EVALUATOR -> new EvaluatorEngine(program.graph(), value(weights));
                        case CPU ->
                            LargeStack.call(
                                    COMPILER, () -> cpu(program.graph(), () -> value(weights), options.threads()));
                        case OPENCL ->
                            LargeStack.call(
                                    COMPILER, () -> opencl(program.graph(), () -> value(weights), options.device()));
                    });
            this.tokenizer = value(opened);
            this.engine = made.get();
        } catch (RuntimeException | Error e) {
            made.ifPresent(Engine::close);
            weights.handle((w, failure) -> w).join();
            opened.exceptionally(failure -> Optional.empty()).join().ifPresent(Tokenizer::close);
            arena.close();
            throw e;
        }
    }

    /// What was read meanwhile, or why it could not be.
    private static <T> T value(CompletableFuture<T> reading) {
        try {
            return reading.join();
        } catch (CompletionException e) {
            switch (e.getCause()) {
                case RuntimeException cause -> throw cause;
                case Error cause -> throw cause;
                default -> throw e;
            }
        }
    }

    /// The weights that a program names, from the file that its source names or another.
    static Map<String, Tensor> weights(Program program, Path folder, Optional<Path> given, Arena arena) {
        if (program.graph().nodes().stream().noneMatch(n -> n.op() instanceof Op.Weight)) {
            return Map.of();
        }
        Path file = given.orElseGet(() -> folder.resolve(program.weights()
                .orElseThrow(() -> new RunException("program " + program.name() + " names no weight file"))
                .path()));
        return load(program.graph(), WeightFiles.open(file, arena));
    }

    private static Tokenizer tokenizer(Path file, Program.TokenizerAsset asset, Tokenizers tokenizers) {
        try {
            return tokenizers.open(file, asset.limit());
        } catch (IOException e) {
            throw new RunException("cannot open the tokenizer " + file + ": " + e.getMessage(), e);
        }
    }

    /// A graph that needs no weights, on a backend.
    static Engine engine(Graph graph, Options options) {
        return switch (options.backend()) {
            case EVALUATOR -> new EvaluatorEngine(graph, Map.of());
            case CPU -> LargeStack.call(COMPILER, () -> cpu(graph, Map::of, options.threads()));
            case OPENCL -> LargeStack.call(COMPILER, () -> opencl(graph, Map::of, options.device()));
        };
    }

    private static Engine cpu(Graph graph, Supplier<Map<String, Tensor>> weights, int threads) {
        int lanes = CpuProgram.nativeLanes();
        Pipeline.Phases phases = Pipeline.run(graph, new Pipeline.Options(Target.cpu(lanes), true));
        return CpuEngine.of(phases.kernels(), weights.get(), lanes, threads);
    }

    private static Engine opencl(Graph graph, Supplier<Map<String, Tensor>> weights, int number) {
        Device device = Device.choose(number);
        Pipeline.Phases phases =
                Pipeline.run(graph, new Pipeline.Options(device.tasks().target(), true));
        return ClEngine.of(phases.kernels(), weights.get(), device);
    }

    /// The weights that a graph names, checked against their declared types.
    static Map<String, Tensor> load(Graph graph, WeightSource source) {
        Map<String, Tensor> weights = new HashMap<>();
        Sizes sizes = new Sizes();
        for (Node node : graph.nodes()) {
            if (node.op() instanceof Op.Weight weight) {
                Tensor tensor = source.find(weight.name())
                        .orElseThrow(() -> new RunException(source.describe() + " has no weight '" + weight.name()
                                + "' (" + node.span() + ")" + similar(weight.name(), source)));
                if (tensor.dtype() != node.type().dtype()) {
                    throw new RunException("weight '" + weight.name() + "' is " + tensor + " in " + source.describe()
                            + ", declared " + node.type() + " (" + node.span() + ")");
                }
                sizes.bind(weight.name(), node.type(), tensor.shape());
                weights.put(weight.name(), tensor);
            }
        }
        return weights;
    }

    private static String similar(String name, WeightSource source) {
        String last = name.substring(name.lastIndexOf('.') + 1);
        List<String> close = source.names().stream()
                .filter(n -> n.endsWith("." + last) || n.contains(name))
                .limit(3)
                .toList();
        return close.isEmpty() ? "" : "; it has " + String.join(", ", close) + ", ...";
    }

    public Program program() {
        return program;
    }

    /// What a call gave: results by name, and the bound inputs, which hold the offsets of ragged results.
    public record Results(Map<String, Tensor> outputs, Map<String, Tensor> inputs) {}

    /// Runs the program.
    ///
    /// @param arguments as {@link Arguments#bind} takes them
    /// @param arena     owns the results
    public Results call(Map<String, ?> arguments, Arena arena) {
        return call(arguments, arena, Optional.empty());
    }

    /// Runs the program and tells an observer about each launch.
    public Results call(Map<String, ?> arguments, Arena arena, Executable.Observer observer) {
        return call(arguments, arena, Optional.of(observer));
    }

    private Results call(Map<String, ?> arguments, Arena arena, Optional<Executable.Observer> observer) {
        open.readLock().lock();
        try {
            if (closed) {
                throw new IllegalStateException("program " + program.name() + " is closed");
            }
            Map<String, Tensor> inputs = Arguments.bind(program.signature(), arguments, tokenizer, arena);
            return new Results(engine.run(inputs, arena, observer), inputs);
        } finally {
            open.readLock().unlock();
        }
    }

    /// How many threads work on one call.
    public int threads() {
        return threads;
    }

    /// The kernels that run, where the backend has some.
    public Optional<KernelProgram> kernels() {
        return engine.kernels();
    }

    /// The tokenizer, where the program declares one.
    public Optional<Tokenizer> tokenizer() {
        return tokenizer;
    }

    /// Waits for calls that run, then frees what the program holds.
    @Override
    public void close() {
        open.writeLock().lock();
        try {
            if (!closed) {
                closed = true;
                engine.close();
                tokenizer.ifPresent(Tokenizer::close);
                arena.close();
            }
        } finally {
            open.writeLock().unlock();
        }
    }
}
