package tfx.frontend.stage;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import tfx.frontend.ast.Item;
import tfx.ir.Span;

/// The arguments of a call of a function of the source, matched with its parameters by position, name and
/// default.
final class Parameters {
    private Parameters() {}

    /// The value of each parameter, in their order.
    static List<Value> bind(
            Stager stager,
            Item.Function function,
            List<Value> positional,
            Map<String, Value> named,
            Scope scope,
            Span span) {
        List<Item.Parameter> parameters = function.parameters();
        if (positional.size() > parameters.size()) {
            throw StagingError.of(
                    "TFX0210",
                    span,
                    "function '" + function.name() + "' takes " + parameters.size() + " arguments, not "
                            + positional.size(),
                    "");
        }
        Map<String, Value> rest = new HashMap<>(named);
        List<Value> values = new ArrayList<>();
        for (int i = 0; i < parameters.size(); i++) {
            Item.Parameter parameter = parameters.get(i);
            Value byName = rest.remove(parameter.name());
            if (i < positional.size()) {
                if (byName != null) {
                    throw StagingError.of(
                            "TFX0210",
                            span,
                            "argument '" + parameter.name() + "' of '" + function.name() + "' is given twice",
                            "");
                }
                values.add(positional.get(i));
            } else if (byName != null) {
                values.add(byName);
            } else if (parameter.otherwise().isPresent()) {
                values.add(stager.evaluate(parameter.otherwise().get(), scope));
            } else {
                throw StagingError.of(
                        "TFX0210",
                        span,
                        "argument '" + parameter.name() + "' of '" + function.name() + "' is missing",
                        "");
            }
        }
        if (!rest.isEmpty()) {
            throw StagingError.of(
                    "TFX0210",
                    span,
                    "function '" + function.name() + "' has no parameter '"
                            + rest.keySet().iterator().next() + "'",
                    "its parameters: "
                            + String.join(
                                    ", ",
                                    parameters.stream()
                                            .map(Item.Parameter::name)
                                            .toList()));
        }
        return values;
    }
}
