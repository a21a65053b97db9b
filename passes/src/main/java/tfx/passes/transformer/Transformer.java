package tfx.passes.transformer;

import java.util.List;
import java.util.Optional;
import tfx.ir.sequence.Atom;

/// A transformer, as matrices. A position starts with the sum of two embeddings, its token's and its own; each
/// layer adds what its heads read from other positions, then what its perceptron makes of the position; the
/// unembedding gives a score for each class, and the class with the largest is the result there.
///
/// @param tokens      [vocabulary, width]
/// @param positions   [maxLength, width]
/// @param unembedding [classes, width]
/// @param bias        [1, classes]
/// @param classes     what each class stands for
/// @param residual    what each of the `width` numbers of a position holds
public record Transformer(
        List<Atom> vocabulary,
        int maxLength,
        boolean causal,
        Matrix tokens,
        Matrix positions,
        List<Layer> layers,
        Matrix unembedding,
        Matrix bias,
        List<Atom> classes,
        List<String> residual) {

    /// Rows one after another.
    public record Matrix(int rows, int columns, float[] data) {
        static Matrix zeros(int rows, int columns) {
            return new Matrix(rows, columns, new float[rows * columns]);
        }

        void set(int row, int column, double value) {
            data[row * columns + column] = (float) value;
        }
    }

    /// A layer may lack one of its halves.
    public record Layer(Optional<Attention> attention, Optional<Perceptron> perceptron) {}

    /// Heads side by side: `softmax(q k^T) v`, with one more score a head, the sink, which takes its share and
    /// gives nothing.
    ///
    /// @param query  [heads * key, width], and its bias [1, heads * key]; so `key`
    /// @param value  [heads * size, width], with its bias
    /// @param output [width, heads * size]
    /// @param sink   [1, heads]
    public record Attention(
            int heads,
            Matrix query,
            Matrix queryBias,
            Matrix key,
            Matrix keyBias,
            Matrix value,
            Matrix valueBias,
            Matrix output,
            Matrix sink) {}

    /// `down sigmoid(up x + bias)`.
    ///
    /// @param up   [hidden, width]
    /// @param bias [1, hidden]
    /// @param down [width, hidden]
    public record Perceptron(Matrix up, Matrix bias, Matrix down) {}

    public int width() {
        return residual.size();
    }

    public int heads() {
        return layers.stream()
                .mapToInt(l -> l.attention().map(Attention::heads).orElse(0))
                .sum();
    }

    /// How many numbers all matrices hold.
    public long parameters() {
        long sum = count(tokens, positions, unembedding, bias);
        for (Layer layer : layers) {
            sum += layer.attention()
                    .map(a -> count(a.query, a.queryBias, a.key, a.keyBias, a.value, a.valueBias, a.output, a.sink))
                    .orElse(0L);
            sum += layer.perceptron().map(p -> count(p.up, p.bias, p.down)).orElse(0L);
        }
        return sum;
    }

    private static long count(Matrix... matrices) {
        long sum = 0;
        for (Matrix matrix : matrices) {
            sum += matrix.data().length;
        }
        return sum;
    }
}
