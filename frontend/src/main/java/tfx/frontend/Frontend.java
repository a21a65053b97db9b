package tfx.frontend;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import tfx.frontend.ast.Item;
import tfx.frontend.rasp.RaspFiles;
import tfx.frontend.rasp.RaspStager;
import tfx.frontend.rasp.RaspValue;
import tfx.frontend.stage.Builtins;
import tfx.frontend.stage.ModuleScope;
import tfx.frontend.stage.ProgramStager;
import tfx.frontend.stage.RaspBorder;
import tfx.frontend.stage.Scope;
import tfx.frontend.stage.Value;
import tfx.ir.Diagnostic;
import tfx.ir.InternalError;
import tfx.ir.LargeStack;
import tfx.ir.Source;
import tfx.ir.Span;
import tfx.ir.sequence.RaspL;
import tfx.ir.sequence.SequenceGraph;
import tfx.ir.sequence.SequenceNode;

/// Source to checked programs. Never throws on user input: what is wrong comes back as diagnostics.
public final class Frontend {
    private static final int MAX_MODULES = 200;

    /// Finds the text of modules.
    public interface Modules {
        /// A module found.
        ///
        /// @param library whether it is of the stdlib
        record Found(String name, byte[] bytes, boolean library) {}

        /// The module that `import name;` means.
        Optional<Found> library(String name) throws IOException;

        /// The module that `import "path";` in the module `from` means.
        Optional<Found> file(String from, String path) throws IOException;
    }

    /// What came out.
    ///
    /// @param programs    those without problems, in the order of the source; empty if there are diagnostics
    /// @param sequences   the s-ops and selectors that the file names, likewise
    /// @param diagnostics by place, at most {@link Problems#LIMIT}
    /// @param warnings    what is no mistake but hardly meant
    public record Checked(
            List<Program> programs,
            Map<String, SequenceNode> sequences,
            List<Diagnostic> diagnostics,
            List<Diagnostic> warnings) {}

    /// The stdlib module whose names every program sees.
    private static final String CORE = "core";

    /// Parsed modules of the stdlib: they are the same for every program.
    private static final Map<List<Object>, List<Item>> LIBRARY = new ConcurrentHashMap<>();

    private final Modules modules;
    private final Problems problems;
    private final RaspFiles rasp;
    private final RaspBorder border;
    private Scope base;
    private final Map<String, ModuleScope> loaded = new HashMap<>();
    private final Set<String> loading = new LinkedHashSet<>();

    private Frontend(Modules modules, Problems problems, RaspStager.Listener listener) {
        this.modules = modules;
        this.problems = problems;
        SequenceGraph graph = new SequenceGraph();
        this.base = Builtins.scope(graph);
        this.rasp = new RaspFiles(graph, modules, problems, this::exported, listener);
        this.border = new RaspBorder(rasp, problems);
    }

    /// What runs RASP, statement by statement or file by file.
    public static RaspFiles rasp(Modules modules, Problems problems, RaspStager.Listener listener) {
        return new Frontend(modules, problems, listener).rasp;
    }

    /// What a file of tfx exports to RASP.
    private Map<String, RaspValue> exported(Modules.Found file, Span span) {
        core(span);
        return border.export(load(file, span));
    }

    /// Checks one file and all programs in it.
    ///
    /// @param name  the file's name for messages and relative imports
    /// @param bytes its content
    public static Checked check(String name, byte[] bytes, Modules modules) {
        Frontend frontend = new Frontend(modules, new Problems(), new RaspStager.Listener() {});
        Checked found = onLargeStack(() -> frontend.check(new Modules.Found(name, bytes, false)));
        return found.diagnostics().isEmpty()
                ? found
                : new Checked(List.of(), Map.of(), found.diagnostics(), found.warnings());
    }

    private Checked check(Modules.Found file) {
        if (RaspFiles.isRasp(file.name())) {
            Map<String, SequenceNode> sequences = new LinkedHashMap<>();
            rasp.run(file).own().forEach((name, value) -> {
                if (value instanceof RaspValue.Sequence s) {
                    sequences.put(name, s.node());
                }
            });
            List<Diagnostic> warnings = new ArrayList<>(rasp.warnings());
            if (RaspFiles.isCausal(file.name())) {
                sequences.forEach((name, node) -> warnings.addAll(departures(name, node)));
            }
            return new Checked(List.of(), sequences, problems.sorted(), warnings);
        }
        Span start = new Span(new Source(file.name(), ""), 0, 0);
        core(start);
        ModuleScope module = load(file, start);
        Map<String, SequenceNode> sequences = new TreeMap<>();
        module.scope().own().forEach((name, value) -> {
            if (value instanceof Value.Sequence s) {
                sequences.put(name, s.node());
            }
        });
        return new Checked(programs(module), sequences, problems.sorted(), rasp.warnings());
    }

    /// Where an s-op leaves the fragment RASP-L, as warnings.
    public static List<Diagnostic> departures(String name, SequenceNode node) {
        return RaspL.departures(node).stream()
                .map(d -> new Diagnostic(
                        "TFX0604", d.node().span(), "'" + name + "' leaves RASP-L: " + d.reason(), List.of(), ""))
                .toList();
    }

