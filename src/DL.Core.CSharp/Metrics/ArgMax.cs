using System.Numerics;
using static System.FormattableString;

namespace DL.Core.Metrics;

/// <summary>The place of the largest value of each row: from scores to class ids.</summary>
public static class ArgMax
{
    /// <summary><c>y[i] = argmax_c x[i, c]</c>; of equal values the first.</summary>
    /// <param name="x">Scores, row-major [rows, columns].</param>
    /// <param name="columns">The number of columns, at least 1.</param>
    /// <returns>One column per row, [rows]; empty for no rows.</returns>
    /// <exception cref="InvalidArgumentException">columns below 1, or a NaN, named by row and column.</exception>
    /// <exception cref="ShapeException">x does not divide into rows.</exception>
    public static int[] Rows(ReadOnlySpan<float> x, int columns) => RowsOf(x, columns);

    /// <inheritdoc cref="Rows(ReadOnlySpan{float}, int)"/>
    public static int[] Rows(ReadOnlySpan<double> x, int columns) => RowsOf(x, columns);

    private static int[] RowsOf<T>(ReadOnlySpan<T> x, int columns) where T : IFloatingPointIeee754<T>
    {
        if (columns < 1)
            throw new InvalidArgumentException("ArgMax.Rows, columns", "at least 1", Invariant($"{columns}"));
        if (x.Length % columns != 0)
            throw new ShapeException("ArgMax.Rows", Invariant($"rows of {columns} values"), Invariant($"{x.Length} values"));
        var places = new int[x.Length / columns];
        for (var r = 0; r < places.Length; r++)
            places[r] = Largest(x.Slice(r * columns, columns), r);
        return places;
    }

    private static int Largest<T>(ReadOnlySpan<T> row, int index) where T : IFloatingPointIeee754<T>
    {
        var best = 0;
        for (var c = 0; c < row.Length; c++)
        {
            if (T.IsNaN(row[c]))
                throw new InvalidArgumentException(Invariant($"ArgMax.Rows, row {index}, column {c}"), "a number", "NaN");
            if (row[c] > row[best])
                best = c;
        }
        return best;
    }
}
