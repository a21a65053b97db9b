package tfx.frontend.ast;

import java.util.List;
import java.util.Optional;
import tfx.ir.Span;

/// Declarations and statements as written.
public sealed interface Item {
    Span span();

    /// `NAME(arguments)[sizes]`: element types, record types, `int`, `tokens`.
    ///
    /// @param sizes absent where no brackets are written
    record Type(String name, List<Expr.Argument> arguments, Optional<List<Size>> sizes, Span span) {}

    /// A dimension of a type; `ragged` where a star follows.
    record Size(Expr value, boolean ragged) {}

    record Parameter(String name, Optional<Type> type, Optional<Expr> otherwise, Span span) {}

    /// One group of weights; `from` is its name in the checkpoint where that differs from the field's.
    record Field(List<String> names, Type type, Optional<String> from, Span span) {}

    record Import(String target, boolean file, Span span) implements Item {}

    record Constant(String name, Expr value, Span span) implements Item {}

    record Function(String name, List<Parameter> parameters, List<Statement> body, Span span) implements Item {}

    record Record(String name, List<Parameter> parameters, List<Field> fields, Span span) implements Item {}

    /// All that a file of the RASP dialect holds.
    record Script(List<Statement> statements, Span span) implements Item {}

    record Result(String name, Optional<Type> type, Span span) {}

    record Program(String name, List<Parameter> parameters, List<Result> results, List<Statement> body, Span span)
            implements Item {}

    /// @param weights   the file and its groups, if declared
    /// @param tokenizer the file and the largest number of tokens of a text, if declared
    record Model(
            String name,
            List<Parameter> parameters,
            Optional<Weights> weights,
            Optional<Tokenizer> tokenizer,
            List<Program> programs,
            List<Function> functions,
            Span span)
            implements Item {}

    record Weights(String file, List<Field> fields, Span span) {}

    record Tokenizer(String file, Optional<Integer> limit, Span span) {}

    /// Statements of a body.
    sealed interface Statement {
        Span span();
    }

    record Assign(List<String> targets, List<Expr> values, Span span) implements Statement {}

    record Return(List<Expr> values, Span span) implements Statement {}

    record For(List<String> names, Expr iterable, List<Statement> body, Span span) implements Statement {}

    record If(Expr condition, List<Statement> then, List<Statement> otherwise, Span span) implements Statement {}

    record LocalFunction(Function function, Span span) implements Statement {}

    record Evaluate(Expr value, Span span) implements Statement {}

    /// Statements of the RASP dialect alone.
    sealed interface ScriptStatement extends Statement {}

    /// `load "path";`
    record Load(String path, Span span) implements ScriptStatement {}

    /// `draw(what, input);`
    record Draw(Expr what, Optional<Expr> input, Span span) implements ScriptStatement {}

    /// What a REPL does beside running statements.
    sealed interface Command extends ScriptStatement {}

    /// What a command is about; no subset means both.
    enum Subset {
        BOTH,
        SEQUENCES,
        SELECTORS
    }

    record SetExample(Subset subset, Expr example, Span span) implements ScriptStatement {}

    record ShowExample(Subset subset, Span span) implements Command {}

    record SwitchExamples(Subset subset, boolean on, Span span) implements Command {}

    record SwitchDisplay(boolean on, Span span) implements Command {}

    record Leave(Span span) implements Command {}
}
