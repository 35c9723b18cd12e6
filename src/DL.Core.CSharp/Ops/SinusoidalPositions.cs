using static System.FormattableString;

namespace DL.Core.Ops;

/// <summary>Sinusoidal positions: <c>P[t, 2i] = sin(t / 10000^(2i/d))</c> and <c>P[t, 2i + 1] = cos(t / 10000^(2i/d))</c>.</summary>
/// <remarks>The numbers of position t + k are those of position t, each pair turned by an angle that depends on k alone.
/// Source: A. Vaswani et al., Attention is all you need, 2017, section 3.5.</remarks>
public static class SinusoidalPositions
{
    /// <summary>The numbers of several positions in a row.</summary>
    /// <param name="positions">How many positions.</param>
    /// <param name="width">d, the numbers of a position.</param>
    /// <param name="offset">The first position.</param>
    /// <param name="type">Float32 or float64.</param>
    /// <returns>[positions; width].</returns>
    /// <exception cref="InvalidArgumentException">An argument is negative, or the type is an integer.</exception>
    public static Tensor Table(int positions, int width, int offset = 0, ElementType type = ElementType.Float32)
    {
        const string where = "SinusoidalPositions.Table";
        if (Math.Min(positions, Math.Min(width, offset)) < 0)
            throw new InvalidArgumentException(where, "positions, width and offset of at least 0", Invariant($"{positions}, {width} and {offset}"));
        var shape = new Shape(positions, width);
        if (type == ElementType.Int32) throw new InvalidArgumentException(where + " type", "float32 or float64", "int32");
        return type == ElementType.Float64 ? Fill(Tensor<double>.OnHeap(shape), offset, x => x) : Fill(Tensor<float>.OnHeap(shape), offset, x => (float)x);
    }

    private static Tensor<T> Fill<T>(Tensor<T> table, int offset, Func<double, T> narrow) where T : unmanaged
    {
        var to = table.Write();
        var width = table.Shape[1];
        for (var i = 0; i < width; i += 2)
        {
            var wavelength = Math.Pow(10000, (double)i / width);
            for (var t = 0; t < table.Shape[0]; t++)
            {
                var (sine, cosine) = Math.SinCos(((double)offset + t) / wavelength);
                to[(t * width) + i] = narrow(sine);
                if (i + 1 < width) to[(t * width) + i + 1] = narrow(cosine);
            }
        }

        return table;
    }
}
