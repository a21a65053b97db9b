package tfx.runtime.program;

/// What every emitted kernel class extends.
///
/// A frame holds the addresses of the kernel's buffers in their order, then the values of its size symbols in
/// theirs.
public abstract class CompiledKernel {
    /// For emitted subclasses.
    protected CompiledKernel() {}

    /// How many tasks the grid has for the sizes of this frame.
    public abstract long tasks(long[] frame);

    /// Runs tasks `from` to `to - 1`. The arrays are scratch memory of the calling thread, of the sizes that the
    /// emitter stated.
    public abstract void run(
            long[] frame, float[] floats, double[] doubles, long[] longs, long[] ranges, long from, long to);
}
