package tfx.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tfx.ir.Target;
import tfx.ir.kernel.KernelProgram;
import tfx.opencl.Group;
import tfx.opencl.ProgramSource;

/// Tiles of a group fit the local memory that GPUs have: 48 KiB on NVIDIA's, 64 KiB on others.
final class OpenClLocalMemoryTest {
    private static final int LOCAL_BYTES = 48 << 10;
    private static final Pattern ARRAY = Pattern.compile("local (float|int|double|long) \\w+\\[(\\d+)\\]");

    private static void check(String source) {
        var checked = Compiler.check("local.tfx", source.getBytes(StandardCharsets.UTF_8));
        assertThat(checked.diagnostics()).as(source).isEmpty();
        KernelProgram kernels = Pipeline.run(
                        checked.programs().getFirst().graph(), new Pipeline.Options(Target.gpu(), true))
                .kernels();
        ProgramSource program = ProgramSource.of(kernels, new Group(256, 1, true));
        String[] functions = program.text().split("\nkernel ");
        assertThat(functions).hasSizeGreaterThan(1);
        for (String function : functions) {
            long bytes = 0;
            for (Matcher m = ARRAY.matcher(function); m.find(); ) {
                bytes += Long.parseLong(m.group(2)) * (m.group(1).matches("double|long") ? 8 : 4);
            }
            assertThat(bytes).as(function).isLessThanOrEqualTo(LOCAL_BYTES);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {32, 64, 80, 128, 256, 512, 1024})
    void attention(int width) {
        for (String dtype : new String[] {"f32", "f64"}) {
            check("""
                    import nn;
                    program p(q: %2$s[4, S, %1$d], k: %2$s[4, S, %1$d], v: %2$s[4, S, %1$d]) -> (y) {
                      scores = 30.0 * tanh(q @ transpose(k) / 8.0 / 30.0);
                      return softmax(scores, where = causal(S)) @ v;
                    }
                    """.formatted(width, dtype));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"f32", "f64", "f16", "bf16", "i32", "i64", "i8"})
    void products(String dtype) {
        check("program p(a: %1$s[M, K], b: %1$s[K, 4096]) -> (y) { return a @ b; }\n".formatted(dtype));
        check("program p(a: %1$s[M, K], b: %1$s[K, N]) -> (y) { return a @ b; }\n".formatted(dtype));
    }

    @ParameterizedTest
    @ValueSource(strings = {"f32", "f64"})
    void rows(String dtype) {
        check("import nn;\nprogram p(x: %s[N, 1000]) -> (y) { return softmax(x); }\n".formatted(dtype));
        check("program p(x: %s[M, N]) -> (y) { return x - sum(x, 0); }\n".formatted(dtype));
    }
}
