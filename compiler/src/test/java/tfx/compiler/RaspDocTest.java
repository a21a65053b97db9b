package tfx.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import tfx.frontend.rasp.RaspConsole;

/// The transcripts of `docs/rasp.md`, each a conversation of its own. What follows a line is what it printed;
/// `-Dtfx.golden=update` writes that anew.
final class RaspDocTest {
    private static final Path PAGE = Path.of("..", "docs", "rasp.md");
    private static final Pattern BLOCK = DocBlocks.fenced("rasp-session");
    private static final Pattern PROMPT = Pattern.compile("(>> |\\.\\. (?: {2})*)(.*)");

    @TestFactory
    Stream<DynamicTest> transcriptsAreTrue() throws IOException {
        String page = Files.readString(PAGE);
        if ("update".equals(System.getProperty("tfx.golden"))) {
            page = BLOCK.matcher(page)
                    .replaceAll(m -> Matcher.quoteReplacement("```rasp-session\n" + replay(m.group(1)) + "\n```"));
            Files.writeString(PAGE, page);
        }
        List<DynamicTest> tests =
                DocBlocks.tests(page, BLOCK, block -> assertThat(replay(block)).isEqualTo(block));
        assertThat(tests).hasSizeGreaterThan(4);
        return tests.stream();
    }

    /// What a conversation prints to whoever types the lines of a transcript.
    private static String replay(String block) {
        StringBuilder out = new StringBuilder();
        RaspConsole console = Compiler.console(out);
        for (String line : block.lines().toList()) {
            Matcher prompt = PROMPT.matcher(line);
            if (prompt.matches()) {
                String typed =
                        line.substring(Math.min(line.length(), console.prompt().length()));
                out.append(console.prompt()).append(typed).append('\n');
                console.line(typed);
            }
        }
        return out.toString().stripTrailing();
    }
}
