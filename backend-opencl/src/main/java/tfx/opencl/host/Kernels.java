package tfx.opencl.host;

import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.lwjgl.opencl.CL10;
import org.lwjgl.system.MemoryStack;
import tfx.ir.kernel.KernelProgram;
import tfx.opencl.Group;
import tfx.opencl.ProgramSource;
import tfx.opencl.SequenceSource;

/// The kernels of a program on a device: all in one where the device can run them so, and each by itself, built
/// when one of them is first asked for.
final class Kernels implements AutoCloseable {
    /// A kernel of the device.
    record Ready(long handle, ProgramSource.Entry entry) {}

    /// All kernels in one. Who sets its arguments holds its lock.
    static final class Whole {
        private final long handle;
        private final int slots;
        private int used;

        /// @param slots memories that it takes
        private Whole(long handle, int slots) {
            this.handle = handle;
            this.slots = slots;
            this.used = slots; // those that were never set too
        }

        long handle() {
            return handle;
        }

        int slots() {
            return slots;
        }

        /// How many slots the last command used.
        int used() {
            return used;
        }

        void use(int count) {
            used = count;
        }
    }

    private final Context context;
    private final BinaryCache cache;
    private final ProgramSource source;
    private final Optional<Whole> whole;
    private final boolean looksUp;
    private final List<Long> programs = new ArrayList<>();
    private final List<Long> handles = new ArrayList<>();
    private List<Ready> each = List.of();

    /// @param alone whether each kernel is to be a command
    Kernels(Context context, KernelProgram program, Group group, BinaryCache cache, boolean alone) {
        this.context = context;
        this.cache = cache;
        this.source = ProgramSource.of(program, group);
        this.looksUp = source.kernels().stream().anyMatch(ProgramSource.Entry::looksUp);
        boolean sequences = !alone && context.device().keepsRunning();
        try {
            this.whole = sequences ? SequenceSource.of(program, group).map(this::buildWhole) : Optional.empty();
            if (whole.isEmpty()) {
                buildEach();
            }
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    private Whole buildWhole(SequenceSource all) {
        return new Whole(handle(build(all.program()), SequenceSource.NAME), all.slots());
    }

    private void buildEach() {
        long program = build(source);
        each = source.kernels().stream()
                .map(e -> new Ready(handle(program, e.name()), e))
                .toList();
    }

    private long build(ProgramSource text) {
        long program = new Build(context, text, cache).program();
        programs.add(program);
        return program;
    }

    private long handle(long program, String name) {
        try (MemoryStack stack = MemoryStack.stackPush()) {
            IntBuffer code = stack.callocInt(1);
            long handle = CL10.clCreateKernel(program, name, code);
            Failures.check(code.get(0), context.device(), "make kernel " + name);
            handles.add(handle);
            return handle;
        }
    }

    /// All of them in one, where the device runs them so.
    Optional<Whole> whole() {
        return whole;
    }

    /// A kernel by itself.
    synchronized Ready each(int position) {
        if (each.isEmpty()) {
            buildEach();
        }
        return each.get(position);
    }

    /// What is known of a kernel in either form.
    ProgramSource.Entry entry(int position) {
        return source.kernels().get(position);
    }

    /// Whether kernels look up indices, which may fail.
    boolean looksUp() {
        return looksUp;
    }

    @Override
    public synchronized void close() {
        handles.forEach(CL10::clReleaseKernel);
        programs.forEach(CL10::clReleaseProgram);
    }
}
