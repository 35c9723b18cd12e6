using System.Numerics;
using DL.Core.Random;
using static System.FormattableString;

namespace DL.Core.Augmentation;

/// <summary>Images turned about their middle, anticlockwise as one looks at them; between pixels the value is bilinear, beside the image it is a fill value.</summary>
/// <remarks>With <c>c = cos a</c>, <c>s = sin a</c> and places (i, j) counted from the middle, rows downwards: <c>y(i, j) = x(c i + s j, c j - s i)</c>.
/// Right angles are exact: of square images they move pixels and compute nothing.</remarks>
public static class Rotate
{
    /// <summary>Turns each image by an angle drawn from its key, uniform in [-degrees, degrees).</summary>
    /// <param name="x">Images, [n; height; width; channels], float32 or float64.</param>
    /// <param name="keys">A key for each image.</param>
    /// <param name="degrees">The largest angle, finite and at least 0.</param>
    /// <param name="fill">The value of what was beside the image.</param>
    /// <returns>Images of the same shape.</returns>
    /// <exception cref="DLException">The shape, element type, number of keys or angle does not fit.</exception>
    public static Tensor Random(Tensor x, ReadOnlySpan<Key> keys, double degrees, double fill = 0)
    {
        Images.Check(x, "Rotate");
        Images.CheckKeys(x, keys, "Rotate, keys");
        if (!(degrees >= 0 && double.IsFinite(degrees))) throw new InvalidArgumentException("Rotate, degrees", "a finite angle of at least 0", Invariant($"{degrees}"));
        var angles = new double[keys.Length];
        for (var i = 0; i < keys.Length; i++) angles[i] = degrees * (2 * Images.Uniform(keys[i], 1)[0] - 1);
        return By(x, angles, fill);
    }

    /// <summary>Turns each image by its angle.</summary>
    /// <param name="x">Images, [n; height; width; channels], float32 or float64.</param>
    /// <param name="degrees">The angle of each image, finite.</param>
    /// <param name="fill">The value of what was beside the image.</param>
    /// <returns>Images of the same shape.</returns>
    /// <exception cref="DLException">The shape, element type, number of angles or an angle does not fit.</exception>
    public static Tensor By(Tensor x, ReadOnlySpan<double> degrees, double fill = 0)
    {
        Images.Check(x, "Rotate");
        if (degrees.Length != x.Shape[0]) throw new ShapeException("Rotate, degrees", Invariant($"{x.Shape[0]} angles, one for each image"), Invariant($"{degrees.Length}"));
        var turns = new (double Cos, double Sin)[degrees.Length];
        for (var i = 0; i < turns.Length; i++)
        {
            if (!double.IsFinite(degrees[i])) throw new InvalidArgumentException(Invariant($"Rotate, degrees[{i}]"), "a finite angle", Invariant($"{degrees[i]}"));
            turns[i] = Turn(degrees[i]);
        }

        return x is Tensor<float> single ? Apply(single, turns, (float)fill) : Apply(x.As<double>("Rotate"), turns, fill);
    }

    private static (double Cos, double Sin) Turn(double degrees) => Math.IEEERemainder(degrees, 360) switch
    {
        0 => (1, 0),
        90 => (0, 1),
        180 or -180 => (-1, 0),
        -90 => (0, -1),
        var rest => (Math.Cos(rest * (Math.PI / 180)), Math.Sin(rest * (Math.PI / 180))),
    };

    private static Tensor Apply<T>(Tensor<T> x, (double Cos, double Sin)[] turns, T fill) where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Images.Each(x, x.Shape[1], x.Shape[2], (image, from, to, size) =>
        {
            var (cos, sin) = turns[image];
            var (middleRow, middleColumn) = ((size.Height - 1) / 2.0, (size.Width - 1) / 2.0);
            for (var i = 0; i < size.Height; i++)
            {
                for (var j = 0; j < size.Width; j++)
                {
                    var (di, dj) = (i - middleRow, j - middleColumn);
                    Sample(from, size, cos * di + sin * dj + middleRow, cos * dj - sin * di + middleColumn, fill, to.Slice((i * size.Width + j) * size.Channels, size.Channels));
                }
            }
        });

    /// <summary>The pixel at a place between four.</summary>
    private static void Sample<T>(ReadOnlySpan<T> from, ImageSize size, double row, double column, T fill, Span<T> pixel) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (top, left) = (Math.Floor(row), Math.Floor(column));
        var (down, right) = (T.CreateTruncating(row - top), T.CreateTruncating(column - left));
        var (i, j) = ((int)top, (int)left);
        for (var c = 0; c < pixel.Length; c++)
        {
            var above = Between(At(from, size, i, j, c, fill), right, At(from, size, i, j + 1, c, fill));
            var below = Between(At(from, size, i + 1, j, c, fill), right, At(from, size, i + 1, j + 1, c, fill));
            pixel[c] = Between(above, down, below);
        }
    }

    private static T Between<T>(T a, T share, T b) where T : unmanaged, IBinaryFloatingPointIeee754<T> => T.IsZero(share) ? a : a + share * (b - a);

    private static T At<T>(ReadOnlySpan<T> from, ImageSize size, int i, int j, int c, T fill) where T : unmanaged =>
        (uint)i < (uint)size.Height && (uint)j < (uint)size.Width ? from[(i * size.Width + j) * size.Channels + c] : fill;
}
