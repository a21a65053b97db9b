package tfx.opencl.host;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/// Which commands a new command must wait for: those that wrote what it reads, and those that read or wrote what
/// it writes. Commands are known by their events.
final class Order {
    private record Use(Memory memory, long event, boolean write) {}

    private List<Use> uses = new ArrayList<>();

    /// The events that a command must wait for.
    Set<Long> before(List<Memory> reads, List<Memory> writes) {
        Set<Long> events = new LinkedHashSet<>();
        for (Use use : uses) {
            boolean written = writes.stream().anyMatch(use.memory::overlaps);
            boolean read = use.write && reads.stream().anyMatch(use.memory::overlaps);
            if (written || read) {
                events.add(use.event);
            }
        }
        return events;
    }

    /// Notes a command. Who comes after it need not wait for what it waited for.
    void add(List<Memory> reads, List<Memory> writes, long event) {
        uses.removeIf(u -> writes.stream().anyMatch(w -> w.covers(u.memory)));
        reads.stream().filter(m -> !m.fixed()).forEach(m -> uses.add(new Use(m, event, false)));
        writes.forEach(m -> uses.add(new Use(m, event, true)));
    }

    /// Forgets commands that have ended.
    void ended(Set<Long> events) {
        uses.removeIf(u -> events.contains(u.event));
    }

    int size() {
        return uses.size();
    }
}
