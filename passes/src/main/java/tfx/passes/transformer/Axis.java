package tfx.passes.transformer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/// A line that tuples are laid out on, so that a function of them is a sum of steps.
final class Axis {
    private static final double SAME = 1e-9;

    /// How steep a step is: at an eighth of the gap from its neighbours, what is missing to 0 or 1 is e^-30.
    private static final double STEEPNESS = 80;

    static final double STEP_ERROR = 1e-12;

    /// A function as steps.
    ///
    /// @param filled the function where it was not defined, too
    /// @param sharp  whether all tuples, also those where it was not defined, are left or right of each step
    record Steps(double[] filled, boolean sharp, double first, List<Functional> inputs, List<Double> heights) {}

    private final Functional place;
    private final double[] at;
    private final Integer[] order;

    /// @param place where a tuple is, as a functional
    /// @param at    the same by tuple
    Axis(Functional place, double[] at) {
        this.place = place.rounded();
        this.at = at;
        this.order = IntStream.range(0, at.length).boxed().toArray(Integer[]::new);
        Arrays.sort(order, Comparator.comparingDouble(t -> at[t]));
    }

    int time() {
        return place.time();
    }

    /// A function as steps along this line; none where tuples of one place differ, or are closer than the place is
    /// known.
    ///
    /// @param function by tuple; NaN where any value will do
    Optional<Steps> steps(double[] function) {
        double[] filled = new double[at.length];
        List<Functional> inputs = new ArrayList<>();
        List<Double> heights = new ArrayList<>();
        double first = Double.NaN;
        double current = Double.NaN;
        boolean sharp = true;
        boolean between = false;
        double last = 0;
        for (int from = 0; from < order.length; ) {
            double here = at[order[from]];
            double value = Double.NaN;
            int to = from;
            for (; to < order.length && at[order[to]] - here < SAME; to++) {
                double one = function[order[to]];
                if (!Double.isNaN(one)) {
                    if (!Double.isNaN(value) && Math.abs(value - one) > SAME) {
                        return Optional.empty();
                    }
                    value = one;
                }
            }
            if (!Double.isNaN(value)) {
                if (Double.isNaN(current)) {
                    first = value;
                } else if (value != current) {
                    double gap = here - last;
                    if (!(place.error() <= gap / 8)) {
                        return Optional.empty();
                    }
                    inputs.add(place.plus(-(here + last) / 2).times(STEEPNESS / gap));
                    heights.add(value - current);
                    sharp &= !between;
                }
                current = value;
                last = here;
            }
            between = Double.isNaN(value);
            for (int i = from; i < to; i++) {
                filled[order[i]] = current;
            }
            from = to;
        }
        for (int i = 0; i < filled.length; i++) {
            filled[i] = Double.isNaN(filled[i]) ? first : filled[i];
        }
        return Optional.of(new Steps(filled, sharp, first, inputs, heights));
    }
}
