package tfx.opencl.host;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.lwjgl.PointerBuffer;
import org.lwjgl.opencl.CL10;
import org.lwjgl.opencl.CL12;
import org.lwjgl.system.MemoryStack;
import org.lwjgl.system.MemoryUtil;
import tfx.ir.kernel.Kernel;
import tfx.runtime.Sizes;
import tfx.runtime.Tensor;
import tfx.runtime.program.Executable;
import tfx.runtime.program.Execution;
import tfx.runtime.program.Machine;

/// A call on a device: its commands, and the memory that lives as long as the call. Nothing but what a loop
/// tests is waited for before the end.
final class ClCall implements Machine.Call<Memory> {
    /// Drivers give several groups at once to a thread; those that come late find no task.
    private static final long GROUPS_A_UNIT = 4;

    /// Launches of the first command of a call. On a processor, threads that the host wakes may be put behind
    /// its own on its core, for milliseconds; those that a thread of the device wakes find that core free.
    private static final int FIRST_LAUNCHES = 4;

    /// A result that is still on the device.
    private record Due(String name, Tensor tensor, Memory memory) {}

    private final ClMachine machine;
    private final Device device;
    private final Optional<Executable.Observer> observer;
    private final Commands commands;
    private final Memory slab;
    private final Note note;
    private final List<Long> own = new ArrayList<>();
    private final List<Due> due = new ArrayList<>();
    private final List<String> places = new ArrayList<>();
    private final Map<String, Integer> placeNumbers = new HashMap<>();
    private final Map<Long, Executable.Launched> launches = new LinkedHashMap<>();
    private final Map<Long, Executable.Transferred> transfers = new LinkedHashMap<>();
    private Sequence sequence;
    private boolean begun;
    private boolean clean;

    ClCall(ClMachine machine, Context context, long bytes, Optional<Executable.Observer> observer) {
        this.machine = machine;
        this.device = context.device();
        this.observer = observer;
        this.sequence =
                new Sequence(machine.kernels().whole().map(Kernels.Whole::slots).orElse(0));
        boolean timed = observer.isPresent();
        this.commands = new Commands(device, timed ? context.profiled() : context.queue(), timed);
        this.slab = machine.slab(machine.separate() ? ClMachine.LEAST : bytes);
        try {
            this.note = machine.note();
        } catch (RuntimeException | Error e) {
            machine.give(slab);
            throw e;
        }
    }

    @Override
    public Memory input(String name, Tensor tensor) {
        long bytes = tensor.data().byteSize();
        if (bytes == 0) {
            return aside(0);
        }
        if (device.unified() && ClMachine.aligned(tensor)) {
            long flags = CL10.CL_MEM_READ_ONLY | CL10.CL_MEM_USE_HOST_PTR;
            return keep(machine.buffer(flags, bytes, tensor.data()), bytes, true);
        }
        Memory memory = aside(bytes);
        long written = commands.enqueue(
                List.of(),
                List.of(memory),
                "write to its memory",
                (count, waits, event) -> CL10.nclEnqueueWriteBuffer(
                        commands.queue(),
                        memory.buffer(),
                        0,
                        0,
                        bytes,
                        tensor.data().address(),
                        count,
                        waits,
                        event));
        transferred(written, name, true, bytes);
        return memory;
    }

    @Override
    public Memory result(String name, Tensor tensor) {
        long bytes = tensor.data().byteSize();
        Memory memory;
        if (device.unified() && bytes > 0) {
            long flags = CL10.CL_MEM_READ_WRITE | CL10.CL_MEM_USE_HOST_PTR;
            memory = keep(machine.buffer(flags, bytes, tensor.data()), bytes, false);
        } else {
            memory = aside(bytes);
        }
        due.add(new Due(name, tensor, memory));
        return memory;
    }

    @Override
    public Memory temporary(long offset, long bytes) {
        return machine.separate() ? aside(bytes) : new Memory(slab.buffer(), slab.offset() + offset, bytes, false);
    }

