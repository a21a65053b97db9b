package tfx.ir.sequence;

import tfx.ir.Span;

/// A sequence program that is wrong, or that fails on its input.
public final class SequenceError extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final transient Span span;

    public SequenceError(Span span, String message) {
        super(message, null, false, false);
        this.span = span;
    }

    /// For an operation on atoms, whose place the caller knows.
    SequenceError(String message) {
        this(Span.NONE, message);
    }

    public Span span() {
        return span;
    }

    /// The same at a place, if it has none yet.
    public SequenceError at(Span place) {
        return span == Span.NONE ? new SequenceError(place, getMessage()) : this;
    }
}
