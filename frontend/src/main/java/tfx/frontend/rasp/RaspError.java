package tfx.frontend.rasp;

import tfx.ir.Span;
import tfx.ir.sequence.SequenceError;

/// Ends the statement at hand. Without a message, the cause is reported already.
final class RaspError extends RuntimeException {
    private static final long serialVersionUID = 1;

    /// What is wrong.
    enum Problem {
        UNKNOWN_NAME("TFX0501"),
        RESERVED_NAME("TFX0502"),
        COUNT("TFX0503"),
        TYPE("TFX0504"),
        VALUE("TFX0505"),
        LIMIT("TFX0506"),
        LOAD("TFX0507");

        private final String code;

        Problem(String code) {
            this.code = code;
        }

        String code() {
            return code;
        }
    }

    private final transient Problem problem;
    private final transient Span span;
    private final String help;

    RaspError(Problem problem, Span span, String message, String help) {
        super(message, null, false, false);
        this.problem = problem;
        this.span = span;
        this.help = help;
    }

    /// For a value whose error is reported already.
    static RaspError silent() {
        return new RaspError(Problem.VALUE, Span.NONE, "", "");
    }

    static RaspError of(SequenceError error, Span span) {
        return new RaspError(Problem.TYPE, span, error.getMessage(), "");
    }

    boolean isSilent() {
        return getMessage().isEmpty();
    }

    Problem problem() {
        return problem;
    }

    Span span() {
        return span;
    }

    String help() {
        return help;
    }
}
