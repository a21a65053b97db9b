package tfx.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Attr;

/// Sequence programs from the command line, in processes of their own.
final class RaspTest {
    @TempDir
    private Path folder;

    private record Ended(int code, String out, String err) {}

    private Ended tfx(String input, String... arguments) throws Exception {
        Path typed = Files.writeString(folder.resolve("input"), input);
        Path errors = folder.resolve("errors");
        Process process = new ProcessBuilder(CommandLines.tfx(List.of(), arguments))
                .redirectInput(typed.toFile())
                .redirectError(errors.toFile())
                .start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Ended(process.waitFor(), out, Files.readString(errors));
    }

    private String write(String name, String source) throws Exception {
        return Files.writeString(folder.resolve(name), source).toString();
    }

    private String output(String file, String entry, String tokens) throws Exception {
        Ended ended = tfx("", "run", file, entry, "tokens=" + tokens, "--json");
        assertThat(ended.code()).as(ended.err()).isZero();
        JsonNode json = new ObjectMapper().readTree(ended.out());
        assertThat(json.get("entry").asText()).isEqualTo(entry);
        return json.get("outputs").get(entry).toString();
    }

    @Test
    void runPrintsLists() throws Exception {
        String file = write("a.rasp", """
                hist = selector_width(select(tokens, tokens, ==));
                asis = tokens_asis;
                means = aggregate(select(indices, indices, <=), tokens_asis);
                large = (tokens_int + 1) ^ 30;
                before = select(indices, indices, <);
                """);
        assertThat(output(file, "hist", "hello")).isEqualTo("[1,1,2,2,1]");
        assertThat(output(file, "hist", "123")).isEqualTo("[1,1,1]");
        assertThat(output(file, "asis", "[\"a\",\"bc\"]")).isEqualTo("[\"a\",\"bc\"]");
        assertThat(output(file, "means", "[1,2,6]")).isEqualTo("[1,1.5,3.0]");
        assertThat(output(file, "means", "[0.5,1.5]")).isEqualTo("[0.5,1.0]");
        assertThat(output(file, "asis", "[true,false]")).isEqualTo("[true,false]");
        assertThat(output(file, "large", "[9]")).isEqualTo("[1" + "0".repeat(30) + "]");
        assertThat(output(file, "before", "abc"))
                .isEqualTo("[[false,false,false],[true,false,false],[true,true,false]]");
    }

    @Test
    void filesOfBothLanguagesSeeEachOther() throws Exception {
        write(
                "parts.rasp",
                "def double(x) { return x + x; }\nback = aggregate(select(indices, length-1-indices, ==), tokens);");
        String file = write("whole.tfx", """
                import rasplib;
                import "parts.rasp";
                twice = double(back);
                ordered = sort(tokens, where(tokens == "b", 0, 1));
                def third(s) { return s[2]; }
                """);
        assertThat(output(file, "twice", "ab")).isEqualTo("[\"bb\",\"aa\"]");
        assertThat(output(file, "ordered", "abab")).isEqualTo("[\"b\",\"b\",\"a\",\"a\"]");
        String other = write("other.rasp", "load \"whole.tfx\";\nx = third(twice);");
        assertThat(output(other, "x", "abc")).isEqualTo("[\"aa\",\"aa\",\"aa\"]");
    }

    @Test
    void mistakesHaveTheirExitCodes() throws Exception {
        String file = write("b.rasp", "inverse = 1 / tokens_int;\n");
        assertThat(tfx("", "run", file, "inverse", "tokens=[1,0]").code()).isEqualTo(3);
        assertThat(tfx("", "run", file, "inverse", "tokens=[1,0]").err()).contains("division by zero", "b.rasp:1:11");
        assertThat(tfx("", "run", file, "nothing", "tokens=a").code()).isEqualTo(2);
        assertThat(tfx("", "run", file, "inverse").code()).isEqualTo(2);
        assertThat(tfx("", "run", file, "inverse", "tokens=").code()).isEqualTo(2);
        assertThat(tfx("", "run", file, "inverse", "tokens=[[1]]").code()).isEqualTo(2);
        assertThat(tfx("", "check", write("c.rasp", "x = tokens + 1;")).code()).isEqualTo(1);
    }

    @Test
    void readingOutsideTheInputIsWarnedOf() throws Exception {
        String file = write("f.rasp", "third = tokens_int[2];\nback = tokens_int[-2];\n");
        Ended ended = tfx("", "run", file, "third", "tokens=12");
        assertThat(ended.out()).contains("third = [0,0]");
        assertThat(ended.err()).contains("warning[TFX0603]", "f.rasp:1:9", "outside the input of 2");
        assertThat(tfx("", "run", file, "back", "tokens=1").err()).contains("warning[TFX0603]");
        assertThat(tfx("", "run", file, "back", "tokens=12").err()).doesNotContain("warning[");
    }

    @Test
    void headsCountsLayers() throws Exception {
        String file = write("d.rasp", "reverse = aggregate(select(indices, length-1-indices, ==), tokens);");
        assertThat(tfx("", "heads", file, "--json").out())
                .isEqualToIgnoringNewLines("{\"reverse\":{\"layers\":2,\"heads\":[1,1]}}");
        assertThat(tfx("", "heads", file).out()).contains("reverse       2      2  1 1");
        assertThat(tfx("", "heads", file, "none").code()).isEqualTo(2);
    }

