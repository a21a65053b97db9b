package tfx.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jline.reader.Candidate;
import org.jline.reader.EOFError;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.ParsedLine;
import org.jline.reader.UserInterruptException;
import org.jline.reader.impl.DefaultParser;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;
import picocli.CommandLine;
import tfx.compiler.Compiler;
import tfx.frontend.rasp.RaspConsole;

/// A conversation in RASP: with history, completion and editing on a terminal, plainly through a pipe.
@CommandLine.Command(name = "repl", description = "Talk RASP: statements in, what they come to out; :help lists more.")
final class ReplCommand implements Callable<Integer> {
    private static final Path HISTORY = Path.of(System.getProperty("user.home"), ".tfx_history");
    private static final List<String> WORDS = List.of(
            "select(",
            "aggregate(",
            "indicator(",
            "round(",
            "range(",
            "zip(",
            "len(",
            "def",
            "return",
            "for",
            "in",
            "if",
            "else",
            "and",
            "or",
            "not",
            "load",
            "draw(",
            "set example",
            "show example",
            "examples",
            "full seq display",
            "exit");

    @CommandLine.Option(names = "--rasp", description = "With the greeting and prompts of RASP's first implementation.")
    private boolean rasp;

    private final StringBuilder out = new StringBuilder();

    @Override
    public Integer call() throws IOException {
        RaspConsole console = Compiler.console(out);
        if (rasp) {
            out.append(RaspConsole.GREETING);
        } else {
            out.append("tfx, RASP; :help lists commands. The running example is hello.\n");
        }
        ReplQuestions questions = new ReplQuestions(console, out);
        if (System.console() != null && System.console().isTerminal()) {
            edited(console, questions);
        } else {
            piped(console, questions);
        }
        flush();
        return Main.OK;
    }

    private void piped(RaspConsole console, ReplQuestions questions) throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        while (!console.hasLeft()) {
            out.append(prompt(console));
            flush();
            String line = in.readLine();
            if (line == null) {
                out.append('\n');
                return;
            }
            take(console, questions, line);
        }
    }

    private static void take(RaspConsole console, ReplQuestions questions, String line) {
        if (console.isIdle() && line.startsWith(":")) {
            questions.answer(line);
        } else {
            console.line(line);
            console.takeDrawn().ifPresent(d -> questions.draw(d.sequence().node(), d.input()));
        }
    }

    private String prompt(RaspConsole console) {
        return rasp || !console.isIdle() ? console.prompt() : "tfx> ";
    }

    private void edited(RaspConsole console, ReplQuestions questions) throws IOException {
        try (Terminal terminal = TerminalBuilder.builder().system(true).build()) {
            LineReader reader = LineReaderBuilder.builder()
                    .terminal(terminal)
                    .parser(new Statements(console))
                    .completer((r, line, candidates) -> complete(console, line, candidates))
                    .variable(LineReader.HISTORY_FILE, HISTORY)
                    .variable(LineReader.SECONDARY_PROMPT_PATTERN, ".. ")
                    .variable(LineReader.INDENTATION, 2)
                    .build();
            while (!console.hasLeft()) {
                flush();
                try {
                    take(console, questions, reader.readLine(prompt(console)));
                } catch (UserInterruptException e) {
                    console.abandon();
                } catch (EndOfFileException e) {
                    return;
                }
            }
        }
    }

    private static void complete(RaspConsole console, ParsedLine line, List<Candidate> candidates) {
        Stream.of(console.names(), WORDS, line.line().startsWith(":") ? ReplQuestions.NAMES : List.<String>of())
                .flatMap(List::stream)
                .filter(word -> word.startsWith(line.word()))
                .forEach(word -> candidates.add(new Candidate(word, word, null, null, null, null, false)));
    }

    /// Lets Enter end a statement only where it is finished; words are names.
    private static final class Statements extends DefaultParser {
        private final RaspConsole console;

        Statements(RaspConsole console) {
            this.console = console;
            setQuoteChars(new char[0]);
            setEscapeChars(new char[0]);
        }

        @Override
        public boolean isDelimiterChar(CharSequence buffer, int position) {
            char c = buffer.charAt(position);
            return !Character.isJavaIdentifierPart(c) && c != ':';
        }

        @Override
        public ParsedLine parse(String line, int cursor, ParseContext context) {
            if (context == ParseContext.ACCEPT_LINE && !line.startsWith(":") && !console.isFinished(line)) {
                throw new EOFError(-1, -1, "the statement is not finished");
            }
            return super.parse(line, cursor, context);
        }
    }

    private void flush() {
        System.out.print(out);
        System.out.flush();
        out.setLength(0);
    }
}
