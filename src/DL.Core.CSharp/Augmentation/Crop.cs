using System.Numerics;
using DL.Core.Random;
using static System.FormattableString;

namespace DL.Core.Augmentation;

/// <summary>Parts of images: <c>y[i, j] = x[i + top - padding, j + left - padding]</c>, and a fill value beside the image.</summary>
public static class Crop
{
    /// <summary>A part of each image, padded on all sides first, at a place drawn from its key: each place is equally likely.</summary>
    /// <param name="x">Images, [n; height; width; channels], float32 or float64.</param>
    /// <param name="keys">A key for each image.</param>
    /// <param name="height">The rows of a part, from 1 to those of a padded image.</param>
    /// <param name="width">The columns of a part, from 1 to those of a padded image.</param>
    /// <param name="padding">The rows and columns added on each side, at least 0.</param>
    /// <param name="fill">The value of what is added.</param>
    /// <returns>Images, [n; height; width; channels].</returns>
    /// <exception cref="DLException">The shape, element type, number of keys or a setting does not fit.</exception>
    public static Tensor Random(Tensor x, ReadOnlySpan<Key> keys, int height, int width, int padding = 0, double fill = 0)
    {
        var size = Images.Check(x, "Crop");
        Images.CheckKeys(x, keys, "Crop, keys");
        Check(size, height, width, padding);
        var places = new (int Top, int Left)[keys.Length];
        for (var i = 0; i < keys.Length; i++) places[i] = Place(keys[i], size.Height + 2 * padding - height + 1, size.Width + 2 * padding - width + 1, padding);
        return Apply(x, places, height, width, fill);
    }

    /// <summary>The middle of each image; where what is left over is odd, the larger rest lies below and on the right.</summary>
    /// <param name="x">Images, [n; height; width; channels], float32 or float64.</param>
    /// <param name="height">The rows of a part, from 1 to those of an image.</param>
    /// <param name="width">The columns of a part, from 1 to those of an image.</param>
    /// <returns>Images, [n; height; width; channels].</returns>
    /// <exception cref="DLException">The shape, element type or a setting does not fit.</exception>
    public static Tensor Center(Tensor x, int height, int width)
    {
        var size = Images.Check(x, "Crop");
        Check(size, height, width, 0);
        var places = new (int Top, int Left)[x.Shape[0]];
        Array.Fill(places, ((size.Height - height) / 2, (size.Width - width) / 2));
        return Apply(x, places, height, width, 0);
    }

    private static (int Top, int Left) Place(Key key, int rows, int columns, int padding)
    {
        var draws = new PhiloxSequence(key.Seed, key.Stream);
        return (draws.Below(rows) - padding, draws.Below(columns) - padding);
    }

    private static void Check(ImageSize size, int height, int width, int padding)
    {
        if (padding < 0 || padding > 1 << 20) throw new InvalidArgumentException("Crop, padding", Invariant($"from 0 to {1 << 20}"), Invariant($"{padding}"));
        var (most, widest) = (size.Height + 2L * padding, size.Width + 2L * padding);
        if (height < 1 || width < 1 || height > most || width > widest)
            throw new InvalidArgumentException("Crop", Invariant($"parts from 1 x 1 to {most} x {widest}, the padded image"), Invariant($"{height} x {width}"));
    }

    private static Tensor Apply(Tensor x, (int Top, int Left)[] places, int height, int width, double fill) => x is Tensor<float> single
        ? Apply(single, places, height, width, (float)fill)
        : Apply(x.As<double>("Crop"), places, height, width, fill);

    private static Tensor Apply<T>(Tensor<T> x, (int Top, int Left)[] places, int height, int width, T fill) where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Images.Each(x, height, width, (image, from, to, size) =>
        {
            var (top, left) = places[image];
            to.Fill(fill);
            var (first, last) = (Math.Max(0, -left), Math.Min(width, size.Width - left));
            for (var i = Math.Max(0, -top); i < Math.Min(height, size.Height - top) && first < last; i++)
            {
                var source = from.Slice(((i + top) * size.Width + first + left) * size.Channels, (last - first) * size.Channels);
                source.CopyTo(to[((i * width + first) * size.Channels)..]);
            }
        });
}
