package tfx.opencl.host;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import tfx.ir.kernel.Kernel;
import tfx.opencl.SequenceSource;
import tfx.runtime.Sizes;

/// Launches that run as one command, and what each waits for; see {@link SequenceSource}.
final class Sequence {
    private static final long MOST_TASKS = 1 << 30;

    /// Launches that one command runs at most, so that long loops have an end in between.
    private static final int MOST_LAUNCHES = 1024;

    private record Row(int kernel, long first, long tasks, long after, long[] arguments) {}

    private final int most;
    private final Map<Long, Integer> slots = new HashMap<>();
    private final List<Long> buffers = new ArrayList<>();
    private final Map<Long, Memory> reads = new LinkedHashMap<>();
    private final Map<Long, Memory> writes = new LinkedHashMap<>();
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
        return isEmpty() || needed <= most && tasks + more <= MOST_TASKS && rows.size() < MOST_LAUNCHES;
    }

    /// @param place the number of the launch in the call
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
        in.forEach(m -> reads.merge(m.buffer(), m, Memory::with));
        out.forEach(m -> writes.merge(m.buffer(), m, Memory::with));
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

    /// What its launches read: of each buffer one stretch, which may hold more.
    List<Memory> reads() {
        return List.copyOf(reads.values());
    }

    /// What its launches write: of each buffer one stretch, which may hold more.
    List<Memory> writes() {
        return List.copyOf(writes.values());
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
