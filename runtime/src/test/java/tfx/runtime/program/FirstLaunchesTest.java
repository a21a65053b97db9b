package tfx.runtime.program;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class FirstLaunchesTest {
    private static final long NOW = Long.MAX_VALUE - 5;
    private static final long WHILE = 300_000_000;

    @Test
    void halfOfTheProcessorsBeginWithTheFirstLaunches() {
        FirstLaunches launches = new FirstLaunches(2, 6, 8, NOW);
        assertThat(launches.start(0, NOW)).isEqualTo(new Pool.Start(4, NOW + WHILE));
        assertThat(launches.start(0, NOW + 7)).isEqualTo(new Pool.Start(4, NOW + WHILE));
        assertThat(launches.start(0, NOW + 9)).isEqualTo(new Pool.Start(6, NOW + 9));
        assertThat(launches.start(1, NOW + 9)).isEqualTo(new Pool.Start(4, NOW + 9 + WHILE));
    }

    @Test
    void atLeastOneBeginsAndNeverMoreThanThereAre() {
        assertThat(new FirstLaunches(1, 4, 1, NOW).start(0, NOW).threads()).isEqualTo(1);
        assertThat(new FirstLaunches(1, 2, 64, NOW).start(0, NOW).threads()).isEqualTo(2);
    }
}
