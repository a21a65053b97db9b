package tfx.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Every access of every kernel of the corpus under Oclgrind, an OpenCL device that interprets kernels and reports
/// accesses outside of buffers, and data races between work-items.
final class OclgrindTest {
    private static final String LIBRARY = "/usr/lib/oclgrind/liboclgrind-rt.so";

    @TempDir
    private Path folder;

    @Test
    void noAccessIsOutOfBoundsAndNoTwoRace() throws Exception {
        assertThat(Path.of(LIBRARY)).as("Oclgrind; ./check installs it").exists();
        Path log = folder.resolve("oclgrind.log");
        Path out = folder.resolve("out.txt");
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules",
                "jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-Dorg.lwjgl.opencl.libname=" + LIBRARY,
                "-Dtfx.opencl.cache=",
                "-Dtfx.opencl.separate=true",
                "-cp",
                System.getProperty("java.class.path"),
                Watched.class.getName()));
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(out.toFile());
        builder.environment().put("OCLGRIND_DATA_RACES", "1");
        builder.environment().put("OCLGRIND_CHECK_API", "1");
        // It lacks some of the intrinsics that optimised code calls.
        builder.environment().put("OCLGRIND_BUILD_OPTIONS", "-cl-opt-disable");
        builder.environment().put("OCLGRIND_LOG", log.toString());
        Process process = builder.start();
        assertThat(process.waitFor(20, TimeUnit.MINUTES)).isTrue();
        assertThat(process.exitValue()).as(Files.readString(out)).isZero();
        long programs = CorpusTest.files("good", ".tfx").count();
        assertThat(Files.readAllLines(out).stream().filter(l -> l.startsWith("ran ")))
                .hasSize((int) programs);
        assertThat(Files.exists(log) ? Files.readString(log) : "").isEmpty();
    }
}