    @Override
    public Memory aside(long bytes) {
        long size = Math.max(bytes, ClMachine.LEAST);
        return keep(machine.buffer(CL10.CL_MEM_READ_WRITE, size, MemorySegment.NULL), size, false);
    }

    private Memory keep(long buffer, long bytes, boolean fixed) {
        own.add(buffer);
        return new Memory(buffer, 0, bytes, fixed);
    }

    // ---- commands ----

    @Override
    public void launch(Execution.Launch launch, List<Memory> arguments, Sizes sizes) {
        Kernel kernel = machine.kernels().entry(launch.kernel()).kernel();
        long tasks = 1;
        for (Kernel.Axis axis : kernel.grid()) {
            tasks *= Math.ceilDiv(Math.max(0, sizes.evaluate(axis.size())), (long) axis.tile());
        }
        if (tasks == 0) {
            return;
        }
        int place = placeNumbers.computeIfAbsent(launch.where(), w -> {
            places.add(w);
            return places.size() - 1;
        });
        Optional<Kernels.Whole> whole = machine.kernels().whole();
        if (whole.isEmpty() || observer.isPresent() || tasks > Sequence.MOST_TASKS) {
            endSequence();
            alone(launch, kernel, tasks, arguments, sizes, place);
            return;
        }
        if (!sequence.takes(tasks, arguments) || !begun && sequence.launches() == FIRST_LAUNCHES) {
            endSequence();
        }
        sequence.add(launch.kernel(), kernel, tasks, arguments, sizes, place);
    }

    /// A launch as a command of its own.
    private void alone(
            Execution.Launch launch, Kernel kernel, long tasks, List<Memory> arguments, Sizes sizes, int place) {
        Kernels.Ready ready = machine.kernels().each(launch.kernel());
        List<Memory> reads = new ArrayList<>();
        List<Memory> writes = new ArrayList<>();
        for (int i = 0; i < arguments.size(); i++) {
            (kernel.buffers().get(i).output() ? writes : reads).add(arguments.get(i));
        }
        if (ready.entry().looksUp()) {
            reads.add(note.memory()); // those that note a failure do not wait for each other
        }
        int items = ready.entry().items();
        long event;
        // Arguments belong to the kernel until it is enqueued.
        synchronized (ready) {
            set(ready, arguments, sizes, place);
            event = commands.enqueue(reads, writes, "run kernel " + kernel.name(), run(ready.handle(), tasks, items));
        }
        if (observer.isPresent()) {
            long[] values = kernel.sizes().stream().mapToLong(sizes::value).toArray();
            launches.put(event, new Executable.Launched(launch.kernel(), kernel.name(), launch.where(), values, 0, 0));
        }
    }

    private Commands.Command run(long kernel, long groups, int items) {
        return (count, waits, event) -> {
            try (MemoryStack stack = MemoryStack.stackPush()) {
                PointerBuffer global = stack.pointers(groups * items);
                PointerBuffer local = stack.pointers(items);
                return CL10.nclEnqueueNDRangeKernel(
                        commands.queue(),
                        kernel,
                        1,
                        0,
                        MemoryUtil.memAddress(global),
                        MemoryUtil.memAddress(local),
                        count,
                        waits,
                        event);
            }
        };
    }

    private void set(Kernels.Ready ready, List<Memory> arguments, Sizes sizes, int place) {
        Kernel kernel = ready.entry().kernel();
        int code = CL10.CL_SUCCESS;
        int position = 0;
        for (int i = 0; i < arguments.size(); i++) {
            Memory memory = arguments.get(i);
            code |= CL10.clSetKernelArg1p(ready.handle(), position++, memory.buffer());
            long element = memory.offset() / kernel.buffers().get(i).dtype().bytes();
            code |= CL10.clSetKernelArg1l(ready.handle(), position++, element);
        }
        for (String size : kernel.sizes()) {
            code |= CL10.clSetKernelArg1l(ready.handle(), position++, sizes.value(size));
        }
        code |= CL10.clSetKernelArg1p(ready.handle(), position++, note.memory().buffer());
        code |= CL10.clSetKernelArg1i(ready.handle(), position, place);
        machine.check(code, "take the arguments of kernel " + kernel.name());
    }

