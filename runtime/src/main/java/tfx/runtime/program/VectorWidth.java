package tfx.runtime.program;

/// How many floats the vectors of this machine hold, of the widths that packaged programs have kernels for.
final class VectorWidth {
    private static final String MODULE = "jdk.incubator.vector";
    private static final int[] WIDTHS = {16, 8, 4};

    private static final int LANES = find();

    private VectorWidth() {}

    /// 16, 8 or 4; 1 without vectors.
    static int lanes() {
        return LANES;
    }

    private static int find() {
        if (ModuleLayer.boot().findModule(MODULE).isEmpty()) {
            System.err.println(
                    "tfx: without --add-modules " + MODULE + " programs run without vectors, many times slower");
            return 1;
        }
        try {
            // By reflection: programs run without the module too.
            Object species = Class.forName(MODULE + ".FloatVector")
                    .getField("SPECIES_PREFERRED")
                    .get(null);
            int preferred = (int)
                    Class.forName(MODULE + ".VectorSpecies").getMethod("length").invoke(species);
            for (int width : WIDTHS) {
                if (width <= preferred) {
                    return width;
                }
            }
            return 1;
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("the module " + MODULE + " is not the one this runtime knows", e);
        }
    }
}
