package tfx.frontend.stage;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tfx.frontend.Problems;
import tfx.frontend.ast.Item;
import tfx.frontend.rasp.RaspFiles;
import tfx.frontend.rasp.RaspValue;
import tfx.ir.Span;
import tfx.ir.sequence.Atom;
import tfx.runtime.Dim;

/// Values that cross between tfx and RASP: what both have stays itself, functions are called across.
public final class RaspBorder {
    private final RaspFiles files;
    private final Problems problems;

    public RaspBorder(RaspFiles files, Problems problems) {
        this.files = files;
        this.problems = problems;
    }

    /// What a file of RASP sets, as values of tfx.
    public void export(Map<String, RaspValue> values, Scope into) {
        values.forEach((name, value) -> into.set(name, toTfx(value)));
    }

    /// What a module of tfx exports, as values of RASP.
    public Map<String, RaspValue> export(ModuleScope module) {
        Map<String, RaspValue> values = new LinkedHashMap<>();
        module.exported().forEach((name, value) -> values.put(name, toRasp(value, Span.NONE)));
        return values;
    }

    private Value toTfx(RaspValue value) {
        return switch (value) {
            case RaspValue.Plain(Atom.Whole w) ->
                w.value().bitLength() < 64
                        ? new Value.Whole(Dim.of(w.value().longValue()))
                        : new Value.Opaque("an integer of more than 64 bits");
            case RaspValue.Plain(Atom.Real r) -> new Value.Real(r.value());
            case RaspValue.Plain(Atom.Text t) -> new Value.Text(t.value());
            case RaspValue.Plain(Atom.Truth t) -> new Value.Truth(t.value());
            case RaspValue.Items i ->
                new Value.Items(i.items().stream().map(this::toTfx).toList());
            case RaspValue.Sequence s -> new Value.Sequence(s.node());
            case RaspValue.Function f ->
                function(f.function().name(), f, f.function().parameters().size());
            case RaspValue.Primitive p -> function(p.name(), p, p.parameters().size());
            case RaspValue.Dict d -> new Value.Opaque(d.describe() + " of RASP");
            case RaspValue.Applied a -> new Value.Opaque(a.describe());
            case RaspValue.Opaque o -> new Value.Opaque(o.what());
            case RaspValue.Poison p -> new Value.Poison();
        };
    }

    private Value function(String name, RaspValue function, int parameters) {
        return new Value.Primitive(name, (stager, a) -> {
            if (a.count() != parameters) {
                throw a.fail("it takes " + parameters + " arguments by position, not " + a.count());
            }
            List<RaspValue> arguments = new ArrayList<>();
            for (int i = 0; i < parameters; i++) {
                arguments.add(toRasp(a.get(i, "argument " + (i + 1)), a.span()));
            }
            return toTfx(files.call(function, arguments, a.span()).orElseThrow(StagingError::silent));
        });
    }

    private RaspValue toRasp(Value value, Span span) {
        return switch (value) {
            case Value.Sequence s -> RaspFiles.value(s.node());
            case Value.Items i ->
                new RaspValue.Items(i.items().stream().map(v -> toRasp(v, span)).toList());
            case Value.Closure c ->
                primitive(
                        c.function().name(),
                        c.function().parameters().stream()
                                .map(Item.Parameter::name)
                                .toList(),
                        value);
            case Value.Primitive p -> primitive(p.name(), List.of("..."), value);
            case Value.Poison p -> new RaspValue.Poison();
            default ->
                Sequences.atom(value)
                        .map(a -> (RaspValue) new RaspValue.Plain(a))
                        .orElseGet(() -> new RaspValue.Opaque(value.describe()));
        };
    }

    private RaspValue primitive(String name, List<String> parameters, Value function) {
        return new RaspValue.Primitive(name, parameters, "tfx", (arguments, span) -> {
            Stager stager = new Stager(problems);
            try {
                List<Value> given = arguments.stream().map(this::toTfx).toList();
                return toRasp(stager.apply(function, given, Map.of(), span), span);
            } catch (StagingError e) {
                stager.report(e);
                return new RaspValue.Poison();
            }
        });
    }
}
