package tfx.frontend;

import java.util.List;
import java.util.Optional;
import tfx.ir.Span;
import tfx.ir.graph.Graph;
import tfx.runtime.TensorType;

/// A checked program: its graph, and how arguments and results map to the graph's inputs and outputs.
///
/// @param parameters in the order of the source
/// @param weights    the weight file, where the program belongs to a model that has one
public record Program(
        String name,
        Graph graph,
        List<Parameter> parameters,
        List<Result> results,
        Optional<Asset> weights,
        Optional<TokenizerAsset> tokenizer,
        Span span) {
    public Program {
        parameters = List.copyOf(parameters);
        results = List.copyOf(results);
    }

    /// An argument.
    ///
    /// @param stored  the type of the graph's input of this name, packed if ragged
    /// @param written the type as the program sees it, for messages
    /// @param tokens  whether text is accepted, through the model's tokenizer
    /// @param offsets for a ragged argument, the graph input that takes its row offsets; arguments may share one
    public record Parameter(String name, TensorType stored, String written, boolean tokens, Optional<String> offsets) {}

    /// A result.
    ///
    /// @param stored  the type of the graph's output of this name, packed if ragged
    /// @param offsets for a ragged result, the graph input that holds its row offsets
    public record Result(String name, TensorType stored, Optional<String> offsets) {}

    /// A file that the source names, relative to the source's own folder.
    public record Asset(String path, Span span) {}

    /// A tokenizer file and the most tokens that a text may have.
    public record TokenizerAsset(Asset file, Optional<Integer> limit) {}
}
