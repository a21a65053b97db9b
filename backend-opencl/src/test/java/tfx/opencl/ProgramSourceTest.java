package tfx.opencl;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import tfx.ir.kernel.KernelProgram;
import tfx.ir.kernel.ProgramText;

/// The text of kernels, which needs no device: `golden/x.kernel` is a program, `x.vectors.cl` and `x.groups.cl`
/// are its kernels for one work-item a task and for many; one is there as a sequence. `-Dtfx.golden=update`
/// writes them anew.
final class ProgramSourceTest {
    private static final Path GOLDEN = Path.of("src", "test", "resources", "golden");
    private static final Group VECTORS = new Group(1, 16, true);
    private static final Group GROUPS = new Group(32, 1, true);

    @TestFactory
    Stream<DynamicTest> kernelsHaveTheirText() throws IOException {
        List<Path> files = Files.list(GOLDEN)
                .filter(p -> p.toString().endsWith(".kernel"))
                .sorted()
                .toList();
        assertThat(files).isNotEmpty();
        return files.stream().flatMap(f -> Stream.of(test(f, "vectors", VECTORS), test(f, "groups", GROUPS)));
    }

    private static DynamicTest test(Path file, String way, Group group) {
        Path golden = Path.of(file.toString().replace(".kernel", "." + way + ".cl"));
        return DynamicTest.dynamicTest(golden.getFileName().toString(), () -> {
            ProgramSource source = ProgramSource.of(ProgramText.parse(Files.readString(file)), group);
            String kernels = kernels(source);
            if ("update".equals(System.getProperty("tfx.golden"))) {
                Files.writeString(golden, kernels);
            }
            assertThat(kernels).isEqualTo(Files.readString(golden));
        });
    }

    /// All kernels in one: `golden/lookup.sequence.cl`.
    @Test
    void sequencesHaveTheirText() throws IOException {
        KernelProgram program = ProgramText.parse(Files.readString(GOLDEN.resolve("lookup.kernel")));
        ProgramSource source = SequenceSource.of(program, VECTORS).orElseThrow().program();
        String[] lines = source.text().split("\n");
        int first = source.kernels().getFirst().first();
        String text = String.join("\n", Arrays.asList(lines).subList(first - 1, lines.length)) + "\n";
        Path golden = GOLDEN.resolve("lookup.sequence.cl");
        if ("update".equals(System.getProperty("tfx.golden"))) {
            Files.writeString(golden, text);
        }
        assertThat(text).isEqualTo(Files.readString(golden));
        assertThat(SequenceSource.of(program, GROUPS)).isEmpty();
    }

    private static String kernels(ProgramSource source) {
        List<String> lines = Arrays.asList(source.text().split("\n"));
        StringBuilder kernels = new StringBuilder();
        for (ProgramSource.Entry entry : source.kernels()) {
            kernels.append(String.join("\n", lines.subList(entry.first() - 1, entry.last())))
                    .append('\n');
        }
        return kernels.toString();
    }

    @Test
    void linesOfKernelsAreKnown() throws IOException {
        KernelProgram program = ProgramText.parse(Files.readString(GOLDEN.resolve("rows.kernel")));
        ProgramSource source = ProgramSource.of(program, VECTORS);
        ProgramSource.Entry entry = source.kernels().getFirst();
        String[] lines = source.text().split("\n");
        assertThat(lines[entry.first() - 1]).startsWith("kernel ");
        assertThat(lines[entry.last() - 1]).isEqualTo("}");
        assertThat(lines).hasSize(entry.last());
    }
}
