package tfx.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Hostile input at every door, in processes with little memory: each ends in success or in the door's own error,
/// within five seconds.
@Execution(ExecutionMode.CONCURRENT)
final class FuzzTest {
    private static final long INPUTS = 200_000;
    private static final long SEED = 20261122;

    @ParameterizedTest
    @ValueSource(strings = {"source", "ir", "onnx", "safetensors", "npy", "npz"})
    void survives(String door) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx512m",
                "-ea",
                "--add-modules",
                "jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                "tfx.compiler.Fuzz",
                door,
                Long.toString(INPUTS),
                Long.toString(SEED)));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        output.lines().filter(l -> l.startsWith(door)).forEach(System.out::println);
    }
}
