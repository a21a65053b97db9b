package tfx.opencl.host;

/// A stretch of a buffer on the device.
///
/// @param buffer the OpenCL memory object
/// @param offset in bytes
/// @param fixed  whether its contents stay during calls, so that nothing need wait for who reads it
record Memory(long buffer, long offset, long bytes, boolean fixed) {
    boolean overlaps(Memory other) {
        return buffer == other.buffer && offset < other.offset + other.bytes && other.offset < offset + bytes;
    }

    boolean covers(Memory other) {
        return buffer == other.buffer && offset <= other.offset && other.offset + other.bytes <= offset + bytes;
    }

    /// The stretch from the first byte of both to the last.
    Memory with(Memory other) {
        long from = Math.min(offset, other.offset);
        long to = Math.max(offset + bytes, other.offset + other.bytes);
        return new Memory(buffer, from, to - from, fixed && other.fixed);
    }
}
