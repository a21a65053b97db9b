package tfx.passes;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import tfx.ir.text.Scanner;

/// Which operations of a graph become one kernel each. A value: printable, parseable, and any legal one gives the
/// same
/// results.
public record Schedule(List<Group> groups) {
    public Schedule {
        groups = List.copyOf(groups);
    }

    /// Operations that are fused; the last is the one whose value others see. Views, constants and index arithmetic
    /// are
    /// not listed: each region computes its own.
    public record Group(String name, List<Integer> nodes) {
        public Group {
            nodes = List.copyOf(nodes);
        }

        int root() {
            return nodes.getLast();
        }
    }

    /// One line a group: `fuse contract.0 (%4, %7)`.
    @Override
    public String toString() {
        return groups.stream()
                .map(g -> "fuse " + g.name()
                        + g.nodes().stream().map(n -> "%" + n).collect(Collectors.joining(", ", " (", ")\n")))
                .collect(Collectors.joining());
    }

    /// Reads what {@link #toString} prints.
    ///
    /// @throws tfx.ir.text.ParseException if the text is no schedule
    public static Schedule parse(String text) {
        Scanner in = new Scanner(text);
        List<Group> groups = new ArrayList<>();
        Set<Integer> seen = new HashSet<>();
        while (!in.atEnd()) {
            in.expect("fuse");
            String name = in.word();
            List<Integer> nodes = in.list("(", ")", () -> {
                in.expect("%");
                int id = Math.toIntExact(in.integer());
                if (!seen.add(id)) {
                    throw in.error("%" + id + " is fused twice");
                }
                return id;
            });
            if (nodes.isEmpty()) {
                throw in.error("an empty group");
            }
            groups.add(new Group(name, nodes));
        }
        return new Schedule(groups);
    }
}
