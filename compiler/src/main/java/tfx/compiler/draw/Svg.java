package tfx.compiler.draw;

/// Scalable vector graphics, as text, of the few shapes that drawings are made of.
final class Svg {
    private static final String STYLE = "text{font:12px ui-monospace,Menlo,Consolas,monospace;fill:#222}"
            + ".bold{font-weight:bold}.c{text-anchor:middle}"
            + ".on{fill:#3367b0;stroke:#fff}.off{fill:#eef1f5;stroke:#fff}"
            + ".value{fill:#fff;stroke:#b8c0cc}.result{fill:#fdf3d6;stroke:#b8943a}.frame{fill:none;stroke:#b8c0cc}";

    private final StringBuilder body = new StringBuilder();
    private final StringBuilder frames = new StringBuilder();
    private int width;

    static String escape(String text) {
        StringBuilder out = new StringBuilder();
        text.codePoints().forEach(c -> {
            switch (c) {
                case '<' -> out.append("&lt;");
                case '>' -> out.append("&gt;");
                case '&' -> out.append("&amp;");
                case '"' -> out.append("&quot;");
                default -> {
                    // XML has no control characters, and no half of a pair.
                    if (c >= 0x20 && (c < 0xd800 || c > 0xdfff) && c < 0xfffe || c > 0xffff) {
                        out.appendCodePoint(c);
                    } else {
                        out.append('\ufffd');
                    }
                }
            }
        });
        return out.toString();
    }

    void words(int x, int y, String text, String style) {
        width = Math.max(width, x + text.length() * 8);
        body.append("<text x=\"%d\" y=\"%d\" class=\"%s\">%s</text>%n".formatted(x, y, style, escape(text)));
    }

    /// Words with more behind them, which shows when the pointer rests there.
    void explained(int x, int y, String text, String style, String all) {
        width = Math.max(width, x + text.length() * 8);
        body.append("<text x=\"%d\" y=\"%d\" class=\"%s\">%s<title>%s</title></text>%n"
                .formatted(x, y, style, escape(text), escape(all)));
    }

    void centred(int x, int y, String text) {
        words(x, y, text, "c");
    }

    /// One cell of a grid; `tip` shows when the pointer rests on it.
    void cell(int x, int y, int size, boolean on, String tip) {
        width = Math.max(width, x + size);
        body.append("<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" class=\"%s\"><title>%s</title></rect>%n"
                .formatted(x, y, size, size, on ? "on" : "off", escape(tip)));
    }

    /// A value in a box.
    void value(int x, int y, int boxWidth, int height, String text, boolean result) {
        body.append("<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" class=\"%s\"/>%n"
                .formatted(x, y, boxWidth, height, result ? "result" : "value"));
        centred(x + boxWidth / 2, y + height - 5, text);
    }

    /// A frame around a layer, as wide as the drawing.
    void frame(int x, int y, int height) {
        frames.append("<rect x=\"%d\" y=\"%d\" width=\"WIDTH\" height=\"%d\" rx=\"6\" class=\"frame\"/>%n"
                .formatted(x, y, height));
    }

    String text(int height) {
        int all = width + 24;
        return "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">%n"
                        .formatted(all, height, all, height)
                + "<style>" + STYLE + "</style>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
                + frames.toString().replace("WIDTH", Integer.toString(all - 14))
                + body
                + "</svg>\n";
    }
}
