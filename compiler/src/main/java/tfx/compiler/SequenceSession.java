package tfx.compiler;

import java.lang.foreign.Arena;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import tfx.ir.sequence.Atom;
import tfx.ir.sequence.Kind;
import tfx.ir.sequence.SequenceError;
import tfx.ir.sequence.SequenceEvaluator;
import tfx.ir.sequence.SequenceNode;
import tfx.passes.sequence.Irregular;
import tfx.passes.sequence.SequenceLowering;
import tfx.runtime.RunException;
import tfx.runtime.Tensor;

/// An s-op or a selector made ready to run on inputs of any length, compiled for each kind of tokens when it
/// first comes. Where a call leaves what vectors hold (integers beyond 64 bits, say) or fails, the evaluator
/// runs it, exactly, or says what is wrong. Safe for concurrent calls.
public final class SequenceSession implements AutoCloseable {
    /// How selectors run.
    public enum Selectors {
        /// By their normal form.
        FORMS,
        /// Over all pairs of positions.
        PAIRS
    }

    /// More tokens than this the evaluator does not take for calls that vectors cannot hold: it compares all
    /// pairs.
    private static final int MAX_EXACT = 10_000;

    /// What a call came to.
    ///
    /// @param imprecise whether summing over all pairs is worth trying
    private record Run(Optional<List<List<Atom>>> values, boolean imprecise) {
        static final Run FAILED = new Run(Optional.empty(), false);
    }

    private record Way(Kind kind, Selectors selectors) {}

    private record Compiled(SequenceLowering.Lowered lowered, Engine engine) {}

    private final SequenceNode node;
    private final Session.Options options;
    private final Selectors selectors;
    private final Map<Way, Optional<Compiled>> compiled = new HashMap<>();
    private final ReadWriteLock open = new ReentrantReadWriteLock();
    private boolean closed;
    private int compiledCalls;

    public SequenceSession(SequenceNode node, Session.Options options) {
        this(node, options, Selectors.FORMS);
    }

    public SequenceSession(SequenceNode node, Session.Options options, Selectors selectors) {
        this.node = node;
        this.options = options;
        this.selectors = selectors;
    }

    /// The value at each position, in one list; for a selector, a list for each query position of whether it
    /// selects each key position.
    ///
    /// @param input the tokens, at least one
    /// @throws RunException where the program fails on this input
    public List<List<Atom>> run(List<Atom> input) {
        open.readLock().lock();
        try {
            if (closed) {
                throw new IllegalStateException("this sequence program is closed");
            }
            if (options.backend() != Session.Backend.EVALUATOR && !input.isEmpty()) {
                Optional<Kind> kind = kind(input);
                for (Selectors way : selectors == Selectors.FORMS ? Selectors.values() : new Selectors[] {selectors}) {
                    Run result = compiled(kind, way).map(c -> run(c, input)).orElse(Run.FAILED);
                    if (result.values().isPresent()) {
                        return result.values().get();
                    }
                    if (!result.imprecise()) {
                        break;
                    }
                }
                if (input.size() > MAX_EXACT) {
                    throw new RunException(
                            "the program fails on this input, or needs more than 64-bit numbers; at most "
                                    + MAX_EXACT + " tokens are run exactly, not " + input.size()
                                    + ". On fewer tokens the message says what is wrong, and where");
                }
            }
            return evaluate(input);
        } catch (SequenceError e) {
            throw new RunException(e.getMessage() + " (" + e.span() + ")");
        } finally {
            open.readLock().unlock();
        }
    }

    /// How many calls the compiled program ran to its end.
    synchronized int compiledCalls() {
        return compiledCalls;
    }

    private List<List<Atom>> evaluate(List<Atom> input) {
        SequenceEvaluator evaluator = new SequenceEvaluator(input);
        if (!node.isSelector()) {
            return List.of(evaluator.values(node));
        }
        List<List<Atom>> rows = new ArrayList<>();
        for (BitSet row : evaluator.rows(node)) {
            List<Atom> cells = new ArrayList<>(input.size());
            for (int j = 0; j < input.size(); j++) {
                cells.add(Atom.of(row.get(j)));
            }
            rows.add(cells);
        }
        return rows;
    }

    /// The kind that all tokens have; none if they differ.
    private static Optional<Kind> kind(List<Atom> input) {
        Kind first = input.getFirst().kind();
        return input.stream().allMatch(a -> a.kind() == first) ? Optional.of(first) : Optional.empty();
    }

    private synchronized Optional<Compiled> compiled(Optional<Kind> kind, Selectors way) {
        return kind.flatMap(k -> compiled.computeIfAbsent(new Way(k, way), this::compile));
    }

    private Optional<Compiled> compile(Way way) {
        SequenceLowering.Lowered lowered;
        try {
            lowered = SequenceLowering.lower(node, way.kind(), way.selectors() == Selectors.PAIRS);
        } catch (Irregular e) {
            return Optional.empty();
        }
        return Optional.of(new Compiled(lowered, Session.engine(lowered.graph(), options)));
    }

    private Run run(Compiled program, List<Atom> input) {
        try (Arena arena = Arena.ofShared()) {
            SequenceInputs inputs = new SequenceInputs(node, input, arena);
            Optional<Map<String, Tensor>> bound = inputs.bind(program.lowered().feeds());
            if (bound.isEmpty()) {
                return Run.FAILED;
            }
            bound.get().keySet().retainAll(program.lowered().inputs());
            Map<String, Tensor> results = program.engine().run(bound.get(), arena, Optional.empty());
            boolean precise = results.get("precise").getLong(0) != 0;
            if (!precise || results.get("regular").getLong(0) == 0) {
                return new Run(Optional.empty(), !precise);
            }
            synchronized (this) {
                compiledCalls++;
            }
            return new Run(Optional.of(decode(program.lowered(), results, inputs.strings(), input.size())), false);
        }
    }

    private List<List<Atom>> decode(
            SequenceLowering.Lowered lowered, Map<String, Tensor> results, List<String> strings, int size) {
        Tensor values = results.get("value");
        Optional<Tensor> tags = Optional.ofNullable(results.get("tag"));
        Kind only = lowered.kinds().iterator().next();
        List<Atom> texts = strings.stream().map(Atom::of).toList();
        List<List<Atom>> rows = new ArrayList<>();
        for (int row = 0; row < values.count() / size; row++) {
            List<Atom> atoms = new ArrayList<>(size);
            for (int i = 0; i < size; i++) {
                long at = (long) row * size + i;
                Kind kind = tags.map(t -> Kind.values()[(int) t.getLong(at)]).orElse(only);
                atoms.add(
                        switch (kind) {
                            case TRUTH -> Atom.of(number(values, at) != 0);
                            case WHOLE -> new Atom.Whole(BigInteger.valueOf(whole(values, at)));
                            case REAL -> Atom.of(values.getDouble(at));
                            case TEXT -> texts.get((int) values.getLong(at));
                        });
            }
            rows.add(atoms);
        }
        return rows;
    }

    private static double number(Tensor values, long at) {
        return values.dtype().isFloat() ? values.getDouble(at) : values.getLong(at);
    }

    private static long whole(Tensor values, long at) {
        return values.dtype().isFloat() ? (long) values.getDouble(at) : values.getLong(at);
    }

    /// Waits for calls that run, then frees what they used.
    @Override
    public void close() {
        open.writeLock().lock();
        try {
            closed = true;
            compiled.values().forEach(c -> c.ifPresent(p -> p.engine().close()));
            compiled.clear();
        } finally {
            open.writeLock().unlock();
        }
    }
}
