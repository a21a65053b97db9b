package tfx.opencl.host;

import java.nio.ByteBuffer;
import java.util.List;
import org.lwjgl.system.MemoryUtil;
import tfx.runtime.RunException;

/// Where kernels note the first failed lookup of a call: the number of the place in the source of its launch,
/// from 1, as an `int`; the index and how many rows there are, as `long`. It holds zeros between calls.
///
/// @param memory on the device
/// @param copy   what the host has read of it
record Note(Memory memory, ByteBuffer copy) {
    static final int BYTES = 24;

    Note(Memory memory) {
        this(memory, MemoryUtil.memCalloc(BYTES));
    }

    /// @param places of launches in the source
    /// @throws RunException if the copy says that a lookup failed
    void check(List<String> places) {
        int launch = copy.getInt(0);
        if (launch != 0) {
            String where = places.get(launch - 1);
            throw new RunException("index " + copy.getLong(8) + " is outside 0.." + (copy.getLong(16) - 1)
                    + (where.isEmpty() ? "" : " (" + where + ")"));
        }
    }

    void free() {
        MemoryUtil.memFree(copy);
    }
}
