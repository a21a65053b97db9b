package tfx.cli;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine;
import tfx.ir.InternalError;
import tfx.ir.RunException;

/// The command line. Exit codes: 0 ok, 1 the program is wrong, 2 the command line is wrong, 3 a run failed, 70 a
/// bug of
/// tfx.
@CommandLine.Command(
        name = "tfx",
        description = "A language and an optimising compiler for transformer programs.",
        subcommands = {RunCommand.class, CheckCommand.class, EmitCommand.class, BenchCommand.class},
        mixinStandardHelpOptions = true,
        version = "tfx 0.1.0")
public final class Main {
    static final int OK = 0;
    static final int WRONG_PROGRAM = 1;
    static final int WRONG_COMMAND = 2;
    static final int RUN_FAILED = 3;
    static final int BUG = 70;

    private Main() {}

    public static void main(String[] arguments) {
        PrintStream out = new PrintStream(
                new java.io.FileOutputStream(java.io.FileDescriptor.out), false, StandardCharsets.UTF_8);
        System.setOut(out);
        int code = new CommandLine(new Main())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExecutionExceptionHandler((e, command, parsed) -> failed(e))
                .execute(arguments);
        out.flush();
        System.exit(code);
    }

    private static int failed(Exception e) {
        switch (e) {
            case Usage usage -> {
                System.err.println("tfx: " + usage.getMessage());
                return WRONG_COMMAND;
            }
            case RunException run -> {
                System.err.println("tfx: " + run.getMessage());
                return RUN_FAILED;
            }
            case java.io.IOException io -> {
                System.err.println("tfx: " + io.getMessage());
                return RUN_FAILED;
            }
            case InternalError bug -> {
                System.err.println("tfx: this is a bug of tfx: " + bug.getMessage());
                bug.printStackTrace();
                return BUG;
            }
            default -> {
                System.err.println("tfx: this is a bug of tfx: " + e);
                e.printStackTrace();
                return BUG;
            }
        }
    }

    /// A mistake on the command line.
    static final class Usage extends RuntimeException {
        private static final long serialVersionUID = 1;

        Usage(String message) {
            super(message);
        }
    }
}
