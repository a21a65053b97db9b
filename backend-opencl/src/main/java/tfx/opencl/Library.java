package tfx.opencl;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tfx.ir.InternalError;
import tfx.ir.kernel.FloatLanes;
import tfx.ir.kernel.FloatMath;

/// The functions that kernels call: those of `functions.cl`, and exp, erf, tanh and sigmoid as every backend
/// computes them.
final class Library {
    private static final Pattern USE = Pattern.compile("\\btfx_\\w+");
    private static final Pattern NAME = Pattern.compile("\\b(tfx_\\w+?)(\\$_)?\\(");
    private static final Pattern WIDTH = Pattern.compile("(.*)_(2|4|8|16)");
    private static final Map<String, String> TEMPLATES = templates();

    private Library() {}

    private static Map<String, String> templates() {
        Map<String, String> templates = new LinkedHashMap<>();
        try (InputStream in = Library.class.getResourceAsStream("functions.cl")) {
            if (in == null) {
                throw new InternalError("functions.cl is missing");
            }
            String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            for (String paragraph : text.split("\n\n")) {
                Matcher name = NAME.matcher(paragraph);
                if (name.find()) {
                    templates.put(name.group(1), paragraph.strip() + "\n");
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return templates;
    }

    /// The functions that a text calls, and those that they call, each before its callers.
    static String of(String text) {
        Map<String, String> taken = new LinkedHashMap<>();
        add(text, taken);
        return String.join("\n", taken.values());
    }

    private static void add(String text, Map<String, String> taken) {
        Matcher use = USE.matcher(text);
        List<String> names = new ArrayList<>();
        while (use.find()) {
            names.add(use.group());
        }
        for (String name : names) {
            if (!taken.containsKey(name)) {
                String function = function(name);
                // Its own name stands in it too.
                add(function.replace(name + "(", "("), taken);
                taken.put(name, function);
            }
        }
    }

    private static String function(String name) {
        Matcher wide = WIDTH.matcher(name);
        String base = wide.matches() ? wide.group(1) : name;
        String width = wide.matches() ? wide.group(2) : "";
        switch (base) {
            case "tfx_exp" -> {
                return generated(name, width, FloatMath::exp);
            }
            case "tfx_erf" -> {
                return generated(name, width, FloatMath::erf);
            }
            case "tfx_tanh" -> {
                return generated(name, width, FloatMath::tanh);
            }
            case "tfx_sigmoid" -> {
                return generated(name, width, FloatMath::sigmoid);
            }
            default -> {
                String template = TEMPLATES.get(base);
                if (template == null) {
                    throw new InternalError("no function " + name);
                }
                return template.replace("$N", width).replace("$_", width.isEmpty() ? "" : "_" + width);
            }
        }
    }

    private static String generated(String name, String width, BiFunction<FloatLanes<String>, String, String> body) {
        Code code = new Code();
        String type = "float" + width;
        code.fresh("x");
        code.block(type + " " + name + "(" + type + " x)", () -> {
            String value = body.apply(new TextLanes(code, width), "x");
            code.line("return " + value + ";");
        });
        return code.toString();
    }

    /// OpenCL C for one float, or for a vector of them.
    private record TextLanes(Code code, String width) implements FloatLanes<String> {
        @Override
        public String constant(float value) {
            return width.isEmpty() ? Types.ofFloat(value) : "(float" + width + ")(" + Types.ofFloat(value) + ")";
        }

        @Override
        public String add(String a, String b) {
            return Functions.infix("+", a, b);
        }

        @Override
        public String sub(String a, String b) {
            return Functions.infix("-", a, b);
        }

        @Override
        public String mul(String a, String b) {
            return Functions.infix("*", a, b);
        }

        @Override
        public String div(String a, String b) {
            return Functions.infix("/", a, b);
        }

        @Override
        public String fma(String a, String b, String c) {
            return "fma(" + a + ", " + b + ", " + c + ")";
        }

        @Override
        public String compare(String operator, String a, String b) {
            return Functions.infix(operator, a, b);
        }

        @Override
        public String choose(String condition, String a, String b) {
            return Functions.choose(condition, a, b);
        }

        @Override
        public String scale(String x, String shifted) {
            return "as_float" + width + "(" + scaledBits(x, shifted) + ")";
        }

        private String scaledBits(String x, String shifted) {
            String unsigned = "as_uint" + width;
            return unsigned + "(" + x + ") + (" + unsigned + "(" + shifted + ") << " + EXPONENT + ")";
        }

        @Override
        public String scale(String x, String shifted, String low) {
            String sum = code.let("uint" + width, "n", scaledBits(x, shifted));
            String raised = "as_float" + width + "(" + sum + " + " + ((long) RAISED << EXPONENT) + "u)";
            return choose(low, mul(raised, constant(LOWERED)), "as_float" + width + "(" + sum + ")");
        }

        @Override
        public String let(String value) {
            return code.let("float" + width, "v", value);
        }
    }
}
