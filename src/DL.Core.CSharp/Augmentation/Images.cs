using System.Numerics;
using DL.Core.Random;
using static System.FormattableString;

namespace DL.Core.Augmentation;

/// <summary>What the changes of images have in common: batches [n; height; width; channels] of floating-point numbers, and a key for every image.</summary>
internal static class Images
{
    /// <summary>Changes one image: its number in the batch, its elements, where the result goes, and its sizes.</summary>
    public delegate void Change<T>(int image, ReadOnlySpan<T> from, Span<T> to, ImageSize size);

    public static ImageSize Check(Tensor x, string where)
    {
        if (x.Shape.Rank != 4) throw new ShapeException(where, "images, [n; height; width; channels]", $"{x.Shape}");
        if (x.ElementType == ElementType.Int32) throw new InvalidArgumentException(where, "a tensor of float32 or float64", "int32", "Convert with Tensor.To.");
        return new(x.Shape[1], x.Shape[2], x.Shape[3]);
    }

    public static void CheckKeys(Tensor x, ReadOnlySpan<Key> keys, string where)
    {
        if (keys.Length != x.Shape[0]) throw new ShapeException(where, Invariant($"{x.Shape[0]} keys, one for each image"), Invariant($"{keys.Length}"));
    }

    public static void CheckShare(double share, string where)
    {
        if (!(share >= 0 && share <= 1)) throw new InvalidArgumentException(where, "a probability from 0 to 1", Invariant($"{share}"));
    }

    /// <summary>A number in [0, 1) for every draw of one key.</summary>
    public static double[] Uniform(Key key, int count)
    {
        var draws = new double[count];
        Draw.Uniform<double>(key, draws);
        return draws;
    }

    /// <summary>New images of given sizes, each computed from the one at its place.</summary>
    public static Tensor<T> Each<T>(Tensor<T> x, int height, int width, Change<T> change) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var size = new ImageSize(x.Shape[1], x.Shape[2], x.Shape[3]);
        var y = x.New<T>(new Shape(x.Shape[0], height, width, size.Channels));
        var from = x.Span;
        var to = y.Write();
        var (fromCount, toCount) = (size.Height * size.Width * size.Channels, height * width * size.Channels);
        for (var image = 0; image < x.Shape[0]; image++)
            change(image, from.Slice(image * fromCount, fromCount), to.Slice(image * toCount, toCount), size);
        return y;
    }
}

/// <summary>The sizes of an image.</summary>
/// <param name="Height">The number of rows.</param>
/// <param name="Width">The number of columns.</param>
/// <param name="Channels">The numbers of a pixel.</param>
internal readonly record struct ImageSize(int Height, int Width, int Channels);
