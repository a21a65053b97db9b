package tfx.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Optional;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import tfx.ir.text.Scanner;
import tfx.runtime.Dim;

/// Size arithmetic is exact, its text parses back, and simplification with axis ranges keeps the value.
final class DimProperties {
    private static final Map<String, Long> AXES = Map.of("i", 4L, "j", 6L, "k", 3L);

    private static Dim random(Random random, int depth) {
        if (depth == 0 || random.nextInt(3) == 0) {
            return random.nextBoolean()
                    ? Dim.symbol("ijkN".substring(random.nextInt(4)).substring(0, 1))
                    : Dim.of(random.nextInt(9) - 2);
        }
        Dim a = random(random, depth - 1);
        Dim b = random(random, depth - 1);
        return switch (random.nextInt(3)) {
            case 0 -> a.plus(b);
            case 1 -> a.minus(b);
            default -> a.times(b);
        };
    }

    private static long value(Dim dim, Random random) {
        return dim.evaluate(values(random)::get);
    }

    private static Map<String, Long> values(Random random) {
        return Map.of(
                "i", (long) random.nextInt(4), "j", (long) random.nextInt(6), "k", (long) random.nextInt(3), "N", (long)
                        random.nextInt(50));
    }

    @Property(tries = 1000, seed = "20261122")
    void arithmeticIsThatOfTheValues(@ForAll long seed, @ForAll @IntRange(min = 0, max = 3) int depth) {
        Random random = new Random(seed);
        Dim a = random(random, depth);
        Dim b = random(random, depth);
        long at = random.nextLong();
        assertThat(value(a.plus(b), new Random(at))).isEqualTo(value(a, new Random(at)) + value(b, new Random(at)));
        assertThat(value(a.times(b), new Random(at))).isEqualTo(value(a, new Random(at)) * value(b, new Random(at)));
        assertThat(a.minus(a)).isEqualTo(Dim.ZERO);
        assertThat(a.times(b)).isEqualTo(b.times(a));
    }

    @Property(tries = 1000, seed = "20261122")
    void quotientsAndRemaindersKeepTheValue(@ForAll long seed, @ForAll @IntRange(min = 1, max = 24) int divisor) {
        Random random = new Random(seed);
        Dim index = Dim.symbol("i")
                .times(random.nextInt(30))
                .plus(Dim.symbol("j").times(random.nextInt(8)))
                .plus(Dim.symbol("k").times(random.nextInt(3)))
                .plus(random.nextInt(4));
        Dim by = Dim.of(divisor);
        Dim quotient = index.floorDivide(
                by, axis -> Optional.ofNullable(AXES.get(axis)).map(Dim::of));
        Dim remainder =
                index.remainder(by, axis -> Optional.ofNullable(AXES.get(axis)).map(Dim::of));
        for (int n = 0; n < 10; n++) {
            long at = random.nextLong();
            long whole = value(index, new Random(at));
            assertThat(value(quotient, new Random(at))).isEqualTo(Math.floorDiv(whole, divisor));
            assertThat(value(remainder, new Random(at))).isEqualTo(Math.floorMod(whole, divisor));
        }
        assertThat(new Scanner(quotient.toString()).dim()).isEqualTo(quotient);
        assertThat(new Scanner(remainder.toString()).dim()).isEqualTo(remainder);
    }

    @Property(tries = 500, seed = "20261122")
    void textParsesBack(@ForAll long seed, @ForAll @IntRange(min = 0, max = 4) int depth) {
        Dim dim = random(new Random(seed), depth);
        assertThat(new Scanner(dim.toString()).dim()).isEqualTo(dim);
    }
}