    /// The AST of one file, for printing.
    public static List<Item> parse(String name, byte[] bytes, Problems problems) {
        return onLargeStack(() -> {
            Source source = Parsing.decode(name, bytes, problems);
            if (!problems.isEmpty()) {
                return List.of();
            }
            return RaspFiles.isRasp(name)
                    ? List.of(new Item.Script(Parsing.parseRasp(source, problems), new Span(source, 0, 0)))
                    : Parsing.parse(source, problems);
        });
    }

    private static <T> T onLargeStack(Supplier<T> work) {
        try {
            return LargeStack.call("tfx-frontend", work);
        } catch (InternalError e) {
            throw e;
        } catch (RuntimeException | Error e) {
            throw new InternalError("the front end failed: " + e, e);
        }
    }

    private List<Program> programs(ModuleScope module) {
        List<Program> programs = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (Item item : module.items()) {
            switch (item) {
                case Item.Program p ->
                    stage(p, Optional.empty(), module.scope(), names).ifPresent(programs::add);
                case Item.Model m -> {
                    for (Item.Program p : m.programs()) {
                        stage(p, Optional.of(m), module.scope(), names).ifPresent(programs::add);
                    }
                }
                case Item.Import i -> {}
                case Item.Constant c -> {}
                case Item.Function f -> {}
                case Item.Record r -> {}
                case Item.Script s -> {}
            }
        }
        return programs;
    }

    /// Loads the core module; its names become visible everywhere.
    private void core(Span start) {
        if (!loaded.isEmpty()) {
            return;
        }
        try {
            Optional<Modules.Found> found = modules.library(CORE);
            if (found.isPresent()) {
                ModuleScope module = load(found.get(), start);
                base = new Scope(base);
                module.exported().forEach(base::set);
            }
        } catch (IOException e) {
            problems.report("TFX0202", start, "cannot read the stdlib: " + e.getMessage(), "");
        }
    }

    private Optional<Program> stage(Item.Program program, Optional<Item.Model> model, Scope scope, Set<String> names) {
        if (!names.add(program.name())) {
            problems.report(
                    "TFX0204", program.span(), "program '" + program.name() + "' is declared twice", "rename one");
            return Optional.empty();
        }
        Problems own = new Problems();
        Optional<Program> staged = Optional.empty();
        try {
            staged = new ProgramStager(own).stage(program, model, scope);
        } catch (StackOverflowError e) {
            own.report(
                    "TFX0003",
                    program.span(),
                    "expressions of this program are nested too deeply",
                    "give inner parts names");
        }
        own.sorted().forEach(problems::report);
        return staged;
    }

    private ModuleScope load(Modules.Found found, Span from) {
        ModuleScope known = loaded.get(found.name());
        if (known != null) {
            return known;
        }
        ModuleScope module = new ModuleScope(new Scope(base), List.of());
        if (loaded.size() >= MAX_MODULES) {
            problems.report("TFX0203", from, "more than " + MAX_MODULES + " modules", "");
            return module;
        }
        if (RaspFiles.isRasp(found.name())) {
            border.export(found.library() ? rasp.library() : rasp.run(found).own(), module.scope());
            loaded.put(found.name(), module);
            return module;
        }
        loading.add(found.name());
        Problems own = new Problems();
        List<Item> items = parsed(found, own);
        own.sorted().forEach(problems::report);
        Scope imported = new Scope(base);
        for (Item item : items) {
            if (item instanceof Item.Import i) {
                imports(i, found.name(), imported);
            }
        }
        module = new ModuleScope(new Scope(imported), items);
        module.declare(problems);
        loading.remove(found.name());
        loaded.put(found.name(), module);
        return module;
    }

    private static List<Item> parsed(Modules.Found found, Problems problems) {
        List<Object> key = List.of(found.name(), ByteBuffer.wrap(found.bytes()));
        List<Item> known = found.library() ? LIBRARY.get(key) : null;
        if (known != null) {
            return known;
        }
        Source source = Parsing.decode(found.name(), found.bytes(), problems);
        List<Item> items = problems.isEmpty() ? Parsing.parse(source, problems) : List.of();
        if (found.library() && problems.isEmpty()) {
            LIBRARY.put(key, items);
        }
        return items;
    }

    private void imports(Item.Import item, String from, Scope into) {
        Optional<Modules.Found> found;
        try {
            found = item.file() ? modules.file(from, item.target()) : modules.library(item.target());
        } catch (IOException | RuntimeException e) {
            problems.report("TFX0202", item.span(), "cannot read '" + item.target() + "': " + e.getMessage(), "");
            return;
        }
        if (found.isEmpty()) {
            problems.report(
                    "TFX0202",
                    item.span(),
                    "there is no module '" + item.target() + "'",
                    item.file()
                            ? "the path is relative to the folder of this file"
                            : "write import \"file.tfx\"; for a file of your own");
            return;
        }
        if (loading.contains(found.get().name())) {
            List<String> cycle = new ArrayList<>(loading);
            cycle.add(found.get().name());
            problems.report(
                    "TFX0203",
                    item.span(),
                    "imports form a cycle: "
                            + String.join(
                                    " -> ",
                                    cycle.subList(cycle.indexOf(found.get().name()), cycle.size())),
                    "move what both need into a third module");
            return;
        }
        ModuleScope module = load(found.get(), item.span());
        module.exported().forEach((name, value) -> {
            if (into.definesHere(name) && !into.find(name).orElseThrow().equals(value)) {
                problems.report("TFX0204", item.span(), "'" + name + "' comes from two imported modules", "");
            }
            into.set(name, value);
        });
    }
}
