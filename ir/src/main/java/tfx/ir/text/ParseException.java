package tfx.ir.text;

/// IR text that cannot be read; the message begins with the line.
public final class ParseException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public ParseException(String message) {
        super(message);
    }
}
