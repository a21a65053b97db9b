package tfx.ir;

import tfx.runtime.DType;

/// Rows of the op table: associative reductions. Each names the binary function that combines two partial
/// results and the value of an empty reduction.
public enum ReduceFn {
    SUM("sum", "Sum; 0 of nothing.", BinaryFn.ADD, 0, 0),
    PROD("prod", "Product; 1 of nothing.", BinaryFn.MUL, 1, 1),
    MAX(
            "max",
            "Largest; -inf (the smallest integer) of nothing.",
            BinaryFn.MAX,
            Double.NEGATIVE_INFINITY,
            Long.MIN_VALUE),
    MIN(
            "min",
            "Smallest; inf (the largest integer) of nothing.",
            BinaryFn.MIN,
            Double.POSITIVE_INFINITY,
            Long.MAX_VALUE),
    LOGSUMEXP("logsumexp", "log of the sum of exp; -inf of nothing.", BinaryFn.LOGADDEXP, Double.NEGATIVE_INFINITY, 0),
    ANY("any", "Whether any is true.", BinaryFn.OR, 0, 0),
    ALL("all", "Whether all are true.", BinaryFn.AND, 1, 1);

    private final String text;
    private final String doc;
    private final BinaryFn combine;
    private final double floatIdentity;
    private final long integerIdentity;

    ReduceFn(String text, String doc, BinaryFn combine, double floatIdentity, long integerIdentity) {
        this.text = text;
        this.doc = doc;
        this.combine = combine;
        this.floatIdentity = floatIdentity;
        this.integerIdentity = integerIdentity;
    }

    public String text() {
        return text;
    }

    public String doc() {
        return doc;
    }

    /// The function that joins two partial results.
    public BinaryFn combine() {
        return combine;
    }

    public double floatIdentity() {
        return floatIdentity;
    }

    /// The identity in the width of `type`.
    public long integerIdentity(DType type) {
        return type.isInteger() ? Math.clamp(integerIdentity, type.smallest(), type.largest()) : integerIdentity;
    }

    public boolean accepts(DType type) {
        return combine.accepts(type);
    }
}
