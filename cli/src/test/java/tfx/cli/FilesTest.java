package tfx.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Files that are not there, or cannot be written.
final class FilesTest {
    @TempDir
    private Path folder;

    private String source() throws Exception {
        Path file = folder.resolve("double.tfx");
        Files.writeString(file, "program double(x: f32[N]) -> (y) { return x * 2.0; }\n");
        return file.toString();
    }

    private static String errors(int code, String... arguments) {
        PrintStream before = System.err;
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        System.setErr(new PrintStream(text, true, StandardCharsets.UTF_8));
        try {
            assertThat(Main.run(arguments)).isEqualTo(code);
        } finally {
            System.setErr(before);
        }
        return text.toString(StandardCharsets.UTF_8);
    }

    @Test
    void aFolderThatIsNotThereIsNamed() throws Exception {
        Path out = folder.resolve("none").resolve("double.jar");
        assertThat(errors(Main.WRONG_COMMAND, "compile", source(), "-o", out.toString()))
                .isEqualTo("tfx: there is no folder " + out.getParent() + " to write double.jar to\n");
    }

    @Test
    void aFolderIsNoJar() throws Exception {
        assertThat(errors(Main.WRONG_COMMAND, "compile", source(), "-o", folder.toString()))
                .isEqualTo("tfx: " + folder + " is a folder; -o names the jar to write\n");
    }

    @Test
    void aDrawingThatCannotBeWrittenSaysWhy() throws Exception {
        Path program = folder.resolve("twice.rasp");
        Files.writeString(program, "twice = indices * 2;\n");
        Path out = folder.resolve("none").resolve("twice.svg");
        assertThat(errors(Main.RUN_FAILED, "viz", program.toString(), "twice", "tokens=ab", "-o", out.toString()))
                .isEqualTo("tfx: " + out + " does not exist, or its folder does not\n");
    }
}
