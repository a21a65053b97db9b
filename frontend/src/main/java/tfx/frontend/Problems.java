package tfx.frontend;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tfx.ir.Diagnostic;
import tfx.ir.Span;

/// Collects the diagnostics of one front-end run: one for each place and code, at most {@link #LIMIT}.
public final class Problems {
    public static final int LIMIT = 20;

    private final Map<String, Diagnostic> found = new LinkedHashMap<>();

    public void report(String code, Span span, String message, String help) {
        report(new Diagnostic(code, span, message, List.of(), help));
    }

    public void report(Diagnostic diagnostic) {
        if (found.size() < LIMIT) {
            found.putIfAbsent(diagnostic.code() + diagnostic.span(), diagnostic);
        }
    }

    public boolean isEmpty() {
        return found.isEmpty();
    }

    /// All diagnostics, by file and place; from here on there are none.
    public List<Diagnostic> take() {
        List<Diagnostic> all = sorted();
        found.clear();
        return all;
    }

    /// All diagnostics, by file and place.
    public List<Diagnostic> sorted() {
        List<Diagnostic> all = new ArrayList<>(found.values());
        all.sort(Comparator.comparing((Diagnostic d) -> d.span().source().name())
                .thenComparing(d -> d.span().start()));
        return all;
    }
}
