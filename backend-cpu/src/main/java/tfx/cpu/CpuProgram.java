package tfx.cpu;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import tfx.cpu.code.ClassCode;
import tfx.ir.InternalError;
import tfx.ir.kernel.Kernel;
import tfx.ir.kernel.KernelProgram;
import tfx.runtime.Dim;
import tfx.runtime.Tensor;
import tfx.runtime.program.CompiledKernel;
import tfx.runtime.program.Executable;
import tfx.runtime.program.HostMachine;
import tfx.runtime.program.Needs;

/// A kernel program compiled to JVM classes.
public final class CpuProgram implements AutoCloseable {
    private static final AtomicInteger COUNTER = new AtomicInteger();

    /// What is emitted. All three give the same bits, but for those of a NaN.
    public enum Code {
        /// One number at a time: the scalar twin of vector code.
        SCALAR,
        /// Vectors from the first call on.
        VECTORS,
        /// Vector code that the scalar twin stands in for until it is compiled.
        WARMED
    }

    /// @param lanes   floats in a vector; the order of sums follows it
    /// @param threads how many threads work on one call
    public record Options(int lanes, Code code, int threads) {}

    /// The class of a kernel, and what running it takes.
    ///
    /// @param sizes the size symbols that its frame holds
    /// @param axes  sizes of axes that only a call knows
    public record Emitted(String className, String kernel, List<String> sizes, List<Dim> axes, Needs needs) {}

    /// The classes of a program: one a kernel, by the kernel's position, and those they share.
    public record Classes(List<Emitted> kernels, Map<String, byte[]> bytes) {}

    /// Names classes of one program.
    static final class Loader extends ClassLoader {
        private final Map<String, byte[]> classes;

        Loader(Map<String, byte[]> classes) {
            super(CompiledKernel.class.getClassLoader());
            this.classes = classes;
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

    private final Executable<?> executable;

    private CpuProgram(Executable<?> executable) {
        this.executable = executable;
    }

    /// The widest float vector of this machine, in lanes.
    public static int nativeLanes() {
        return VectorLanes.nativeWidth();
    }

    /// Emits and loads the classes, and runs the steps that depend on weights alone.
    ///
    /// @param weights by name, of the declared types; they must stay open as long as this program
    public static CpuProgram load(KernelProgram program, Map<String, Tensor> weights, Options options) {
        String prefix = "tfx.emitted.p" + COUNTER.getAndIncrement() + ".";
        Classes classes = classes(program, prefix, options.lanes(), options.code());
        Loader loader = new Loader(classes.bytes());
        if (CpuProgram.class.desiredAssertionStatus()) {
            verify(classes, loader);
        }
        List<HostMachine.Loaded> loaded = new ArrayList<>();
        for (Emitted emitted : classes.kernels()) {
            try {
                Object instance = loader.loadClass(emitted.className())
                        .getDeclaredConstructor()
                        .newInstance();
                loaded.add(new HostMachine.Loaded(
                        (CompiledKernel) instance, emitted.kernel(), emitted.sizes(), emitted.axes(), emitted.needs()));
            } catch (ReflectiveOperationException | LinkageError e) {
                throw new InternalError("emitted class " + emitted.className() + " does not load", e);
            }
        }
        return new CpuProgram(
                Executable.load(program.execution(), new HostMachine(loaded, options.threads()), weights));
    }

    /// Emits the classes of a program.
    ///
    /// @param prefix of their names, a package and a dot
    public static Classes classes(KernelProgram program, String prefix, int lanes, Code code) {
        boolean vectors = lanes > 1 && code != Code.SCALAR;
        Optional<Parts> parts =
                vectors && code == Code.WARMED ? Optional.of(new Parts(prefix + "Parts")) : Optional.empty();
        MicroKernels micro = new MicroKernels(lanes, vectors, parts, prefix + "Tiles");
        List<Emitted> kernels = new ArrayList<>();
        Map<String, byte[]> bytes = new HashMap<>();
        for (int i = 0; i < program.kernels().size(); i++) {
            Kernel kernel = program.kernels().get(i);
            KernelEmitter.Emitted emitted =
                    new KernelEmitter(kernel, lanes, vectors, parts, micro, prefix + className(kernel, i)).emit();
            List<Dim> axes = Stream.concat(kernel.grid().stream(), kernel.axes().stream())
                    .map(Kernel.Axis::size)
                    .filter(HostMachine::isChecked)
                    .distinct()
                    .toList();
            String name = emitted.code().name();
            kernels.add(new Emitted(name, kernel.name(), kernel.sizes(), axes, emitted.needs()));
            bytes.put(name, emitted.code().bytes());
        }
        ClassCode tiles = micro.finish();
        bytes.put(tiles.name(), tiles.bytes());
        parts.ifPresent(p -> p.classes().forEach(c -> bytes.put(c.name(), c.bytes())));
        return new Classes(kernels, bytes);
    }

    /// Java text of the vector code, without running it.
    public static String render(KernelProgram program, int lanes) {
        StringBuilder out = new StringBuilder();
        MicroKernels micro = new MicroKernels(lanes, true, Optional.empty(), "tfx.emitted.Tiles");
        for (int i = 0; i < program.kernels().size(); i++) {
            Kernel kernel = program.kernels().get(i);
            out.append(new KernelEmitter(
                            kernel, lanes, true, Optional.empty(), micro, "tfx.emitted." + className(kernel, i))
                    .emit()
                    .code());
            out.append('\n');
        }
        return out.append(micro.finish()).toString();
    }

    private static String className(Kernel kernel, int number) {
        return kernel.name().replaceAll("[^A-Za-z0-9]", "_") + "_" + number;
    }

    private static void verify(Classes classes, Loader loader) {
        classes.bytes().forEach((name, bytes) -> {
            String problem = ClassCode.verify(bytes, loader);
            if (!problem.isEmpty()) {
                throw new InternalError("emitted class " + name + " is unsound: " + problem);
            }
        });
    }

    /// Runs the program.
    ///
    /// @param inputs  by name, of the declared types
    /// @param results owns the results
    /// @param observer sees each launch
    public Map<String, Tensor> run(Map<String, Tensor> inputs, Arena results, Optional<Executable.Observer> observer) {
        return executable.run(inputs, results, observer);
    }

    @Override
    public void close() {
        executable.close();
    }
}