    @Test
    void emitShowsSequencePrograms() throws Exception {
        String file = write("g.rasp", "reverse = aggregate(select(indices, length-1-indices, ==), tokens);");
        Ended graph = tfx("", "emit", file, "reverse", "--phase=graph");
        assertThat(graph.out()).as(graph.err()).contains("output \"value\"", "gather", "i32[n]");
        assertThat(tfx("", "emit", file, "reverse", "--phase=kernel", "--tokens=whole")
                        .code())
                .isZero();
        assertThat(tfx("", "emit", file, "nothing", "--phase=graph").code()).isEqualTo(2);
    }

    @Test
    void vizDrawsWhatIsSelected() throws Exception {
        String file = write("e.rasp", "same = select(tokens, tokens, ==);\nhist = selector_width(same);");
        Path svg = folder.resolve("out.svg");
        assertThat(tfx("", "viz", file, "hist", "tokens=[\"<&\", \"b\", \"<&\"]", "-o", svg.toString())
                        .code())
                .isZero();
        var rects = DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(svg.toFile())
                .getElementsByTagName("rect");
        int on = 0;
        for (int i = 0; i < rects.getLength(); i++) {
            on += rects.item(i).getAttributes().getNamedItem("class") instanceof Attr a
                            && a.getValue().equals("on")
                    ? 1
                    : 0;
        }
        // Of a, b, a: 5 are the same; with position 0, which one of the two heads adds, 6; both, 2.
        assertThat(on).isEqualTo(6 + 2);
        Path page = folder.resolve("out.html");
        assertThat(tfx("", "viz", file, "hist", "tokens=ab", "-o", page.toString())
                        .code())
                .isZero();
        assertThat(page)
                .content()
                .contains("<!doctype html>", "hist = selector_width(same)")
                .doesNotContain("href");
        assertThat(tfx("", "viz", file, "same", "tokens=ab", "-o", page.toString())
                        .code())
                .isEqualTo(2);
        assertThat(tfx("", "viz", file, "hist", "tokens=ab", "-o", "x.pdf").code())
                .isEqualTo(2);
    }

    @Test
    void replTalksThroughAPipe() throws Exception {
        Ended ended = tfx("indices + 1;\n:type length\nexit\n", "repl", "--rasp");
        assertThat(ended.code()).isZero();
        assertThat(ended.out()).isEqualTo("""
                RASP 0.1
                running example is: hello
                >>      s-op: out
                 \t Example: out("hello") = [1, 2, 3, 4, 5] (ints)
                >> s-op of ints
                >>\s""");
    }

    @Test
    void replTellsOfWeights() throws Exception {
        String script =
                ":weights selector_width(select(tokens, tokens, ==))\n:weights average(average(indicator(tokens == \"h\")))\n";
        Ended ended = tfx(script, "repl");
        assertThat(ended.out())
                .contains("result: 1 layers, 1 heads, width 4", "checked: all 1364 inputs of up to 5 tokens are exact")
                .contains("whose sums depend on their order");
    }

    @Test
    void generateStopsAtTheEndToken() throws Exception {
        String file = write(
                "n.raspl",
                "next = {\"a\": \"b\", \"b\": \"c\", \"c\": \".\"}[tokens]; again = tokens; far = indices * 2;");
        Ended ended = tfx("", "generate", file, "next", "tokens=a", "--end=.", "--json");
        assertThat(ended.out().strip()).isEqualTo("{\"entry\":\"next\",\"tokens\":[\"b\",\"c\"],\"ended\":true}");
        assertThat(tfx("", "generate", file, "next", "tokens=a", "--end=.")
                        .out()
                        .strip())
                .isEqualTo("bc");
        Ended endless = tfx("", "generate", file, "again", "tokens=a", "--max-tokens=3");
        assertThat(endless.code()).isEqualTo(3);
        assertThat(endless.out().strip()).isEqualTo("aaa");
        assertThat(endless.err()).contains("no end token '$' among the first 3 tokens");
        Ended numbers = tfx("", "generate", write("k.raspl", "k = indices;"), "k", "tokens=[1,2]", "--end=5", "--json");
        assertThat(numbers.out()).contains("\"tokens\":[1,2,3,4],\"ended\":true");
        assertThat(tfx("", "generate", file, "next", "tokens=z").code()).isEqualTo(3);
        assertThat(tfx("", "generate", file, "nothing", "tokens=z").code()).isEqualTo(2);
        Ended checked = tfx("", "check", "--rasp-l", file);
        assertThat(checked.out()).contains("next: 2 operations, in RASP-L", "far: 3 operations, not in RASP-L");
        assertThat(checked.err()).contains("warning[TFX0604]: 'far' leaves RASP-L", "n.raspl:1:");
    }

    @Test
    void tfxHasLargestAndSmallest() throws Exception {
        String file = write("m.tfx", """
                so_far = select(indices, indices, <=);
                top = aggregate(so_far, tokens, "", by = "max");
                low = aggregate(so_far, tokens, by = "min");
                """);
        assertThat(output(file, "top", "bdac")).isEqualTo("[\"b\",\"d\",\"d\",\"d\"]");
        assertThat(output(file, "low", "bdac")).isEqualTo("[\"b\",\"b\",\"a\",\"a\"]");
        Ended wrong =
                tfx("", "check", write("w.tfx", "x = aggregate(select(tokens, tokens, ==), tokens, by = \"sum\");"));
        assertThat(wrong.err()).contains("by is \"mean\", \"max\" or \"min\"");
    }
}
