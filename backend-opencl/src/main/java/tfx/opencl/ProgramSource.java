package tfx.opencl;

import java.util.ArrayList;
import java.util.List;
import tfx.ir.Span;
import tfx.ir.kernel.Kernel;
import tfx.ir.kernel.KernelProgram;

/// A kernel program as OpenCL C.
///
/// @param text    the whole source
/// @param kernels by their position
public record ProgramSource(String text, Group group, List<Entry> kernels) {
    /// A kernel in the source. Its arguments are, for each buffer, the memory and the place of its first element
    /// there; then the sizes as `long`; then the memory that a failed lookup is noted in, and the number of the
    /// launch.
    ///
    /// @param name    of the function
    /// @param items   work-items of a group
    /// @param first   its first line in the source, counted from 1
    /// @param last    its last line
    /// @param doubles whether it computes in f64
    /// @param looksUp whether it looks up indices, which may fail
    /// @param bytes   of its tiles
    public record Entry(
            String name, Kernel kernel, int items, int first, int last, boolean doubles, boolean looksUp, long bytes) {}

    public ProgramSource {
        kernels = List.copyOf(kernels);
    }

    /// Each kernel is a command.
    public static ProgramSource of(KernelProgram program, Group group) {
        return of(program, group, KernelWriter.Form.COMMAND, "");
    }

    /// @param end what comes after the kernels
    static ProgramSource of(KernelProgram program, Group group, KernelWriter.Form form, String end) {
        List<String> functions = new ArrayList<>();
        List<Long> bytes = new ArrayList<>();
        for (int i = 0; i < program.kernels().size(); i++) {
            Kernel kernel = program.kernels().get(i);
            KernelWriter writer = new KernelWriter(kernel, group, name(kernel, i), form);
            functions.add(writer.write());
            bytes.add(writer.bytes());
        }
        StringBuilder text = new StringBuilder();
        if (group.doubles()) {
            text.append("#define TFX_DOUBLES\n");
            text.append("#ifdef cl_khr_fp64\n#pragma OPENCL EXTENSION cl_khr_fp64 : enable\n#endif\n");
        }
        text.append('\n').append(Library.of(String.join("", functions)));
        List<Entry> entries = new ArrayList<>();
        for (int i = 0; i < functions.size(); i++) {
            Kernel kernel = program.kernels().get(i);
            String function = functions.get(i);
            text.append('\n');
            if (kernel.span() != Span.NONE) {
                text.append("// ").append(kernel.span()).append('\n');
            }
            int first = lines(text) + 1;
            text.append(function);
            boolean doubles = function.contains("double ");
            boolean looksUp = function.contains("tfx_index(");
            entries.add(new Entry(
                    name(kernel, i), kernel, group.items(), first, lines(text), doubles, looksUp, bytes.get(i)));
        }
        return new ProgramSource(text + end, group, entries);
    }

    private static int lines(CharSequence text) {
        return (int) text.chars().filter(c -> c == '\n').count();
    }

    static String name(Kernel kernel, int number) {
        return kernel.name().replaceAll("[^A-Za-z0-9]", "_") + "_" + number;
    }
}
