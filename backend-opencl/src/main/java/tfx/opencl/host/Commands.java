package tfx.opencl.host;

import java.nio.IntBuffer;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.SequencedSet;
import java.util.Set;
import org.lwjgl.PointerBuffer;
import org.lwjgl.opencl.CL10;
import org.lwjgl.system.MemoryStack;
import org.lwjgl.system.MemoryUtil;

/// The commands of one call in a queue, each with the events that it must wait for.
final class Commands {
    private static final int MOST_USES = 256;
    private static final int MOST_EVENTS = 1024;
    private static final int FLUSH_EVERY = 16;

    /// Enqueues a command: how many events it waits for, the address of these, and that for its own.
    interface Command {
        int enqueue(int count, long waits, long event);
    }

    private final Device device;
    private final long queue;
    private final boolean keep;
    private final Order order = new Order();
    private final SequencedSet<Long> events = new LinkedHashSet<>();
    private int count;

    /// @param keep whether the events of commands that have ended are kept, for their times
    Commands(Device device, long queue, boolean keep) {
        this.device = device;
        this.queue = queue;
        this.keep = keep;
    }

    long queue() {
        return queue;
    }

    /// The event of a new command.
    long enqueue(List<Memory> reads, List<Memory> writes, String what, Command command) {
        Set<Long> before = order.before(reads, writes);
        long own;
        try (MemoryStack stack = MemoryStack.stackPush()) {
            PointerBuffer waits = stack.mallocPointer(Math.max(1, before.size()));
            before.forEach(waits::put);
            waits.rewind();
            PointerBuffer event = stack.callocPointer(1);
            long list = before.isEmpty() ? 0 : MemoryUtil.memAddress(waits);
            Failures.check(command.enqueue(before.size(), list, MemoryUtil.memAddress(event)), device, what);
            own = event.get(0);
        }
        events.add(own);
        order.add(reads, writes, own);
        if (++count % FLUSH_EVERY == 0) {
            CL10.clFlush(queue);
        }
        if (order.size() > MOST_USES || events.size() % MOST_EVENTS == 0) {
            forgetEnded();
            if (order.size() > MOST_USES) {
                await();
                forgetEnded();
            }
        }
        return own;
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
        if (!keep) {
            ended.forEach(CL10::clReleaseEvent);
            events.removeAll(ended);
        }
    }

    /// The events of commands, in their order; those of commands that have ended may be gone.
    Set<Long> events() {
        return events;
    }

    /// Waits for all commands.
    void await() {
        if (!events.isEmpty()) {
            Failures.check(wait(events), device, "finish its work");
        }
    }

    /// The last come first: who waits for them is not woken for those before.
    private static int wait(SequencedSet<Long> events) {
        PointerBuffer all = MemoryUtil.memAllocPointer(events.size());
        try {
            events.reversed().forEach(all::put);
            return CL10.clWaitForEvents(all.flip());
        } finally {
            MemoryUtil.memFree(all);
        }
    }

    /// Waits for all commands, failed ones too, and forgets them.
    void end() {
        if (!events.isEmpty()) {
            wait(events);
        }
        events.forEach(CL10::clReleaseEvent);
    }
}
