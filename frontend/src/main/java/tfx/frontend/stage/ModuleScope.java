package tfx.frontend.stage;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import tfx.frontend.Problems;
import tfx.frontend.ast.Item;

/// A loaded module: its declarations and the names they define.
public final class ModuleScope {
    private final Scope scope;
    private final List<Item> items;

    public ModuleScope(Scope scope, List<Item> items) {
        this.scope = scope;
        this.items = List.copyOf(items);
    }

    public Scope scope() {
        return scope;
    }

    public List<Item> items() {
        return items;
    }

    /// Defines functions and records, then constants in order.
    public void declare(Problems problems) {
        for (Item item : items) {
            switch (item) {
                case Item.Function f -> define(f.name(), new Value.Closure(f, scope), item, problems);
                case Item.Record r -> define(r.name(), new Value.RecordType(r, scope), item, problems);
                case Item.Import i -> {}
                case Item.Constant c -> {}
                case Item.Program p -> {}
                case Item.Model m -> {}
                case Item.Script s -> {}
            }
        }
        Stager stager = new Stager(problems);
        for (Item item : items) {
            if (item instanceof Item.Constant c) {
                try {
                    Value value = stager.evaluate(c.value(), scope);
                    if (value instanceof Value.Array) {
                        throw StagingError.of(
                                "TFX0219",
                                c.span(),
                                "'" + c.name() + "' is a tensor, " + value.describe() + ", outside any program",
                                "make it a function: def " + c.name() + "() { return ...; }");
                    }
                    define(c.name(), value, item, problems);
                    if (value instanceof Value.Sequence s) {
                        s.node().graph().name(s.node(), c.name());
                    }
                } catch (ArithmeticException overflow) {
                    problems.report("TFX0207", c.span(), "a number here does not fit 64 bits", "use floats");
                    scope.set(c.name(), new Value.Poison());
                } catch (StagingError error) {
                    stager.report(error);
                    scope.set(c.name(), new Value.Poison());
                }
            }
        }
    }

    private void define(String name, Value value, Item item, Problems problems) {
        if (scope.definesHere(name)) {
            problems.report("TFX0204", item.span(), "'" + name + "' is defined twice in this module", "rename one");
        }
        scope.set(name, value);
    }

    /// The names that an import brings in: all but those that begin with an underscore.
    public Map<String, Value> exported() {
        Map<String, Value> names = new HashMap<>(scope.own());
        names.keySet().removeIf(name -> name.startsWith("_"));
        return names;
    }
}
