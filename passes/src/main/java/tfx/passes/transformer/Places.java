package tfx.passes.transformer;

/// The places where a value can stand: a position in an input of some length, numbered one length after another.
record Places(int maxLength) {
    int count() {
        return maxLength * (maxLength + 1) / 2;
    }

    static int of(int length, int position) {
        return length * (length - 1) / 2 + position;
    }
}
