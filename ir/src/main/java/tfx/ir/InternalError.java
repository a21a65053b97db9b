package tfx.ir;

/// A bug of tfx itself, never the user's: an invariant that a pass, the verifier or a backend found broken.
public final class InternalError extends RuntimeException {
    private static final long serialVersionUID = 1;

    public InternalError(String message) {
        super(message);
    }

    public InternalError(String message, Throwable cause) {
        super(message, cause);
    }
}
