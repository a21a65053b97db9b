package tfx.compiler;

import java.util.List;
import tfx.ir.sequence.Atom;
import tfx.ir.sequence.SequenceError;
import tfx.ir.sequence.SequenceEvaluator;
import tfx.ir.sequence.SequenceNode;
import tfx.runtime.RunException;

/// An s-op or a selector made ready to run on inputs of any length.
public final class SequenceSession implements AutoCloseable {
    private final SequenceNode node;

    public SequenceSession(SequenceNode node, Session.Options options) {
        this.node = node;
    }

    /// The value at each position; for a selector, for each query position whether it selects each key position.
    ///
    /// @param input the tokens, at least one
    /// @throws RunException where the program fails on this input
    public List<List<Atom>> run(List<Atom> input) {
        try {
            SequenceEvaluator evaluator = new SequenceEvaluator(input);
            return node.isSelector()
                    ? evaluator.rows(node).stream()
                            .map(row -> java.util.stream.IntStream.range(0, input.size())
                                    .mapToObj(j -> Atom.of(row.get(j)))
                                    .toList())
                            .toList()
                    : List.of(evaluator.values(node));
        } catch (SequenceError e) {
            throw new RunException(e.getMessage() + " (" + e.span() + ")");
        }
    }

    @Override
    public void close() {}
}
