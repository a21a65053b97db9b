package tfx.runtime.program;

import java.util.stream.Stream;
import tfx.runtime.Dim;
import tfx.runtime.RunException;
import tfx.runtime.Sizes;

/// What must hold of sizes that only a call knows: `count` elements, the first and last of which lie in
/// `0..size-1`.
///
/// @param what the operation and its place, for the message
public record Guard(Dim count, Dim first, Dim last, Dim size, String what) {
    /// Whether all its sizes have values.
    boolean isKnown(Sizes sizes) {
        return Stream.of(count, first, last, size).allMatch(sizes::knows);
    }

    /// @throws RunException if it does not hold
    public void check(Sizes sizes) {
        long n = sizes.evaluate(count);
        long low = sizes.evaluate(first);
        long high = sizes.evaluate(last);
        long limit = sizes.evaluate(size);
        if (n < 0) {
            throw new RunException("the size " + count + " of " + what + " is " + n + " for these arguments");
        }
        if (n > 0 && (Math.min(low, high) < 0 || Math.max(low, high) >= limit)) {
            throw new RunException(what + " takes " + n + " elements from " + low + " to " + high + " of a dimension "
                    + size + " that has " + limit);
        }
    }
}
