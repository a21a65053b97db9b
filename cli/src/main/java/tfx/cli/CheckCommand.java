package tfx.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import tfx.frontend.Frontend;
import tfx.ir.Diagnostic;

@CommandLine.Command(name = "check", description = "Report what is wrong with source files.")
final class CheckCommand implements Callable<Integer> {
    @CommandLine.Parameters(arity = "1..*", paramLabel = "FILE")
    private List<Path> files = List.of();

    @Override
    public Integer call() throws Exception {
        int code = Main.OK;
        for (Path file : files) {
            Optional<Frontend.Checked> checked = Programs.checked(file);
            if (checked.isEmpty()) {
                code = Main.WRONG_PROGRAM;
            } else {
                checked.get().warnings().stream().map(Diagnostic::renderWarning).forEach(System.err::println);
            }
        }
        return code;
    }
}
