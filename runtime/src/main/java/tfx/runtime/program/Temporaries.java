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
import tfx.runtime.TensorType;

/// The temporaries of a program, and when in a call they live. Two share memory if their lives do not meet.
///
/// What does not depend on sizes is found once, so that even a call of code that the JVM interprets still has
/// little to do.
final class Temporaries {
    /// The memory that temporaries take alike.
    private record Kind(TensorType type, int panels) {}

    /// A temporary, alive from one step to another.
    private record Life(String name, int kind, int first, int last) {}

    /// A stretch of the slab, taken until a step.
    private record Taken(long offset, long end, int last) {}

    /// Where a temporary lies in the slab.
    record Place(String name, long offset, long bytes) {}

    /// The memory of a call's temporaries, in bytes.
    record Slab(long bytes, List<Place> places) {}

    private final List<Execution.Value> kinds = new ArrayList<>();

    /// In the order of their first steps.
    private final List<Life> lives = new ArrayList<>();

    /// @param values by name
    /// @param placed buffers that have memory of their own
    Temporaries(Execution program, Map<String, Execution.Value> values, Set<String> placed) {
        List<Execution.Step> steps = program.steps();
        List<List<String>> used = steps.stream().map(Execution::buffers).toList();
        Map<String, Integer> last = new HashMap<>();
        for (int i = 0; i < steps.size(); i++) {
            for (String buffer : used.get(i)) {
                last.put(buffer, i);
            }
        }
        program.outputs().forEach(o -> last.put(o.value(), steps.size()));
        Map<Kind, Integer> numbers = new HashMap<>();
        Set<String> seen = new HashSet<>(placed);
        for (int i = 0; i < steps.size(); i++) {
            for (String buffer : used.get(i)) {
                if (seen.add(buffer)) {
                    Execution.Value value = values.get(buffer);
                    int kind = numbers.computeIfAbsent(new Kind(value.type(), value.panels()), _ -> {
                        kinds.add(value);
                        return kinds.size() - 1;
                    });
                    lives.add(new Life(buffer, kind, i, last.get(buffer)));
                }
            }
        }
    }

    /// Places all of them, each in the lowest gap that holds it.
    ///
    /// @throws RunException if they have more bytes than 64 bits can count
    Slab place(Sizes sizes) {
        long[] bytes = new long[kinds.size()];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = bytes(kinds.get(i), sizes);
        }
        List<Place> places = new ArrayList<>(lives.size());
        List<Taken> taken = new ArrayList<>(); // by offset
        long most = 0;
        for (Life life : lives) {
            taken.removeIf(t -> t.last < life.first);
            long size = bytes[life.kind];
            long offset = 0;
            int at = 0;
            while (at < taken.size() && taken.get(at).offset - offset < size) {
                offset = Math.max(offset, taken.get(at).end);
                at++;
            }
            long end = offset + size;
            if (end < 0) {
                throw new RunException("the intermediates of this call, more than 2^63 bytes, do not fit any memory");
            }
            taken.add(at, new Taken(offset, end, life.last));
            places.add(new Place(life.name, offset, size));
            most = Math.max(most, end);
        }
        return new Slab(most, places);
    }

    private static long bytes(Execution.Value value, Sizes sizes) {
        try {
            return Math.addExact(value.bytes(sizes), Tensor.ALIGNMENT - 1) / Tensor.ALIGNMENT * Tensor.ALIGNMENT;
        } catch (ArithmeticException e) {
            throw new RunException("an intermediate " + value.type() + " does not fit any memory", e);
        }
    }
}
