package tfx.ir.sequence;

import java.math.BigInteger;

/// A value at one position of a sequence, and a plain value of RASP. Two atoms are `equals` if they are of one
/// type and value; {@link Numbers#same} is RASP's `==`, to which 1, 1.0 and `True` are the same.
public sealed interface Atom {
    /// An integer of any size.
    record Whole(BigInteger value) implements Atom {}

    record Real(double value) implements Atom {}

    record Text(String value) implements Atom {}

    record Truth(boolean value) implements Atom {}

    static Atom of(long value) {
        return new Whole(BigInteger.valueOf(value));
    }

    static Atom of(double value) {
        return new Real(value);
    }

    static Atom of(String value) {
        return new Text(value);
    }

    static Atom of(boolean value) {
        return new Truth(value);
    }

    default Kind kind() {
        return switch (this) {
            case Whole w -> Kind.WHOLE;
            case Real r -> Kind.REAL;
            case Text t -> Kind.TEXT;
            case Truth t -> Kind.TRUTH;
        };
    }
}
