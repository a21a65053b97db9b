package tfx.passes.transformer;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tfx.ir.sequence.Atom;
import tfx.passes.transformer.Transformer.Matrix;

/// The residual stream while it is planned: each number of a position is written once, by an embedding, a head,
/// or a perceptron.
final class Residual {
    /// What selected pairs score over others, in a head.
    static final double COLDNESS = 50;

    /// A function of the token or of the position alone.
    private record Embedded(Variable variable, int dimension, double[] byValue) {}

    private record Write(int dimension, int unit, double factor) {}

    private record Read(int dimension, Functional value) {}

    /// One head.
    private record Head(List<Score> scores, double sink, List<Read> reads) {}

    /// A product that a score is a sum of.
    record Score(Functional key, Functional query) {}

    /// Which head of a layer reads something.
    private record Selection(List<Score> scores, double sink) {}

    private static final class Layer {
        private final Map<Selection, Head> heads = new LinkedHashMap<>();
        private final Map<Functional, Integer> units = new LinkedHashMap<>();
        private final List<Write> writes = new ArrayList<>();
    }

    private final List<String> labels = new ArrayList<>();
    private final List<Embedded> embedded = new ArrayList<>();
    private final List<Layer> layers = new ArrayList<>();

    private int dimension(String label) {
        labels.add(label);
        return labels.size() - 1;
    }

    private Layer layer(int number) {
        while (layers.size() < number) {
            layers.add(new Layer());
        }
        return layers.get(number - 1);
    }

    /// Holds a function of an embedded variable.
    Functional embed(Variable variable, double[] byValue, String label) {
        int dimension = dimension(label);
        embedded.add(new Embedded(variable, dimension, byValue));
        double error = 0;
        double size = 0;
        boolean whole = true;
        for (double value : byValue) {
            error = Math.max(error, Math.abs(value - (float) value));
            size = Math.max(size, Math.abs(value));
            whole &= Functional.isWhole(value);
        }
        return Functional.of(dimension, 0, error, size, whole);
    }

    /// Holds what a head reads from the positions that all of some factors select; 0 where there is none.
    ///
    /// @param sink  what the sink scores
    /// @param error of the result, by the caller's account
    Functional read(List<Score> scores, double sink, Functional value, double error, String label) {
        int time = value.time();
        for (Score score : scores) {
            time = Math.max(time, Math.max(score.key().time(), score.query().time()));
        }
        int layer = (time + 1) / 2 + 1;
        int dimension = dimension(label);
        layer(layer)
                .heads
                .computeIfAbsent(new Selection(scores, sink), s -> new Head(scores, sink, new ArrayList<>()))
                .reads()
                .add(new Read(dimension, value));
        return Functional.of(dimension, 2 * layer - 1, error, value.size(), false);
    }

    /// The layer whose perceptron can read a functional.
    static int perceptronAfter(int time) {
        return time / 2 + 1;
    }

    /// How many of some units a layer does not have yet.
    int missing(int layer, List<Functional> inputs) {
        return (int) inputs.stream()
                .filter(i ->
                        layer > layers.size() || !layers.get(layer - 1).units.containsKey(i))
                .count();
    }

    /// Holds a sum of sigmoids, each of which is 0 or 1.
    ///
    /// @param size a bound of the sum
    Functional sum(int layer, List<Functional> inputs, List<Double> factors, double size, String label) {
        int dimension = dimension(label);
        Layer here = layer(layer);
        double all = 0;
        boolean whole = true;
        for (int i = 0; i < inputs.size(); i++) {
            Integer unit = here.units.get(inputs.get(i));
            if (unit == null) {
                unit = here.units.size();
                here.units.put(inputs.get(i), unit);
            }
            here.writes.add(new Write(dimension, unit, factors.get(i)));
            all += Math.abs(factors.get(i));
            whole &= Functional.isWhole(factors.get(i));
        }
        double error = Functional.of(dimension, 2 * layer, all * Axis.STEP_ERROR, all, whole)
                .rounded()
                .error();
        return Functional.of(dimension, 2 * layer, error, size, whole);
    }

