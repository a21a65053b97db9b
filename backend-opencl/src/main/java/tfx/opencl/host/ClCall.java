package tfx.opencl.host;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.lwjgl.PointerBuffer;
import org.lwjgl.opencl.CL10;
import org.lwjgl.system.MemoryStack;
import org.lwjgl.system.MemoryUtil;
import tfx.ir.kernel.Kernel;
import tfx.runtime.RunException;
import tfx.runtime.Sizes;
import tfx.runtime.Tensor;
import tfx.runtime.program.Executable;
import tfx.runtime.program.Execution;
import tfx.runtime.program.Machine;

/// A call on a device: commands with the events that each must wait for, and the memory that lives as long as the
/// call.
final class ClCall implements Machine.Call<Memory> {
    /// Bytes of what a failed lookup leaves: the number of its launch, the value, and the limit.
    private static final int NOTE = 24;

    private static final int MOST_USES = 256;
    private static final int MOST_EVENTS = 1024;
    private static final int FLUSH_EVERY = 16;

    /// A result that is still on the device.
    private record Due(String name, Tensor tensor, Memory memory) {}

    private final ClMachine machine;
    private final Device device;
    private final Optional<Executable.Observer> observer;
    private final long queue;
    private final Memory slab;
    private final Order order = new Order();
    private final List<Long> own = new ArrayList<>();
    private final Set<Long> events = new LinkedHashSet<>();
    private final List<Due> due = new ArrayList<>();
    private final List<String> places = new ArrayList<>();
    private final Map<String, Integer> placeNumbers = new HashMap<>();
    private final Map<Long, Executable.Launched> launches = new LinkedHashMap<>();
    private final Map<Long, Executable.Transferred> transfers = new LinkedHashMap<>();
    private final Memory failed;
    private int commands;
    private long last;

