package tfx.bench;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import tfx.compiler.Compiler;
import tfx.compiler.SequenceSession;
import tfx.compiler.Session;
import tfx.frontend.Frontend;
import tfx.frontend.rasp.RaspConsole;
import tfx.ir.sequence.Atom;
import tfx.ir.sequence.SequenceNode;

/// Programs of RASP on long inputs: by the normal form of their selectors, and over all pairs of positions,
/// which is what their text says. The reference is a target: 5 ms to sort 800 tokens, a second for each program
/// on 100 000 tokens, a second to load three-valued inference and answer 22 questions, and time that grows as n
/// log n, whose exponent from 800 tokens on is at most 1.2.
public final class Rasp {
    private record Entry(String name, String file, String alphabet) {}

    private static final List<Entry> ENTRIES = List.of(
            new Entry("reverse", "reverse", "abcdefgh"),
            new Entry("hist", "histogram", "abcdefgh"),
            new Entry("sorted", "sort", "abcdefgh"),
            new Entry("dyck2", "dyck", "(){}"),
            new Entry("most_frequent", "sort", "abcdefgh"));
    private static final int[] SIZES = {100, 800, 10_000, 100_000};
    private static final int LARGEST_PAIRS = 10_000;
    private static final int SMALLEST_FITTED = 800; // below, a call costs the same whatever it computes
    private static final double EXPONENT = 1.2;

    private static final List<String> QUESTIONS = List.of(
            "a<A,a<A?",
            "a<A,a#A?",
            "a<A,a<B?",
            "a<A,x<A:x<B,a<B?",
            "a#A,x#A:x<B,a<B?",
            "a<A,x<A:x#B,a<B?",
            "a#A,x#A:x#B,a<A?",
            "a#B,x<A:x<B,a<A?",
            "b#B,x<A:x<B,a<B?",
            "x<A:x<B,x#B:x<C,b#B,b<A?",
            "x<A:x<B,x#B:x<C,b#B,b<C?",
            "a<A,x<A:x<B,x<B:x<C,a<C?",
            "a<A,x<A:x<B,x<B:x#C,a<C?",
            "a<A,x<A:x<B,x<C:x#B,a<C?",
            "a<A,b<A?",
            "a<A,a<X:b<X,b<A?",
            "a<A,a<X:b#X,b<A?",
            "a#A,a#X:b<X,b<A?",
            "a#A,a#X:b#X,b<A?",
            "a#A,b<X:a<X,b<A?",
            "a<A,a<X:b<X,b<X:c<X,c<A?",
            "a<A,a<X:b<X,x<A:x<C,b<C?");

    private Rasp() {}

    public static void main(String[] arguments) throws Exception {
        int threads = Runtime.getRuntime().availableProcessors();
        Session.Options options = new Session.Options(Session.Backend.CPU, Optional.empty(), threads);
        Table table = new Table(0, "ktokens/s");
        table.row("inference, load and 22 questions", inference(), 1000, "target", 0);
        for (Entry entry : ENTRIES) {
            Path file = Path.of(System.getProperty("tfx.home"), "samples", "rasp", entry.file() + ".rasp");
            Frontend.Checked checked = Compiler.check(file);
            SequenceNode node = checked.sequences().get(entry.name());
            List<double[]> points = new ArrayList<>();
            try (SequenceSession forms = new SequenceSession(node, options);
                    SequenceSession pairs = new SequenceSession(node, options, SequenceSession.Selectors.PAIRS)) {
                for (int size : SIZES) {
                    List<Atom> tokens = tokens(entry, size);
                    double millis = millis(forms, tokens);
                    if (size >= SMALLEST_FITTED) {
                        points.add(new double[] {size, millis});
                    }
                    String name = entry.name() + " " + size;
                    double target = size == 100_000 ? 1000 : size == 800 && entry.name().equals("sorted") ? 5 : 0;
                    if (target > 0) {
                        table.row(name, millis, target, "target", size / millis);
                    } else {
                        System.out.printf("%-36s %10.3f%n", name, millis);
                    }
                    if (size <= LARGEST_PAIRS) {
                        System.out.printf("%-36s %10.3f%n", name + ", all pairs", millis(pairs, tokens));
                    }
                }
            }
            table.row(entry.name() + " exponent", exponent(points), EXPONENT, "target", 0);
        }
        table.end();
        System.exit(0);
    }

    /// Milliseconds to load the program for three-valued inference and answer the questions of its test, in a
    /// JVM that has run nothing yet.
    private static double inference() {
        long start = System.nanoTime();
        StringBuilder out = new StringBuilder();
        RaspConsole console = Compiler.console(out);
        console.line("set example \"a<A,a<A?\"");
        console.line("load \"" + Path.of(System.getProperty("tfx.home"), "samples", "rasp", "inference") + "\";");
        for (String question : QUESTIONS) {
            console.line("answer(\"" + question + "\");");
        }
        double millis = (System.nanoTime() - start) / 1e6;
        if (out.toString().lines().filter(l -> l.contains("(strings)") && l.startsWith("\t =")).count() != QUESTIONS.size()) {
            throw new IllegalStateException("not all questions were answered:\n" + out);
        }
        return millis;
    }

    /// The slope of the line nearest to the logarithms of time and size.
    private static double exponent(List<double[]> points) {
        double x = points.stream().mapToDouble(p -> Math.log(p[0])).average().orElseThrow();
        double y = points.stream().mapToDouble(p -> Math.log(p[1])).average().orElseThrow();
        double both = points.stream().mapToDouble(p -> (Math.log(p[0]) - x) * (Math.log(p[1]) - y)).sum();
        double square = points.stream().mapToDouble(p -> Math.pow(Math.log(p[0]) - x, 2)).sum();
        return both / square;
    }

    private static List<Atom> tokens(Entry entry, int size) {
        Random random = new Random(size);
        List<Atom> tokens = new ArrayList<>(size);
        for (int i = 0; i < size; i++) {
            int letter = random.nextInt(entry.alphabet().length());
            tokens.add(Atom.of(entry.alphabet().substring(letter, letter + 1)));
        }
        return tokens;
    }

    /// The median of calls in a second, after as many that are not counted.
    private static double millis(SequenceSession session, List<Atom> tokens) {
        List<Double> times = new ArrayList<>();
        for (int round = 0; round < 2; round++) {
            times.clear();
            long until = System.nanoTime() + 1_000_000_000L;
            do {
                long start = System.nanoTime();
                session.run(tokens);
                times.add((System.nanoTime() - start) / 1e6);
            } while (System.nanoTime() < until);
        }
        return Table.median(times.stream().mapToDouble(Double::doubleValue).toArray());
    }
}
