package tfx.runtime;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/// Opens tokenizer files. Implementations are found as services, so that programs without text need none.
@FunctionalInterface
public interface Tokenizers {
    /// @param limit the most tokens that a text may have
    /// @throws IOException if the file cannot be read or is no tokenizer
    Tokenizer open(Path file, Optional<Integer> limit) throws IOException;
}
