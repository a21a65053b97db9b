package tfx.passes.sequence;

/// A sequence program that has no vector form, which is no error of the program.
public final class Irregular extends RuntimeException {
    private static final long serialVersionUID = 1;

    Irregular(String why) {
        super(why, null, false, false);
    }
}
