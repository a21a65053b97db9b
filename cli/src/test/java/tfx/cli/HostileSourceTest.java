package tfx.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Source text is hostile: whatever it holds, `tfx check` under `-Xmx512m` ends in a few seconds with exit code
/// 1 and located diagnostics, never with a stack trace.
final class HostileSourceTest {
    private static final long LIMIT_SECONDS = 20; // 5 s on an idle machine; tests share theirs

    @TempDir
    private Path folder;

    private static String program(String body) {
        return "program p(x: f32[N]) {\n" + body + "\n}\n";
    }

    private Map<String, byte[]> cases() throws IOException {
        Map<String, String> text = new LinkedHashMap<>();
        text.put("parentheses", program("return " + "(".repeat(100_000) + "x" + ")".repeat(100_000) + ";"));
        text.put("brackets", "a = " + "[".repeat(100_000) + "]".repeat(100_000) + ";");
        text.put("minuses", program("return " + "-".repeat(100_000) + "x;"));
        text.put("nots", program("return " + "not ".repeat(100_000) + "x;"));
        text.put("powers", program("return x" + "^2".repeat(70_000) + ";"));
        text.put("sums", program("return x" + " + y".repeat(70_000) + ";"));
        text.put("conditionals", program("return " + "1 if True else ".repeat(30_000) + "x;"));
        text.put("else_ifs", program("if 1 == 2 { }" + " else if 1 == 2 { }".repeat(20_000) + "\nreturn y;"));
        text.put("blocks", program("if True {".repeat(50_000)));
        text.put("members", program("return x" + ".a".repeat(70_000) + ";"));
        text.put("long_line", "a = \"" + "x".repeat(10_000_000) + "\";");
        text.put("long_tokens", "a = " + "1+".repeat(5_000_000) + "1;");
        text.put("big_number", "a = " + "9".repeat(100_000) + ";");
        text.put("open_string", "a = \"abc");
        text.put("recursion", "def f(n) { return f(n + 1); }\n" + program("return x * f(0);"));
        text.put("doubling", "def f(n) { return f(n) + f(n); }\n" + program("return x * f(0);"));
        text.put("endless", program("for i in range(100000) { for j in range(100000) { a = i; } }\nreturn x;"));
        text.put("lists", program("a = [1];\nfor i in range(1000) { a = a + a; }\nreturn x;"));
        text.put("strings", program("a = \"ab\";\nfor i in range(1000) { a = a + a; }\nreturn x;"));
        text.put("big_graph", program("for i in range(100000) { x = exp(x) + i; }\nreturn y;"));
        text.put("self_import", "import \"self_import.tfx\";\n");
        text.put("first", "import \"second.tfx\";\n");
        text.put("no_module", "import nowhere;\n");
        text.put("clash", "program p(x: f32[3], y: f32[4]) { return x + y; }");
        text.put("unknown", program("return sofmax(x);"));
        text.put("overflow", program("a = 9223372036854775807 + 1;\nreturn x;"));
        text.put("power", program("a = 10 ^ 100;\nreturn x;"));
        text.put("zero", program("a = 1 // 0;\nreturn x;"));
        text.put("nul", "program\0p(x: f32[N]) { return x; }");
        Files.writeString(folder.resolve("second.tfx"), "import \"first.tfx\";\n");
        Map<String, byte[]> cases = new LinkedHashMap<>();
        text.forEach((name, source) -> cases.put(name + ".tfx", source.getBytes(StandardCharsets.UTF_8)));
        rasp().forEach((name, source) -> cases.put(name + ".rasp", source.getBytes(StandardCharsets.UTF_8)));
        cases.put("bad_utf8.tfx", new byte[] {'a', ' ', '=', ' ', (byte) 0xff, (byte) 0xfe, ';'});
        cases.put("cut_utf8.tfx", new byte[] {'#', ' ', (byte) 0xe4, (byte) 0xb8});
        return cases;
    }

