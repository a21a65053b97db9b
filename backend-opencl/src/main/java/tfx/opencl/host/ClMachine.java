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
import tfx.ir.kernel.KernelProgram;
import tfx.opencl.Group;
import tfx.runtime.Tensor;
import tfx.runtime.program.Executable;
import tfx.runtime.program.Machine;

/// An OpenCL device with a program's kernels. Weights and constants stay on the device; where it shares the host's
/// memory, large weights, arguments and results are used where they are.
final class ClMachine implements Machine<Memory> {
    /// Memory without elements still needs an address.
    static final long LEAST = 64;

    /// Bytes of weights that are copied beside others, even where the device could use them in place.
    private static final long COPIED = 256 << 10;

    /// Bytes of the first buffer of constants; each later one is twice as large, up to the most.
    private static final long LEAST_SHARED = 256 << 10;

    private static final long MOST_SHARED = 64 << 20;

    private final Context context;
    private final Device device;
    private final boolean separate;
    private final Kernels kernels;
    private final List<Long> buffers = new ArrayList<>();

    /// What is free of the last buffer of constants.
    private Memory shared = new Memory(0, 0, 0, true);

    /// Bytes of the next one.
    private long next = LEAST_SHARED;

    private final Deque<Memory> slabs = new ArrayDeque<>();
    private final Deque<Note> notes = new ArrayDeque<>();

    /// @param separate whether every temporary is a buffer of its own and every launch a command, so that a tool
    ///                 that watches accesses sees where they end
    ClMachine(Context context, KernelProgram program, Group group, BinaryCache cache, boolean separate) {
        this.context = context;
        this.device = context.device();
        this.separate = separate;
        this.kernels = new Kernels(context, program, group, cache, separate);
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
        MemorySegment data = tensor.data();
        long bytes = data.byteSize();
        if (bytes > COPIED || separate && bytes > 0) {
            long how = device.unified() && aligned(tensor) ? CL10.CL_MEM_USE_HOST_PTR : CL10.CL_MEM_COPY_HOST_PTR;
            return lasting(buffer(CL10.CL_MEM_READ_ONLY | how, bytes, data), bytes);
        }
        Memory memory = constant(bytes);
        if (bytes > 0) {
            check(
                    CL10.nclEnqueueWriteBuffer(
                            context.queue(), memory.buffer(), 1, memory.offset(), bytes, data.address(), 0, 0, 0),
                    "write to its memory");
        }
        return memory;
    }

    /// Constants lie side by side in a few buffers: a command takes only so many.
    @Override
    public synchronized Memory constant(long bytes) {
        long size = Math.ceilDiv(Math.max(bytes, 1), LEAST) * LEAST;
        if (separate || size > MOST_SHARED) {
            return lasting(buffer(CL10.CL_MEM_READ_WRITE, size, MemorySegment.NULL), size);
        }
        if (shared.bytes() < size) {
            long most = Math.max(next, size);
            next = Math.min(2 * most, MOST_SHARED);
            shared = lasting(buffer(CL10.CL_MEM_READ_WRITE, most, MemorySegment.NULL), most);
        }
        Memory first = new Memory(shared.buffer(), shared.offset(), size, true);
        shared = new Memory(shared.buffer(), shared.offset() + size, shared.bytes() - size, true);
        return first;
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

    Kernels kernels() {
        return kernels;
    }

    /// Whether every temporary and constant is a buffer of its own, and every launch a command.
    boolean separate() {
        return separate;
    }

    @Override
    public synchronized void close() {
        buffers.forEach(CL10::clReleaseMemObject);
        slabs.forEach(s -> CL10.clReleaseMemObject(s.buffer()));
        notes.forEach(this::drop);
        kernels.close();
    }
}
