using System.Numerics;
using DL.Core.Kernels;

namespace DL.Core.Ops;

public static partial class Embedding
{
    /// <summary><c>y[i, d] = W[id[i], d]</c> over spans.</summary>
    /// <param name="ids">The ids, from 0 to V - 1.</param>
    /// <param name="weight">The table, V x D.</param>
    /// <param name="width">D.</param>
    /// <param name="y">The output, ids x D, overwritten.</param>
    /// <exception cref="InvalidArgumentException">An id is out of range: it and its place are named.</exception>
    /// <exception cref="ShapeException">A length does not fit.</exception>
    public static void Forward<T>(ReadOnlySpan<int> ids, ReadOnlySpan<T> weight, int width, Span<T> y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Copy(Checked(Name, ids, weight.Length, width, y.Length), weight, width, y);

    /// <summary><c>dW[v, d] += sum over id = v of dy[i, d]</c> over spans.</summary>
    /// <param name="ids">The ids, from 0 to V - 1.</param>
    /// <param name="dy">The gradient of the output, ids x D.</param>
    /// <param name="width">D.</param>
    /// <param name="dweight">The gradient of the table, V x D, added to.</param>
    /// <exception cref="InvalidArgumentException">An id is out of range: it and its place are named.</exception>
    /// <exception cref="ShapeException">A length does not fit.</exception>
    public static void Backward<T>(ReadOnlySpan<int> ids, ReadOnlySpan<T> dy, int width, Span<T> dweight)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        RowSums.Run(EmbeddingOrder.Of(Checked(BackwardName, ids, dweight.Length, width, dy.Length), dweight.Length / width), dy, width, dweight, true);

    private static EmbeddingPlaces Checked(string where, ReadOnlySpan<int> ids, int table, int width, int output)
    {
        if (width < 1 || table % width != 0) throw new ShapeException(where, $"whole rows of width {width}, at least 1", $"a table of {table} elements");
        if ((long)ids.Length * width != output) throw new ShapeException(where, $"{(long)ids.Length * width} elements for {ids.Length} ids", $"{output}");
        var places = new EmbeddingPlaces(ids, new Shape(ids.Length), null);
        places.Check(table / width, where);
        return places;
    }
}
