package tfx.opencl;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import tfx.ir.kernel.Kernel;

/// Loops over the points of axes.
final class Points {
    /// What happens at a point of a loop nest.
    interface Body {
        /// @param vector whether for a vector of neighbours along the innermost axis
        void at(Values values, boolean vector);
    }

    private final KernelWriter writer;
    private final Code code;

    Points(KernelWriter writer) {
        this.writer = writer;
        this.code = writer.code();
    }

    /// Loops over axes, outermost first; each work-item does all of it.
    void walk(List<String> axes, Values values, Runnable body) {
        if (axes.isEmpty()) {
            body.run();
            return;
        }
        String axis = axes.getFirst();
        String at = code.fresh(writer.name(axis));
        code.block(
                "for (long " + at + " = " + writer.low(axis) + "; " + at + " < " + writer.high(axis) + "; " + at
                        + "++)",
                () -> {
                    values.bind(axis, at);
                    walk(axes.subList(1, axes.size()), values, body);
                });
    }

    /// The points of some axes, shared by the work-items, in vectors along the last where that is possible.
    ///
    /// @param of        the values that the body takes
    /// @param neighbours whether the body takes vectors
    void points(List<String> axes, List<Kernel.Expr> of, boolean neighbours, Body body) {
        if (!writer.group().alone()) {
            items(axes, of, values -> body.at(values, false));
            return;
        }
        Values values = new Values(writer);
        of.forEach(values::count);
        if (axes.isEmpty()) {
            code.block("", () -> body.at(values, false));
            return;
        }
        String last = axes.getLast();
        code.block(
                "",
                () -> walk(axes.subList(0, axes.size() - 1), values, () -> {
                    values.begin();
                    values.along(last);
                    code.block("if (" + writer.low(last) + " < " + writer.high(last) + ")", () -> {
                        of.forEach(values::hoist);
                        row(last, values, neighbours && of.stream().allMatch(values::vectorizes), body);
                    });
                }));
    }

    /// The points of one axis, innermost: vectors while they fit, then one after the other.
    void row(String axis, Values values, boolean vectors, Body body) {
        String at = code.variable("long", writer.name(axis), writer.low(axis));
        values.bind(axis, at);
        if (vectors && writer.group().width() > 1) {
            String step = String.valueOf(writer.group().width());
            code.block(
                    "for (; " + at + " + " + step + " <= " + writer.high(axis) + "; " + at + " += " + step + ")",
                    () -> {
                        values.begin();
                        body.at(values, true);
                    });
        }
        code.block("for (; " + at + " < " + writer.high(axis) + "; " + at + "++)", () -> {
            values.begin();
            body.at(values, false);
        });
    }

    /// The points of some axes, each at one work-item.
    void items(List<String> axes, List<Kernel.Expr> of, Consumer<Values> body) {
        Values values = new Values(writer);
        of.forEach(values::count);
        if (writer.group().alone()) {
            code.block("", () -> walk(axes, values, () -> body.accept(values)));
            return;
        }
        if (axes.isEmpty()) {
            code.block("if (item == 0)", () -> body.accept(values));
            return;
        }
        code.block("", () -> {
            boolean narrow = axes.stream()
                            .mapToLong(a -> bounded(a) ? writer.kernel().extent(a) : 1L << 40)
                            .reduce(1, (a, b) -> Math.min(a * b, 1L << 40))
                    < 1L << 31;
            String type = narrow ? "uint" : "ulong";
            List<String> counts = new ArrayList<>();
            for (String axis : axes) {
                counts.add(code.let(
                        type, "count", "(" + type + ")(" + writer.high(axis) + " - " + writer.low(axis) + ")"));
            }
            String total = String.join(" * ", counts);
            String point = code.fresh("point");
            String loop = "for (" + type + " " + point + " = item; " + point + " < " + total + "; " + point + " += "
                    + writer.group().items() + ")";
            code.block(loop, () -> {
                String rest = point;
                for (int i = axes.size() - 1; i >= 0; i--) {
                    String axis = axes.get(i);
                    String at = i == 0 ? rest : rest + " % " + counts.get(i);
                    values.bind(axis, code.let("long", writer.name(axis), writer.low(axis) + " + " + at));
                    rest = i == 0 ? rest : code.let(type, "rest", rest + " / " + counts.get(i));
                }
                values.begin();
                body.accept(values);
            });
        });
    }

    /// Whether the current points of an axis are at most its extent.
    private boolean bounded(String axis) {
        return writer.kernel().grid().stream().anyMatch(a -> a.name().equals(axis))
                || writer.kernel()
                        .axis(axis)
                        .orElseThrow()
                        .size()
                        .constant()
                        .filter(c ->
                                c <= writer.kernel().axis(axis).orElseThrow().tile())
                        .isPresent();
    }
}
