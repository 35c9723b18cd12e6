using static System.FormattableString;

namespace DL.Core.Data;

/// <summary>Maps of a known range of values to the ranges networks learn well from.</summary>
public static class Rescale
{
    private const double LargestByte = 255;

    /// <summary><c>y = x / max</c>: [0, max] to [0, 1].</summary>
    /// <param name="x">The values.</param>
    /// <param name="max">The largest value there can be: 255 for pixels of a byte, 16 for the embedded digits.</param>
    /// <returns>The mapped values, as many.</returns>
    /// <exception cref="InvalidArgumentException">max is not finite and positive, or a value lies outside [0, max]; the message names its position.</exception>
    public static double[] ToUnit(ReadOnlySpan<double> x, double max = LargestByte)
    {
        if (!(max > 0 && double.IsFinite(max)))
            throw new InvalidArgumentException("Rescale, max", "a finite number above 0", Invariant($"{max}"));
        var y = new double[x.Length];
        for (var i = 0; i < y.Length; i++)
        {
            if (!(x[i] >= 0 && x[i] <= max))
                throw new InvalidArgumentException(Invariant($"Rescale, x[{i}]"), Invariant($"0 to {max}"), Invariant($"{x[i]}"));
            y[i] = x[i] / max;
        }
        return y;
    }

    /// <summary><c>y = 2 x / max - 1</c>: [0, max] to [-1, 1].</summary>
    /// <param name="x">The values.</param>
    /// <param name="max">The largest value there can be.</param>
    /// <returns>The mapped values, as many.</returns>
    /// <exception cref="InvalidArgumentException">max is not finite and positive, or a value lies outside [0, max]; the message names its position.</exception>
    public static double[] ToSymmetric(ReadOnlySpan<double> x, double max = LargestByte)
    {
        var y = ToUnit(x, max);
        for (var i = 0; i < y.Length; i++)
            y[i] = 2 * y[i] - 1;
        return y;
    }

    /// <summary><c>y = x / 255</c>, for the bytes of an image.</summary>
    /// <param name="x">The bytes.</param>
    /// <returns>Values in [0, 1], as many.</returns>
    public static double[] ToUnit(ReadOnlySpan<byte> x)
    {
        var y = new double[x.Length];
        for (var i = 0; i < y.Length; i++)
            y[i] = x[i] / LargestByte;
        return y;
    }
}
