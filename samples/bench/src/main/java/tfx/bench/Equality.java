package tfx.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/// The largest difference between the embeddings of the samples and those of ONNX Runtime with the same file and
/// tokens, over different texts, each alone and in batches of mixed lengths.
public final class Equality {
    private static final int TEXTS = 200;
    private static final String[] WORDS = {
        "attention", "is", "all", "you", "need", "the", "quick", "brown", "fox", "jumps", "kernel", "tile", "softmax",
        "naïve", "façade", "東京", "здравствуй", "🙂", "int", "main()", "{", "}", "return", "0;", "=>", "3.14159", "e=mc²",
        "\t", "supercalifragilisticexpialidocious"
    };

    private Equality() {}

    /// The texts: empty, single characters, other scripts, code, 512 tokens and more, and random sentences.
    static List<String> texts() {
        List<String> texts = new ArrayList<>(List.of(
                "", "a", " ", "?", "é", "中", "🙂", "\n\n",
                "for (int i = 0; i < n; i++) { sum += a[i] * b[i]; }",
                "SELECT name FROM users WHERE id = 42 -- comment",
                "Überraschung: Ελληνικά, עברית, العربية, हिन्दी, 한국어",
                "word ".repeat(510), "word ".repeat(511), "overflow ".repeat(2000)));
        Random random = new Random(11);
        while (texts.size() < TEXTS) {
            StringBuilder text = new StringBuilder("text " + texts.size());
            int words = 1 + random.nextInt(random.nextInt(10) == 0 ? 400 : 60);
            for (int i = 0; i < words; i++) {
                text.append(' ').append(WORDS[random.nextInt(WORDS.length)]);
            }
            texts.add(text.toString());
        }
        return texts;
    }

    /// A sample, how many texts it runs on, and what may differ: elements, or one minus the cosine.
    private record Model(String sample, int texts, boolean first, boolean cosine, double limit) {}

    private static final List<Model> MODELS = List.of(
            new Model("minilm", TEXTS, false, false, 2e-6),
            new Model("bge", 50, true, false, 5e-6),
            new Model("e5", 50, false, false, 5e-6),
            new Model("minilm_q", 50, false, true, 1e-3));

    public static void main(String[] arguments) throws Exception {
        double worst = 0;
        String worstModel = "";
        System.out.printf("%-10s %6s %-22s %10s %10s %10s  %s%n", "sample", "texts", "measure", "worst", "limit", "peer's own",
                "at");
        for (Model model : MODELS) {
            double ratio = run(model);
            if (!(ratio <= worst)) {
                worst = ratio;
                worstModel = model.sample;
            }
        }
        System.out.printf("worst ratio: %.2f (%s, largest difference over the limit)%n", worst, worstModel);
    }

    /// The worst difference over the limit. A quantised model turns a difference in the last bit, where it falls
    /// on a rounding border, into a whole step: the peer with and without its own rewriting of the model differs
    /// too, and where that is more than the limit, it is the limit.
    private static double run(Model model) throws Exception {
        double worst = 0;
        double own = 0;
        String worstText = "";
        List<String> texts = texts().subList(0, model.texts);
        try (TfxEncoder tfx = new TfxEncoder(model.sample, 2);
                OnnxEncoder peer = new OnnxEncoder(tfx.model(), 2, model.first, true);
                OnnxEncoder plain = new OnnxEncoder(tfx.model(), 2, model.first, false)) {
            int batch = 1;
            for (int i = 0; i < texts.size(); i += batch, batch = batch % 9 + 1) {
                List<String> group = texts.subList(i, Math.min(i + batch, texts.size()));
                float[][] ours = tfx.embed(group);
                for (int j = 0; j < group.size(); j++) {
                    float[] theirs = peer.embed(tfx.tokens(group.get(j)))[0];
                    float[] again = plain.embed(tfx.tokens(group.get(j)))[0];
                    own = Math.max(own, difference(again, theirs, model.cosine));
                    float[] alone = tfx.embed(List.of(group.get(j)))[0];
                    double difference = Math.max(
                            difference(ours[j], theirs, model.cosine), difference(alone, theirs, model.cosine));
                    if (!(difference <= worst)) {
                        worst = difference;
                        worstText = group.get(j);
                    }
                }
            }
        }
        System.out.printf("%-10s %6d %-22s %10.3g %10.1g %10.3g  \"%.30s\"%n", model.sample, texts.size(),
                model.cosine ? "1 - cosine" : "absolute difference", worst, model.limit, own, worstText.strip());
        return worst / (model.cosine ? Math.max(model.limit, own) : model.limit);
    }

    private static double difference(float[] a, float[] b, boolean cosine) {
        double largest = 0;
        double product = 0;
        double lengths = 0;
        double other = 0;
        for (int d = 0; d < a.length; d++) {
            largest = Math.max(largest, Double.isNaN(a[d]) ? Double.NaN : Math.abs(a[d] - b[d]));
            product += (double) a[d] * b[d];
            lengths += (double) a[d] * a[d];
            other += (double) b[d] * b[d];
        }
        return cosine ? 1 - product / Math.sqrt(lengths * other) : largest;
    }
}
