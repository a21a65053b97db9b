package tfx.opencl.host;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/// Which commands a new command must wait for: those that wrote what it reads, and those that read or wrote what
/// it writes. Commands are known by their events. Each launch asks, so there are loops here and no streams.
final class Order {
    private record Use(Memory memory, long event, boolean write) {}

    private List<Use> uses = new ArrayList<>();

    /// The events that a command must wait for.
    Set<Long> before(List<Memory> reads, List<Memory> writes) {
        Set<Long> events = new LinkedHashSet<>();
        for (Use use : uses) {
            if (anyOverlaps(writes, use.memory) || use.write && anyOverlaps(reads, use.memory)) {
                events.add(use.event);
            }
        }
        return events;
    }

    private static boolean anyOverlaps(List<Memory> some, Memory memory) {
        for (Memory one : some) {
            if (memory.overlaps(one)) {
                return true;
            }
        }
        return false;
    }

    /// Notes a command. Who comes after it need not wait for what it waited for.
    void add(List<Memory> reads, List<Memory> writes, long event) {
        List<Use> left = new ArrayList<>(uses.size() + reads.size() + writes.size());
        for (Use use : uses) {
            if (!anyCovers(writes, use.memory)) {
                left.add(use);
            }
        }
        for (Memory read : reads) {
            if (!read.fixed()) {
                left.add(new Use(read, event, false));
            }
        }
        for (Memory written : writes) {
            left.add(new Use(written, event, true));
        }
        uses = left;
    }

    private static boolean anyCovers(List<Memory> some, Memory memory) {
        for (Memory one : some) {
            if (one.covers(memory)) {
                return true;
            }
        }
        return false;
    }

    /// Forgets commands that have ended.
    void ended(Set<Long> events) {
        uses.removeIf(u -> events.contains(u.event));
    }

    int size() {
        return uses.size();
    }
}
