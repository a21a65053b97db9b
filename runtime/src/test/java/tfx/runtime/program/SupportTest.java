package tfx.runtime.program;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

final class SupportTest {
    /// Copies rows and columns between memory of other steps, and compares with one element after the other.
    private static void copies(int rows, int columns, long toRow, long toStep, long fromRow, long fromStep) {
        try (Arena arena = Arena.ofConfined()) {
            long steps = (rows - 1) * Math.min(0, fromRow) + (columns - 1) * Math.min(0, fromStep);
            MemorySegment from = arena.allocate(4 + rows * Math.abs(fromRow) + columns * Math.abs(fromStep), 8);
            MemorySegment to = arena.allocate(4 + rows * toRow + columns * toStep, 8);
            for (int i = 0; i < from.byteSize() / Integer.BYTES; i++) {
                from.setAtIndex(ValueLayout.JAVA_INT, i, 3 * i + 1);
            }
            MemorySegment expected = arena.allocate(to.byteSize(), 8);
            for (int row = 0; row < rows; row++) {
                for (int i = 0; i < columns; i++) {
                    int element = from.get(ValueLayout.JAVA_INT, row * fromRow + i * fromStep - steps);
                    expected.set(ValueLayout.JAVA_INT, row * toRow + i * toStep, element);
                }
            }
            Support.copy(to.address(), toRow, toStep, from.address() - steps, fromRow, fromStep, rows, columns);
            assertThat(to.mismatch(expected)).isEqualTo(-1);
        }
    }

    @Test
    void transposesBlockByBlock() {
        for (int rows : new int[] {0, 1, 7, 8, 127, 128, 129, 300}) {
            copies(rows, 32, 128, 4, 4, 4L * rows + 8);
        }
        copies(5, 1, 4, 4, 4, 20);
        copies(9, 512, 2_048, 4, 4, 36);
        copies(9, 513, 2_052, 4, 4, 36);
        copies(20, 10, 40, 4, 4, 0);
        copies(20, 10, 40, 4, 4, 4);
        copies(20, 10, 40, 4, 4, -80);
    }

    @Test
    void copiesWhatIsEvenlySpaced() {
        copies(3, 5, 40, 8, 4, 12);
        copies(4, 6, 24, 4, 100, 4);
        copies(1, 9, 0, 8, 0, 4);
        copies(6, 7, 28, 4, -4, 24);
    }

    @Test
    void readsAndWritesFloatsOfEveryType() {
        try (Arena arena = Arena.ofConfined()) {
            long address = arena.allocate(8, 8).address();
            for (int type : new int[] {Support.F32, Support.F16, Support.BF16}) {
                Support.write(type, address, -1.5f);
                assertThat(Support.read(type, address)).isEqualTo(-1.5f);
            }
        }
    }
}
