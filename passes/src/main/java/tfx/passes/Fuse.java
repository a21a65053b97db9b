package tfx.passes;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import tfx.ir.Target;
import tfx.ir.graph.Graph;
import tfx.ir.graph.Node;
import tfx.ir.graph.Op;
import tfx.runtime.Dim;

/// Chooses a schedule. What may be fused is decided by one question, whether the region lowers to a kernel; what
/// should be fused, by a fixed order of preferences:
///
/// 1. two contractions with reductions between them (the middle tensor is never stored),
/// 2. a contraction with the element-wise operations that follow it,
/// 3. a reduction with the reductions and element-wise operations that follow it over the same rows,
/// 4. element-wise operations with those that read them.
///
/// Nothing is recognised by name or by shape of graph.
public final class Fuse {
    private static final int MAX_GROWTH = 64;

    private final Graph graph;
    private final Target target;
    private final Regions regions;
    private final Map<Integer, Integer> groupOf = new HashMap<>();
    private final List<TreeSet<Integer>> groups = new ArrayList<>();
    private final Map<Integer, Integer> roots = new HashMap<>();

    private Fuse(Graph graph, Target target) {
        this.graph = graph;
        this.target = target;
        this.regions = new Regions(graph);
    }

    /// The schedule for a graph without regions.
    public static Schedule choose(Graph graph, Target target) {
        return new Fuse(graph, target).choose();
    }

    /// The schedule that fuses nothing.
    public static Schedule none(Graph graph) {
        Regions regions = new Regions(graph);
        List<Schedule.Group> groups = new ArrayList<>();
        for (Node node : regions.work()) {
            groups.add(new Schedule.Group("single." + groups.size(), List.of(node.id())));
        }
        return new Schedule(groups, loops(graph, Fuse::none));
    }

    /// The schedules of the graphs of loops.
    private static SortedMap<Integer, Schedule.Nested> loops(Graph graph, Function<Graph, Schedule> choose) {
        SortedMap<Integer, Schedule.Nested> loops = new TreeMap<>();
        for (Node node : graph.nodes()) {
            if (node.op() instanceof Op.Loop loop) {
                loops.put(node.id(), new Schedule.Nested(loop.test().map(choose), choose.apply(loop.body())));
            }
        }
        return loops;
    }

