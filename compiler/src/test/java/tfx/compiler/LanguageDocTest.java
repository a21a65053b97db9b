package tfx.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import tfx.ir.Diagnostic;

/// The examples of `docs/language.md`: blocks with declarations check without a diagnostic; in the others, a line
/// `expression;  # -> value` gives that value after the lines above it.
final class LanguageDocTest {
    private static final Path PAGE = Path.of("..", "docs", "language.md");
    private static final Pattern RESULT = Pattern.compile("(.*);\\s*# -> (.*)");

    @TestFactory
    Stream<DynamicTest> examplesAreTrue() throws IOException {
        List<DynamicTest> tests =
                DocBlocks.tests(Files.readString(PAGE), DocBlocks.fenced("tfx"), LanguageDocTest::check);
        assertThat(tests).hasSizeGreaterThan(10);
        return tests.stream();
    }

    private static void check(String block) {
        if (block.contains("program ")) {
            var checked = Compiler.check("language.tfx", block.getBytes(StandardCharsets.UTF_8));
            assertThat(checked.diagnostics().stream().map(Diagnostic::render)).isEmpty();
            return;
        }
        StringBuilder before = new StringBuilder();
        int results = 0;
        for (String line : block.lines().toList()) {
            Matcher result = RESULT.matcher(line);
            if (result.matches()) {
                results++;
                assertThat(OpsDocTest.run("import nn;\n", before.toString(), result.group(1)))
                        .as(line)
                        .isEqualTo(result.group(2).strip());
            } else {
                before.append(line).append('\n');
            }
        }
        assertThat(results).as(block).isPositive();
    }
}
