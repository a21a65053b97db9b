package tfx.runtime;

/// Turns text into the token ids of a model. Implementations are safe for concurrent use.
public interface Tokenizer extends AutoCloseable {
    /// The ids of a text with the model's special tokens, never longer than the limit the program declares.
    int[] encode(String text);

    @Override
    void close();
}
