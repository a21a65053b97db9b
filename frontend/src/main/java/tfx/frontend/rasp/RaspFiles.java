package tfx.frontend.rasp;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tfx.frontend.Frontend;
import tfx.frontend.Parsing;
import tfx.frontend.Problems;
import tfx.frontend.ast.Item;
import tfx.frontend.rasp.RaspStager.Outcome;
import tfx.ir.Diagnostic;
import tfx.ir.InternalError;
import tfx.ir.Source;
import tfx.ir.Span;
import tfx.ir.sequence.SequenceError;
import tfx.ir.sequence.SequenceGraph;
import tfx.ir.sequence.SequenceNode;
import tfx.ir.sequence.SequenceOp;
import tfx.ir.sequence.SequenceOp.Reduction;

/// Runs files and statements of the RASP dialect, each against the library; an error ends its statement alone.
public final class RaspFiles {
    /// The library's module in the stdlib.
    private static final String LIBRARY = "rasplib.rasp";

    /// That of the causal dialect.
    private static final String CAUSAL_LIBRARY = "raspl.raspl";

    private static final String ENDING = ".rasp";
    private static final String CAUSAL_ENDING = ".raspl";

    private static final int MAX_LOADS = 500;

    private final SequenceGraph graph;
    private final Frontend.Modules modules;
    private final Problems problems;
    private final Foreign foreign;
    private final RaspStager stager;
    private final Environment library = Environment.library("rasplib", false);
    private final Environment causalLibrary = Environment.library("raspl", true);
    private final Deque<String> loading = new ArrayDeque<>();
    private final List<Diagnostic> warnings = new ArrayList<>();
    private int loads;
    private int running;
    /// Whether names that a wrong statement would have set are poison, so that one mistake is reported once; in a
    /// conversation they stay what they were.
    private boolean poisons = true;

    /// Loads files of tfx.
    @FunctionalInterface
    public interface Foreign {
        /// What a file exports.
        Map<String, RaspValue> load(Frontend.Modules.Found file, Span span);
    }

    /// @param foreign  loads files of tfx
    /// @param listener takes what is for a REPL
    public RaspFiles(
            SequenceGraph graph,
            Frontend.Modules modules,
            Problems problems,
            Foreign foreign,
            RaspStager.Listener listener) {
        this.foreign = foreign;
        this.graph = graph;
        this.modules = modules;
        this.problems = problems;
        // The library holds for every input, so nothing of it needs a trial.
        RaspStager own = new RaspStager(graph, this::load, new RaspStager.Listener() {});
        RaspOperators operators = new RaspOperators(graph);
        primitive(library, "selector_width", List.of("sel"), (a, span) -> operators.width(a.getFirst(), span));
        fill(library, LIBRARY, own);
        primitive(causalLibrary, "sel_width", List.of("sel"), (a, span) -> operators.width(a.getFirst(), span));
        List<String> aggregates = List.of("..."); // a default may be left out
        primitive(causalLibrary, "aggr_mean", aggregates, (a, span) -> operators.aggregate(Reduction.MEAN, a, span));
        primitive(causalLibrary, "aggr_max", aggregates, (a, span) -> operators.aggregate(Reduction.MAX, a, span));
        primitive(causalLibrary, "aggr_min", aggregates, (a, span) -> operators.aggregate(Reduction.MIN, a, span));
        fill(causalLibrary, CAUSAL_LIBRARY, own);
        this.stager = new RaspStager(graph, this::load, listener);
    }

    private static void primitive(Environment library, String name, List<String> parameters, RaspValue.Body body) {
        library.set(name, new RaspValue.Primitive(name, parameters, library.name(), body));
    }

    /// What the language has, and what the dialect's module of the stdlib says.
    private void fill(Environment into, String module, RaspStager own) {
        for (SequenceOp.Conversion conversion : SequenceOp.Conversion.values()) {
            String name = conversion.sequence();
            into.set(name, new RaspValue.Sequence(graph.tokens(conversion, Span.NONE), name));
        }
        into.set("indices", new RaspValue.Sequence(graph.indices(Span.NONE), "indices"));
        try {
            Frontend.Modules.Found found =
                    modules.library(module).orElseThrow(() -> new IOException("it is not on the class path"));
            Source source = Parsing.decode(found.name(), found.bytes(), problems);
            for (Item.Statement statement : Parsing.parseRasp(source, problems)) {
                own.run(statement, into);
            }
        } catch (IOException e) {
            problems.report("TFX0202", Span.NONE, "cannot read the library " + module + ": " + e.getMessage(), "");
        }
        into.set("tokens", new RaspValue.Sequence(graph.tokens(SequenceOp.Conversion.STR, Span.NONE), "tokens"));
    }

    /// Whether a file of this name is one of RASP.
    public static boolean isRasp(String file) {
        return file.endsWith(ENDING) || isCausal(file);
    }

    /// Whether a file of this name is one of the causal dialect, RASP-L.
    public static boolean isCausal(String file) {
        return file.endsWith(CAUSAL_ENDING);
    }

    private Environment libraryOf(String file) {
        return isCausal(file) ? causalLibrary : library;
    }

    /// An environment for statements that come one by one.
    public Environment console() {
        poisons = false;
        return Environment.file(library, Optional.empty(), "console");
    }

    /// Runs a file that nothing loads; what it sets is its environment's own.
    public Environment run(Frontend.Modules.Found file) {
        Environment environment = Environment.file(libraryOf(file.name()), Optional.empty(), file.name());
        run(file, environment);
        return environment;
    }