    /// About how many numbers all matrices will hold.
    ///
    /// @param rows how many the embeddings and the unembedding have
    long parameters(int rows) {
        long all = rows;
        for (Layer layer : layers) {
            long widest = layer.heads.values().stream()
                    .mapToLong(h -> 2L * h.scores().size() + 2L * h.reads().size())
                    .max()
                    .orElse(0);
            all += layer.heads.size() * widest + 2L * layer.units.size();
        }
        return all * labels.size();
    }

    /// All of it as matrices.
    Transformer finish(
            List<Atom> vocabulary,
            int maxLength,
            boolean causal,
            Functional output,
            List<Double> codes,
            List<Atom> classes) {
        if (labels.isEmpty()) {
            dimension("nothing");
        }
        int width = labels.size();
        Matrix tokens = Matrix.zeros(vocabulary.size(), width);
        Matrix positions = Matrix.zeros(maxLength, width);
        for (Embedded e : embedded) {
            boolean token = e.variable().source() == Variable.Source.TOKENS;
            for (int row = 0; row < (token ? vocabulary.size() : maxLength); row++) {
                int value = e.variable().find(token ? vocabulary.get(row) : Atom.of(row));
                (token ? tokens : positions).set(row, e.dimension(), e.byValue()[value]);
            }
        }
        List<Transformer.Layer> finished = layers.stream()
                .map(l -> new Transformer.Layer(
                        l.heads.isEmpty() ? Optional.empty() : Optional.of(attention(List.copyOf(l.heads.values()))),
                        l.units.isEmpty() ? Optional.empty() : Optional.of(perceptron(l))))
                .toList();
        // The nearest code c to x is that of the largest 2xc - c^2.
        Matrix unembedding = Matrix.zeros(classes.size(), width);
        Matrix bias = Matrix.zeros(1, classes.size());
        double middle = (codes.getFirst() + codes.getLast()) / 2;
        for (int c = 0; c < classes.size(); c++) {
            double code = codes.get(c) - middle;
            int row = c;
            output.terms().forEach((d, f) -> unembedding.set(row, d, 2 * f * code));
            bias.set(0, c, 2 * (output.constant() - middle) * code - code * code);
        }
        return new Transformer(
                vocabulary, maxLength, causal, tokens, positions, finished, unembedding, bias, classes, labels);
    }

    private Transformer.Attention attention(List<Head> heads) {
        int width = labels.size();
        int key = Math.max(
                1, heads.stream().mapToInt(h -> h.scores().size()).max().orElse(0));
        int size = heads.stream().mapToInt(h -> h.reads().size()).max().orElse(0);
        Rows queries = new Rows(heads.size() * key, width);
        Rows keys = new Rows(heads.size() * key, width);
        Rows values = new Rows(heads.size() * size, width);
        Matrix output = Matrix.zeros(width, heads.size() * size);
        Matrix sink = Matrix.zeros(1, heads.size());
        for (int h = 0; h < heads.size(); h++) {
            Head head = heads.get(h);
            for (int i = 0; i < head.scores().size(); i++) {
                keys.set(h * key + i, head.scores().get(i).key());
                queries.set(h * key + i, head.scores().get(i).query().times(COLDNESS));
            }
            for (int i = 0; i < head.reads().size(); i++) {
                values.set(h * size + i, head.reads().get(i).value());
                output.set(head.reads().get(i).dimension(), h * size + i, 1);
            }
            sink.set(0, h, head.sink());
        }
        return new Transformer.Attention(
                heads.size(),
                queries.weight,
                queries.bias,
                keys.weight,
                keys.bias,
                values.weight,
                values.bias,
                output,
                sink);
    }

    private Transformer.Perceptron perceptron(Layer layer) {
        Rows up = new Rows(layer.units.size(), labels.size());
        layer.units.forEach((input, unit) -> up.set(unit, input));
        Matrix down = Matrix.zeros(labels.size(), layer.units.size());
        layer.writes.forEach(w -> down.set(w.dimension(), w.unit(), w.factor()));
        return new Transformer.Perceptron(up.weight, up.bias, down);
    }

    /// An affine map, made row by row.
    private static final class Rows {
        private final Matrix weight;
        private final Matrix bias;

        Rows(int rows, int width) {
            weight = Matrix.zeros(rows, width);
            bias = Matrix.zeros(1, rows);
        }

        void set(int row, Functional functional) {
            functional.terms().forEach((d, f) -> weight.set(row, d, f));
            bias.set(0, row, functional.constant());
        }
    }
}
