package tfx.ir;

/// A stretch of source text: `start` inclusive, `end` exclusive, both offsets in characters.
///
/// Every operation carries one; it says where the operation comes from and takes no part in the equality of IR.
public record Span(Source source, int start, int end) {
    /// For operations that no source text stands behind, such as those of generated modules.
    public static final Span NONE = new Span(new Source("<none>", ""), 0, 0);

    /// The smallest span that covers both, which must be of one source.
    public Span to(Span other) {
        return other.source == source ? new Span(source, Math.min(start, other.start), Math.max(end, other.end)) : this;
    }

    public int line() {
        return source.line(start);
    }

    /// `file:line:column`.
    @Override
    public String toString() {
        return source.name() + ":" + source.line(start) + ":" + source.column(start);
    }
}