    /// The same for the RASP dialect.
    private Map<String, String> rasp() throws IOException {
        Map<String, String> text = new LinkedHashMap<>();
        text.put("open_string", "a = \"abc;\n");
        text.put("ragged_zip", "a = zip([1, 2], [1]);");
        text.put("recursion", "def f(n) { return f(n + 1); }\na = f(0);");
        text.put("sop_recursion", "def f(n) { return 1 if n == 0 else n * f(n - 1); }\na = f(indices);");
        text.put("doubling", "def f(n) { return f(n + 1) + f(n + 1); }\na = f(0);");
        text.put("type_mix", "a = tokens + 1;");
        text.put("list_mix", "a = [1] + \"a\";");
        text.put("selector_value", "a = select(tokens, tokens, ==) + 1;");
        text.put("selector_in", "a = aggregate(tokens, tokens);");
        text.put("selector_and", "a = select(1, 1, ==) and True;");
        text.put("parentheses", "(".repeat(100_000) + "1" + ")".repeat(100_000) + ";");
        text.put("lists", "a = " + "[".repeat(50_000) + "]".repeat(50_000) + ";");
        text.put("calls", "a = " + "round(".repeat(100_000) + "1" + ")".repeat(100_000) + ";");
        text.put("minuses", "a = " + "-".repeat(100_000) + "1;");
        text.put("chain", "a = indices" + "+indices".repeat(70_000) + "+q;");
        text.put("line", "a=" + "1+".repeat((1 << 19) - 8) + "q;");
        text.put("statements", "a=1;".repeat(30_000) + "a=q;");
        text.put("power", "a = 9^(9^(9^9));");
        text.put("big_string", "a = \"ab\" * 1000000000000;");
        text.put("squares", "a = 10;\nfor i in range(100) { a = a * a; }\n");
        text.put("range", "a = range(1000000000000);");
        text.put("list_bomb", "a = [1];\nfor i in range(100) { a = a + a; }\n");
        text.put("endless", "for i in range(100000) { for j in range(100000) { a = i; } }\n");
        text.put(
                "depth", "a = indices;\nfor i in range(1000000) { a = a + 1; b = select(a, a, ==); c = length(1); }\n");
        text.put("self_load", "load \"" + folder.resolve("self_load") + "\";\n");
        text.put("first", "load \"second\";\n");
        text.put("no_file", "load \"nowhere\";\n");
        text.put("reserved", "indices = 1;\nmax = 2;\n");
        text.put("unknown", "a = tokns;");
        text.put("zero", "a = 1 / 0;");
        text.put("key", "a = {1: 2}[3];");
        text.put("empty_input", "tokens(\"\");");
        text.put("nul", "a = \0;");
        Files.writeString(folder.resolve("second.rasp"), "load \"first\";\n");
        return text;
    }

    @Test
    void everyCaseEndsWithLocatedDiagnostics() throws Exception {
        List<String> wrong = new ArrayList<>();
        for (Map.Entry<String, byte[]> entry : cases().entrySet()) {
            Path file = folder.resolve(entry.getKey());
            Files.write(file, entry.getValue());
            Path output = folder.resolve("output");
            long start = System.nanoTime();
            Process process = new ProcessBuilder(CommandLines.tfx(List.of("-Xmx512m"), "check", file.toString()))
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            boolean ended = process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS);
            double seconds = (System.nanoTime() - start) / 1e9;
            process.destroyForcibly().waitFor();
            String printed = Files.readString(output, StandardCharsets.UTF_8);
            boolean located = printed.contains("error[TFX") && printed.matches("(?s).*\\.(tfx|rasp):.*");
            boolean traced = printed.contains("\tat ") || printed.contains("Exception");
            if (!ended || process.exitValue() != 1 || !located || traced || printed.length() > 100_000) {
                wrong.add(entry.getKey() + ": " + (ended ? "exit " + process.exitValue() : "still running") + " after "
                        + seconds + " s: " + printed.substring(0, Math.min(600, printed.length())));
            }
            System.out.printf(
                    "%-18s %.2f s  %s%n",
                    entry.getKey(), seconds, printed.lines().findFirst().orElse(""));
        }
        assertThat(wrong).isEmpty();
    }
}
