package tfx.frontend.stage;

import java.util.Optional;
import tfx.ir.Span;

/// Ends the statement at hand. Without a message, the cause is reported already.
final class StagingError extends RuntimeException {
    private static final long serialVersionUID = 1;

    /// What to report.
    record Report(String code, Span span, String message, String help) {}

    private final transient Optional<Report> report;

    private StagingError(Optional<Report> report) {
        super("", null, false, false);
        this.report = report;
    }

    static StagingError of(String code, Span span, String message, String help) {
        return new StagingError(Optional.of(new Report(code, span, message, help)));
    }

    /// For a value whose error is reported already.
    static StagingError silent() {
        return new StagingError(Optional.empty());
    }

    Optional<Report> report() {
        return report;
    }
}
