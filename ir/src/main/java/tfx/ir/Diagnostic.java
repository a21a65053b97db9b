package tfx.ir;

import java.util.List;

/// One message about the user's input.
///
/// @param code    stable, `TFX` and four digits
/// @param span    the place
/// @param message what is wrong
/// @param notes   where it comes from, outermost call last
/// @param help    how to fix it; empty where nothing useful can be said
public record Diagnostic(String code, Span span, String message, List<String> notes, String help) {
    private static final int EXCERPT = 120;

    public Diagnostic {
        notes = List.copyOf(notes);
    }

    /// The message with the source line and a caret under the place, as the command line prints it.
    public String render() {
        return render("error");
    }

    /// The same for what is no mistake but hardly meant.
    public String renderWarning() {
        return render("warning");
    }

    private String render(String kind) {
        StringBuilder out = new StringBuilder();
        out.append(kind).append("[").append(code).append("]: ").append(message).append('\n');
        if (span != Span.NONE) {
            out.append("  --> ").append(span).append('\n');
            String line = span.source().lineText(span.start());
            int column = span.source().column(span.start()) - 1;
            int from = Math.max(0, Math.min(column - EXCERPT / 2, line.length() - EXCERPT));
            String excerpt = line.substring(from, Math.min(line.length(), from + EXCERPT))
                    .replace('\t', ' ');
            int width = Math.max(1, Math.min(span.end() - span.start(), excerpt.length() - (column - from)));
            String number = Integer.toString(span.line());
            out.append(number).append(" | ").append(excerpt).append('\n');
            out.repeat(" ", number.length())
                    .append(" | ")
                    .repeat(" ", column - from)
                    .repeat("^", width)
                    .append('\n');
        }
        for (String note : notes) {
            out.append("  note: ").append(note).append('\n');
        }
        if (!help.isEmpty()) {
            out.append("  help: ").append(help).append('\n');
        }
        return out.toString();
    }
}
