package tfx.ir.sequence;

import java.util.EnumSet;
import java.util.Set;

/// The types that a position of a sequence can have, under RASP's names for them.
public enum Kind {
    TRUTH("bool"),
    WHOLE("int"),
    REAL("float"),
    TEXT("string");

    private final String text;

    Kind(String text) {
        this.text = text;
    }

    public String text() {
        return text;
    }

    /// Whether arithmetic takes it; `True` is 1, as in Python.
    public boolean isNumber() {
        return this != TEXT;
    }

    /// Two sets as one.
    static Set<Kind> union(Set<Kind> a, Set<Kind> b) {
        EnumSet<Kind> all = EnumSet.copyOf(a);
        all.addAll(b);
        return all;
    }
}