    ClCall(ClMachine machine, Context context, long bytes, Optional<Executable.Observer> observer) {
        this.machine = machine;
        this.device = context.device();
        this.observer = observer;
        this.queue = observer.isPresent() ? context.profiled() : context.queue();
        this.slab = machine.slab(machine.separate() ? ClMachine.LEAST : bytes);
        try {
            this.failed = aside(NOTE);
            clearNote();
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    private void clearNote() {
        if (machine.looksUp()) {
            try (MemoryStack stack = MemoryStack.stackPush()) {
                ByteBuffer zeros = stack.calloc(NOTE);
                machine.check(
                        CL10.clEnqueueWriteBuffer(queue, failed.buffer(), true, 0, zeros, null, null),
                        "write to its memory");
            }
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
        enqueue(
                List.of(),
                List.of(memory),
                "write to its memory",
                (count, waits, event) -> CL10.nclEnqueueWriteBuffer(
                        queue, memory.buffer(), 0, 0, bytes, tensor.data().address(), count, waits, event));
        transferred(name, true, bytes);
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

    /// Enqueues a command: how many events it waits for, the address of these, and that for its own.
    private interface Command {
        int enqueue(int count, long waits, long event);
    }

    private long enqueue(List<Memory> reads, List<Memory> writes, String what, Command command) {
        Set<Long> before = order.before(reads, writes);
        try (MemoryStack stack = MemoryStack.stackPush()) {
            PointerBuffer waits = stack.mallocPointer(Math.max(1, before.size()));
            before.forEach(waits::put);
            waits.rewind();
            PointerBuffer event = stack.callocPointer(1);
            long list = before.isEmpty() ? 0 : MemoryUtil.memAddress(waits);
            machine.check(command.enqueue(before.size(), list, MemoryUtil.memAddress(event)), what);
            last = event.get(0);
            events.add(last);
            order.add(reads, writes, last);
        }
        if (++commands % FLUSH_EVERY == 0) {
            CL10.clFlush(queue);
        }
        if (order.size() > MOST_USES || events.size() % MOST_EVENTS == 0) {
            forgetEnded();
            if (order.size() > MOST_USES) {
                waitForAll();
                forgetEnded();
            }
        }
        return last;
    }

    /// Loops may run for long: what has ended needs no memory.
    private void forgetEnded() {
        Set<Long> ended = new HashSet<>();
        try (MemoryStack stack = MemoryStack.stackPush()) {
            IntBuffer status = stack.callocInt(1);
            for (long event : events) {
                CL10.clGetEventInfo(event, CL10.CL_EVENT_COMMAND_EXECUTION_STATUS, status, null);
                if (status.get(0) == CL10.CL_COMPLETE) {
                    ended.add(event);
                }
            }
        }
        order.ended(ended);
        if (observer.isEmpty()) {
            ended.forEach(CL10::clReleaseEvent);
            events.removeAll(ended);
        }
    }

    @Override
    public void launch(Execution.Launch launch, List<Memory> arguments, Sizes sizes) {
        ClMachine.Ready ready = machine.kernel(launch.kernel());
        Kernel kernel = ready.entry().kernel();
        long tasks = 1;
        for (Kernel.Axis axis : kernel.grid()) {
            tasks *= Math.ceilDiv(Math.max(0, sizes.evaluate(axis.size())), (long) axis.tile());
        }
        if (tasks == 0) {
            return;
        }
        long groups = tasks;
        List<Memory> reads = new ArrayList<>();
        List<Memory> writes = new ArrayList<>();
        for (int i = 0; i < arguments.size(); i++) {
            (kernel.buffers().get(i).output() ? writes : reads).add(arguments.get(i));
        }
        int place = placeNumbers.computeIfAbsent(launch.where(), w -> {
            places.add(w);
            return places.size() - 1;
        });
        long items = machine.kernel(launch.kernel()).entry().items();
        Command run = (count, waits, done) -> {
            try (MemoryStack stack = MemoryStack.stackPush()) {
                PointerBuffer global = stack.pointers(groups * items);
                PointerBuffer local = stack.pointers(items);
                return CL10.nclEnqueueNDRangeKernel(
                        queue,
                        ready.handle(),
                        1,
                        0,
                        MemoryUtil.memAddress(global),
                        MemoryUtil.memAddress(local),
                        count,
                        waits,
                        done);
            }
        };
        long event;
        // Arguments belong to the kernel until it is enqueued.
        synchronized (ready.entry()) {
            set(ready, arguments, sizes, place);
            event = enqueue(reads, writes, "run kernel " + kernel.name(), run);
        }
        if (observer.isPresent()) {
            long[] values = kernel.sizes().stream().mapToLong(sizes::value).toArray();
            launches.put(event, new Executable.Launched(launch.kernel(), kernel.name(), launch.where(), values, 0, 0));
        }
    }

    private void set(ClMachine.Ready ready, List<Memory> arguments, Sizes sizes, int place) {
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
        code |= CL10.clSetKernelArg1p(ready.handle(), position++, failed.buffer());
        code |= CL10.clSetKernelArg1i(ready.handle(), position, place);
        machine.check(code, "take the arguments of kernel " + kernel.name());
    }

    @Override
    public void copy(Memory from, Memory to, long at, long bytes) {
        if (bytes > 0) {
            Memory target = new Memory(to.buffer(), to.offset() + at, bytes, false);
            enqueue(
                    List.of(from),
                    List.of(target),
                    "copy",
                    (count, waits, event) -> CL10.nclEnqueueCopyBuffer(
                            queue,
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
        try (MemoryStack stack = MemoryStack.stackPush()) {
            IntBuffer contents = stack.ints(value);
            Memory target = new Memory(to.buffer(), to.offset(), Integer.BYTES, false);
            enqueue(
                    List.of(),
                    List.of(target),
                    "write to its memory",
                    (count, waits, event) -> CL10.nclEnqueueWriteBuffer(
                            queue,
                            to.buffer(),
                            1,
                            to.offset(),
                            Integer.BYTES,
                            MemoryUtil.memAddress(contents),
                            count,
                            waits,
                            event));
        }
    }

    @Override
    public boolean holds(Memory condition) {
        try (MemoryStack stack = MemoryStack.stackPush()) {
            ByteBuffer value = stack.calloc(1);
            read(condition, value);
            // A loop whose test looked beyond its data might never end.
            checkLookups();
            return value.get(0) != 0;
        }
    }

    private void read(Memory from, ByteBuffer into) {
        enqueue(
                List.of(from),
                List.of(),
                "read its memory",
                (count, waits, event) -> CL10.nclEnqueueReadBuffer(
                        queue,
                        from.buffer(),
                        1,
                        from.offset(),
                        into.remaining(),
                        MemoryUtil.memAddress(into),
                        count,
                        waits,
                        event));
    }

    private void checkLookups() {
        if (!machine.looksUp()) {
            return;
        }
        waitForAll();
        try (MemoryStack stack = MemoryStack.stackPush()) {
            ByteBuffer note = stack.calloc(8, NOTE);
            read(failed, note);
            if (note.getInt(0) != 0) {
                String where = places.get(note.getInt(0) - 1);
                throw new RunException("index " + note.getLong(8) + " is outside 0.." + (note.getLong(16) - 1)
                        + (where.isEmpty() ? "" : " (" + where + ")"));
            }
        }
    }

    private void waitForAll() {
        if (events.isEmpty()) {
            return;
        }
        PointerBuffer all = MemoryUtil.memAllocPointer(events.size());
        try {
            events.forEach(all::put);
            machine.check(CL10.clWaitForEvents(all.flip()), "finish its work");
        } finally {
            MemoryUtil.memFree(all);
        }
    }

    @Override
    public void finish() {
        for (Due result : due) {
            long bytes = result.tensor().data().byteSize();
            if (!device.unified() && bytes > 0) {
                enqueue(
                        List.of(result.memory()),
                        List.of(),
                        "read its memory",
                        (count, waits, event) -> CL10.nclEnqueueReadBuffer(
                                queue,
                                result.memory().buffer(),
                                0,
                                0,
                                bytes,
                                result.tensor().data().address(),
                                count,
                                waits,
                                event));
                transferred(result.name(), false, bytes);
            }
        }
        CL10.clFlush(queue);
        waitForAll();
        checkLookups();
        due.stream()
                .filter(r -> device.unified() && r.tensor().data().byteSize() > 0)
                .forEach(this::settle);
        observer.ifPresent(this::report);
    }

    /// Brings the contents of a buffer in the host's memory there, where a device kept them elsewhere
    /// meanwhile.
    private void settle(Due result) {
        try (MemoryStack stack = MemoryStack.stackPush()) {
            IntBuffer code = stack.callocInt(1);
            long buffer = result.memory().buffer();
            long bytes = result.tensor().data().byteSize();
            long address = CL10.nclEnqueueMapBuffer(
                    queue, buffer, 1, CL10.CL_MAP_READ, 0, bytes, 0, 0, 0, MemoryUtil.memAddress(code));
            machine.check(code.get(0), "give a result back");
            PointerBuffer event = stack.callocPointer(1);
            machine.check(
                    CL10.nclEnqueueUnmapMemObject(queue, buffer, address, 0, 0, MemoryUtil.memAddress(event)),
                    "give a result back");
            events.add(event.get(0));
        }
    }

    // ---- what an observer sees ----

    private void transferred(String name, boolean toMachine, long bytes) {
        if (observer.isPresent()) {
            transfers.put(last, new Executable.Transferred(name, toMachine, bytes, 0, 0));
        }
    }

    private void report(Executable.Observer to) {
        for (long event : events) {
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
        waitQuietly();
        events.forEach(CL10::clReleaseEvent);
        own.forEach(CL10::clReleaseMemObject);
        machine.give(slab);
    }

    private void waitQuietly() {
        if (!events.isEmpty()) {
            PointerBuffer all = MemoryUtil.memAllocPointer(events.size());
            events.forEach(all::put);
            CL10.clWaitForEvents(all.flip());
            MemoryUtil.memFree(all);
        }
    }
}
