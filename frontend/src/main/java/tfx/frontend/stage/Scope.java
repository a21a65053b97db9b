package tfx.frontend.stage;

import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// Names and their values, inside an enclosing scope.
public final class Scope {
    private final Optional<Scope> outer;
    private final Map<String, Value> names = new HashMap<>();

    public Scope(Scope outer) {
        this.outer = Optional.of(outer);
    }

    public Scope() {
        this.outer = Optional.empty();
    }

    public Optional<Value> find(String name) {
        Scope scope = this;
        while (true) {
            Value value = scope.names.get(name);
            if (value != null) {
                return Optional.of(value);
            }
            if (scope.outer.isEmpty()) {
                return Optional.empty();
            }
            scope = scope.outer.get();
        }
    }

    public void set(String name, Value value) {
        names.put(name, value);
    }

    public boolean definesHere(String name) {
        return names.containsKey(name);
    }

    /// The names of this scope alone.
    public Map<String, Value> own() {
        return Map.copyOf(names);
    }

    /// The visible name most like `name`, if one is close.
    public Optional<String> similar(String name) {
        Set<String> visible = new TreeSet<>();
        for (Optional<Scope> scope = Optional.of(this); scope.isPresent(); scope = scope.get().outer) {
            visible.addAll(scope.get().names.keySet());
        }
        return closest(name, visible);
    }

    /// The name most like `name`, if one is close; of equals the first.
    public static Optional<String> closest(String name, Collection<String> visible) {
        String best = "";
        int least = Math.max(1, name.length() / 3) + 1;
        for (String candidate : visible) {
            if (Math.abs(candidate.length() - name.length()) < least) {
                int distance = distance(name, candidate);
                if (distance < least) {
                    least = distance;
                    best = candidate;
                }
            }
        }
        return best.isEmpty() ? Optional.empty() : Optional.of(best);
    }

    /// Levenshtein distance.
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int above = row[j];
                int change = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
                row[j] = Math.min(Math.min(row[j] + 1, row[j - 1] + 1), diagonal + change);
                diagonal = above;
            }
        }
        return row[b.length()];
    }
}
