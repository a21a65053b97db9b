package tfx.opencl;

import tfx.ir.kernel.Intervals;
import tfx.ir.kernel.Kernel;
import tfx.runtime.Dim;

/// OpenCL C that bounds conditions over blocks. All work-items of a group compute the same.
///
/// @param values for sizes and the ends of axes
/// @param axis   of the loop whose condition it is; its ends are known inside the loop alone
/// @param inside whether that is here
record BlockWriter(KernelWriter writer, Values values, String axis, boolean[] inside)
        implements Intervals.Writer<String> {
    @Override
    public String number(long value) {
        return Types.ofLong(value);
    }

    @Override
    public String truth(boolean value) {
        return value ? "1" : "0";
    }

    @Override
    public String plus(String a, String b) {
        return Functions.infix("+", a, b);
    }

    @Override
    public String minus(String a, String b) {
        return Functions.infix("-", a, b);
    }

    @Override
    public String times(String a, String b) {
        return Functions.infix("*", a, b);
    }

    @Override
    public String min(String a, String b) {
        return "min((long)" + a + ", (long)" + b + ")";
    }

    @Override
    public String max(String a, String b) {
        return "max((long)" + a + ", (long)" + b + ")";
    }

    @Override
    public String floorDiv(String a, String b) {
        return "tfx_floordiv_i64(" + a + ", " + b + ")";
    }

    @Override
    public String floorMod(String a, String b) {
        return "tfx_mod_i64(" + a + ", " + b + ")";
    }

    @Override
    public String compare(String operator, String a, String b) {
        return Functions.infix(operator, a, b);
    }

    @Override
    public String and(String a, String b) {
        return Functions.infix("&", a, b);
    }

    @Override
    public String or(String a, String b) {
        return Functions.infix("|", a, b);
    }

    @Override
    public String not(String truth) {
        return "(1 - " + truth + ")";
    }

    @Override
    public String choose(String truth, String a, String b) {
        return Functions.choose(truth, a, b);
    }

    @Override
    public String dim(Dim dim) {
        return values.dim(dim);
    }

    @Override
    public boolean hasEnds(String of) {
        boolean grid = writer.kernel().grid().stream().anyMatch(a -> a.name().equals(of));
        return grid || inside[0] && of.equals(axis);
    }

    @Override
    public String let(String value) {
        boolean plain = value.matches("-?[0-9]+L?|[a-z_][A-Za-z_0-9]*");
        return plain ? value : writer.code().let("long", "bound", value);
    }

    @Override
    public String extreme(Kernel.Buffer buffer, Dim from, Dim count, boolean greatest) {
        return call(greatest ? "greatest" : "least", buffer, from, count, "");
    }

    @Override
    public String holds(Kernel.Buffer buffer, Dim from, Dim count, boolean any) {
        return call("holds", buffer, from, count, any ? ", 1" : ", 0");
    }

    private String call(String name, Kernel.Buffer buffer, Dim from, Dim count, String more) {
        String data = writer.name(buffer.name()) + " + " + values.dim(from);
        return "tfx_" + name + "(" + data + ", " + values.dim(count) + more + ")";
    }
}
