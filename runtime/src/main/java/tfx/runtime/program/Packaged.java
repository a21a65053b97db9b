package tfx.runtime.program;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import tfx.runtime.RunException;
import tfx.runtime.Tensor;
import tfx.runtime.Tokenizer;

/// A program out of a jar that `tfx compile` made: the base of its typed class. Safe for concurrent calls.
///
/// The jar holds the kernels for vectors of 16, 8 and 4 floats and for none; which ones run is decided here, by
/// what the machine has. Without `--add-modules jdk.incubator.vector` there are no vectors, which a warning says
/// once.
public abstract class Packaged implements AutoCloseable {
    private static final int CHUNK = 1 << 20;

    private final PlanFile plan;
    private final Arena arena = Arena.ofShared();
    private final Executable<?> executable;
    private final Optional<Tokenizer> tokenizer;
    private final ReadWriteLock open = new ReentrantReadWriteLock();
    private boolean closed;

    /// @param program   the name of the program's resources, beside the class
    /// @param threads   how many threads work on one call
    /// @param tokenizer for text arguments; it is closed with this
    protected Packaged(String program, int threads, Optional<Tokenizer> tokenizer) {
        this.tokenizer = tokenizer;
        try {
            String set = program + "." + VectorWidth.lanes();
            List<HostMachine.Loaded> kernels = new ArrayList<>();
            try (InputStream in = resource(set + ".plan")) {
                plan = PlanFile.read(
                        set, new BufferedInputStream(in), known -> known.forEach(k -> kernels.add(loaded(k))));
            }
            Map<String, Tensor> weights = new HashMap<>();
            for (PlanFile.StoredWeight weight : plan.weights()) {
                weights.put(weight.name(), weight(weight));
            }
            executable = Executable.load(plan.execution(), new HostMachine(kernels, threads), weights);
        } catch (IOException e) {
            arena.close();
            tokenizer.ifPresent(Tokenizer::close);
            throw new RunException("cannot read the compiled program " + program + ": " + e.getMessage(), e);
        } catch (RuntimeException | Error e) {
            arena.close();
            tokenizer.ifPresent(Tokenizer::close);
            throw e;
        }
    }

    private InputStream resource(String name) throws IOException {
        InputStream in = getClass().getResourceAsStream(name);
        if (in == null) {
            throw new IOException("the jar has no " + name);
        }
        return in;
    }

    private Tensor weight(PlanFile.StoredWeight weight) throws IOException {
        long bytes = Tensor.count(weight.shape()) * weight.dtype().bytes();
        String folder = getClass().getPackageName().replace('.', '/');
        String entry = (folder.isEmpty() ? "" : folder + "/") + "weights/" + weight.resource();
        Optional<MemorySegment> mapped = StoredEntries.map(getClass(), entry, weight.header(), bytes, arena);
        return mapped.isPresent() ? Tensor.of(mapped.get(), weight.dtype(), weight.shape()) : copied(weight, bytes);
    }

    private Tensor copied(PlanFile.StoredWeight weight, long bytes) throws IOException {
        Tensor tensor = Tensor.zeros(arena, weight.dtype(), weight.shape());
        byte[] chunk = new byte[(int) Math.min(CHUNK, Math.max(bytes, 1))];
        try (InputStream in = resource("weights/" + weight.resource())) {
            for (long at = 0; at < bytes; ) {
                int read = in.readNBytes(chunk, 0, (int) Math.min(chunk.length, bytes - at));
                if (read == 0) {
                    throw new IOException("weight " + weight.name() + " ends after " + at + " of " + bytes + " bytes");
                }
                MemorySegment.copy(MemorySegment.ofArray(chunk), 0, tensor.data(), at, read);
                at += read;
            }
            if (in.read() >= 0) {
                throw new IOException("weight " + weight.name() + " is longer than its " + bytes + " bytes");
            }
        }
        return tensor;
    }

    private HostMachine.Loaded loaded(PlanFile.KernelClass kernel) {
        try {
            Object code = Class.forName(kernel.className(), true, getClass().getClassLoader())
                    .getDeclaredConstructor()
                    .newInstance();
            return new HostMachine.Loaded(
                    (CompiledKernel) code, kernel.name(), kernel.sizes(), kernel.axes(), kernel.needs());
        } catch (ReflectiveOperationException | LinkageError e) {
            throw new RunException("kernel " + kernel.className() + " does not load: " + e, e);
        }
    }

    /// What the program takes and gives.
    public final Signature signature() {
        return plan.signature();
    }

    /// Runs the program.
    ///
    /// @param arguments by name: a `Tensor`; for a ragged one a `List` with a `Tensor`, `int[]` or (for tokens)
    ///                  `String` a row
    /// @param results   owns the results
    /// @throws RunException naming the argument that does not fit
    public final Map<String, Tensor> call(Map<String, ?> arguments, Arena results) {
        open.readLock().lock();
        try {
            if (closed) {
                throw new IllegalStateException("program " + plan.signature().program() + " is closed");
            }
            return executable.run(
                    Arguments.bind(plan.signature(), arguments, tokenizer, results), results, Optional.empty());
        } finally {
            open.readLock().unlock();
        }
    }

    /// For typed classes: arguments in the order of the source.
    protected final Map<String, Tensor> call(Arena results, Object... arguments) {
        Map<String, Object> named = new HashMap<>();
        for (int i = 0; i < arguments.length; i++) {
            named.put(plan.signature().parameters().get(i).name(), arguments[i]);
        }
        return call(named, results);
    }

    /// Frees weights and classes' constants; calls that run are waited for.
    @Override
    public final void close() {
        open.writeLock().lock();
        try {
            if (!closed) {
                closed = true;
                executable.close();
                arena.close();
                tokenizer.ifPresent(Tokenizer::close);
            }
        } finally {
            open.writeLock().unlock();
        }
    }

    /// The `main` of typed classes: prints the results of one call with `NAME=VALUE` arguments, nested lists of
    /// numbers.
    protected static void run(Packaged program, String[] words) {
        int code = 0;
        try (program;
                Arena arena = Arena.ofShared()) {
            NumberLists.print(program.call(NumberLists.parse(program.signature(), words, arena), arena), System.out);
        } catch (RunException e) {
            System.err.println(program.signature().program() + ": " + e.getMessage());
            code = 3;
        }
        System.out.flush();
        if (code != 0) {
            System.exit(code);
        }
    }
}
