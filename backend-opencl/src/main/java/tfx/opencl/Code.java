package tfx.opencl;

import java.util.HashMap;
import java.util.Map;

/// OpenCL C as it is written: lines, blocks, and names that are not taken yet.
final class Code {
    private final StringBuilder text = new StringBuilder();
    private final Map<String, Integer> taken = new HashMap<>();
    private int depth;

    void line(String line) {
        text.append("    ".repeat(depth)).append(line).append('\n');
    }

    /// A block with what stands before its brace, often nothing.
    void block(String head, Runnable body) {
        line(head.isEmpty() ? "{" : head + " {");
        depth++;
        body.run();
        depth--;
        line("}");
    }

    /// Names a value.
    String let(String type, String base, String value) {
        String name = fresh(base);
        line("const " + type + " " + name + " = " + value + ";");
        return name;
    }

    /// Declares a variable.
    String variable(String type, String base, String value) {
        String name = fresh(base);
        line(type + " " + name + " = " + value + ";");
        return name;
    }

    /// A name that begins like `base`, which may hold any characters.
    String fresh(String base) {
        String plain = base.replaceAll("[^A-Za-z0-9_]", "_");
        int number = taken.merge(plain, 1, Integer::sum);
        // A digit at the end of a base must not make two names meet: x1 + 0 and x + 10.
        String name =
                number == 1 ? plain : plain + (Character.isDigit(plain.charAt(plain.length() - 1)) ? "_" : "") + number;
        return number == 1 || taken.putIfAbsent(name, 1) == null ? name : fresh(base);
    }

    @Override
    public String toString() {
        return text.toString();
    }
}
