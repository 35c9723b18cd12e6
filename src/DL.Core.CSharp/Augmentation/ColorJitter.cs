using System.Numerics;
using DL.Core.Random;
using static System.FormattableString;

namespace DL.Core.Augmentation;

/// <summary>Random brightness, contrast and saturation, in this order, each followed by clipping to [0, 1].</summary>
/// <remarks>With a factor f and <c>gray = 0.299 red + 0.587 green + 0.114 blue</c>: brightness <c>f x</c>; contrast <c>m + f (x - m)</c>, m the mean gray of the image;
/// saturation <c>gray + f (x - gray)</c>. Images of one channel are their own gray. The weights are those of ITU-R BT.601.</remarks>
public static class ColorJitter
{
    private const double Red = 0.299, Green = 0.587, Blue = 0.114;

    /// <summary>Changes the colours of each image by factors drawn from its key: each is uniform in [1 - s, 1 + s) for its strength s; a strength of 0 changes nothing.</summary>
    /// <param name="x">Images of one channel or of red, green and blue from 0 to 1, [n; height; width; channels], float32 or float64.</param>
    /// <param name="keys">A key for each image.</param>
    /// <param name="brightness">The strength for brightness, from 0 to 1.</param>
    /// <param name="contrast">The strength for contrast, from 0 to 1.</param>
    /// <param name="saturation">The strength for saturation, from 0 to 1.</param>
    /// <returns>Images of the same shape.</returns>
    /// <exception cref="DLException">The shape, element type, number of keys or a strength does not fit.</exception>
    public static Tensor Random(Tensor x, ReadOnlySpan<Key> keys, double brightness = 0, double contrast = 0, double saturation = 0)
    {
        Images.Check(x, "ColorJitter");
        Images.CheckKeys(x, keys, "ColorJitter, keys");
        double[] strengths = [brightness, contrast, saturation];
        if (strengths.Any(s => !(s >= 0 && s <= 1)))
            throw new InvalidArgumentException("ColorJitter", "strengths from 0 to 1", string.Join(", ", strengths.Select(s => Invariant($"{s}"))));
        var factors = new ColorFactors[keys.Length];
        for (var i = 0; i < keys.Length; i++)
        {
            var draws = Images.Uniform(keys[i], 3);
            factors[i] = new(1 + brightness * (2 * draws[0] - 1), 1 + contrast * (2 * draws[1] - 1), 1 + saturation * (2 * draws[2] - 1));
        }

        return By(x, factors);
    }

    /// <summary>Changes the colours of each image by its factors; a factor of 1 changes nothing and does not clip.</summary>
    /// <param name="x">Images of one channel or of red, green and blue from 0 to 1, [n; height; width; channels], float32 or float64.</param>
    /// <param name="factors">The factors of each image, finite and at least 0.</param>
    /// <returns>Images of the same shape.</returns>
    /// <exception cref="DLException">The shape, element type, number of factors or a factor does not fit.</exception>
    public static Tensor By(Tensor x, ReadOnlySpan<ColorFactors> factors)
    {
        var size = Images.Check(x, "ColorJitter");
        if (size.Channels is not (1 or 3)) throw new ShapeException("ColorJitter", "images of 1 channel or 3", $"{x.Shape}");
        if (factors.Length != x.Shape[0]) throw new ShapeException("ColorJitter, factors", Invariant($"{x.Shape[0]}, for each image"), Invariant($"{factors.Length}"));
        foreach (var factor in factors)
            if (!(factor is { Brightness: >= 0, Contrast: >= 0, Saturation: >= 0 } && double.IsFinite(factor.Brightness + factor.Contrast + factor.Saturation)))
                throw new InvalidArgumentException("ColorJitter, factors", "finite numbers of at least 0", $"{factor}");
        var own = factors.ToArray();
        return x is Tensor<float> single ? Apply(single, own) : Apply(x.As<double>("ColorJitter"), own);
    }

    private static Tensor Apply<T>(Tensor<T> x, ColorFactors[] factors) where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Images.Each(x, x.Shape[1], x.Shape[2], (image, from, to, size) =>
        {
            from.CopyTo(to);
            var factor = factors[image];
            if (factor.Brightness != 1) Blend(to, size, factor.Brightness, _ => 0);
            if (factor.Contrast != 1 && to.Length > 0)
            {
                var mean = MeanGray<T>(to, size);
                Blend(to, size, factor.Contrast, _ => mean);
            }

            if (factor.Saturation != 1 && size.Channels == 3) Blend(to, size, factor.Saturation, gray => gray);
        });

    /// <summary><c>x = o + f (x - o)</c>, clipped, where o is a function of the pixel's gray.</summary>
    private static void Blend<T>(Span<T> x, ImageSize size, double factor, Func<double, double> origin) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (var at = 0; at < x.Length; at += size.Channels)
        {
            var pixel = x.Slice(at, size.Channels);
            var from = origin(Gray<T>(pixel));
            for (var c = 0; c < pixel.Length; c++)
                pixel[c] = T.CreateTruncating(Math.Clamp(from + factor * (double.CreateTruncating(pixel[c]) - from), 0, 1));
        }
    }

    private static double MeanGray<T>(ReadOnlySpan<T> x, ImageSize size) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var sum = 0.0;
        for (var at = 0; at < x.Length; at += size.Channels) sum += Gray(x.Slice(at, size.Channels));
        return sum / (x.Length / size.Channels);
    }

    private static double Gray<T>(ReadOnlySpan<T> pixel) where T : unmanaged, IBinaryFloatingPointIeee754<T> => pixel.Length == 1
        ? double.CreateTruncating(pixel[0])
        : Red * double.CreateTruncating(pixel[0]) + Green * double.CreateTruncating(pixel[1]) + Blue * double.CreateTruncating(pixel[2]);
}

/// <summary>How the colours of an image are changed; 1 leaves them as they are.</summary>
/// <param name="Brightness">0 is black.</param>
/// <param name="Contrast">0 is the mean gray everywhere.</param>
/// <param name="Saturation">0 is gray.</param>
public readonly record struct ColorFactors(double Brightness, double Contrast, double Saturation);