    /// Enqueues the launches so far as one command.
    private void endSequence() {
        if (sequence.isEmpty()) {
            return;
        }
        begun = true;
        Sequence ended = sequence;
        Kernels.Whole whole = machine.kernels().whole().orElseThrow();
        sequence = new Sequence(whole.slots());
        List<Memory> reads = new ArrayList<>(ended.reads());
        if (machine.kernels().looksUp()) {
            reads.add(note.memory());
        }
        // A command keeps its buffers until it has ended.
        long table = filled(CL10.CL_MEM_READ_ONLY, MemorySegment.ofArray(ended.table()));
        try {
            long counts = filled(CL10.CL_MEM_READ_WRITE, MemorySegment.ofArray(new int[1 + ended.launches()]));
            try {
                synchronized (whole) {
                    set(whole, table, counts, ended.buffers());
                    long groups = Math.min(GROUPS_A_UNIT * device.units(), ended.tasks());
                    commands.enqueue(reads, ended.writes(), "run its kernels", run(whole.handle(), groups, 1));
                }
            } finally {
                CL10.clReleaseMemObject(counts);
            }
        } finally {
            CL10.clReleaseMemObject(table);
        }
        CL10.clFlush(commands.queue());
    }

    /// A buffer with contents.
    private long filled(long access, MemorySegment contents) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment copy = arena.allocate(contents.byteSize(), Long.BYTES);
            copy.copyFrom(contents);
            return machine.buffer(access | CL10.CL_MEM_COPY_HOST_PTR, copy.byteSize(), copy);
        }
    }

    private void set(Kernels.Whole whole, long table, long counts, List<Long> buffers) {
        int code = CL10.clSetKernelArg1p(whole.handle(), 0, table);
        code |= CL10.clSetKernelArg1p(whole.handle(), 1, counts);
        code |= CL10.clSetKernelArg1p(whole.handle(), 2, note.memory().buffer());
        // No slot keeps memory of an earlier command, which may be gone.
        for (int slot = 0; slot < Math.max(buffers.size(), whole.used()); slot++) {
            long buffer = slot < buffers.size() ? buffers.get(slot) : MemoryUtil.NULL;
            code |= CL10.clSetKernelArg1p(whole.handle(), 3 + slot, buffer);
        }
        whole.use(buffers.size());
        machine.check(code, "take the arguments of its kernels");
    }

    @Override
    public void copy(Memory from, Memory to, long at, long bytes) {
        if (bytes > 0) {
            endSequence();
            Memory target = new Memory(to.buffer(), to.offset() + at, bytes, false);
            commands.enqueue(
                    List.of(from),
                    List.of(target),
                    "copy",
                    (count, waits, event) -> CL10.nclEnqueueCopyBuffer(
                            commands.queue(),
                            from.buffer(),
                            target.buffer(),
                            from.offset(),
                            target.offset(),
                            bytes,
                            count,
                            waits,
                            event));
        }
    }

    @Override
    public void set(Memory to, int value) {
        endSequence();
        try (MemoryStack stack = MemoryStack.stackPush()) {
            IntBuffer pattern = stack.ints(value);
            Memory target = new Memory(to.buffer(), to.offset(), Integer.BYTES, false);
            commands.enqueue(
                    List.of(),
                    List.of(target),
                    "write to its memory",
                    (count, waits, event) -> CL12.nclEnqueueFillBuffer(
                            commands.queue(),
                            to.buffer(),
                            MemoryUtil.memAddress(pattern),
                            Integer.BYTES,
                            to.offset(),
                            Integer.BYTES,
                            count,
                            waits,
                            event));
        }
    }

    @Override
    public boolean holds(Memory condition) {
        endSequence();
        // A loop whose test looked beyond its data might never end.
        readNote();
        try (MemoryStack stack = MemoryStack.stackPush()) {
            ByteBuffer value = stack.calloc(1);
            List<Memory> reads = machine.kernels().looksUp() ? List.of(condition, note.memory()) : List.of(condition);
            read(reads, List.of(), MemoryUtil.memAddress(value), 1, true);
            note.check(places);
            return value.get(0) != 0;
        }
    }

    /// Reads memory of the device, the first that the command uses.
    ///
    /// @param writes what the command counts as a writer of
    /// @param now    whether to wait until it is read
    private long read(List<Memory> reads, List<Memory> writes, long to, long bytes, boolean now) {
        Memory from = reads.getFirst();
        return commands.enqueue(
                reads,
                writes,
                "read its memory",
                (count, waits, event) -> CL10.nclEnqueueReadBuffer(
                        commands.queue(), from.buffer(), now ? 1 : 0, from.offset(), bytes, to, count, waits, event));
    }

    /// Has the note read once all lookups before have been made. It counts as written, so that what uses it later
    /// waits.
    private void readNote() {
        if (machine.kernels().looksUp()) {
            List<Memory> memory = List.of(note.memory());
            read(memory, memory, MemoryUtil.memAddress(note.copy()), Note.BYTES, false);
        }
    }

    @Override
    public void finish() {
        endSequence();
        due.stream().filter(r -> r.tensor().data().byteSize() > 0).forEach(this::deliver);
        readNote();
        CL10.clFlush(commands.queue());
        commands.await();
        note.check(places);
        clean = true;
        observer.ifPresent(this::report);
    }

    private void deliver(Due result) {
        MemorySegment to = result.tensor().data();
        List<Memory> memory = List.of(result.memory());
        if (!device.unified()) {
            long read = read(memory, List.of(), to.address(), to.byteSize(), false);
            transferred(read, result.name(), false, to.byteSize());
            return;
        }
        // A buffer in the host's memory: a device may have kept its contents elsewhere until it is mapped.
        long buffer = result.memory().buffer();
        long[] address = new long[1];
        commands.enqueue(memory, memory, "give a result back", (count, waits, event) -> {
            try (MemoryStack stack = MemoryStack.stackPush()) {
                IntBuffer code = stack.callocInt(1);
                address[0] = CL10.nclEnqueueMapBuffer(
                        commands.queue(),
                        buffer,
                        0,
                        CL10.CL_MAP_READ,
                        0,
                        to.byteSize(),
                        count,
                        waits,
                        event,
                        MemoryUtil.memAddress(code));
                return code.get(0);
            }
        });
        commands.enqueue(
                memory,
                List.of(),
                "give a result back",
                (count, waits, event) ->
                        CL10.nclEnqueueUnmapMemObject(commands.queue(), buffer, address[0], count, waits, event));
    }

    // ---- what an observer sees ----

    private void transferred(long event, String name, boolean toMachine, long bytes) {
        if (observer.isPresent()) {
            transfers.put(event, new Executable.Transferred(name, toMachine, bytes, 0, 0));
        }
    }

    private void report(Executable.Observer to) {
        for (long event : commands.events()) {
            Executable.Launched l = launches.get(event);
            Executable.Transferred t = transfers.get(event);
            long start = time(event, CL10.CL_PROFILING_COMMAND_START);
            long nanos = time(event, CL10.CL_PROFILING_COMMAND_END) - start;
            if (l != null) {
                to.launched(new Executable.Launched(l.kernel(), l.name(), l.where(), l.frame(), start, nanos));
            } else if (t != null) {
                to.transferred(new Executable.Transferred(t.name(), t.toMachine(), t.bytes(), start, nanos));
            }
        }
    }

    private static long time(long event, int which) {
        try (MemoryStack stack = MemoryStack.stackPush()) {
            LongBuffer nanos = stack.callocLong(1);
            CL10.clGetEventProfilingInfo(event, which, nanos, null);
            return nanos.get(0);
        }
    }

    @Override
    public void close() {
        // A call that failed half-way may still be running.
        commands.end();
        own.forEach(CL10::clReleaseMemObject);
        machine.give(slab);
        if (clean) {
            machine.give(note);
        } else {
            machine.drop(note);
        }
    }
}
