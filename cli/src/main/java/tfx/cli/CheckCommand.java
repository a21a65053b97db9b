package tfx.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;

@CommandLine.Command(name = "check", description = "Report what is wrong with source files.")
final class CheckCommand implements Callable<Integer> {
    @CommandLine.Parameters(arity = "1..*", paramLabel = "FILE")
    private List<Path> files = List.of();

    @Override
    public Integer call() throws Exception {
        int code = Main.OK;
        for (Path file : files) {
            if (Programs.check(file).isEmpty()) {
                code = Main.WRONG_PROGRAM;
            }
        }
        return code;
    }
}
