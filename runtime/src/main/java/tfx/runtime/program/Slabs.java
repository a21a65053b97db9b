package tfx.runtime.program;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import tfx.runtime.Tensor;

/// Memory for the temporaries of calls, kept for the next call. One slab serves one call at a time.
final class Slabs implements AutoCloseable {
    private final Deque<MemorySegment> idle = new ArrayDeque<>();
    private final Map<Long, Arena> arenas = new HashMap<>();

    synchronized MemorySegment take(long bytes) {
        MemorySegment slab = idle.poll();
        if (slab != null && slab.byteSize() >= bytes) {
            return slab;
        }
        if (slab != null) {
            arenas.remove(slab.address()).close();
        }
        Arena arena = Arena.ofShared();
        MemorySegment fresh = arena.allocate(Math.max(bytes + bytes / 4, 4096), Tensor.ALIGNMENT);
        arenas.put(fresh.address(), arena);
        return fresh;
    }

    synchronized void give(MemorySegment slab) {
        idle.push(slab);
    }

    @Override
    public synchronized void close() {
        arenas.values().forEach(Arena::close);
        arenas.clear();
        idle.clear();
    }
}
