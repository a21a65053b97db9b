package tfx.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import tfx.compiler.Compiler;
import tfx.frontend.rasp.RaspConsole;

@CommandLine.Command(name = "repl", description = "Talk RASP: lines in, what they come to out.")
final class ReplCommand implements Callable<Integer> {
    @Override
    public Integer call() throws IOException {
        StringBuilder out = new StringBuilder();
        RaspConsole console = Compiler.console(out);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        while (true) {
            out.append(console.prompt());
            flush(out);
            String line = in.readLine();
            if (line == null) {
                out.append('\n');
                break;
            }
            console.line(line);
            if (console.hasLeft()) {
                break;
            }
        }
        flush(out);
        return Main.OK;
    }

    private static void flush(StringBuilder out) {
        System.out.print(out);
        System.out.flush();
        out.setLength(0);
    }
}
