package tfx.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.stream.Stream;
import tfx.cpu.code.ClassCode;
import tfx.ir.Dim;
import tfx.ir.InternalError;
import tfx.ir.RunException;
import tfx.ir.graph.Sizes;
import tfx.ir.kernel.Kernel;
import tfx.ir.kernel.KernelProgram;
import tfx.ir.kernel.KernelProgram.Role;
import tfx.runtime.DType;
import tfx.runtime.Tensor;

/// A kernel program compiled to JVM classes, with its weights in place. Safe for concurrent calls.
public final class CpuProgram implements AutoCloseable {
    /// Loops along one axis count in ints.
    private static final long MAX_AXIS = Integer.MAX_VALUE - 1024L;

    private static final AtomicInteger COUNTER = new AtomicInteger();

    /// @param lanes   floats in a vector; the order of sums follows it
    /// @param vectors whether to emit vector code; without, the code is the scalar twin, which gives the same bits
    /// @param threads how many threads work on one call
    public record Options(int lanes, boolean vectors, int threads) {}

    /// Names classes of one program.
    private static final class Loader extends ClassLoader {
        private final Map<String, byte[]> classes = new HashMap<>();

        Loader() {
            super(CpuProgram.class.getClassLoader());
        }

        @Override
        protected Class<?> findClass(String name) throws ClassNotFoundException {
            byte[] bytes = classes.get(name);
            if (bytes == null) {
                throw new ClassNotFoundException(name);
            }
            return defineClass(name, bytes, 0, bytes.length);
        }
    }

    /// @param axes sizes of axes that only a call knows
    private record Compiled(CpuKernel code, KernelEmitter.Emitted emitted, List<String> sizes, List<Dim> axes) {}

    private final KernelProgram program;
    private final Options options;
    private final Arena arena = Arena.ofShared();
    private final Sizes weightSizes = new Sizes();
    private final List<Compiled> kernels = new ArrayList<>();
    private final Map<String, MemorySegment> constants = new HashMap<>();
    private final Slabs slabs = new Slabs();
    private final ReadWriteLock open = new ReentrantReadWriteLock();
    private boolean closed;

    private CpuProgram(KernelProgram program, Options options) {
        this.program = program;
        this.options = options;
    }

    /// The widest float vector of this machine, in lanes.
    public static int nativeLanes() {
        return VectorLanes.nativeWidth();
    }

    /// Emits and loads the classes, and runs the steps that depend on weights alone.
    ///
    /// @param weights by name, of the declared types; they must stay open as long as this program
    public static CpuProgram load(KernelProgram program, Map<String, Tensor> weights, Options options) {
        CpuProgram loaded = new CpuProgram(program, options);
        try {
            loaded.compile();
            loaded.bindWeights(weights);
            return loaded;
        } catch (RuntimeException | Error e) {
            loaded.close();
            throw e;
        }
    }

    /// Java text of the classes that run, without running them.
    public static String render(KernelProgram program, int lanes) {
        StringBuilder out = new StringBuilder();
        MicroKernels micro = new MicroKernels(lanes, true, "tfx.emitted.Tiles");
        for (int i = 0; i < program.kernels().size(); i++) {
            Kernel kernel = program.kernels().get(i);
            out.append(new KernelEmitter(kernel, lanes, true, micro, "tfx.emitted." + className(kernel, i))
                    .emit()
                    .code());
            out.append('\n');
        }
        return out.append(micro.code()).toString();
    }

    private static String className(Kernel kernel, int number) {
        return kernel.name().replaceAll("[^A-Za-z0-9]", "_") + "_" + number;
    }

    private void compile() {
        String prefix = "tfx.emitted.p" + COUNTER.getAndIncrement() + ".";
        MicroKernels micro = new MicroKernels(options.lanes(), options.vectors(), prefix + "Tiles");
        List<KernelEmitter.Emitted> emitted = new ArrayList<>();
        for (int i = 0; i < program.kernels().size(); i++) {
            Kernel kernel = program.kernels().get(i);
            emitted.add(
                    new KernelEmitter(kernel, options.lanes(), options.vectors(), micro, prefix + className(kernel, i))
                            .emit());
        }
        Loader loader = new Loader();
        emitted.forEach(e -> add(loader, e.code()));
        add(loader, micro.code());
        for (int i = 0; i < emitted.size(); i++) {
            try {
                Object instance = loader.loadClass(emitted.get(i).code().name())
                        .getDeclaredConstructor()
                        .newInstance();
                Kernel kernel = program.kernels().get(i);
                List<Dim> axes = Stream.concat(kernel.grid().stream(), kernel.axes().stream())
                        .map(Kernel.Axis::size)
                        .filter(d -> d.constant().filter(c -> c <= MAX_AXIS).isEmpty())
                        .distinct()
                        .toList();
                kernels.add(new Compiled((CpuKernel) instance, emitted.get(i), kernel.sizes(), axes));
            } catch (ReflectiveOperationException | LinkageError e) {
                throw new InternalError("emitted class " + emitted.get(i).code().name() + " does not load", e);
            }
        }
    }

    private static void add(Loader loader, ClassCode code) {
        byte[] bytes = code.bytes();
        boolean assertions = CpuProgram.class.desiredAssertionStatus();
        if (assertions) {
            String problem = ClassCode.verify(bytes, loader);
            if (!problem.isEmpty()) {
                throw new InternalError("emitted class " + code.name() + " is unsound: " + problem + "\n" + code);
            }
        }
        loader.classes.put(code.name(), bytes);
    }

