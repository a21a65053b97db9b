package tfx.opencl.host;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.LongStream;
import tfx.ir.kernel.Kernel;
import tfx.opencl.SequenceSource;
import tfx.runtime.Sizes;

/// Launches that run as one command, and what each waits for; see {@link SequenceSource}.
final class Sequence {
    /// The kernel counts tasks in ints.
    static final long MOST_TASKS = 1 << 30;

    /// Launches that one command runs at most, so that long loops have an end in between.
    private static final int MOST_LAUNCHES = 1024;

    private record Row(int kernel, long first, long tasks, long after, long[] arguments) {}

    private final int most;
    private final Map<Long, Integer> slots = new HashMap<>();
    private final List<Long> buffers = new ArrayList<>();
    private final Map<Long, Memory> uses = new LinkedHashMap<>();
    private final Set<Long> written = new HashSet<>();
    private final List<Row> rows = new ArrayList<>();

    /// Its events are the launches, counted from 1.
    private final Order order = new Order();

    private long tasks;

    /// @param most slots
    Sequence(int most) {
        this.most = most;
    }

    /// Whether there is room for a launch.
    boolean takes(long more, List<Memory> arguments) {
        int needed = slots.size();
        for (Memory memory : arguments) {
            needed += slots.containsKey(memory.buffer()) ? 0 : 1;
        }
        boolean room = needed <= most && tasks + more <= MOST_TASKS && rows.size() < MOST_LAUNCHES;
        return isEmpty() || room;
    }

    /// @param more  tasks, at most {@link #MOST_TASKS}
    /// @param place the number of the launch's place in the source
    void add(int number, Kernel kernel, long more, List<Memory> arguments, Sizes sizes, int place) {
        List<Memory> in = new ArrayList<>();
        List<Memory> out = new ArrayList<>();
        long[] numbers = new long[2 * arguments.size() + kernel.sizes().size() + 1];
        int at = 0;
        for (int i = 0; i < arguments.size(); i++) {
            Memory memory = arguments.get(i);
            Kernel.Buffer buffer = kernel.buffers().get(i);
            (buffer.output() ? out : in).add(memory);
            numbers[at++] = slot(memory.buffer());
            numbers[at++] = memory.offset() / buffer.dtype().bytes();
        }
        for (String size : kernel.sizes()) {
            numbers[at++] = sizes.value(size);
        }
        numbers[at] = place;
        long after = 0;
        for (long launch : order.before(in, out)) {
            after = Math.max(after, launch);
        }
        rows.add(new Row(number, tasks, more, after, numbers));
        order.add(in, out, rows.size());
        in.forEach(m -> uses.merge(m.buffer(), m, Memory::with));
        out.forEach(m -> uses.merge(m.buffer(), m, Memory::with));
        out.forEach(m -> written.add(m.buffer()));
        tasks += more;
    }

    private int slot(long buffer) {
        return slots.computeIfAbsent(buffer, b -> {
            buffers.add(b);
            return buffers.size() - 1;
        });
    }

    boolean isEmpty() {
        return rows.isEmpty();
    }

    /// What its launches only read: of each buffer one stretch, which may hold more.
    List<Memory> reads() {
        return uses.values().stream().filter(m -> !written.contains(m.buffer())).toList();
    }

    /// What its launches read or write of buffers that they write to: of each one stretch, which may hold more. So
    /// the next command that does the same takes the place of this one in the order.
    List<Memory> writes() {
        return uses.values().stream().filter(m -> written.contains(m.buffer())).toList();
    }

    long tasks() {
        return tasks;
    }

    int launches() {
        return rows.size();
    }

    /// The buffer of each slot.
    List<Long> buffers() {
        return buffers;
    }

    /// The table of the kernel.
    long[] table() {
        LongStream.Builder table = LongStream.builder();
        table.add(tasks);
        long place = 1 + (long) SequenceSource.ROW * rows.size();
        for (Row row : rows) {
            table.add(row.kernel).add(row.first).add(row.tasks).add(row.after).add(place);
            place += row.arguments.length;
        }
        rows.forEach(r -> Arrays.stream(r.arguments).forEach(table::add));
        return table.build().toArray();
    }
}
