package tfx.passes.transformer;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tfx.ir.Span;
import tfx.ir.sequence.SequenceError;

/// Functions of variables, held in the residual stream: those of a token or an index by the embeddings, all others
/// by perceptrons whose hidden units are steps along a line that the tuples of values are laid out on.
final class Functions {
    private static final int MAX_ORDERED = 4;
    private static final double EXACT = 1e-9;

    /// Gives the functional of a variable's code.
    interface Codes {
        Functional of(Variable variable);
    }

    private final Residual residual;
    private final Codes codes;
    private final ValueSets sets;
    private final Map<Tuples, Basis> held = new HashMap<>();
    private final Map<Tuples, List<Axis>> axes = new HashMap<>();
    private final Map<Tuples, List<Axis>> cleanAxes = new HashMap<>();

    Functions(Residual residual, Codes codes, ValueSets sets) {
        this.residual = residual;
        this.codes = codes;
        this.sets = sets;
    }

    /// A function of some variables.
    ///
    /// @param byTuple its values; NaN where any will do
    /// @param label   what it is called in the residual stream
    /// @param span    where it comes from
    /// @throws SequenceError where the values of the variables are too close to be told apart in f32
    Functional of(Tuples tuples, double[] byTuple, String label, Span span) {
        double[] values = byTuple.clone();
        Optional<Double> constant = constant(values);
        if (constant.isPresent()) {
            return Functional.constant(constant.get());
        }
        if (tuples.variables().size() == 1) {
            Variable only = tuples.variables().getFirst();
            if (only.isEmbedded()) {
                return embedded(tuples, only, filled(values), label);
            }
            Optional<Functional> affine = affine(tuples, only, values);
            if (affine.isPresent()) {
                return affine.get();
            }
        }
        return perceptron(tuples, values, lines(tuples, axes, false), label)
                .or(() -> tuples.variables().size() == 1
                        ? Optional.empty()
                        : perceptron(tuples, values, lines(tuples, cleanAxes, true), label))
                .orElseThrow(() -> new SequenceError(
                        span,
                        "this tells apart values of " + tuples.variables()
                                + " that lie too close together for f32; shorter inputs would do"));
    }

    /// The only value; none where there are several.
    private static Optional<Double> constant(double[] values) {
        double only = Double.NaN;
        for (double value : values) {
            if (!Double.isNaN(value)) {
                if (!Double.isNaN(only) && value != only) {
                    return Optional.empty();
                }
                only = value;
            }
        }
        return Optional.of(Double.isNaN(only) ? 0 : only);
    }

    private static double[] filled(double[] values) {
        double[] all = values.clone();
        for (int i = 0; i < all.length; i++) {
            all[i] = Double.isNaN(all[i]) ? 0 : all[i];
        }
        return all;
    }

    private Basis basis(Tuples tuples) {
        return held.computeIfAbsent(tuples, t -> new Basis(t.count()));
    }

    private Functional embedded(Tuples tuples, Variable variable, double[] values, String label) {
        Basis basis = basis(tuples);
        return basis.express(values).orElseGet(() -> {
            double[] byValue = new double[variable.values().size()];
            for (int t = 0; t < tuples.count(); t++) {
                byValue[tuples.value(t, 0)] = values[t];
            }
            Functional made = residual.embed(variable, byValue, label);
            basis.add(values, made);
            return made;
        });
    }

    /// A function that is the variable's code, scaled and moved.
    private Optional<Functional> affine(Tuples tuples, Variable variable, double[] values) {
        int low = -1;
        int high = -1;
        for (int t = 0; t < values.length; t++) {
            if (!Double.isNaN(values[t])) {
                low = low < 0 || tuples.code(t, 0) < tuples.code(low, 0) ? t : low;
                high = high < 0 || tuples.code(t, 0) > tuples.code(high, 0) ? t : high;
            }
        }
        double slope = (values[high] - values[low]) / (tuples.code(high, 0) - tuples.code(low, 0));
        double start = values[low] - slope * tuples.code(low, 0);
        for (int t = 0; t < values.length; t++) {
            double wanted = values[t];
            if (Math.abs(wanted - start - slope * tuples.code(t, 0)) > EXACT * Math.max(1, Math.abs(wanted))) {
                return Optional.empty();
            }
        }
        Functional moved = codes.of(variable).times(slope).plus(start);
        return Optional.of(moved.rounded());
    }

