package tfx.opencl;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import tfx.ir.kernel.Kernel;
import tfx.ir.kernel.KernelProgram;

/// All kernels of a program as one, which runs many launches of a call as one command: a short kernel takes less
/// time than a driver takes to begin the next. Its groups stay until all is done (persistent threads; Gupta,
/// Stuart and Owens, InPar 2012).
///
/// Groups take tasks by number, in the order of the launches. Before its task, a group waits until as many
/// launches have ended as the table says. Tasks with lower numbers have all been taken by groups that run, so
/// each wait ends where groups that run go on running, as threads of a processor do; OpenCL alone does not
/// promise that.
///
/// Its arguments are the table; the counts, zeros to begin with; the memory that a failed lookup is noted in; and
/// the memory of the slots. The table begins with the number of all tasks. A row for each launch follows: its
/// kernel, the number of its first task, how many it has, how many launches must have ended before, and where in
/// the table its arguments are. These are the slot and the first element of each buffer, the sizes, and the
/// number of the launch's place in the source.
///
/// @param slots distinct memories that one command may use
public record SequenceSource(ProgramSource program, int slots) {
    /// The kernel.
    public static final String NAME = "sequence";

    /// Numbers in the row of a launch.
    public static final int ROW = 5;

    /// Every device takes arguments of 1 024 bytes: 128 addresses.
    private static final int MOST_SLOTS = 120;

    private static final int SLOTS_A_LINE = 8;

    /// Where a driver inlines them, tiles of all kernels lie side by side on the stack of a thread, which has
    /// some MiB.
    private static final long MOST_BYTES = 1 << 20;

    /// Nothing where many work-items share a task, or where the program is too large for one kernel.
    public static Optional<SequenceSource> of(KernelProgram program, Group group) {
        int needed = 1 + program.execution().values().size();
        int slots = Math.min(needed, MOST_SLOTS);
        boolean fits = program.kernels().stream().allMatch(k -> k.buffers().size() <= slots);
        if (!group.alone() || !fits) {
            return Optional.empty();
        }
        String text = text(program, group, slots);
        ProgramSource source = ProgramSource.of(program, group, KernelWriter.Form.STEP, text);
        long bytes =
                source.kernels().stream().mapToLong(ProgramSource.Entry::bytes).sum();
        return bytes > MOST_BYTES ? Optional.empty() : Optional.of(new SequenceSource(source, slots));
    }

    private static String text(KernelProgram program, Group group, int slots) {
        Code code = new Code();
        code.block(group.attribute() + "\nvoid " + NAME + "(\n        " + parameters(slots), () -> {
            code.line("global uchar *memory[] = {" + names("", slots) + "};");
            code.line("global const long *launch = table + 1;");
            code.line("int at = 0, ended = 0;");
            code.block("for (int n = atomic_inc(counts); n < table[0]; n = atomic_inc(counts))", () -> {
                code.line("for (; n >= launch[1] + launch[2]; launch += " + ROW + ") at++;");
                code.block("for (; ended < launch[3]; ended++)", () -> {
                    code.line("while (counts[1 + ended] < table[3 + " + ROW + " * ended]) {}");
                    code.line("atomic_add(counts + 1 + ended, 0);");
                });
                code.line("mem_fence(CLK_GLOBAL_MEM_FENCE); // from here on, what they wrote is seen");
                code.line("const long task = n - launch[1];");
                code.line("global const long *a = table + launch[4];");
                code.block("switch (launch[0])", () -> {
                    for (int i = 0; i < program.kernels().size(); i++) {
                        code.line("case " + i + ": " + step(program.kernels().get(i), i) + " break;");
                    }
                });
                code.line("mem_fence(CLK_GLOBAL_MEM_FENCE);");
                code.line("atomic_inc(counts + 1 + at);");
            });
        });
        return "\n" + code;
    }

    private static String parameters(int slots) {
        return "global const long *table, global volatile int *counts, global int *failed,\n        "
                + names("global uchar *", slots) + ")";
    }

    /// The memory of each slot.
    private static String names(String type, int slots) {
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < slots; i += SLOTS_A_LINE) {
            lines.add(IntStream.range(i, Math.min(slots, i + SLOTS_A_LINE))
                    .mapToObj(s -> type + "m" + s)
                    .collect(Collectors.joining(", ")));
        }
        return String.join(",\n        ", lines);
    }

    private static String step(Kernel kernel, int number) {
        List<String> arguments = new ArrayList<>(List.of("task"));
        int at = 0;
        for (Kernel.Buffer buffer : kernel.buffers()) {
            String type = (buffer.output() ? "" : "const ") + Types.stored(buffer.dtype());
            arguments.add("(global " + type + " *)memory[a[" + at++ + "]]");
            arguments.add("a[" + at++ + "]");
        }
        for (int i = 0; i < kernel.sizes().size(); i++) {
            arguments.add("a[" + at++ + "]");
        }
        arguments.add("failed");
        arguments.add("a[" + at + "]");
        return ProgramSource.name(kernel, number) + "(" + String.join(", ", arguments) + ");";
    }
}
