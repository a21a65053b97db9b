package tfx.ir.kernel;

import static tfx.ir.text.Scanner.quote;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import tfx.ir.text.Scanner;
import tfx.runtime.Dim;
import tfx.runtime.TensorType;
import tfx.runtime.program.Execution;
import tfx.runtime.program.Guard;

/// The text form of kernel programs: `parse(print(p))` equals `p`.
public final class ProgramText {
    private static final int MAX_NESTING = 8;

    private ProgramText() {}

    // ---- printing ----

    public static String print(KernelProgram program) {
        Execution execution = program.execution();
        StringBuilder out = new StringBuilder("program " + quote(execution.name()) + " {\n");
        for (Execution.Value value : execution.values()) {
            out.append("  ").append(value.role().name().toLowerCase(Locale.ROOT));
            out.append(' ').append(value.name()).append(" : ").append(value.type());
            out.append(KernelText.panels(value.panels()));
            out.append(value.source().isEmpty() ? "" : " from " + quote(value.source()));
            out.append('\n');
        }
        steps("once", execution.once(), "  ", out);
        steps("step", execution.steps(), "  ", out);
        for (Guard guard : execution.guards()) {
            out.append("  guard ").append(guard.count()).append(", ").append(guard.first());
            out.append(", ").append(guard.last()).append(", ").append(guard.size());
            out.append(' ').append(quote(guard.what())).append('\n');
        }
        for (Execution.Output output : execution.outputs()) {
            out.append("  output ").append(quote(output.name())).append(' ').append(output.value());
            out.append('\n');
        }
        out.append("}\n");
        program.kernels().forEach(k -> out.append('\n').append(KernelText.print(k)));
        return out.toString();
    }

    private static void steps(String word, List<Execution.Step> steps, String indent, StringBuilder out) {
        for (Execution.Step step : steps) {
            out.append(indent).append(word).append(' ');
            switch (step) {
                case Execution.Launch l -> {
                    out.append(l.kernel()).append(names(l.arguments()));
                    out.append(l.where().isEmpty() ? "" : " at " + quote(l.where()))
                            .append('\n');
                }
                case Execution.Repeat r -> {
                    out.append("repeat ").append(r.counter());
                    r.trips().ifPresent(t -> out.append(" trips ").append(t));
                    r.go().ifPresent(g -> out.append(" while ").append(g));
                    out.append(" {\n");
                    for (Execution.Carry carry : r.carried()) {
                        out.append(indent).append("  carry");
                        out.append(names(List.of(carry.initial(), carry.state(), carry.next())))
                                .append('\n');
                    }
                    for (Execution.Stack stack : r.stacked()) {
                        out.append(indent).append("  stack");
                        out.append(names(List.of(stack.each(), stack.all()))).append('\n');
                    }
                    steps("test", r.test(), indent + "  ", out);
                    steps("step", r.body(), indent + "  ", out);
                    out.append(indent).append("}\n");
                }
                case Execution.Either e -> {
                    out.append("if ").append(e.size()).append(" <= ").append(e.most());
                    out.append(" {\n");
                    steps("step", e.small(), indent + "  ", out);
                    steps("else", e.other(), indent + "  ", out);
                    out.append(indent).append("}\n");
                }
            }
        }
    }

    private static String names(List<String> names) {
        return names.stream().collect(Collectors.joining(", ", " (", ")"));
    }

    // ---- parsing ----

    /// Reads a program with its kernels.
    ///
    /// @throws tfx.ir.text.ParseException if the text is no program
    public static KernelProgram parse(String text) {
        Scanner in = new Scanner(text);
        in.expect("program");
        String name = in.string();
        in.expect("{");
        List<Execution.Value> values = new ArrayList<>();
        List<Execution.Step> once = new ArrayList<>();
        List<Execution.Step> steps = new ArrayList<>();
        List<Guard> guards = new ArrayList<>();
        List<Execution.Output> outputs = new ArrayList<>();
        while (!in.accept("}")) {
            if (in.accept("once")) {
                once.add(step(in, 0));
            } else if (in.accept("step")) {
                steps.add(step(in, 0));
            } else if (in.accept("guard")) {
                guards.add(guard(in));
            } else if (in.accept("output")) {
                outputs.add(new Execution.Output(in.string(), in.word()));
            } else {
                values.add(value(in));
            }
        }
        List<Kernel> kernels = new ArrayList<>();
        while (!in.atEnd()) {
            kernels.add(KernelText.kernel(in));
        }
        return new KernelProgram(new Execution(name, values, once, steps, guards, outputs), kernels);
    }

    private static Guard guard(Scanner in) {
        Dim count = in.dim();
        in.expect(",");
        Dim first = in.dim();
        in.expect(",");
        Dim last = in.dim();
        in.expect(",");
        return new Guard(count, first, last, in.dim(), in.string());
    }

    private static Execution.Step step(Scanner in, int nesting) {
        if (nesting > MAX_NESTING) {
            throw in.error("steps nested deeper than " + MAX_NESTING);
        }
        if (in.accept("if")) {
            return either(in, nesting);
        }
        if (!in.accept("repeat")) {
            int kernel = in.small();
            List<String> arguments = in.list("(", ")", in::word);
            return new Execution.Launch(kernel, arguments, in.accept("at") ? in.string() : "");
        }
        String counter = in.word();
        Optional<Dim> trips = in.accept("trips") ? Optional.of(in.dim()) : Optional.empty();
        Optional<String> go = in.accept("while") ? Optional.of(in.word()) : Optional.empty();
        in.expect("{");
        List<Execution.Carry> carried = new ArrayList<>();
        List<Execution.Stack> stacked = new ArrayList<>();
        List<Execution.Step> test = new ArrayList<>();
        List<Execution.Step> body = new ArrayList<>();
        while (!in.accept("}")) {
            if (in.accept("carry")) {
                List<String> names = names(in, 3);
                carried.add(new Execution.Carry(names.get(0), names.get(1), names.get(2)));
            } else if (in.accept("stack")) {
                List<String> names = names(in, 2);
                stacked.add(new Execution.Stack(names.get(0), names.get(1)));
            } else if (in.accept("test")) {
                test.add(step(in, nesting + 1));
            } else {
                in.expect("step");
                body.add(step(in, nesting + 1));
            }
        }
        return new Execution.Repeat(trips, counter, carried, test, go, body, stacked);
    }

    private static Execution.Step either(Scanner in, int nesting) {
        Dim size = in.dim();
        in.expect("<=");
        long most = in.small();
        in.expect("{");
        List<Execution.Step> small = new ArrayList<>();
        List<Execution.Step> other = new ArrayList<>();
        while (!in.accept("}")) {
            if (in.accept("else")) {
                other.add(step(in, nesting + 1));
            } else {
                in.expect("step");
                small.add(step(in, nesting + 1));
            }
        }
        return new Execution.Either(size, most, small, other);
    }

    private static List<String> names(Scanner in, int count) {
        List<String> names = in.list("(", ")", in::word);
        if (names.size() != count) {
            throw in.error("expected " + count + " names");
        }
        return names;
    }

    private static Execution.Value value(Scanner in) {
        String word = in.word();
        Execution.Role role = null;
        for (Execution.Role r : Execution.Role.values()) {
            role = r.name().toLowerCase(Locale.ROOT).equals(word) ? r : role;
        }
        if (role == null) {
            throw in.error("unknown kind of buffer " + word);
        }
        String name = in.word();
        in.expect(":");
        TensorType type = in.type();
        int panels = in.accept("panels") ? in.small() : 0;
        return new Execution.Value(name, role, in.accept("from") ? in.string() : "", type, panels);
    }
}
