package tfx.ir;

/// A piece of program text with a name for messages.
public final class Source {
    private final String name;
    private final String text;

    public Source(String name, String text) {
        this.name = name;
        this.text = text;
    }

    public String name() {
        return name;
    }

    public String text() {
        return text;
    }

    /// The 1-based line of an offset.
    public int line(int offset) {
        int line = 1;
        for (int i = 0; i < Math.min(offset, text.length()); i++) {
            if (text.charAt(i) == '\n') {
                line++;
            }
        }
        return line;
    }

    /// The 1-based column of an offset.
    public int column(int offset) {
        return offset - lineStart(offset) + 1;
    }

    /// The text of the line that holds an offset, without its end.
    public String lineText(int offset) {
        int end = text.indexOf('\n', Math.min(offset, text.length()));
        String line = text.substring(lineStart(offset), end < 0 ? text.length() : end);
        return line.endsWith("\r") ? line.substring(0, line.length() - 1) : line;
    }

    private int lineStart(int offset) {
        return text.lastIndexOf('\n', Math.min(offset, text.length()) - 1) + 1;
    }
}
