package tfx.samples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.lifecycle.AfterContainer;
import tfx.compiler.Compiler;
import tfx.compiler.Generation;
import tfx.compiler.SequenceSession;
import tfx.compiler.Session;
import tfx.ir.sequence.Atom;
import tfx.ir.sequence.PythonText;
import tfx.ir.sequence.SequenceNode;

/// The programs in `samples/rasp`, compiled, against plain Java that computes the same.
final class RaspSamplesTest {
    private static final int TRIES = 60;
    private static final Map<String, SequenceSession> SESSIONS = new HashMap<>();

    private static SequenceSession session(String file, String name) {
        return SESSIONS.computeIfAbsent(file + " " + name, k -> {
            try {
                SequenceNode node =
                        Compiler.check(Path.of("rasp", file)).sequences().get(name);
                return new SequenceSession(node, new Session.Options(Session.Backend.CPU, Optional.empty(), 2));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    @AfterContainer
    static void close() {
        SESSIONS.values().forEach(SequenceSession::close);
        SESSIONS.clear();
    }

    /// What an s-op gives on the characters of a text, each as Python writes it.
    private static List<String> run(String file, String name, String text) {
        List<Atom> tokens = letters(text).stream().map(Atom::of).toList();
        return session(file + ".rasp", name).run(tokens).getFirst().stream()
                .map(PythonText::of)
                .toList();
    }

    private static List<String> letters(String text) {
        return text.chars().mapToObj(Character::toString).toList();
    }

    private static <T> List<String> strings(List<T> values) {
        return values.stream().map(String::valueOf).toList();
    }

    private static Arbitrary<String> text(String alphabet, int longest) {
        return Arbitraries.strings()
                .withChars(alphabet.toCharArray())
                .ofMinLength(1)
                .ofMaxLength(longest);
    }

    @Provide
    Arbitrary<String> words() {
        return text("abcde", 40);
    }

    @Provide
    Arbitrary<String> brackets() {
        // Most are broken early, so nested ones are made too.
        Arbitrary<String> nested = Arbitraries.integers()
                .between(0, 3)
                .list()
                .ofMaxSize(12)
                .map(kinds -> {
                    StringBuilder text = new StringBuilder();
                    for (int kind : kinds) {
                        String pair = List.of("()", "{}", "[]", "x").get(kind);
                        text.insert(text.length() / 2, pair);
                    }
                    return text.isEmpty() ? "()" : text.toString();
                });
        return Arbitraries.oneOf(text("(){}[]a", 20), nested);
    }

    @Provide
    Arbitrary<String> bits() {
        return text("01", 70);
    }

    // Each property shrinks to a few tokens: with `<` for `<=` in its program, to one or two.

    @Property(tries = TRIES)
    void histogramCounts(@ForAll("words") String text) {
        List<String> tokens = letters(text);
        Map<String, Long> counts = tokens.stream().collect(Collectors.groupingBy(t -> t, Collectors.counting()));
        assertThat(run("histogram", "hist", text))
                .isEqualTo(strings(tokens.stream().map(counts::get).toList()));
        assertThat(run("histogram", "hist2", text))
                .isEqualTo(strings(tokens.stream()
                        .map(t -> counts.values().stream()
                                .filter(counts.get(t)::equals)
                                .count())
                        .toList()));
    }

    @Property(tries = TRIES)
    void reverseTurnsAround(@ForAll("words") String text) {
        assertThat(run("reverse", "reverse", text)).isEqualTo(letters(text).reversed());
    }

    @Property(tries = TRIES)
    void sortOrders(@ForAll("words") String text) {
        assertThat(run("sort", "sorted", text))
                .isEqualTo(letters(text).stream().sorted().toList());
        Map<String, Long> counts = new TreeMap<>();
        letters(text).forEach(t -> counts.merge(t, 1L, Long::sum));
        Set<String> distinct = new LinkedHashSet<>(letters(text));
        List<String> expected = new ArrayList<>(distinct.stream()
                .sorted(Comparator.comparing((String t) -> -counts.get(t)))
                .toList());
        while (expected.size() < text.length()) {
            expected.add("§");
        }
        assertThat(run("sort", "most_frequent", text)).isEqualTo(expected);
    }

    @Property(tries = TRIES)
    void dyckNests(@ForAll("brackets") String text) {
        for (int kinds = 1; kinds <= 3; kinds++) {
            List<String> pairs = List.of("()", "{}", "[]").subList(0, kinds);
            assertThat(run("dyck", "dyck" + kinds, text)).isEqualTo(nesting(text, pairs));
        }
        assertThat(run("dyck", "shuffle_dyck2", text)).isEqualTo(shuffled(text, List.of("()", "{}")));
    }

    private static List<String> nesting(String text, List<String> pairs) {
        List<String> verdicts = new ArrayList<>();
        StringBuilder open = new StringBuilder();
        boolean broken = false;
        for (String c : letters(text)) {
            for (String pair : pairs) {
                if (pair.startsWith(c)) {
                    open.append(c);
                } else if (pair.endsWith(c)) {
                    boolean fits = open.toString().endsWith(pair.substring(0, 1));
                    broken |= !fits;
                    open.setLength(fits ? open.length() - 1 : open.length());
                }
            }
            verdicts.add(broken ? "F" : open.isEmpty() ? "T" : "P");
        }
        return verdicts;
    }

    private static List<String> shuffled(String text, List<String> pairs) {
        List<String> verdicts = new ArrayList<>();
        Map<String, Integer> depths = new HashMap<>();
        boolean broken = false;
        for (String c : letters(text)) {
            for (String pair : pairs) {
                int by = pair.startsWith(c) ? 1 : pair.endsWith(c) ? -1 : 0;
                broken |= depths.merge(pair, by, Integer::sum) < 0;
            }
            boolean closed = depths.values().stream().allMatch(d -> d == 0);
            verdicts.add(broken ? "F" : closed ? "T" : "P");
        }
        return verdicts;
    }

    @Property(tries = TRIES)
    void onesAreCounted(@ForAll("bits") String text) {
        long ones = text.chars().filter(c -> c == '1').count();
        int size = text.length();
        assertThat(run("count", "majority", text)).containsOnly(2 * ones > size ? "True" : "False");
        assertThat(run("count", "parity", text)).containsOnly(Long.toString(ones % 2));
        assertThat(run("count", "parity_by_rounds", text)).containsOnly(Long.toString(ones % 2));
    }

    @Property(tries = TRIES)
    void additionAdds(
            @ForAll @LongRange(min = 0, max = 999_999_999_999L) long a,
            @ForAll @LongRange(min = 0, max = 99_999_999L) long b) {
        String text = a + "+" + b;
        String sum = Long.toString(a + b);
        List<String> expected = letters("0".repeat(text.length() - sum.length()) + sum);
        assertThat(run("addition", "sum", text)).isEqualTo(expected);
        assertThat(run("addition", "sum", b + "+" + a)).isEqualTo(expected);
    }

    @Property(tries = TRIES)
    void inductionRepeatsWhatFollowed(@ForAll("words") String text) {
        for (int n = 1; n <= 2; n++) {
            List<String> expected = new ArrayList<>();
            for (int i = 0; i < text.length(); i++) {
                String latest = text.substring(Math.max(0, i - n + 1), i + 1);
                String found = "?";
                for (int j = i; j >= latest.length() && found.equals("?"); j--) {
                    boolean whole = latest.length() == n || j == latest.length();
                    if (whole && text.substring(Math.max(0, j - n), j).equals(latest)) {
                        found = text.substring(j, j + 1);
                    }
                }
                expected.add(found);
            }
            assertThat(run("induction", n == 1 ? "bigram" : "trigram", text)).isEqualTo(expected);
        }
    }

    @Provide
    Arbitrary<String> graphs() {
        Arbitrary<String> edge = text("abcdef", 2).filter(e -> e.length() == 2 && e.charAt(0) != e.charAt(1));
        return edge.list()
                .ofMaxSize(9)
                .flatMap(edges -> edge.map(question -> Stream.concat(
                                edges.stream(), Stream.of(question.charAt(0) + ">" + question.charAt(1)))
                        .collect(Collectors.joining(","))));
    }

    @Property(tries = TRIES)
    void pathsAreShortest(@ForAll("graphs") String text) {
        List<String> clauses = List.of(text.split(","));
        List<String> edges = clauses.subList(0, clauses.size() - 1);
        String question = clauses.getLast();
        List<String> nodes =
                run("path", "path", text).stream().filter(n -> !n.equals("-")).toList();
        int due = distance(edges, question.substring(0, 1), question.substring(2));
        if (due < 0 || due >= text.length()) {
            assertThat(due < 0 ? nodes : List.of()).isEmpty();
            return;
        }
        assertThat(nodes).hasSize(due + 1).startsWith(question.substring(0, 1)).endsWith(question.substring(2));
        assertThat(edges)
                .containsAll(IntStream.range(0, due)
                        .mapToObj(i -> nodes.get(i) + nodes.get(i + 1))
                        .toList());
    }

    /// How many edges a shortest path has, -1 if there is none.
    private static int distance(List<String> edges, String from, String to) {
        Set<String> reached = new LinkedHashSet<>(Set.of(from));
        for (int steps = 0; steps < 6; steps++) {
            if (reached.contains(to)) {
                return steps;
            }
            Set<String> next = new LinkedHashSet<>(reached);
            edges.stream().filter(e -> reached.contains(e.substring(0, 1))).forEach(e -> next.add(e.substring(1)));
            reached.addAll(next);
        }
        return -1;
    }

    @Example
    void inferenceAnswers() {
        Map<String, String> answers = Map.ofEntries(
                Map.entry("a<A,a<A?", "T"),
                Map.entry("a<A,a#A?", "F"),
                Map.entry("a<A,a<B?", "?"),
                Map.entry("a<A,x<A:x<B,a<B?", "T"),
                Map.entry("b#A,x#A:x<B,b<B?", "T"),
                Map.entry("c<A,x<A:x#B,c<B?", "F"),
                Map.entry("a#B,x<A:x<B,a<A?", "F"),
                Map.entry("b#B,x<A:x<B,a<B?", "?"),
                Map.entry("x<A:x<B,x#B:x<C,b#B,b<C?", "T"),
                Map.entry("a<A,x<A:x<B,x<B:x<C,a<C?", "T"),
                Map.entry("a<A,x<A:x<B,x<C:x#B,a<C?", "F"),
                Map.entry("a<A,a<X:b<X,b<A?", "T"),
                Map.entry("a<B,a<X:b#X,b<B?", "F"),
                Map.entry("a#A,b<X:a<X,b<A?", "F"),
                Map.entry("a<A,a<X:b<X,b<X:c<X,c<A?", "T"),
                Map.entry("a<A,a<X:b<X,x<A:x<C,b<C?", "T"),
                Map.entry("a<A,a<X:b<X,x<B:x<C,b<C?", "?"));
        answers.forEach((question, answer) ->
                assertThat(run("inference", "answer", question)).as(question).containsOnly(answer));
    }

    /// What a program of RASP-L makes of a text, token by token, until its end token.
    private static String generated(String file, String name, String text) {
        List<Atom> tokens = letters(text).stream().map(Atom::of).toList();
        Generation made = Generation.run(session(file + ".raspl", name), tokens, Atom.of("$"), 100);
        assertThat(made.ended()).as(text).isTrue();
        return made.tokens().stream().map(PythonText::of).collect(Collectors.joining());
    }

    @Property(tries = TRIES)
    void countingGoesToTheSecondBound(@ForAll @IntRange(max = 9) int from, @ForAll @IntRange(max = 9) int more) {
        int to = Math.min(9, from + more);
        String due = IntStream.rangeClosed(from, to).mapToObj(Integer::toString).collect(Collectors.joining());
        assertThat(generated("count", "count", from + "," + to + ":")).isEqualTo(due);
    }

    private static String reversed(long number) {
        return new StringBuilder(Long.toString(number)).reverse().toString();
    }

    @Property(tries = TRIES)
    void reversedSumsAreGeneratedDigitByDigit(
            @ForAll @LongRange(max = 99_999_999) long a, @ForAll @LongRange(max = 99_999) long b) {
        assertThat(generated("addition", "sum", reversed(a) + "+" + reversed(b) + "="))
                .isEqualTo(reversed(a + b));
    }

    @Property(tries = TRIES)
    void parityHaltsAfterTheLastBit(@ForAll @LongRange(max = 1 << 20) long number) {
        String bits = Long.toBinaryString(number);
        assertThat(generated("parity", "parity", bits + ":"))
                .hasSameSizeAs(bits)
                .endsWith(Long.toString(Long.bitCount(number) % 2));
    }
}