    private void bindWeights(Map<String, Tensor> weights) {
        for (KernelProgram.Value value : program.values()) {
            if (value.role() == Role.WEIGHT) {
                Tensor tensor = weights.get(value.source());
                if (tensor == null) {
                    throw new RunException("weight '" + value.source() + "' is missing");
                }
                weightSizes.bind(value.source(), value.type(), tensor.shape());
                constants.put(value.name(), tensor.data());
            } else if (value.role() == Role.CONSTANT) {
                constants.put(value.name(), arena.allocate(bytes(value, weightSizes), Tensor.ALIGNMENT));
            }
        }
        program.once().forEach(step -> launch(step, constants, weightSizes));
    }

    private static long bytes(KernelProgram.Value value, Sizes sizes) {
        long[] shape = sizes.evaluate(value.type());
        if (value.panels() > 0) {
            shape[1] = (shape[1] + value.panels() - 1) / value.panels() * value.panels();
        }
        return Math.max(1, Math.multiplyExact(Tensor.count(shape), (long)
                value.type().dtype().bytes()));
    }

    /// Sees each launch of a call.
    @FunctionalInterface
    public interface Observer {
        /// @param kernel the kernel's name
        /// @param nanos  how long the launch took
        void launched(String kernel, long nanos);
    }

    /// Runs the program.
    ///
    /// @param inputs  by name, of the declared types
    /// @param results owns the results
    public Map<String, Tensor> run(Map<String, Tensor> inputs, Arena results) {
        return run(inputs, results, Optional.empty());
    }

    /// Runs the program and tells an observer about each launch.
    public Map<String, Tensor> run(Map<String, Tensor> inputs, Arena results, Optional<Observer> observer) {
        // Kernels address memory absolutely: nothing they use may be freed while a call runs.
        open.readLock().lock();
        try {
            if (closed) {
                throw new IllegalStateException("program " + program.name() + " is closed");
            }
            return call(inputs, results, observer);
        } finally {
            open.readLock().unlock();
            Reference.reachabilityFence(inputs);
        }
    }

    private Map<String, Tensor> call(Map<String, Tensor> inputs, Arena results, Optional<Observer> observer) {
        Sizes sizes = weightSizes.copy();
        Map<String, MemorySegment> memory = new HashMap<>(constants);
        for (KernelProgram.Value value : program.values()) {
            if (value.role() == Role.INPUT) {
                Tensor tensor = inputs.get(value.source());
                if (tensor == null || tensor.dtype() != value.type().dtype()) {
                    throw new RunException("argument '" + value.source() + "' is "
                            + (tensor == null ? "missing" : tensor.toString()) + ", declared " + value.type());
                }
                if (!tensor.data().scope().isAlive() || !tensor.data().isNative()) {
                    throw new RunException("argument '" + value.source() + "' lies in "
                            + (tensor.data().isNative()
                                    ? "an arena that is closed"
                                    : "heap memory; allocate it in an arena"));
                }
                sizes.bind(value.source(), value.type(), tensor.shape());
                memory.put(value.name(), tensor.data());
            }
        }
        Map<String, Tensor> outputs = new LinkedHashMap<>();
        for (KernelProgram.Output output : program.outputs()) {
            KernelProgram.Value value = program.value(output.value());
            DType dtype = value.type().dtype();
            Tensor tensor = Tensor.zeros(results, dtype, sizes.evaluate(value.type()));
            outputs.put(output.name(), tensor);
            if (value.role() == Role.TEMPORARY) {
                memory.putIfAbsent(value.name(), tensor.data());
            }
        }
        Plan plan = Plan.of(program, sizes, memory.keySet());
        MemorySegment slab = slabs.take(plan.bytes());
        try {
            plan.offsets().forEach((name, place) -> memory.put(name, slab.asSlice(place.offset(), place.bytes())));
            for (KernelProgram.Step step : program.steps()) {
                long start = System.nanoTime();
                launch(step, memory, sizes);
                observer.ifPresent(
                        o -> o.launched(program.kernels().get(step.kernel()).name(), System.nanoTime() - start));
            }
        } finally {
            slabs.give(slab);
        }
        for (KernelProgram.Output output : program.outputs()) {
            MemorySegment to = outputs.get(output.name()).data();
            MemorySegment from = memory.get(output.value());
            if (from.address() != to.address()) {
                long bytes = outputs.get(output.name()).count()
                        * outputs.get(output.name()).dtype().bytes();
                MemorySegment.copy(from, 0, to, 0, bytes);
            }
        }
        return outputs;
    }

    private void launch(KernelProgram.Step step, Map<String, MemorySegment> memory, Sizes sizes) {
        Compiled kernel = kernels.get(step.kernel());
        int buffers = step.arguments().size();
        long[] frame = new long[buffers + kernel.sizes.size()];
        for (int i = 0; i < buffers; i++) {
            frame[i] = memory.get(step.arguments().get(i)).address();
        }
        for (int i = 0; i < kernel.sizes.size(); i++) {
            frame[buffers + i] = sizes.value(kernel.sizes.get(i));
        }
        for (Dim axis : kernel.axes) {
            if (sizes.evaluate(axis) > MAX_AXIS) {
                throw new RunException(
                        "the dimension " + axis + " has " + sizes.evaluate(axis) + " elements; at most " + MAX_AXIS);
            }
        }
        KernelEmitter.Emitted needs = kernel.emitted;
        Pool.shared().run(options.threads(), kernel.code.tasks(frame), task -> {
            Scratch scratch = Scratch.of(needs);
            kernel.code.run(frame, scratch.floats, scratch.doubles, scratch.longs, scratch.ranges, task, task + 1);
        });
    }

    /// Waits for calls that run, then frees the constants.
    @Override
    public void close() {
        open.writeLock().lock();
        try {
            if (!closed) {
                closed = true;
                slabs.close();
                arena.close();
            }
        } finally {
            open.writeLock().unlock();
        }
    }
}
