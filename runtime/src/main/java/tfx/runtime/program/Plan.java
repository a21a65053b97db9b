package tfx.runtime.program;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tfx.runtime.RunException;
import tfx.runtime.Sizes;
import tfx.runtime.Tensor;

/// Where the temporaries of one call lie in its slab. Two share memory if their lives do not meet.
///
/// @param bytes   size of the slab
/// @param offsets by buffer name
record Plan(long bytes, Map<String, Place> offsets) {
    /// A stretch of the slab.
    record Place(long offset, long bytes) {}

    private record Live(Place place, int last) {}

    static Plan of(Execution program, Map<String, Execution.Value> values, Sizes sizes, Set<String> placed) {
        Map<String, Integer> last = new HashMap<>();
        for (int i = 0; i < program.steps().size(); i++) {
            for (String argument : Execution.buffers(program.steps().get(i))) {
                last.put(argument, i);
            }
        }
        program.outputs().forEach(o -> last.put(o.value(), program.steps().size()));
        Map<String, Place> offsets = new HashMap<>();
        List<Live> live = new ArrayList<>();
        Set<String> seen = new HashSet<>(placed);
        long end = 0;
        for (int i = 0; i < program.steps().size(); i++) {
            int step = i;
            live.removeIf(l -> l.last() < step);
            for (String argument : Execution.buffers(program.steps().get(i))) {
                if (!seen.add(argument)) {
                    continue;
                }
                Execution.Value value = values.get(argument);
                if (value.role() == Execution.Role.INPUT || value.role() == Execution.Role.WEIGHT) {
                    continue;
                }
                long bytes = bytes(value, sizes);
                long rounded = (bytes + Tensor.ALIGNMENT - 1) / Tensor.ALIGNMENT * Tensor.ALIGNMENT;
                Place place = new Place(fit(live, rounded), rounded);
                offsets.put(argument, place);
                live.add(new Live(place, last.get(argument)));
                end = Math.max(end, place.offset() + rounded);
            }
        }
        return new Plan(end, offsets);
    }

    private static long bytes(Execution.Value value, Sizes sizes) {
        try {
            return value.bytes(sizes);
        } catch (ArithmeticException e) {
            throw new RunException("an intermediate " + value.type() + " does not fit any memory", e);
        }
    }

    /// The lowest gap between live stretches that holds `bytes`.
    private static long fit(List<Live> live, long bytes) {
        List<Place> taken = new ArrayList<>(live.stream().map(Live::place).toList());
        taken.sort(java.util.Comparator.comparingLong(Place::offset));
        long at = 0;
        for (Place place : taken) {
            if (place.offset() - at >= bytes) {
                return at;
            }
            at = Math.max(at, place.offset() + place.bytes());
        }
        return at;
    }
}
