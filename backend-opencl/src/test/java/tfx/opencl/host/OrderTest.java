package tfx.opencl.host;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/// Commands wait for what they depend on, and for nothing else.
final class OrderTest {
    private static Memory at(long offset, long bytes) {
        return new Memory(1, offset, bytes, false);
    }

    @Test
    void aReadWaitsForTheWrite() {
        Order order = new Order();
        order.add(List.of(), List.of(at(0, 64)), 7);
        assertThat(order.before(List.of(at(32, 8)), List.of())).containsExactly(7L);
        assertThat(order.before(List.of(at(64, 8)), List.of())).isEmpty();
        assertThat(order.before(List.of(new Memory(2, 0, 64, false)), List.of()))
                .isEmpty();
    }

    @Test
    void aWriteWaitsForReadsAndWrites() {
        Order order = new Order();
        order.add(List.of(), List.of(at(0, 64)), 1);
        order.add(List.of(at(0, 64)), List.of(at(64, 64)), 2);
        order.add(List.of(at(0, 64)), List.of(at(128, 64)), 3);
        assertThat(order.before(List.of(), List.of(at(0, 64)))).containsExactly(1L, 2L, 3L);
        // The two reads need not wait for each other.
        assertThat(order.before(List.of(at(0, 64)), List.of(at(192, 64)))).containsExactly(1L);
    }

    @Test
    void whatIsOverwrittenIsForgotten() {
        Order order = new Order();
        for (int i = 0; i < 1000; i++) {
            order.add(List.of(at(0, 64)), List.of(at(64, 64)), 2L * i);
            order.add(List.of(at(64, 64)), List.of(at(0, 64)), 2L * i + 1);
        }
        assertThat(order.size()).isLessThan(8);
    }

    @Test
    void nobodyWaitsForReadersOfWhatStays() {
        Order order = new Order();
        order.add(List.of(new Memory(3, 0, 64, true)), List.of(at(0, 64)), 1);
        assertThat(order.size()).isEqualTo(1);
    }
}
