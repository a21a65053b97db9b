package tfx.frontend.ast;

import java.lang.reflect.RecordComponent;
import java.util.List;
import java.util.Optional;
import tfx.ir.InternalError;
import tfx.ir.Span;

/// The AST as an indented tree, one node a line with its place, for `--phase=ast`.
public final class AstText {
    private AstText() {}

    /// @param node an item, statement or expression
    public static String print(Record node) {
        StringBuilder out = new StringBuilder();
        print("", node, "", out);
        return out.toString().stripTrailing();
    }

    public static String print(Item item) {
        return print((Record) item);
    }

    private static void print(String label, Object value, String indent, StringBuilder out) {
        switch (value) {
            case List<?> list -> {
                for (int i = 0; i < list.size(); i++) {
                    print(label + "[" + i + "]", list.get(i), indent, out);
                }
            }
            case Optional<?> optional -> optional.ifPresent(v -> print(label, v, indent, out));
            case Record node -> {
                out.append(indent).append(label.isEmpty() ? "" : label + ": ");
                out.append(node.getClass().getSimpleName());
                for (RecordComponent part : node.getClass().getRecordComponents()) {
                    Object field = get(node, part);
                    if (field instanceof Span span) {
                        out.append(" @")
                                .append(span.line())
                                .append(':')
                                .append(span.source().column(span.start()));
                    }
                }
                out.append('\n');
                for (RecordComponent part : node.getClass().getRecordComponents()) {
                    Object field = get(node, part);
                    if (!(field instanceof Span)) {
                        print(part.getName(), field, indent + "  ", out);
                    }
                }
            }
            default ->
                out.append(indent).append(label).append(" = ").append(value).append('\n');
        }
    }

    private static Object get(Record node, RecordComponent part) {
        try {
            return part.getAccessor().invoke(node);
        } catch (ReflectiveOperationException e) {
            throw new InternalError("cannot read " + part, e);
        }
    }
}
