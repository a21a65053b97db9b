package tfx.opencl.host;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import tfx.ir.kernel.Kernel;
import tfx.ir.kernel.ProgramText;
import tfx.opencl.SequenceSource;
import tfx.runtime.Sizes;

/// The table of a sequence says what each launch works on and what it waits for.
final class SequenceTest {
    private static final int SLOTS = 3;
    private static final Kernel KERNEL = ProgramText.parse("""
            program "double" {
              input v0 : f32[8] from "x"
              temporary v1 : f32[8]
              step 0 (v0, v1)
              output "y" v1
            }

            kernel "rows" {
              in x : f32[8]
              out y : f32[8]
              grid i : 8 tile 64
              store y[i] over [i] = mul(load(x, [i]), const(f32, 2.0))
            }
            """).kernels().getFirst();

    private final Sequence sequence = new Sequence(SLOTS);

    private static Memory at(long buffer, long offset) {
        return new Memory(buffer, offset, 32, false);
    }

    private void add(long tasks, Memory from, Memory to) {
        sequence.add(7, KERNEL, tasks, List.of(from, to), new Sizes(), 9);
    }

    private long[] row(int launch) {
        long[] row = new long[SequenceSource.ROW];
        System.arraycopy(sequence.table(), 1 + launch * SequenceSource.ROW, row, 0, row.length);
        return row;
    }

    @Test
    void rowsHoldTasksAndArguments() {
        add(5, at(100, 0), at(200, 64));
        add(2, at(200, 64), at(100, 128));
        assertThat(sequence.table()).startsWith(7);
        assertThat(row(0)).containsExactly(7, 0, 5, 0, 11);
        assertThat(row(1)).containsExactly(7, 5, 2, 1, 16);
        // Slots and first elements, then the number of the launch.
        assertThat(sequence.table()).endsWith(0, 0, 1, 16, 9, 1, 16, 0, 32, 9);
        assertThat(sequence.buffers()).containsExactly(100L, 200L);
    }

    @Test
    void launchesWaitForTheLastThatMatters() {
        add(1, at(1, 0), at(2, 0));
        add(1, at(1, 0), at(2, 64)); // independent of the first
        add(1, at(2, 0), at(2, 128)); // reads the first
        add(1, at(2, 0), at(2, 64)); // writes over the second
        add(1, at(1, 0), at(2, 128)); // writes over the third
        assertThat(List.of(row(0)[3], row(1)[3], row(2)[3], row(3)[3], row(4)[3]))
                .containsExactly(0L, 0L, 1L, 2L, 3L);
    }

    @Test
    void memoriesBeyondTheSlotsDoNotFit() {
        assertThat(sequence.takes(1, List.of(at(1, 0), at(2, 0), at(3, 0), at(4, 0))))
                .as("a launch alone, whose kernel has as many buffers as there are slots at most")
                .isTrue();
        add(1, at(1, 0), at(2, 0));
        assertThat(sequence.takes(1, List.of(at(2, 0), at(3, 0)))).isTrue();
        assertThat(sequence.takes(1, List.of(at(3, 0), at(4, 0)))).isFalse();
        assertThat(sequence.takes(1L << 40, List.of(at(1, 0), at(2, 0)))).isFalse();
    }
}
