package tfx.runtime.program;

import java.util.List;
import java.util.Optional;
import tfx.runtime.TensorType;

/// What a program takes and gives.
///
/// @param parameters in the order of the source
public record Signature(String program, List<Parameter> parameters, List<Result> results) {
    public Signature {
        parameters = List.copyOf(parameters);
        results = List.copyOf(results);
    }

    /// An argument.
    ///
    /// @param stored  the type of the input of this name, packed if ragged
    /// @param written the type as the program writes it, for messages
    /// @param tokens  whether text is accepted, through the model's tokenizer
    /// @param offsets for a ragged argument, the input that takes its row offsets; arguments may share one
    public record Parameter(String name, TensorType stored, String written, boolean tokens, Optional<String> offsets) {}

    /// A result.
    ///
    /// @param stored  the type of the output of this name, packed if ragged
    /// @param offsets for a ragged result, the input that holds its row offsets
    public record Result(String name, TensorType stored, Optional<String> offsets) {}
}
