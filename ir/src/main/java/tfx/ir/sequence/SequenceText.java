package tfx.ir.sequence;

import java.util.List;
import java.util.stream.Collectors;

/// Sequences as the first implementation of RASP shows them.
public final class SequenceText {
    private SequenceText() {}

    /// `[0, 1, 2] (ints)`; several that are all the same as `[0]*3 (ints)`.
    public static String of(List<Atom> atoms) {
        String values = isUniform(atoms) && atoms.size() > 1
                ? "[" + PythonText.shown(atoms.getFirst()) + "]*" + atoms.size()
                : atoms.stream().map(PythonText::shown).collect(Collectors.joining(", ", "[", "]"));
        return values + " (" + SequenceEvaluator.kind(atoms).text() + "s)";
    }

    /// Whether all atoms are the same.
    public static boolean isUniform(List<Atom> atoms) {
        return atoms.stream().allMatch(a -> Numbers.same(a, atoms.getFirst()));
    }
}