    private List<Outcome> run(Frontend.Modules.Found file, Environment environment) {
        Problems own = new Problems();
        Source source = Parsing.decode(file.name(), file.bytes(), own);
        List<Item.Statement> statements = own.isEmpty() ? Parsing.parseRasp(source, own) : List.of();
        warnings.addAll(RaspLints.of(statements));
        own.sorted().forEach(problems::report);
        loading.push(file.name());
        List<Outcome> outcomes = new ArrayList<>();
        for (Item.Statement statement : statements) {
            if (statement instanceof Item.Leave) {
                break; // ends the file
            }
            outcomes.addAll(run(statement, environment));
        }
        loading.pop();
        return outcomes;
    }

    /// What the files that ran hold that is hardly meant.
    public List<Diagnostic> warnings() {
        return List.copyOf(warnings);
    }

    /// The library's own names.
    public Map<String, RaspValue> library() {
        return library.own();
    }

    /// An s-op or selector that was made elsewhere.
    public static RaspValue value(SequenceNode node) {
        return new RaspValue.Sequence(node, node.isSelector() ? "sel" : "s-op");
    }

    /// Calls a function; empty if that is wrong, which is reported.
    public Optional<RaspValue> call(RaspValue function, List<RaspValue> arguments, Span span) {
        int depth = begin();
        try {
            return Optional.of(stager.apply(function, arguments, span, span));
        } catch (RaspError e) {
            report(e);
        } catch (SequenceError e) {
            report(RaspError.of(e, span));
        } finally {
            running--;
        }
        stager.unwind(depth);
        return Optional.empty();
    }

    /// Begins a statement or a call from outside; the limits are those of the outermost.
    private int begin() {
        if (running++ == 0) {
            stager.restart();
        }
        return stager.depth();
    }

    /// Runs one statement; what is wrong with it is reported.
    public List<Outcome> run(Item.Statement statement, Environment environment) {
        int depth = begin();
        try {
            return stager.run(statement, environment);
        } catch (RaspError e) {
            report(e);
        } catch (StackOverflowError e) {
            problems.report("TFX0003", statement.span(), "this is nested too deeply", "give inner parts names");
        } finally {
            running--;
        }
        stager.unwind(depth);
        if (poisons) {
            poison(statement, environment);
        }
        return List.of();
    }

    private void report(RaspError e) {
        if (!e.isSilent()) {
            problems.report(new Diagnostic(e.problem().code(), e.span(), e.getMessage(), stager.notes(), e.help()));
        }
    }

    private static void poison(Item.Statement statement, Environment environment) {
        List<String> names = switch (statement) {
            case Item.Assign a -> a.targets();
            case Item.LocalFunction f -> List.of(f.function().name());
            case Item.For f -> f.names();
            case Item.Evaluate e -> List.of();
            case Item.Load l -> List.of();
            case Item.Draw d -> List.of();
            case Item.SetExample s -> List.of();
            case Item.Command c -> List.of();
            case Item.Return r -> throw new InternalError("a return outside a function at " + r.span());
            case Item.If i -> throw new InternalError("an if statement at " + i.span());
        };
        for (String name : names) {
            if (!environment.isReserved(name)) {
                environment.set(name, new RaspValue.Poison());
            }
        }
    }

    private List<Outcome> load(String path, Span span, Environment into) {
        Frontend.Modules.Found found = find(path, span);
        if (loading.contains(found.name())) {
            List<String> cycle = new ArrayList<>(loading.reversed());
            cycle.add(found.name());
            throw new RaspError(
                    RaspError.Problem.LOAD,
                    span,
                    "files load each other in a cycle: " + String.join(" -> ", cycle),
                    "move what both need into a third file");
        }
        if (++loads > MAX_LOADS) {
            throw new RaspError(RaspError.Problem.LOAD, span, "more than " + MAX_LOADS + " loads", "");
        }
        if (found.name().endsWith(".tfx")) {
            Map<String, RaspValue> values = foreign.load(found, span);
            values.forEach((name, value) -> RaspStager.set(name, value, into, span));
            return values.entrySet().stream()
                    .map(e -> (Outcome) new Outcome.Named(e.getKey(), e.getValue(), span))
                    .toList();
        }
        Environment environment = Environment.file(libraryOf(found.name()), Optional.of(into), path);
        List<Outcome> outcomes = run(found, environment);
        return publics(outcomes);
    }

    private Frontend.Modules.Found find(String path, Span span) {
        String from = loading.isEmpty() ? "" : loading.peek();
        try {
            for (String place : List.of(from, "")) {
                for (String name : List.of(path + ENDING, path + CAUSAL_ENDING, path)) {
                    Optional<Frontend.Modules.Found> found = modules.file(place, name);
                    if (found.isPresent()) {
                        return found.get();
                    }
                }
            }
        } catch (IOException | RuntimeException e) {
            throw new RaspError(RaspError.Problem.LOAD, span, "cannot read '" + path + "': " + e.getMessage(), "");
        }
        throw new RaspError(
                RaspError.Problem.LOAD,
                span,
                "there is no file '" + path + ENDING + "'",
                "the path is relative to the folder of this file, or to the working directory");
    }

    /// Each public name once, where it was last set.
    private static List<Outcome> publics(List<Outcome> outcomes) {
        Set<String> names = new HashSet<>();
        List<Outcome> last = new ArrayList<>();
        for (Outcome outcome : outcomes.reversed()) {
            if (outcome instanceof Outcome.Named n
                    && !n.name().startsWith("_")
                    && !n.name().equals("out")
                    && names.add(n.name())) {
                last.addFirst(n);
            }
        }
        return last;
    }
}
