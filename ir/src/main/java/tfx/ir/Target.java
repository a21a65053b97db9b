package tfx.ir;

/// What lowering needs to know of the machine that kernels are made for.
///
/// @param panel     columns of a packed right-hand operand that one register tile covers
/// @param rowTile   rows of a matrix product that one task works on
/// @param colTile   columns of a matrix product that one task works on, a multiple of `panel`
/// @param keyTile   keys that one step of online attention works on, a multiple of `panel`
/// @param queryTile queries that one task of online attention works on
/// @param block     elements of the last dimension that one task of an element-wise kernel works on
public record Target(int panel, int rowTile, int colTile, int keyTile, int queryTile, int block) {
    /// A CPU with vector registers of `lanes` floats; a width of 1 is the scalar twin.
    public static Target cpu(int lanes) {
        int panel = 2 * lanes;
        return new Target(panel, 96, Math.max(panel, 64), 96, 96, 4096);
    }
}
