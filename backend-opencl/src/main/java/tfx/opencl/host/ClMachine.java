package tfx.opencl.host;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.IntBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.lwjgl.opencl.CL10;
import org.lwjgl.system.MemoryStack;
import org.lwjgl.system.MemoryUtil;
import tfx.opencl.ProgramSource;
import tfx.runtime.Tensor;
import tfx.runtime.program.Executable;
import tfx.runtime.program.Machine;

/// An OpenCL device with a program's kernels. Weights and constants stay on the device; where it shares the host's
/// memory, weights, arguments and results are used where they are.
final class ClMachine implements Machine<Memory> {
    /// Memory without elements still needs an address.
    static final long LEAST = 64;

    /// A kernel of the device.
    record Ready(long handle, ProgramSource.Entry entry) {}

    private final Context context;
    private final Device device;
    private final boolean separate;
    private final long program;
    private final List<Ready> kernels = new ArrayList<>();
    private final List<Long> buffers = new ArrayList<>();
    private final Deque<Memory> slabs = new ArrayDeque<>();
    private final Deque<Note> notes = new ArrayDeque<>();
    private final boolean looksUp;

    /// @param separate whether every temporary is a buffer of its own, so that a tool that watches accesses sees
    ///                 where it ends
    ClMachine(Context context, ProgramSource source, BinaryCache cache, boolean separate) {
        this.context = context;
        this.device = context.device();
        this.separate = separate;
        this.looksUp = source.kernels().stream().anyMatch(ProgramSource.Entry::looksUp);
        this.program = new Build(context, source, cache).program();
        try (MemoryStack stack = MemoryStack.stackPush()) {
            IntBuffer code = stack.callocInt(1);
            for (ProgramSource.Entry entry : source.kernels()) {
                long handle = CL10.clCreateKernel(program, entry.name(), code);
                check(code.get(0), "make kernel " + entry.name());
                kernels.add(new Ready(handle, entry));
            }
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    void check(int code, String what) {
        Failures.check(code, device, what);
    }

    long buffer(long flags, long bytes, MemorySegment contents) {
        try (MemoryStack stack = MemoryStack.stackPush()) {
            IntBuffer code = stack.callocInt(1);
            long handle = CL10.nclCreateBuffer(
                    context.handle(), flags, bytes, contents.address(), MemoryUtil.memAddress(code));
            check(code.get(0), "allocate " + Device.amount(bytes));
            return handle;
        }
    }

    private synchronized Memory lasting(long buffer, long bytes) {
        buffers.add(buffer);
        return new Memory(buffer, 0, bytes, true);
    }

    static boolean aligned(Tensor tensor) {
        return tensor.data().address() % tensor.dtype().bytes() == 0;
    }

    @Override
    public Memory weight(Tensor tensor) {
        long bytes = tensor.data().byteSize();
        if (bytes == 0) {
            return constant(0);
        }
        long how = device.unified() && aligned(tensor) ? CL10.CL_MEM_USE_HOST_PTR : CL10.CL_MEM_COPY_HOST_PTR;
        return lasting(buffer(CL10.CL_MEM_READ_ONLY | how, bytes, tensor.data()), bytes);
    }

    @Override
    public Memory constant(long bytes) {
        long size = Math.max(bytes, LEAST);
        return lasting(buffer(CL10.CL_MEM_READ_WRITE, size, MemorySegment.NULL), size);
    }

    @Override
    public Machine.Call<Memory> begin(long bytes, Optional<Executable.Observer> observer) {
        return new ClCall(this, context, bytes, observer);
    }

    /// Memory of at least so many bytes, of an earlier call or new.
    synchronized Memory slab(long bytes) {
        Memory idle = slabs.poll();
        if (idle != null && idle.bytes() >= bytes) {
            return idle;
        }
        if (idle != null) {
            CL10.clReleaseMemObject(idle.buffer());
        }
        long size = Math.max(bytes + bytes / 4, LEAST);
        return new Memory(buffer(CL10.CL_MEM_READ_WRITE, size, MemorySegment.NULL), 0, size, false);
    }

    synchronized void give(Memory slab) {
        slabs.push(slab);
    }

    /// A note of an earlier call, or a new one.
    synchronized Note note() {
        Note idle = notes.poll();
        if (idle != null) {
            return idle;
        }
        try (Arena zeros = Arena.ofConfined()) {
            long flags = CL10.CL_MEM_READ_WRITE | CL10.CL_MEM_COPY_HOST_PTR;
            return new Note(new Memory(buffer(flags, Note.BYTES, zeros.allocate(Note.BYTES, 8)), 0, Note.BYTES, false));
        }
    }

    /// Takes a note that no lookup has written to.
    synchronized void give(Note note) {
        notes.push(note);
    }

    void drop(Note note) {
        CL10.clReleaseMemObject(note.memory().buffer());
        note.free();
    }

    Ready kernel(int position) {
        return kernels.get(position);
    }

    /// Whether kernels look up indices, which may fail.
    boolean looksUp() {
        return looksUp;
    }

    /// Whether every temporary is a buffer of its own.
    boolean separate() {
        return separate;
    }

    @Override
    public synchronized void close() {
        kernels.forEach(k -> CL10.clReleaseKernel(k.handle));
        buffers.forEach(CL10::clReleaseMemObject);
        slabs.forEach(s -> CL10.clReleaseMemObject(s.buffer()));
        notes.forEach(this::drop);
        CL10.clReleaseProgram(program);
    }
}
