package tfx.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tfx.frontend.Frontend;
import tfx.ir.Diagnostic;
import tfx.ir.sequence.Atom;
import tfx.ir.sequence.PythonText;
import tfx.ir.sequence.SequenceEvaluator;

/// The library of RASP-L, and files of both dialects together.
final class RaspLTest {
    @TempDir
    private Path folder;

    private static String value(String expression, String tokens) {
        Frontend.Checked checked =
                Compiler.check("x.raspl", ("x = " + expression + ";").getBytes(StandardCharsets.UTF_8));
        assertThat(checked.diagnostics()).as(expression).isEmpty();
        assertThat(checked.warnings()).as(expression).isEmpty();
        List<Atom> input = tokens.codePoints()
                .mapToObj(c -> Atom.of(Character.toString(c)))
                .toList();
        return new SequenceEvaluator(input)
                .values(checked.sequences().get("x")).stream()
                        .map(PythonText::shown)
                        .collect(Collectors.joining(" "));
    }

    @Test
    void theLibraryLooksBackAlone() {
        assertThat(value("maximum(tokens)", "badca")).isEqualTo("b b d d d");
        assertThat(value("minimum(tokens_int)", "31415")).isEqualTo("3 1 1 1 1");
        assertThat(value("argmax(tokens)", "badcd")).isEqualTo("0 0 2 2 2");
        assertThat(value("argmin(tokens_int)", "31415")).isEqualTo("0 1 1 1 1");
        assertThat(value("has_seen(tokens, \"a\")", "bab")).isEqualTo("F T T");
        assertThat(value("num_prev(tokens, tokens)", "abaab")).isEqualTo("1 1 2 3 2");
        assertThat(value("cumsum(tokens == \"a\")", "abaab")).isEqualTo("1 1 2 3 3");
        assertThat(value("first_true(tokens == \"b\")", "aabab")).isEqualTo("-1 -1 2 2 2");
        assertThat(value("lasts(tokens, \"a\")", "bbaba")).isEqualTo("-1 -1 2 2 4");
        assertThat(value("shift_right(tokens, 2, \"-\")", "abcd")).isEqualTo("- - a b");
        assertThat(value("where(tokens == \"a\", 1, 2)", "ab")).isEqualTo("1 2");
        assertThat(value("induct(tokens, \"?\")", "abcab")).isEqualTo("? ? ? b c");
        assertThat(value("induct(tokens_int, -1)", "12312")).isEqualTo("-1 -1 -1 2 3");
        assertThat(value("aggr_min(select(tokens, \"z\", ==), tokens, \"none\")", "ab"))
                .isEqualTo("none none");
    }

    private List<String> diagnostics(String file) throws Exception {
        return Compiler.check(folder.resolve(file)).diagnostics().stream()
                .map(Diagnostic::render)
                .toList();
    }

    @Test
    void dialectsLoadEachOther() throws Exception {
        Files.writeString(
                folder.resolve("back.raspl"), "seen = num_prev(tokens, tokens); def back(s) { return lasts(s, s); }");
        Files.writeString(folder.resolve("all.rasp"), "load \"back\"; all = selector_width(select(seen, seen, ==));");
        assertThat(diagnostics("all.rasp")).isEmpty();
        Files.writeString(folder.resolve("far.raspl"), "load \"all\"; x = all + 1;");
        assertThat(Compiler.check(folder.resolve("far.raspl")).warnings())
                .anyMatch(d -> d.message().contains("'x' leaves RASP-L: a position may read later ones"));
    }

    @Test
    void aLoadedFileSetsNoNameOfTheLibrary() throws Exception {
        Files.writeString(folder.resolve("sets.raspl"), "length = indices + 1;");
        Files.writeString(folder.resolve("loads.rasp"), "load \"sets\"; x = length;");
        assertThat(diagnostics("loads.rasp")).singleElement().asString().contains("TFX0502", "'length'");
        Files.writeString(folder.resolve("most.rasp"), "maximum = 3;");
        Files.writeString(folder.resolve("other.raspl"), "load \"most\";");
        assertThat(diagnostics("other.raspl")).singleElement().asString().contains("TFX0502", "'maximum'");
    }
}
