using System.Numerics;
using DL.Core.Random;

namespace DL.Core.Augmentation;

/// <summary>Mirror images: <c>y[i, j] = x[i, width - 1 - j]</c>, or <c>x[height - 1 - i, j]</c>.</summary>
public static class Flip
{
    /// <summary>Exchanges left and right in each image with a probability; the same key decides the same.</summary>
    /// <param name="x">Images, [n; height; width; channels], float32 or float64.</param>
    /// <param name="keys">A key for each image.</param>
    /// <param name="probability">From 0, never, to 1, always.</param>
    /// <returns>Images of the same shape.</returns>
    /// <exception cref="DLException">The shape, element type, number of keys or probability does not fit.</exception>
    public static Tensor Horizontal(Tensor x, ReadOnlySpan<Key> keys, double probability = 0.5) => Apply(x, keys, probability, vertical: false);

    /// <summary>Exchanges top and bottom in each image with a probability; the same key decides the same.</summary>
    /// <param name="x">Images, [n; height; width; channels], float32 or float64.</param>
    /// <param name="keys">A key for each image.</param>
    /// <param name="probability">From 0, never, to 1, always.</param>
    /// <returns>Images of the same shape.</returns>
    /// <exception cref="DLException">The shape, element type, number of keys or probability does not fit.</exception>
    public static Tensor Vertical(Tensor x, ReadOnlySpan<Key> keys, double probability = 0.5) => Apply(x, keys, probability, vertical: true);

    private static Tensor Apply(Tensor x, ReadOnlySpan<Key> keys, double probability, bool vertical)
    {
        Images.Check(x, "Flip");
        Images.CheckKeys(x, keys, "Flip, keys");
        Images.CheckShare(probability, "Flip, probability");
        var flipped = new bool[keys.Length];
        for (var i = 0; i < keys.Length; i++) flipped[i] = Images.Uniform(keys[i], 1)[0] < probability;
        return x is Tensor<float> single ? Apply(single, flipped, vertical) : Apply(x.As<double>("Flip"), flipped, vertical);
    }

    private static Tensor Apply<T>(Tensor<T> x, bool[] flipped, bool vertical) where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Images.Each(x, x.Shape[1], x.Shape[2], (image, from, to, size) =>
        {
            if (!flipped[image]) from.CopyTo(to);
            else if (vertical) UpsideDown(from, to, size);
            else Mirrored(from, to, size);
        });

    private static void UpsideDown<T>(ReadOnlySpan<T> from, Span<T> to, ImageSize size)
    {
        var row = size.Width * size.Channels;
        for (var i = 0; i < size.Height; i++) from.Slice(i * row, row).CopyTo(to.Slice((size.Height - 1 - i) * row, row));
    }

    private static void Mirrored<T>(ReadOnlySpan<T> from, Span<T> to, ImageSize size)
    {
        for (var i = 0; i < size.Height; i++)
        {
            for (var j = 0; j < size.Width; j++)
            {
                var pixel = from.Slice((i * size.Width + j) * size.Channels, size.Channels);
                pixel.CopyTo(to[((i * size.Width + size.Width - 1 - j) * size.Channels)..]);
            }
        }
    }
}
