package tfx.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.Size;
import tfx.runtime.DType;
import tfx.runtime.Tensor;

/// Division of ints by constants where vectors compute it: between positions and floats.
final class IntegerDivisionProperties {
    private static final Map<Integer, LoadedProgram> PROGRAMS = new HashMap<>();

    private static LoadedProgram program(int divisor) {
        return PROGRAMS.computeIfAbsent(divisor, d -> {
            String source = """
                    program divide(a: i32[N]) -> (low, high, rest) {
                      low = f32(a // %1$d %% 65536);
                      high = f32(a // %1$d // 65536);
                      rest = where(a %% %1$d < %1$d // 2, f32(a %% %1$d), -f32(a %% %1$d));
                    }
                    """.formatted(d);
            try {
                Path file = Files.createTempFile("divide", ".tfx");
                Files.write(file, source.getBytes(StandardCharsets.UTF_8));
                LoadedProgram loaded = Tfx.load(file).program("divide");
                Files.delete(file);
                return loaded;
            } catch (java.io.IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        });
    }

    @Provide
    Arbitrary<Integer> divisors() {
        return Arbitraries.of(1, 2, 3, 5, 7, 64, 96, 1537, 1_000_003, (1 << 22) - 1, 1 << 22, (1 << 22) + 1);
    }

    @Property(tries = 300)
    void quotientsAndRemaindersRoundDown(
            @ForAll("divisors") int divisor, @ForAll @Size(min = 1, max = 70) List<Integer> values) {
        try (Arena arena = Arena.ofConfined()) {
            Tensor a = Tensor.zeros(arena, DType.I32, values.size());
            for (int i = 0; i < values.size(); i++) {
                a.data().setAtIndex(ValueLayout.JAVA_INT, i, values.get(i));
            }
            Map<String, Tensor> results = program(divisor).call(arena, a);
            float[] low = results.get("low").toFloats();
            float[] high = results.get("high").toFloats();
            float[] rest = results.get("rest").toFloats();
            for (int i = 0; i < values.size(); i++) {
                int quotient = Math.floorDiv(values.get(i), divisor);
                int remainder = Math.floorMod(values.get(i), divisor);
                assertThat(low[i]).isEqualTo(Math.floorMod(quotient, 65536));
                assertThat(high[i]).isEqualTo(Math.floorDiv(quotient, 65536));
                assertThat(rest[i]).isEqualTo(remainder < divisor / 2 ? remainder : -remainder + 0f);
            }
        }
    }
}