    private Optional<Functional> perceptron(Tuples tuples, double[] values, List<Axis> lines, String label) {
        Optional<Axis.Steps> best = Optional.empty();
        int layer = 0;
        int fewest = Integer.MAX_VALUE;
        for (Axis line : lines) {
            Optional<Axis.Steps> steps = line.steps(values);
            int after = Residual.perceptronAfter(line.time());
            int missing = steps.map(s -> residual.missing(after, s.inputs())).orElse(Integer.MAX_VALUE);
            if (missing < fewest) {
                best = steps;
                layer = after;
                fewest = missing;
            }
        }
        if (best.isEmpty()) {
            return Optional.empty();
        }
        Axis.Steps steps = best.get();
        Basis basis = basis(tuples);
        Optional<Functional> known = basis.express(steps.filled());
        if (known.isPresent()) {
            return known;
        }
        double[] moved = steps.filled().clone();
        double size = 0;
        for (int i = 0; i < moved.length; i++) {
            moved[i] -= steps.first();
            size = Math.max(size, Math.abs(moved[i]));
        }
        Functional made = residual.sum(layer, steps.inputs(), steps.heights(), size, label);
        if (steps.sharp()) {
            basis.add(moved, made);
        }
        return Optional.of(made.plus(steps.first()));
    }

    private List<Axis> lines(Tuples tuples, Map<Tuples, List<Axis>> known, boolean clean) {
        if (!known.containsKey(tuples)) {
            known.put(tuples, lines(tuples, clean));
        }
        return known.get(tuples);
    }

    /// Lines to lay tuples out on: digits of a mixed radix in each order, and sums and differences.
    ///
    /// @param clean whether what heads read is first turned into the number of its value
    private List<Axis> lines(Tuples tuples, boolean clean) {
        List<Variable> variables = tuples.variables();
        List<Digit> digits = new ArrayList<>();
        for (int v = 0; v < variables.size(); v++) {
            digits.add(digit(tuples, v, clean));
        }
        List<Axis> lines = new ArrayList<>();
        for (List<Integer> order : orders(variables.size())) {
            double[] scales = new double[digits.size()];
            double span = 0;
            for (int v : order) {
                scales[v] = (span == 0 ? 1 : span + 1) / digits.get(v).gap();
                span += scales[v] * digits.get(v).range();
            }
            lines.add(line(tuples, digits, scales));
        }
        if (digits.size() == 2) {
            lines.add(line(tuples, digits, new double[] {1, 1}));
            lines.add(line(tuples, digits, new double[] {1, -1}));
        }
        return lines;
    }

    /// A variable as a digit.
    ///
    /// @param values by value of the variable
    private record Digit(Functional code, double[] values) {
        double range() {
            return values[values.length - 1] - values[0];
        }

        double gap() {
            double gap = values.length == 1 ? 1 : Double.POSITIVE_INFINITY;
            for (int i = 1; i < values.length; i++) {
                gap = Math.min(gap, values[i] - values[i - 1]);
            }
            return gap;
        }
    }

    private Digit digit(Tuples tuples, int v, boolean clean) {
        Variable variable = tuples.variables().get(v);
        double[] values = new double[variable.values().size()];
        boolean counted =
                clean && (variable.source() == Variable.Source.AGGREGATE || variable.source() == Variable.Source.WIDTH);
        for (int i = 0; i < values.length; i++) {
            values[i] = counted ? i : variable.code(i);
        }
        return new Digit(counted ? number(variable) : codes.of(variable), values);
    }

    /// Which of its values a variable has, counted from 0.
    private Functional number(Variable variable) {
        Tuples alone = sets.alone(variable);
        double[] numbers = new double[alone.count()];
        for (int t = 0; t < numbers.length; t++) {
            numbers[t] = alone.value(t, 0);
        }
        return of(alone, numbers, variable + ", numbered", Span.NONE);
    }

    private static List<List<Integer>> orders(int size) {
        List<List<Integer>> orders = new ArrayList<>();
        orders.add(List.of());
        for (int v = 0; v < size; v++) {
            List<List<Integer>> longer = new ArrayList<>();
            for (List<Integer> order : orders) {
                for (int at = size > MAX_ORDERED ? order.size() : 0; at <= order.size(); at++) {
                    List<Integer> one = new ArrayList<>(order);
                    one.add(at, v);
                    longer.add(one);
                }
            }
            orders = longer;
        }
        return orders;
    }

    private static Axis line(Tuples tuples, List<Digit> digits, double[] scales) {
        Functional place = Functional.constant(0);
        double[] at = new double[tuples.count()];
        for (int v = 0; v < scales.length; v++) {
            Digit digit = digits.get(v);
            place = place.plus(digit.code().times(scales[v]));
            for (int t = 0; t < at.length; t++) {
                at[t] += scales[v] * digit.values()[tuples.value(t, v)];
            }
        }
        return new Axis(place, at);
    }
}
