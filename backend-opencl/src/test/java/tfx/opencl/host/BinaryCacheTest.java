package tfx.opencl.host;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tfx.ir.kernel.KernelProgram;
import tfx.ir.kernel.ProgramText;
import tfx.opencl.Group;
import tfx.runtime.Tensor;
import tfx.runtime.program.Executable;

/// Built programs are found again, and whatever happens to their files, programs run.
final class BinaryCacheTest {
    private static final String DOUBLE = """
            program "double" {
              input v0 : f32[N] from "x"
              temporary v1 : f32[N]
              step 0 (v0, v1)
              output "y" v1
            }

            kernel "rows" {
              size N
              in x : f32[N]
              out y : f32[N]
              grid i : N tile 64
              store y[i] over [i] = mul(load(x, [i]), const(f32, 2.0))
            }
            """;

    @TempDir
    private Path folder;

    private void run(BinaryCache cache) {
        Device device = Device.choose(0);
        KernelProgram program = ProgramText.parse(DOUBLE);
        Group group = new Group(1, 4, device.doubles());
        try (Arena arena = Arena.ofShared();
                Executable<?> loaded = Executable.load(
                        program.execution(),
                        new ClMachine(Context.of(device), program, group, cache, false),
                        Map.of())) {
            Tensor x = Tensor.of(arena, new float[] {1, 2, 3, 4, 5}, 5);
            Tensor y = loaded.run(Map.of("x", x), arena, Optional.empty()).get("y");
            assertThat(y.toFloats()).containsExactly(2, 4, 6, 8, 10);
        }
    }

    private List<Path> files() throws Exception {
        try (Stream<Path> all = Files.list(folder)) {
            return all.toList();
        }
    }

    @Test
    void aProgramIsBuiltOnce() throws Exception {
        BinaryCache cache = new BinaryCache(Optional.of(folder));
        run(cache);
        List<Path> files = files();
        assertThat(files).hasSize(1);
        byte[] binary = Files.readAllBytes(files.getFirst());
        run(cache);
        assertThat(files()).isEqualTo(files);
        assertThat(Files.readAllBytes(files.getFirst())).isEqualTo(binary);
    }

    @Test
    void corruptFilesAreReplaced() throws Exception {
        BinaryCache cache = new BinaryCache(Optional.of(folder));
        run(cache);
        Path file = files().getFirst();
        byte[] binary = Files.readAllBytes(file);
        for (int at : new int[] {0, 40, binary.length / 2, binary.length - 1}) {
            byte[] wrong = binary.clone();
            wrong[at] ^= 1;
            Files.write(file, wrong);
            run(cache);
            assertThat(Files.readAllBytes(file))
                    .as("after byte %d was wrong", at)
                    .isNotEqualTo(wrong);
        }
        Files.write(file, new byte[0]);
        run(cache);
        Files.write(file, java.util.Arrays.copyOf(binary, 100));
        run(cache);
    }

    /// A file that agrees with itself but is no program: the driver refuses it.
    @Test
    void foreignBinariesAreReplaced() throws Exception {
        BinaryCache cache = new BinaryCache(Optional.of(folder));
        run(cache);
        String key = files().getFirst().getFileName().toString();
        cache.keep(key, new byte[] {1, 2, 3});
        run(cache);
        assertThat(Files.size(files().getFirst())).isGreaterThan(100);
    }

    @Test
    void aFolderThatCannotBeMadeIsNoMatter() throws Exception {
        Path file = folder.resolve("file");
        Files.writeString(file, "no folder");
        run(new BinaryCache(Optional.of(file.resolve("inside"))));
        run(new BinaryCache(Optional.empty()));
    }
}
