package tfx.compiler;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.DynamicTest;

/// The fenced blocks of a page of documentation, a test each.
final class DocBlocks {
    private DocBlocks() {}

    static Pattern fenced(String language) {
        return Pattern.compile("```" + language + "\\n(.*?)\\n```", Pattern.DOTALL);
    }

    /// @param block finds blocks; its first group is what stands in one
    static List<DynamicTest> tests(String page, Pattern block, Consumer<String> test) {
        List<DynamicTest> tests = new ArrayList<>();
        Matcher blocks = block.matcher(page);
        while (blocks.find()) {
            String content = blocks.group(1);
            long line = page.substring(0, blocks.start()).lines().count() + 1;
            tests.add(DynamicTest.dynamicTest("line " + line, () -> test.accept(content)));
        }
        return tests;
    }
}
