package tfx.compiler.weights;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/// A protobuf message inside a file.
record ProtoSlice(MemorySegment file, long offset, long length) {
    CodedInputStream reader() {
        return CodedInputStream.newInstance(bytes().asByteBuffer());
    }

    MemorySegment bytes() {
        return file.asSlice(offset, length);
    }

    static boolean delimited(int tag) {
        return WireFormat.getTagWireType(tag) == WireFormat.WIRETYPE_LENGTH_DELIMITED;
    }

    /// The length-delimited field that a reader of this message stands before; it is skipped.
    ProtoSlice next(CodedInputStream in) throws IOException {
        int size = in.readRawVarint32();
        long start = offset + in.getTotalBytesRead();
        if (size < 0 || size > offset + length - start) {
            throw new IOException("a field at byte " + start + " claims " + size + " bytes, past the end");
        }
        in.skipRawBytes(size);
        return new ProtoSlice(file, start, size);
    }
}
