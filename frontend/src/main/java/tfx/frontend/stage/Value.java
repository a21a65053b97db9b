package tfx.frontend.stage;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import tfx.frontend.ast.Item;
import tfx.ir.BinaryFn;
import tfx.ir.graph.Node;
import tfx.ir.sequence.SequenceNode;
import tfx.runtime.DType;
import tfx.runtime.Dim;

/// What expressions are worth while the compiler runs the program. Only `Array` exists at run time.
public sealed interface Value {
    /// An integer or a size with symbols.
    record Whole(Dim dim) implements Value {}

    record Real(double value) implements Value {}

    record Text(String value) implements Value {}

    record Truth(boolean value) implements Value {}

    record Nothing() implements Value {}

    record Items(List<Value> items) implements Value {}

    record Comparator(BinaryFn fn) implements Value {}

    record Closure(Item.Function function, Scope scope) implements Value {}

    record Primitive(String name, Builtins.Body body) implements Value {}

    /// The name of an element type, which converts when called.
    record TypeName(DType dtype) implements Value {}

    record RecordType(Item.Record record, Scope scope) implements Value {}

    /// A group of weights.
    record Instance(String type, Map<String, Value> fields) implements Value {}

    /// The length of a ragged dimension, different for each row.
    record RaggedSize(Axis.Ragged ragged) implements Value {}

    /// A tensor of the running program.
    ///
    /// @param axes     its dimensions as the program sees them
    /// @param selector whether it came from `select`: its last two axes are query and key, the others align by
    ///                 name
    record Array(Node node, List<Axis> axes, boolean selector) implements Value {
        public Array {
            axes = List.copyOf(axes);
        }

        public DType dtype() {
            return node.type().dtype();
        }

        public int rank() {
            return axes.size();
        }

        /// `f32[B, S*, 384]`.
        public String describe() {
            return dtype() + axes.stream().map(Axis::toString).collect(Collectors.joining(", ", "[", "]"));
        }
    }

    /// An s-op or a selector.
    record Sequence(SequenceNode node) implements Value {}

    /// Something of RASP that tfx has no word for.
    record Opaque(String what) implements Value {}

    /// The value of something already reported as wrong: using it reports nothing more.
    record Poison() implements Value {}

    /// What a message calls this value.
    default String describe() {
        return switch (this) {
            case Whole w -> w.dim().constant().isPresent() ? "the integer " + w.dim() : "the size " + w.dim();
            case Real r -> "the number " + r.value();
            case Text t -> "a string";
            case Truth t -> t.value() ? "True" : "False";
            case Nothing n -> "none";
            case Items i -> "a list of " + i.items().size();
            case Comparator c -> "a comparison operator";
            case Closure c -> "the function " + c.function().name();
            case Primitive p -> "the function " + p.name();
            case TypeName t -> "the type " + t.dtype();
            case RecordType r -> "the record type " + r.record().name();
            case Instance i -> "a record " + i.type();
            case RaggedSize r -> "the ragged length " + r.ragged().name();
            case Array a -> a.describe();
            case Sequence s -> s.node().isSelector() ? "a selector" : "an s-op";
            case Opaque o -> o.what();
            case Poison p -> "nothing";
        };
    }
}
