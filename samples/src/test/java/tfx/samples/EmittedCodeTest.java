package tfx.samples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The JIT compiler takes all emitted code: in a fresh JVM with default flags that runs the sample for a while,
/// no emitted method fails to compile, and the vectors of every register tile that runs reach the top tier,
/// whole, while C1 declines them. A method over a limit of the JIT compiler would otherwise stay a hundred times
/// slower without a word.
final class EmittedCodeTest {
    private static final int TOP_TIER = 4;
    private static final Pattern COMPILED =
            Pattern.compile("^\\s*\\d+\\s+\\d+\\s+[%sbn! ]*\\s*(\\d)\\s+(tfx\\.emitted\\.\\S+)::(\\S+) .*");

    /// A compilation by C1 of a register tile that has a twin.
    private static final Pattern C1_TILE =
            Pattern.compile("\\.p\\d+\\.Tiles (?!\\S*_(?:either|twin|block) )(?:tile|add)\\S* .* level='[123]'");

    @TempDir
    private Path folder;

    @Test
    void everyTileReachesTheTopTier() throws Exception {
        Path output = folder.resolve("compilation");
        Path log = folder.resolve("log");
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+PrintCompilation",
                "-XX:+UnlockDiagnosticVMOptions",
                "-XX:+LogCompilation",
                "-XX:LogFile=" + log,
                "--add-modules",
                "jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                "tfx.cli.Main",
                "bench",
                "minilm/minilm.tfx",
                "embed",
                "text=" + ids(61),
                "--seconds=6"));
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        assertThat(process.waitFor()).isZero();
        Map<String, Integer> tiers = new TreeMap<>();
        List<String> failures = new ArrayList<>();
        for (String line : Files.readAllLines(output, StandardCharsets.UTF_8)) {
            Matcher matcher = COMPILED.matcher(line);
            if (matcher.matches()) {
                tiers.merge(matcher.group(2) + "::" + matcher.group(3), Integer.parseInt(matcher.group(1)), Math::max);
            }
            boolean transientReason = line.contains("retry") || line.contains("concurrent class loading");
            if (line.contains("tfx.emitted") && line.contains("COMPILE SKIPPED") && !transientReason) {
                failures.add(line);
            }
        }
        failures.addAll(misjudged(log));
        assertThat(failures).isEmpty();
        assertThat(tiers).hasSizeGreaterThan(20);
        tiers.forEach((method, tier) -> {
            if (method.contains(".Tiles::") && !method.matches(".*_(either|twin|block)")) {
                assertThat(tier).as("tier of %s; all: %s", method, tiers).isEqualTo(TOP_TIER);
            }
        });
    }

    /// Compilations of register tiles in which C2 stopped inlining, as what then stays a call is half of their
    /// time, and those that C1 did not decline, as it takes long in vain.
    private static List<String> misjudged(Path log) throws IOException {
        List<String> found = new ArrayList<>();
        String task = "";
        for (String line : Files.readAllLines(log, StandardCharsets.UTF_8)) {
            if (line.startsWith("<task ")) {
                task = line;
            } else if (task.contains(".Tiles ") && line.contains("NodeCountInliningCutoff")) {
                found.add(task);
            } else if (C1_TILE.matcher(task).find() && line.startsWith("<task_done success='1'")) {
                found.add(task);
            }
        }
        assertThat(task).isNotEmpty();
        return found;
    }

    /// A text of `length` tokens: every kind of register tile has work.
    private static String ids(int length) {
        List<Integer> ids = new ArrayList<>(List.of(101));
        for (int i = 2; i < length; i++) {
            ids.add(1000 + 7 * i);
        }
        ids.add(102);
        return "[" + ids + "]";
    }
}