    private Schedule choose() {
        List<Node> work = regions.work();
        for (Node node : work) {
            if (node.op() instanceof Op.Contract) {
                online(node).ifPresent(set -> add(set, trailingViews(node.id(), set)));
            }
        }
        for (Node node : work) {
            if (node.op() instanceof Op.Contract && !groupOf.containsKey(node.id())) {
                TreeSet<Integer> set = grow(node.id());
                add(set, set.last());
            }
        }
        for (Node node : work) {
            if (node.op() instanceof Op.Reduce && !groupOf.containsKey(node.id())) {
                TreeSet<Integer> set = grow(node.id());
                add(set, set.last());
            }
        }
        for (Node node : work.reversed()) {
            if (!groupOf.containsKey(node.id())) {
                intoReaders(node);
            }
        }
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < groups.size(); i++) {
            order.add(i);
        }
        order.sort(Comparator.comparing(roots::get));
        List<Schedule.Group> result = new ArrayList<>();
        for (int group : order) {
            List<Integer> nodes = new ArrayList<>(groups.get(group));
            nodes.remove(roots.get(group));
            nodes.add(roots.get(group));
            result.add(new Schedule.Group(kind(nodes) + "." + result.size(), nodes));
        }
        return new Schedule(result, loops(graph, g -> choose(g, target)));
    }

    private String kind(List<Integer> nodes) {
        long contractions = nodes.stream()
                .filter(n -> graph.node(n).op() instanceof Op.Contract)
                .count();
        boolean reduces = nodes.stream().anyMatch(n -> graph.node(n).op() instanceof Op.Reduce);
        return contractions > 1
                ? "online"
                : contractions == 1
                        ? "contract"
                        : reduces
                                ? "rows"
                                : PlacedLowering.name(graph.node(nodes.getLast()))
                                        .orElse("map");
    }

    private void add(TreeSet<Integer> set, int root) {
        regions.materialize(root);
        set.forEach(n -> groupOf.put(n, groups.size()));
        roots.put(groups.size(), root);
        groups.add(set);
    }

    private boolean legal(Set<Integer> set, int root) {
        try {
            RegionLowering.lower("trial", regions.extract("trial", set, root).body(), target);
            return true;
        } catch (Illegal why) {
            return false;
        }
    }

    /// Everything between an earlier contraction and this one, if all of it serves this one alone and lowers.
    private Optional<TreeSet<Integer>> online(Node second) {
        Set<Integer> behind = new HashSet<>();
        Set<Integer> contractions = new HashSet<>();
        behind(second.operands().getFirst(), behind, contractions);
        if (contractions.size() != 1) {
            return Optional.empty();
        }
        int first = contractions.iterator().next();
        TreeSet<Integer> set = new TreeSet<>(Set.of(first, second.id()));
        Set<Integer> descends = new HashSet<>(Set.of(first));
        for (Node node : graph.nodes()) {
            if (node.operands().stream().anyMatch(descends::contains)) {
                descends.add(node.id());
                if (behind.contains(node.id()) && !regions.isFree(node.id())) {
                    set.add(node.id());
                }
            }
        }
        boolean reduces = set.stream().anyMatch(n -> graph.node(n).op() instanceof Op.Reduce);
        boolean closed = set.stream()
                .filter(n -> n != second.id())
                .allMatch(n -> !regions.isOutput(n) && set.containsAll(regions.users(n)));
        boolean unused = set.stream().noneMatch(groupOf::containsKey);
        return reduces && closed && unused && legal(set, second.id()) ? Optional.of(set) : Optional.empty();
    }

    private void behind(int id, Set<Integer> seen, Set<Integer> contractions) {
        Node node = graph.node(id);
        if (node.op() instanceof Op.Contract) {
            contractions.add(id);
        } else if (seen.add(id)) {
            node.operands().forEach(o -> behind(o, seen, contractions));
        }
    }

    /// The last of the views that alone read a value, so that the kernel stores what its reader wants.
    private int trailingViews(int id, TreeSet<Integer> set) {
        Map<Integer, List<Node>> users = graph.users();
        int last = id;
        while (users.get(last).size() == 1 && !regions.isOutput(last)) {
            Node user = users.get(last).getFirst();
            boolean view = user.op() instanceof Op.Reshape || user.op() instanceof Op.Transpose;
            if (!view || !legal(set, user.id())) {
                break;
            }
            last = user.id();
        }
        if (last != id) {
            set.add(last);
        }
        return last;
    }

    /// A contraction or reduction with as much of what follows it as leaves one value to store and lowers.
    private TreeSet<Integer> grow(int start) {
        TreeSet<Integer> grown = new TreeSet<>(Set.of(start));
        TreeSet<Integer> best = new TreeSet<>(grown);
        while (grown.size() < MAX_GROWTH) {
            TreeSet<Integer> outside = new TreeSet<>();
            boolean output = false;
            for (int node : grown) {
                outside.addAll(regions.users(node));
                output |= regions.isOutput(node);
            }
            outside.removeAll(grown);
            if (output || outside.isEmpty()) {
                break;
            }
            int next = outside.first();
            if (groupOf.containsKey(next) || graph.node(next).op() instanceof Op.Contract) {
                break;
            }
            grown.add(next);
            if (single(grown, next) && !widens(graph.node(start), graph.node(next)) && legal(grown, next)) {
                best = new TreeSet<>(grown);
            }
        }
        return best;
    }

    /// Whether a result has more elements than an operation works on: broadcast and stored, it costs more than
    /// the reader that repeats it would. Sizes that only a call knows count by their names.
    private boolean widens(Node start, Node result) {
        List<Dim> points = start.op() instanceof Op.Reduce
                ? graph.node(start.operands().getFirst()).type().shape()
                : start.type().shape();
        List<Dim> stored = result.type().shape();
        Set<String> names = new HashSet<>();
        stored.forEach(d -> names.addAll(d.symbols()));
        return constants(stored) > constants(points)
                || names.stream().anyMatch(name -> dims(stored, name) > dims(points, name));
    }

    private static double constants(List<Dim> shape) {
        return shape.stream().mapToDouble(d -> d.constant().orElse(1L)).reduce(1, (a, b) -> a * b);
    }

    private static long dims(List<Dim> shape, String name) {
        return shape.stream().filter(d -> d.symbols().contains(name)).count();
    }

    /// Whether only `exit` is read outside the set.
    private boolean single(Set<Integer> set, int exit) {
        return set.stream().allMatch(n -> n == exit || !regions.isOutput(n) && set.containsAll(regions.users(n)));
    }

    /// Joins an operation to the group of its readers where that is one group and lowers, else makes a group of
    /// it.
    private void intoReaders(Node node) {
        Set<Integer> readers = regions.users(node.id());
        Set<Integer> found = new HashSet<>();
        readers.forEach(r -> found.add(groupOf.get(r)));
        if (found.size() == 1 && !regions.isOutput(node.id())) {
            int group = found.iterator().next();
            TreeSet<Integer> joined = new TreeSet<>(groups.get(group));
            long contracts = joined.stream()
                    .filter(n -> graph.node(n).op() instanceof Op.Contract)
                    .count();
            joined.add(node.id());
            boolean suits = contracts == 0 || contracts > 1 && isScoreArithmetic(node);
            if (suits && !repeatsReduction(node, joined) && legal(joined, roots.get(group))) {
                groups.set(group, joined);
                groupOf.put(node.id(), group);
                return;
            }
        }
        add(new TreeSet<>(Set.of(node.id())), node.id());
    }

    /// Arithmetic beside the scores of online attention, such as a bias computed from positions: stored, it
    /// would be as large as the scores. What looks up floats stays stored: lookups have no vector form.
    private boolean isScoreArithmetic(Node node) {
        return node.op().isElementwise() && node.type().rank() >= 2;
    }

    /// Whether joining would compute a reduction's row anew for elements of a larger result that no reduction
    /// ties to it.
    private boolean repeatsReduction(Node node, Set<Integer> joined) {
        return node.op() instanceof Op.Reduce
                && joined.stream().anyMatch(n -> graph.node(n).op() instanceof Op.Gather);
    }
}
