namespace DL.Core.Kernels;

/// <summary>The tiles of 4 x 4 outputs that the images of a convolution by 3 x 3 taps fall into, each made from 6 x 6 pixels; counted through the images row by row.</summary>
internal readonly struct WinogradGrid(int images, int height, int width, int rows, int columns, int top, int left)
{
    /// <summary>Rows and columns of outputs of a tile.</summary>
    public const int Made = 4;

    /// <summary>Rows and columns of pixels of a tile.</summary>
    public const int Side = 6;

    /// <summary>Products that make a tile.</summary>
    public const int Products = Side * Side;

    private readonly int across = (columns + Made - 1) / Made;
    private readonly int down = (rows + Made - 1) / Made;

    public readonly long Tiles => (long)images * down * across;

    /// <summary>Where the pixels of a tile lie, those outside the image at <paramref name="zeros"/>.</summary>
    public readonly unsafe void Pixels(long tile, float* x, long channels, float* zeros, float** places) => Fill(
        tile, (int)(tile / across % down * Made) - top, (int)(tile % across * Made) - left, height, width, Side, x, channels, zeros, places);

    /// <summary>Where the outputs of a tile lie, those outside the image at <paramref name="outside"/>.</summary>
    public readonly unsafe void Outputs(long tile, float* y, long outputs, float* outside, float** places) => Fill(
        tile, (int)(tile / across % down * Made), (int)(tile % across * Made), rows, columns, Made, y, outputs, outside, places);

    private readonly unsafe void Fill(
        long tile, int firstRow, int firstColumn, int tall, int wide, int side, float* image, long channels, float* outside, float** places)
    {
        image += tile / ((long)down * across) * tall * wide * channels;
        for (var i = 0; i < side; i++)
            for (var j = 0; j < side; j++)
            {
                int row = firstRow + i, column = firstColumn + j;
                var inside = (uint)row < (uint)tall && (uint)column < (uint)wide;
                places[(i * side) + j] = inside ? image + ((((long)row * wide) + column) * channels) : outside;
            }
    }
}
