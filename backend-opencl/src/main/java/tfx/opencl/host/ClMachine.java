package tfx.opencl.host;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
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
import tfx.opencl.ProgramSource;
import tfx.runtime.RunException;
import tfx.runtime.Sizes;
import tfx.runtime.Tensor;
import tfx.runtime.program.Executable;
import tfx.runtime.program.Execution;
import tfx.runtime.program.Machine;

/// An OpenCL device with a program's kernels. Weights and constants stay on the device; where it shares the host's
/// memory, weights, arguments and results are used where they are.
final class ClMachine implements Machine<Memory> {
    /// Bytes of what a failed lookup leaves: the number of its launch, the value, and the limit.
    private static final int NOTE = 24;

    /// Memory without elements still needs an address.
    private static final long LEAST = 64;

    private static final int MOST_USES = 256;
    private static final int FLUSH_EVERY = 16;

    /// A kernel of the device.
    private record Ready(long handle, ProgramSource.Entry entry) {}

    private final Context context;
    private final Device device;
    private final boolean separate;
    private final long program;
    private final List<Ready> kernels = new ArrayList<>();
    private final List<Long> buffers = new ArrayList<>();
    private final Deque<Memory> slabs = new ArrayDeque<>();
    private final boolean looksUp;

    /// @param separate whether every temporary is a buffer of its own, so that a tool that watches accesses sees
    ///                 where it ends
    ClMachine(Context context, ProgramSource source, BinaryCache cache, boolean separate) {
        this.context = context;
        this.device = context.device();
        this.separate = separate;
        this.looksUp = source.text().contains("tfx_index");
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

    private void check(int code, String what) {
        Failures.check(code, device, what);
    }

    private long buffer(long flags, long bytes, MemorySegment contents) {
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

    private static boolean aligned(Tensor tensor) {
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
        return new Call(bytes, observer);
    }

    /// Memory of at least so many bytes, of an earlier call or new.
    private synchronized Memory slab(long bytes) {
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

    private synchronized void give(Memory slab) {
        slabs.push(slab);
    }

    @Override
    public synchronized void close() {
        kernels.forEach(k -> CL10.clReleaseKernel(k.handle));
        buffers.forEach(CL10::clReleaseMemObject);
        slabs.forEach(s -> CL10.clReleaseMemObject(s.buffer()));
        CL10.clReleaseProgram(program);
    }

    /// A result that is still on the device.
    private record Due(String name, Tensor tensor, Memory memory) {}

    private final class Call implements Machine.Call<Memory> {
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

        Call(long bytes, Optional<Executable.Observer> observer) {
            this.observer = observer;
            this.queue = observer.isPresent() ? context.profiled() : context.queue();
            this.slab = slab(separate ? LEAST : bytes);
            Memory note;
            try {
                note = aside(NOTE);
            } catch (RuntimeException | Error e) {
                give(slab);
                throw e;
            }
            this.failed = note;
            clearNote();
        }

        private void clearNote() {
            if (looksUp) {
                try (MemoryStack stack = MemoryStack.stackPush()) {
                    ByteBuffer zeros = stack.calloc(NOTE);
                    check(
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
            if (device.unified() && aligned(tensor)) {
                long flags = CL10.CL_MEM_READ_ONLY | CL10.CL_MEM_USE_HOST_PTR;
                return keep(buffer(flags, bytes, tensor.data()), bytes, true);
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
                memory = keep(buffer(flags, bytes, tensor.data()), bytes, false);
            } else {
                memory = aside(bytes);
            }
            due.add(new Due(name, tensor, memory));
            return memory;
        }

        @Override
        public Memory temporary(long offset, long bytes) {
            return separate ? aside(bytes) : new Memory(slab.buffer(), slab.offset() + offset, bytes, false);
        }

        @Override
        public Memory aside(long bytes) {
            long size = Math.max(bytes, LEAST);
            return keep(buffer(CL10.CL_MEM_READ_WRITE, size, MemorySegment.NULL), size, false);
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
                check(command.enqueue(before.size(), list, MemoryUtil.memAddress(event)), what);
                events.add(event.get(0));
                order.add(reads, writes, event.get(0));
            }
            if (++commands % FLUSH_EVERY == 0) {
                CL10.clFlush(queue);
            }
            if (order.size() > MOST_USES) {
                forgetEnded();
            }
            return lastEvent();
        }

        private long lastEvent() {
            long last = 0;
            for (long event : events) {
                last = event;
            }
            return last;
        }

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
            Ready ready = kernels.get(launch.kernel());
            Kernel kernel = ready.entry.kernel();
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
            long items = kernels.get(launch.kernel()).entry.items();
            Command run = (count, waits, done) -> {
                try (MemoryStack stack = MemoryStack.stackPush()) {
                    PointerBuffer global = stack.pointers(groups * items);
                    PointerBuffer local = stack.pointers(items);
                    return CL10.nclEnqueueNDRangeKernel(
                            queue,
                            ready.handle,
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
            synchronized (ready.entry) {
                set(ready, arguments, sizes, place);
                event = enqueue(reads, writes, "run kernel " + kernel.name(), run);
            }
            if (observer.isPresent()) {
                long[] values = kernel.sizes().stream().mapToLong(sizes::value).toArray();
                launches.put(
                        event, new Executable.Launched(launch.kernel(), kernel.name(), launch.where(), values, 0, 0));
            }
        }

        private void set(Ready ready, List<Memory> arguments, Sizes sizes, int place) {
            Kernel kernel = ready.entry.kernel();
            int code = CL10.CL_SUCCESS;
            int position = 0;
            for (int i = 0; i < arguments.size(); i++) {
                Memory memory = arguments.get(i);
                code |= CL10.clSetKernelArg1p(ready.handle, position++, memory.buffer());
                long element = memory.offset() / kernel.buffers().get(i).dtype().bytes();
                code |= CL10.clSetKernelArg1l(ready.handle, position++, element);
            }
            for (String size : kernel.sizes()) {
                code |= CL10.clSetKernelArg1l(ready.handle, position++, sizes.value(size));
            }
            code |= CL10.clSetKernelArg1p(ready.handle, position++, failed.buffer());
            code |= CL10.clSetKernelArg1i(ready.handle, position, place);
            check(code, "take the arguments of kernel " + kernel.name());
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
            if (!looksUp) {
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
                check(CL10.clWaitForEvents(all.flip()), "finish its work");
            } finally {
                MemoryUtil.memFree(all);
            }
        }

        @Override
        public void finish() {
            for (Due result : due) {
                long bytes = result.tensor.data().byteSize();
                if (!device.unified() && bytes > 0) {
                    enqueue(
                            List.of(result.memory),
                            List.of(),
                            "read its memory",
                            (count, waits, event) -> CL10.nclEnqueueReadBuffer(
                                    queue,
                                    result.memory.buffer(),
                                    0,
                                    0,
                                    bytes,
                                    result.tensor.data().address(),
                                    count,
                                    waits,
                                    event));
                    transferred(result.name, false, bytes);
                }
            }
            CL10.clFlush(queue);
            waitForAll();
            checkLookups();
            due.stream()
                    .filter(r -> device.unified() && r.tensor.data().byteSize() > 0)
                    .forEach(this::settle);
            observer.ifPresent(this::report);
        }

        /// Brings the contents of a buffer in the host's memory there, where a device kept them elsewhere
        /// meanwhile.
        private void settle(Due result) {
            try (MemoryStack stack = MemoryStack.stackPush()) {
                IntBuffer code = stack.callocInt(1);
                long buffer = result.memory.buffer();
                long bytes = result.tensor.data().byteSize();
                long address = CL10.nclEnqueueMapBuffer(
                        queue, buffer, 1, CL10.CL_MAP_READ, 0, bytes, 0, 0, 0, MemoryUtil.memAddress(code));
                check(code.get(0), "give a result back");
                PointerBuffer event = stack.callocPointer(1);
                check(
                        CL10.nclEnqueueUnmapMemObject(queue, buffer, address, 0, 0, MemoryUtil.memAddress(event)),
                        "give a result back");
                events.add(event.get(0));
            }
        }

        // ---- what an observer sees ----

        private void transferred(String name, boolean toMachine, long bytes) {
            if (observer.isPresent()) {
                transfers.put(lastEvent(), new Executable.Transferred(name, toMachine, bytes, 0, 0));
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
            give(slab);
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
}
