package tfx.passes;

/// A set of operations that cannot become one kernel, and why.
final class Illegal extends Exception {
    private static final long serialVersionUID = 1;

    Illegal(String why) {
        super(why, null, false, false);
    }
}
