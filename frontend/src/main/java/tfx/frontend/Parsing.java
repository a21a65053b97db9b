package tfx.frontend;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.antlr.v4.runtime.BaseErrorListener;
import org.antlr.v4.runtime.CharStreams;
import org.antlr.v4.runtime.CommonTokenStream;
import org.antlr.v4.runtime.Lexer;
import org.antlr.v4.runtime.Parser;
import org.antlr.v4.runtime.RecognitionException;
import org.antlr.v4.runtime.Recognizer;
import org.antlr.v4.runtime.Token;
import tfx.frontend.ast.AstBuilder;
import tfx.frontend.ast.Item;
import tfx.frontend.ast.RaspAstBuilder;
import tfx.grammar.RaspLexer;
import tfx.grammar.RaspParser;
import tfx.grammar.TfxLexer;
import tfx.grammar.TfxParser;
import tfx.ir.Source;
import tfx.ir.Span;

/// Bytes to AST, with limits that keep hostile text from costing more than a moment.
public final class Parsing {
    /// The largest source file, in bytes.
    public static final int MAX_BYTES = 1 << 20;

    private static final int MAX_TOKENS = 150_000;
    private static final int MAX_NESTING = 200;
    private static final Set<String> PREFIXES = Set.of("-", "+", "not");

    private Parsing() {}

    /// Decodes a file, or reports why it cannot be source text; undecodable bytes are reported at their place.
    public static Source decode(String name, byte[] bytes, Problems problems) {
        if (bytes.length > MAX_BYTES) {
            Source source = new Source(name, "");
            problems.report(
                    "TFX0001",
                    new Span(source, 0, 0),
                    "the file has " + bytes.length + " bytes; source files have at most " + MAX_BYTES,
                    "split it into modules, and keep data in weight files");
            return source;
        }
        CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
        CharBuffer text = CharBuffer.allocate(bytes.length + 1);
        CoderResult result = decoder.decode(ByteBuffer.wrap(bytes), text, true);
        Source source = new Source(name, text.flip().toString());
        if (result.isError()) {
            int end = source.text().length();
            problems.report(
                    "TFX0002",
                    new Span(source, end, end + 1),
                    "the file is not valid UTF-8 from here on",
                    "save it as UTF-8");
        }
        return source;
    }

    /// Parses a source of tfx; the list is empty if any problem was reported.
    public static List<Item> parse(Source source, Problems problems) {
        TfxLexer lexer = new TfxLexer(CharStreams.fromString(source.text()));
        return parse(lexer, TfxLexer.ERROR, source, problems, tokens -> {
            TfxParser parser = new TfxParser(tokens);
            listen(parser, source, problems);
            TfxParser.FileContext file = parser.file();
            return problems.isEmpty() ? new AstBuilder(source, problems).file(file) : List.of();
        });
    }

    /// Parses a source of the RASP dialect; the list is empty if any problem was reported.
    public static List<Item.Statement> parseRasp(Source source, Problems problems) {
        RaspLexer lexer = new RaspLexer(CharStreams.fromString(source.text()));
        return parse(lexer, RaspLexer.ERROR, source, problems, tokens -> {
            RaspParser parser = new RaspParser(tokens);
            listen(parser, source, problems);
            RaspParser.FileContext file = parser.file();
            return problems.isEmpty() ? new RaspAstBuilder(source).file(file) : List.of();
        });
    }

    /// Parses what was typed into a REPL so far; nothing if it is not finished, no statements if it is wrong.
    public static Optional<List<Item.Statement>> parseLine(Source source, Problems problems) {
        RaspLexer lexer = new RaspLexer(CharStreams.fromString(source.text()));
        boolean[] unfinished = new boolean[1];
        List<Item.Statement> statements = parse(lexer, RaspLexer.ERROR, source, problems, tokens -> {
            if (tokens.LA(1) == Token.EOF) {
                unfinished[0] = true;
                return List.of();
            }
            RaspParser parser = new RaspParser(tokens);
            parser.removeErrorListeners();
            Listener listener = new Listener(source, problems);
            parser.addErrorListener(listener);
            RaspParser.LineContext line = parser.line();
            unfinished[0] = listener.unfinished;
            return problems.isEmpty() ? new RaspAstBuilder(source).line(line) : List.of();
        });
        return unfinished[0] ? Optional.empty() : Optional.of(statements);
    }

