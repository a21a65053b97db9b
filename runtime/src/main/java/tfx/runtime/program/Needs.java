package tfx.runtime.program;

/// The scratch memory of a kernel, in elements of each array.
public record Needs(int floats, int doubles, int longs, int ranges) {}
