package tfx.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/// The largest difference between the sample's embeddings and those of ONNX Runtime with the same tokens, over
/// 200
/// different texts, each alone and in batches of mixed lengths.
final class MiniLmEquality {
    private static final int TEXTS = 200;
    private static final String[] WORDS = {
        "attention", "is", "all", "you", "need", "the", "quick", "brown", "fox", "jumps", "kernel", "tile", "softmax",
        "naïve", "façade", "東京", "здравствуй", "🙂", "int", "main()", "{", "}", "return", "0;", "=>", "3.14159", "e=mc²",
        "\t", "supercalifragilisticexpialidocious"
    };

    private MiniLmEquality() {}

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

    static void run(String[] arguments) throws Exception {
        double limit = 2e-6;
        double worst = 0;
        String worstText = "";
        try (TfxMiniLm tfx = new TfxMiniLm(2);
                OnnxMiniLm peer = new OnnxMiniLm(TfxMiniLm.MODEL.toString(), 2)) {
            List<String> texts = texts();
            int batch = 1;
            for (int i = 0; i < texts.size(); i += batch, batch = batch % 9 + 1) {
                List<String> group = texts.subList(i, Math.min(i + batch, texts.size()));
                float[][] ours = tfx.embed(group);
                for (int j = 0; j < group.size(); j++) {
                    float[] theirs = peer.embed(tfx.tokens(group.get(j)))[0];
                    float[] alone = tfx.embed(List.of(group.get(j)))[0];
                    for (int d = 0; d < theirs.length; d++) {
                        double difference = Math.max(Math.abs(ours[j][d] - theirs[d]), Math.abs(alone[d] - theirs[d]));
                        if (!(difference <= worst)) {
                            worst = difference;
                            worstText = group.get(j);
                        }
                    }
                }
            }
            System.out.printf("%d texts, largest absolute difference: %.3g (limit %.1g), at \"%.40s\"%n", texts.size(),
                    worst, limit, worstText);
        }
        System.out.printf("worst ratio: %.2f (largest difference over the limit)%n", worst / limit);
    }
}