    private static void listen(Parser parser, Source source, Problems problems) {
        parser.removeErrorListeners();
        parser.addErrorListener(new Listener(source, problems));
    }

    private static <T> List<T> parse(
            Lexer lexer, int error, Source source, Problems problems, Function<CommonTokenStream, List<T>> parse) {
        lexer.removeErrorListeners();
        CommonTokenStream tokens = new CommonTokenStream(lexer);
        if (!limits(tokens, error, source, problems)) {
            return List.of();
        }
        try {
            return parse.apply(tokens);
        } catch (StackOverflowError e) {
            tooDeep(source, tokens.LT(1), problems);
            return List.of();
        }
    }

    private static boolean limits(CommonTokenStream tokens, int error, Source source, Problems problems) {
        int depth = 0;
        int count = 0;
        int prefixes = 0;
        int alternatives = 0;
        for (Token token = tokens.LT(1); token.getType() != Token.EOF; token = tokens.LT(1)) {
            if (++count > MAX_TOKENS) {
                problems.report(
                        "TFX0001",
                        span(source, token),
                        "the file has more than " + MAX_TOKENS + " tokens",
                        "split it into modules");
                return false;
            }
            if (token.getType() == error && token.getText().equals("\"")) {
                problems.report(
                        "TFX0101", span(source, token), "this string has no end", "close it with \" on the same line");
                return false;
            }
            switch (token.getText()) {
                case "(", "[", "{", "select(", "aggregate(", "range(", "zip(", "len(" -> depth++;
                case ")", "]", "}" -> depth--;
                default -> {}
            }
            prefixes = PREFIXES.contains(token.getText()) ? prefixes + 1 : 0;
            alternatives = switch (token.getText()) {
                case "else" -> alternatives + 1;
                case ";", "{", "}" -> 0;
                default -> alternatives;
            };
            if (Math.max(depth, Math.max(prefixes, alternatives)) > MAX_NESTING) {
                tooDeep(source, token, problems);
                return false;
            }
            tokens.consume();
        }
        tokens.seek(0);
        return true;
    }

    private static void tooDeep(Source source, Token token, Problems problems) {
        problems.report(
                "TFX0003",
                span(source, token),
                "nested deeper than " + MAX_NESTING + " levels",
                "give inner parts names");
    }

    private static Span span(Source source, Token token) {
        int start = Math.min(token.getStartIndex(), source.text().length());
        return new Span(source, start, Math.max(start, token.getStopIndex() + 1));
    }

    /// Turns the parser's errors into diagnostics in the words of the language.
    private static final class Listener extends BaseErrorListener {
        private final Source source;
        private final Problems problems;
        private boolean wrong;
        /// Whether the text ended before anything was wrong with it. An operator at its end reads as the end of a
        /// statement first.
        private boolean unfinished;

        Listener(Source source, Problems problems) {
            this.source = source;
            this.problems = problems;
        }

        @Override
        public void syntaxError(
                Recognizer<?, ?> recognizer,
                Object symbol,
                int line,
                int column,
                String message,
                RecognitionException cause) {
            Token token = (Token) symbol;
            unfinished |= !wrong && token.getType() == Token.EOF;
            wrong |= !message.startsWith("missing ';'");
            String found = token.getType() == Token.EOF ? "the end of the file" : "'" + shorten(token.getText()) + "'";
            String help = message.contains("missing ';'") || message.contains("expecting ';'")
                    ? "end the statement before this with ';'"
                    : expected(message);
            problems.report("TFX0102", span(source, token), "unexpected " + found, help);
        }

        private static String expected(String message) {
            int at = message.indexOf("expecting ");
            return at < 0 || message.length() - at > 80
                    ? ""
                    : "one of these can stand here: " + message.substring(at + 10);
        }

        private static String shorten(String text) {
            return text.length() <= 30 ? text : text.substring(0, 27) + "...";
        }
    }
}
