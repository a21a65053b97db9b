package tfx.ir;

/// What lowering needs to know of the machine that kernels are made for.
///
/// @param panel     columns of a packed right-hand operand that one register tile covers
/// @param rowTile   rows of a matrix product that one task works on
/// @param colTile   columns of a matrix product that one task works on, a multiple of `panel`
/// @param keyTile   keys that one step of online attention works on, a multiple of `panel`
/// @param queryTile queries that one task of online attention works on
/// @param block     elements of the last dimension that one task of an element-wise kernel works on
/// @param memory    bytes that the tiles of one task share
public record Target(int panel, int rowTile, int colTile, int keyTile, int queryTile, int block, int memory) {
    /// A CPU with vector registers of `lanes` floats; a width of 1 is the scalar twin.
    public static Target cpu(int lanes) {
        int panel = 2 * lanes;
        return new Target(panel, 96, Math.max(panel, 64), 192, 64, 4096, 1 << 24);
    }

    /// The same with other columns a task, a multiple of `panel`.
    public Target withColumns(int columns) {
        return new Target(panel, rowTile, columns, keyTile, queryTile, block, memory);
    }

    /// A GPU, whose groups share a few tens of KiB of memory.
    public static Target gpu() {
        return new Target(32, 64, 64, 32, 32, 1024, 40 << 10);
    }

    /// How many queries a task of online attention takes, whose rows take so many bytes: they, the mixed values
    /// and some tiles of scores lie side by side.
    public int queries(long rowBytes) {
        return (int) Math.clamp(Long.highestOneBit(memory / 8 / Math.max(rowBytes, 1)), 1, queryTile);
    }

    /// The most queries for which a register tile would mostly work for nobody.
    public int fewQueries() {
        return Math.max(panel / 4, 1);
    }

    /// How many keys a task of online attention takes where queries are few.
    public int keyChunk() {
        return 4 * keyTile;
    }

    /// Whether a product of so many rows and columns leaves room for its operands.
    public boolean holds(int rows, int columns, int bytes) {
        return (long) rows * columns * bytes <= memory / 2;
    }
}
