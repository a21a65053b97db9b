package tfx.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine;
import tfx.runtime.RunException;

/// The command line. Exit codes: 0 ok, 1 the program is wrong, 2 the command line is wrong, 3 a run failed, 70 a
/// bug of tfx.
@CommandLine.Command(
        name = "tfx",
        description = "A language and an optimising compiler for transformer programs.",
        subcommands = {
            RunCommand.class,
            GenerateCommand.class,
            ReplCommand.class,
            HeadsCommand.class,
            WeightsCommand.class,
            VizCommand.class,
            CheckCommand.class,
            CompileCommand.class,
            EmitCommand.class,
            BenchCommand.class,
            DevicesCommand.class
        },
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
        int code;
        try {
            code = run(arguments);
        } catch (OutOfMemoryError e) {
            System.err.println(
                    "tfx: out of memory; give the JVM more with TFX_JVM_OPTIONS=-Xmx8g, or make the input smaller");
            code = RUN_FAILED;
        } catch (RuntimeException | Error e) {
            code = bug(e, List.of(arguments));
        }
        out.flush();
        System.exit(code);
    }

    /// Runs a command line; the exit code.
    static int run(String... arguments) {
        return new CommandLine(new Main())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExecutionExceptionHandler((e, command, parsed) -> failed(e, List.of(arguments)))
                .execute(arguments);
    }

    private static int failed(Exception e, List<String> arguments) {
        switch (e) {
            case Usage usage -> {
                System.err.println("tfx: " + usage.getMessage());
                return WRONG_COMMAND;
            }
            case RunException run -> {
                System.err.println("tfx: " + run.getMessage());
                return RUN_FAILED;
            }
            case FileSystemException file -> {
                System.err.println("tfx: " + problem(file));
                return RUN_FAILED;
            }
            case IOException io -> {
                System.err.println("tfx: " + io.getMessage());
                return RUN_FAILED;
            }
            default -> {
                return bug(e, arguments);
            }
        }
    }

    /// What is wrong with a file: the exceptions of the JDK have its name alone for a message.
    private static String problem(FileSystemException e) {
        return switch (e) {
            case NoSuchFileException n -> e.getFile() + " does not exist, or its folder does not";
            case AccessDeniedException a -> "no permission for " + e.getFile();
            case FileAlreadyExistsException a -> e.getFile() + " exists already";
            case DirectoryNotEmptyException d -> e.getFile() + " is a folder that is not empty";
            case NotDirectoryException n -> e.getFile() + " is no folder";
            default -> e.getMessage();
        };
    }

    /// Reports a bug of ours: what happened goes into a file that a report can attach.
    private static int bug(Throwable e, List<String> arguments) {
        StringWriter text = new StringWriter();
        PrintWriter out = new PrintWriter(text);
        out.println("tfx " + String.join(" ", arguments));
        out.println("java " + Runtime.version() + ", " + System.getProperty("os.arch"));
        e.printStackTrace(out);
        for (String argument : arguments) {
            if (argument.endsWith(".tfx") || argument.endsWith(".rasp") || argument.endsWith(".raspl")) {
                out.println("---- " + argument);
                try {
                    out.println(Files.readString(Path.of(argument)));
                } catch (IOException | RuntimeException unreadable) {
                    out.println("cannot be read: " + unreadable);
                }
            }
        }
        System.err.println("tfx: this is a bug of tfx: " + e);
        try {
            Path file = Files.createTempFile("tfx-bug-", ".txt");
            Files.writeString(file, text.toString());
            System.err.println("tfx: please report it with the file " + file);
        } catch (IOException unwritable) {
            System.err.println(text);
        }
        return BUG;
    }

    /// A mistake on the command line.
    static final class Usage extends RuntimeException {
        private static final long serialVersionUID = 1;

        Usage(String message) {
            super(message);
        }
    }
}
