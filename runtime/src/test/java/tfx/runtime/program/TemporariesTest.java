package tfx.runtime.program;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import tfx.runtime.DType;
import tfx.runtime.Dim;
import tfx.runtime.RunException;
import tfx.runtime.Sizes;
import tfx.runtime.TensorType;

final class TemporariesTest {
    private static final TensorType ROWS = new TensorType(DType.F32, List.of(Dim.symbol("N"), Dim.of(16)));

    /// `a`, `b` and `c`, each made of the one before, then the result of `c`.
    private static Temporaries chain() {
        List<Execution.Step> steps = List.of(launch("x", "a"), launch("a", "b"), launch("b", "c"), launch("c", "y"));
        Map<String, Execution.Value> values = new HashMap<>();
        for (String name : List.of("x", "a", "b", "c", "y")) {
            values.put(name, new Execution.Value(name, Execution.Role.TEMPORARY, "", ROWS, 0));
        }
        List<Execution.Output> outputs = List.of(new Execution.Output("y", "y"));
        Execution program = new Execution("chain", List.copyOf(values.values()), List.of(), steps, List.of(), outputs);
        return new Temporaries(program, values, Set.of("x", "y"));
    }

    private static Execution.Step launch(String... buffers) {
        return new Execution.Launch(0, List.of(buffers), "");
    }

    private static Sizes rows(long rows) {
        Sizes sizes = new Sizes();
        sizes.bind("x", ROWS, new long[] {rows, 16});
        return sizes;
    }

    @Test
    void aTemporaryTakesThePlaceOfOneThatIsNotNeededAnyMore() {
        Temporaries.Slab slab = chain().place(rows(10));
        assertThat(slab.bytes()).isEqualTo(2 * 640);
        assertThat(slab.places())
                .containsExactly(
                        new Temporaries.Place("a", 0, 640),
                        new Temporaries.Place("b", 640, 640),
                        new Temporaries.Place("c", 0, 640));
    }

    @Test
    void sizesOfEachCallDecide() {
        Temporaries chain = chain();
        assertThat(chain.place(rows(0)).bytes()).isZero();
        assertThat(chain.place(rows(3)).bytes()).isEqualTo(2 * 192);
        assertThat(chain.place(rows(1)).bytes()).isEqualTo(2 * 64);
    }

    @Test
    void moreThanAnyMemoryHoldsIsRefused() {
        assertThatThrownBy(() -> chain().place(rows(1L << 56)))
                .isInstanceOf(RunException.class)
                .hasMessageContaining("intermediates of this call");
    }
}
