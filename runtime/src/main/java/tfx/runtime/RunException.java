package tfx.runtime;

/// A run that failed for a reason outside the program text: a bad argument, an index out of range, memory, a
/// device.
public final class RunException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public RunException(String message) {
        super(message);
    }

    public RunException(String message, Throwable cause) {
        super(message, cause);
    }
}
