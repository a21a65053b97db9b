package tfx.frontend.stage;

import java.util.ArrayList;
import java.util.List;
import tfx.ir.ReduceFn;

/// `einsum("ik,kj->ij", a, b)`: a sum of products over the labels that the result lacks, of one tensor or more.
/// Products run from left to right; what only one operand has is summed before.
final class Einsum {
    private final Stager stager;
    private final Arguments a;
    private final List<String> labels = new ArrayList<>();
    private final List<Value.Array> operands = new ArrayList<>();
    private final String result;

    private Einsum(Stager stager, Arguments a, String text) {
        this.stager = stager;
        this.a = a;
        String[] sides = text.replace(" ", "").split("->", -1);
        if (sides.length != 2) {
            throw a.fail("the labels look like \"ik,kj->ij\"");
        }
        result = sides[1];
        for (String own : sides[0].split(",", -1)) {
            Value.Array x = a.array(labels.size() + 1, "operand " + (labels.size() + 1));
            if (own.length() != x.rank()) {
                throw a.fail("the labels " + own + " do not name the dimensions of " + x.describe());
            }
            checked(own);
            labels.add(own);
            operands.add(x);
        }
        checked(result);
        for (char label : result.toCharArray()) {
            if (labels.stream().noneMatch(l -> l.indexOf(label) >= 0)) {
                throw a.fail("label " + label + " of the result is in no operand");
            }
        }
    }

    private void checked(String own) {
        if (!own.chars().allMatch(Character::isLetter) || own.chars().distinct().count() != own.length()) {
            throw a.fail("labels are letters, each once in an operand: " + own);
        }
    }

    static Value apply(Stager stager, Arguments a) {
        if (!(a.get(0, "labels") instanceof Value.Text text)) {
            throw a.fail("the labels look like \"ik,kj->ij\"");
        }
        return new Einsum(stager, a, text.value()).apply();
    }

    private Value.Array apply() {
        for (int i = 0; i < operands.size(); i++) {
            sumAlone(i);
        }
        while (operands.size() > 1) {
            String left = labels.removeFirst();
            String right = labels.removeFirst();
            StringBuilder kept = new StringBuilder();
            for (char label : (left + right).toCharArray()) {
                boolean needed = result.indexOf(label) >= 0 || labels.stream().anyMatch(l -> l.indexOf(label) >= 0);
                if (needed && kept.indexOf(Character.toString(label)) < 0) {
                    kept.append(label);
                }
            }
            String out = labels.isEmpty() ? result : kept.toString();
            Value.Array product = stager.products()
                    .contract(left, right, out, operands.removeFirst(), operands.removeFirst(), a.span());
            labels.addFirst(out);
            operands.addFirst(product);
        }
        String own = labels.getFirst();
        List<Integer> order = result.chars().map(own::indexOf).boxed().toList();
        return stager.tensors().permute(operands.getFirst(), order, a.span());
    }

    /// Sums over the labels that neither another operand nor the result has.
    private void sumAlone(int position) {
        String own = labels.get(position);
        for (int axis = own.length() - 1; axis >= 0; axis--) {
            char label = own.charAt(axis);
            boolean alone = result.indexOf(label) < 0;
            for (int other = 0; other < labels.size(); other++) {
                alone &= other == position || labels.get(other).indexOf(label) < 0;
            }
            if (alone) {
                operands.set(position, stager.products().reduce(ReduceFn.SUM, operands.get(position), axis, a.span()));
                labels.set(
                        position,
                        new StringBuilder(labels.get(position))
                                .deleteCharAt(axis)
                                .toString());
            }
        }
    }
}
