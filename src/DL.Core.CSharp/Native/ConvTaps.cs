namespace DL.Core.Kernels;

/// <summary>One tap of a window: where it reads, from the pixel its position starts at, and which row of the weights it multiplies.</summary>
internal readonly record struct ConvTap(int Row, int Column, int Index);

/// <summary>The positions of a convolution: <c>y[i, j, o] = sum over taps and c of x[i StrideHeight + Row, j StrideWidth + Column, c] w[Index, c, o]</c>,
/// where x is zero outside its image.</summary>
/// <remarks>Outputs lie <c>StepRow</c> rows and <c>StepColumn</c> columns of an image of <c>OutHeight</c> x <c>OutWidth</c> apart, from <c>FirstRow</c> and
/// <c>FirstColumn</c> on: the gradient of a strided convolution is several of these, one for each residue of its stride.</remarks>
internal struct ConvGrid
{
    public int Height, Width, StrideHeight, StrideWidth, Rows, Columns;
    public int StepRow, StepColumn, FirstRow, FirstColumn, OutHeight, OutWidth;

    /// <summary>The lowest row and column a tap reads from position 0, and the highest.</summary>
    public int MinRow, MinColumn, MaxRow, MaxColumn;

    /// <summary>Whether every tap of every position lies in the image.</summary>
    public readonly bool Inside =>
        MinRow >= 0 && MinColumn >= 0
        && ((Rows - 1L) * StrideHeight) + MaxRow < Height && ((Columns - 1L) * StrideWidth) + MaxColumn < Width;

    /// <summary>Whether outputs fill their rows without gaps.</summary>
    public readonly bool Dense => StepColumn == 1 && StepRow == 1;

    /// <summary>The image rows that so many output rows read.</summary>
    public readonly long RowsRead(long rows) => ((rows - 1) * StrideHeight) + MaxRow - MinRow + 1;

    /// <summary>The image columns, with padding, that a row of outputs reads.</summary>
    public readonly long ColumnsRead => ((Columns - 1L) * StrideWidth) + MaxColumn - MinColumn + 1;

    /// <summary>The output pixel at the start of a row of positions.</summary>
    public readonly long Pixel(long row) => ((FirstRow + (row * StepRow)) * OutWidth) + FirstColumn;
}

/// <summary>The positions of a convolution and its taps, in the order in which memory holds what they read.</summary>
internal sealed class ConvTaps
{
    public ConvTaps(ConvGrid grid, ConvTap[] taps)
    {
        Taps = taps;
        if (taps.Length > 0)
        {
            (grid.MinRow, grid.MaxRow) = (taps.Min(tap => tap.Row), taps.Max(tap => tap.Row));
            (grid.MinColumn, grid.MaxColumn) = (taps.Min(tap => tap.Column), taps.Max(tap => tap.Column));
        }

        Grid = grid;
    }

    public ConvGrid Grid { get; }

    public ConvTap[] Taps { get; }
}
