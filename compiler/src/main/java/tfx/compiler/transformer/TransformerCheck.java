package tfx.compiler.transformer;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import tfx.compiler.LoadedFile;
import tfx.compiler.LoadedProgram;
import tfx.compiler.Tfx;
import tfx.ir.InternalError;
import tfx.ir.sequence.Atom;
import tfx.ir.sequence.Numbers;
import tfx.ir.sequence.PythonText;
import tfx.ir.sequence.SequenceError;
import tfx.ir.sequence.SequenceEvaluator;
import tfx.ir.sequence.SequenceNode;
import tfx.passes.transformer.Transformer;
import tfx.runtime.Tensor;

/// Runs a transformer from its files and compares it with the evaluator: on all inputs of the lengths of which
/// there are few, on random ones of the others.
public final class TransformerCheck {
    private static final int MAX_ALL = 20_000;
    private static final int SAMPLES = 3_000;
    /// Code that runs often is compiled sooner than code that runs long.
    private static final int BATCH = 50;
    private static final long SEED = 20_230_112;

    /// @param allUpTo  all inputs of at most this many tokens were tried
    /// @param all      how many those are
    /// @param samples  how many random ones of the other lengths were tried
    public record Outcome(int allUpTo, int all, int samples) {}

    private final SequenceNode node;
    private final Transformer model;
    private final LoadedProgram program;

    private TransformerCheck(SequenceNode node, Transformer model, LoadedProgram program) {
        this.node = node;
        this.model = model;
        this.program = program;
    }

    /// @param node what the transformer computes
    /// @throws SequenceError where the program fails on an input
    /// @throws InternalError where the transformer is wrong
    static Outcome run(SequenceNode node, Transformer model, Path file, String name) throws IOException {
        try (LoadedFile loaded = Tfx.load(file)) {
            return new TransformerCheck(node, model, loaded.program(name)).run();
        }
    }

    private Outcome run() {
        int all = 0;
        int length = 1;
        int size = model.vocabulary().size();
        for (; length <= model.maxLength(); length++) {
            double count = Math.pow(size, length);
            if (all + count > MAX_ALL) {
                break;
            }
            exhaust(length, (int) count);
            all += (int) count;
        }
        int rest = model.maxLength() - length + 1;
        if (rest > 0) {
            sample(length);
        }
        return new Outcome(length - 1, all, rest > 0 ? SAMPLES : 0);
    }

    private void exhaust(int length, int count) {
        List<int[]> batch = new ArrayList<>();
        for (int number = 0; number < count; number++) {
            int[] ids = new int[length];
            int left = number;
            for (int i = 0; i < length; i++) {
                ids[i] = left % model.vocabulary().size();
                left /= model.vocabulary().size();
            }
            add(batch, ids);
        }
        compare(batch);
    }

    /// Half of the samples draw from all tokens, half from a few, so that tokens repeat.
    private void sample(int shortest) {
        Random random = new Random(SEED);
        List<int[]> batch = new ArrayList<>();
        int size = model.vocabulary().size();
        for (int s = 0; s < SAMPLES; s++) {
            int[] ids = new int[shortest + random.nextInt(model.maxLength() - shortest + 1)];
            int few = s % 2 == 0 ? size : 1 + random.nextInt(size);
            int from = random.nextInt(size);
            for (int i = 0; i < ids.length; i++) {
                ids[i] = (from + random.nextInt(few)) % size;
            }
            add(batch, ids);
        }
        compare(batch);
    }

    private void add(List<int[]> batch, int[] ids) {
        batch.add(ids);
        if (batch.size() == BATCH) {
            compare(batch);
            batch.clear();
        }
    }

    private void compare(List<int[]> batch) {
        if (batch.isEmpty()) {
            return;
        }
        try (Arena arena = Arena.ofShared()) {
            Tensor results = program.call(arena, batch).values().iterator().next();
            long at = 0;
            for (int[] ids : batch) {
                List<Atom> input = new ArrayList<>();
                for (int id : ids) {
                    input.add(model.vocabulary().get(id));
                }
                for (Atom wanted : expected(input)) {
                    if (!is(results, at++, wanted)) {
                        throw new InternalError("the weights are wrong on " + shown(input) + ": "
                                + PythonText.quoted(wanted) + " is due");
                    }
                }
            }
        }
    }

    private List<Atom> expected(List<Atom> input) {
        try {
            return new SequenceEvaluator(input).values(node);
        } catch (SequenceError e) {
            throw new SequenceError(e.span(), "the program fails on " + shown(input) + ": " + e.getMessage());
        }
    }

    private static List<String> shown(List<Atom> input) {
        return input.stream().map(PythonText::quoted).toList();
    }

    private boolean is(Tensor results, long at, Atom wanted) {
        return TransformerFiles.areNumbered(model.classes())
                ? Numbers.same(model.classes().get((int) results.getLong(at)), wanted)
                : !(wanted instanceof Atom.Text) && results.getDouble(at) == Numbers.real(wanted);
    }
}
