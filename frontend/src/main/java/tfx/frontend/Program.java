package tfx.frontend;

import java.util.List;
import java.util.Optional;
import tfx.ir.Span;
import tfx.ir.graph.Graph;
import tfx.runtime.program.Signature;

/// A checked program: its graph, and how arguments and results map to the graph's inputs and outputs.
///
/// @param weights the weight file, where the program belongs to a model that has one
public record Program(
        Graph graph, Signature signature, Optional<Asset> weights, Optional<TokenizerAsset> tokenizer, Span span) {
    public String name() {
        return signature.program();
    }

    public List<Signature.Parameter> parameters() {
        return signature.parameters();
    }

    public List<Signature.Result> results() {
        return signature.results();
    }

    /// A file that the source names, relative to the source's own folder.
    public record Asset(String path, Span span) {}

    /// A tokenizer file and the most tokens that a text may have.
    public record TokenizerAsset(Asset file, Optional<Integer> limit) {}
}
