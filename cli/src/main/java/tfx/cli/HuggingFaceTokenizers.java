package tfx.cli;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import tfx.runtime.RunException;
import tfx.runtime.Tokenizer;
import tfx.runtime.Tokenizers;

/// Tokenizers from `tokenizer.json` files. Padding that a file asks for is switched off: programs run packed.
public final class HuggingFaceTokenizers implements Tokenizers {
    private static final int NO_LIMIT = 1 << 20;

    @Override
    public Tokenizer open(Path file, Optional<Integer> limit) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new IOException("there is no such file");
        }
        HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.builder()
                .optTokenizerPath(file)
                .optPadding(false)
                .optTruncation(true)
                .optMaxLength(limit.orElse(NO_LIMIT))
                .build();
        return new Tokenizer() {
            @Override
            public int[] encode(String text) {
                long[] ids;
                try {
                    ids = tokenizer.encode(text).getIds();
                } catch (RuntimeException e) {
                    // The library has no exception of its own; a vocabulary of words fails on others, for one.
                    throw new RunException(
                            "the tokenizer " + file + " does not take '" + text + "': " + e.getMessage(), e);
                }
                int[] narrow = new int[ids.length];
                for (int i = 0; i < ids.length; i++) {
                    narrow[i] = Math.toIntExact(ids[i]);
                }
                return narrow;
            }

            @Override
            public void close() {
                tokenizer.close();
            }
        };
    }
}
