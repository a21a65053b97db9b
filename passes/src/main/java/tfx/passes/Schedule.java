package tfx.passes;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import tfx.ir.text.Scanner;

/// Which operations of a graph become one kernel each. A value: printable, parseable, and any legal one gives the
/// same results.
///
/// @param loops the schedules of the graphs of loops, by the loop's value
public record Schedule(List<Group> groups, SortedMap<Integer, Nested> loops) {
    private static final int MAX_NESTING = 8;

    public Schedule {
        groups = List.copyOf(groups);
        loops = Collections.unmodifiableSortedMap(new TreeMap<>(loops));
    }

    /// The schedules of one loop.
    public record Nested(Optional<Schedule> test, Schedule body) {}

    /// Operations that are fused; the last is the one whose value others see. Views, constants and index
    /// arithmetic are not listed: each region computes its own.
    public record Group(String name, List<Integer> nodes) {
        public Group {
            nodes = List.copyOf(nodes);
        }

        int root() {
            return nodes.getLast();
        }
    }

    /// One line a group, `fuse contract.0 (%4, %7)`; a loop is `loop %9 { ... }` with its test's schedule before
    /// its body's.
    @Override
    public String toString() {
        StringBuilder out = new StringBuilder();
        print("", out);
        return out.toString();
    }

    private void print(String indent, StringBuilder out) {
        for (Group group : groups) {
            out.append(indent).append("fuse ").append(group.name());
            out.append(group.nodes().stream().map(n -> "%" + n).collect(Collectors.joining(", ", " (", ")\n")));
        }
        loops.forEach((loop, nested) -> {
            out.append(indent).append("loop %").append(loop);
            nested.test().ifPresent(t -> {
                out.append(" test {\n");
                t.print(indent + "  ", out);
                out.append(indent).append('}');
            });
            out.append(" body {\n");
            nested.body().print(indent + "  ", out);
            out.append(indent).append("}\n");
        });
    }

    /// Reads what {@link #toString} prints.
    ///
    /// @throws tfx.ir.text.ParseException if the text is no schedule
    public static Schedule parse(String text) {
        return parse(new Scanner(text), 0);
    }

    private static Schedule parse(Scanner in, int nesting) {
        if (nesting > MAX_NESTING) {
            throw in.error("loops nested deeper than " + MAX_NESTING);
        }
        List<Group> groups = new ArrayList<>();
        SortedMap<Integer, Nested> loops = new TreeMap<>();
        Set<Integer> seen = new HashSet<>();
        while (nesting == 0 ? !in.atEnd() : !in.accept("}")) {
            if (in.accept("loop")) {
                int loop = value(in, seen);
                Optional<Schedule> test = Optional.empty();
                if (in.accept("test")) {
                    in.expect("{");
                    test = Optional.of(parse(in, nesting + 1));
                }
                in.expect("body");
                in.expect("{");
                loops.put(loop, new Nested(test, parse(in, nesting + 1)));
                continue;
            }
            in.expect("fuse");
            String name = in.word();
            List<Integer> nodes = in.list("(", ")", () -> value(in, seen));
            if (nodes.isEmpty()) {
                throw in.error("an empty group");
            }
            groups.add(new Group(name, nodes));
        }
        return new Schedule(groups, loops);
    }

    private static int value(Scanner in, Set<Integer> seen) {
        in.expect("%");
        int id = in.small();
        if (!seen.add(id)) {
            throw in.error("%" + id + " is fused twice");
        }
        return id;
    }
}
