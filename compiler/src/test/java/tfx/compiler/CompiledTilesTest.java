package tfx.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tfx.cpu.CpuProgram;

/// In a fresh JVM with default flags, the optimising compiler leaves no call in the loop of a register tile:
/// neither for the size that the tile's code has reached, nor because it takes a call for rare. With one, a tile
/// takes three to five times as long, for good and without a word.
final class CompiledTilesTest {
    private static final Pattern TILE = Pattern.compile("<task (?!.*compile_kind).*\\.Tiles ((?:tile|add)\\S*) .*");
    private static final Pattern LEFT =
            Pattern.compile("<inline_fail reason='(NodeCountInliningCutoff|low call site frequency)'/>.*");

    @TempDir
    private Path folder;

    @Test
    void tilesCallNothing() throws Exception {
        Path log = folder.resolve("log");
        Path output = folder.resolve("output");
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:+UnlockDiagnosticVMOptions",
                        "-XX:+LogCompilation",
                        "-XX:LogFile=" + log,
                        "--add-modules",
                        "jdk.incubator.vector",
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        CompiledTiles.class.getName())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        boolean ended = process.waitFor(6, TimeUnit.MINUTES);
        process.destroyForcibly();
        assertThat(ended).isTrue();
        assertThat(process.exitValue()).as("%s", Files.readString(output)).isZero();
        TreeSet<String> compiled = new TreeSet<>();
        assertThat(calls(log, compiled)).isEmpty();
        assertThat(compiled).isNotEmpty();
        if (CpuProgram.nativeLanes() >= 16) {
            for (String type : List.of("", "i8_", "f16_", "bf16_")) {
                assertThat(compiled)
                        .as("tiles of %s that start with zeros, and that go on", type)
                        .contains("tile6x2_m0_1_m" + type + "32_1", "add6x2_m0_1_m" + type + "32_1")
                        .contains("tile1x4_m0_1_m" + type + "32_1", "add1x4_m0_1_m" + type + "32_1");
            }
        }
    }

    /// Calls that the top tier left in vector code of tiles.
    ///
    /// @param compiled gets the tiles whose vector code it took
    private static List<String> calls(Path log, TreeSet<String> compiled) throws IOException {
        List<String> found = new ArrayList<>();
        String tile = "";
        for (String line : Files.readAllLines(log, StandardCharsets.UTF_8)) {
            if (line.startsWith("<task ")) {
                Matcher matcher = TILE.matcher(line);
                boolean top = matcher.matches() && !line.contains(" level='");
                tile = top && !matcher.group(1).matches(".*_(either|twin|block)") ? matcher.group(1) : "";
            } else if (line.startsWith("<task_done success='1'") && !tile.isEmpty()) {
                compiled.add(tile);
            } else if (!tile.isEmpty() && LEFT.matcher(line).matches()) {
                found.add(tile + ": " + line);
            }
        }
        return found;
    }
}
