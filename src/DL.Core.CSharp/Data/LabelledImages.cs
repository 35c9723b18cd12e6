using System.Runtime.CompilerServices;
using static System.FormattableString;

namespace DL.Core.Data;

/// <summary>Images of one size in bytes, each with a class.</summary>
/// <param name="Pixels">From 0 to 255, image by image, [Count; Channels; Height; Width].</param>
/// <param name="Labels">The class of each image, [Count].</param>
/// <param name="Channels">1 for gray, 3 for red, green and blue.</param>
/// <param name="Height">The number of rows.</param>
/// <param name="Width">The number of columns.</param>
public sealed record LabelledImages(byte[] Pixels, int[] Labels, int Channels, int Height, int Width)
{
    private const int PartBytes = 1 << 20;

    /// <summary>From 0 to 255, image by image, [Count; Channels; Height; Width].</summary>
    /// <exception cref="ShapeException">There are not Count * Channels * Height * Width bytes, or a size is below 1.</exception>
    public byte[] Pixels { get; } = Checked(Pixels, Labels, Channels, Height, Width);

    /// <summary>The number of images.</summary>
    public int Count => Labels.Length;

    /// <summary>The pixels from 0 to 1, as <c>value / 255</c>.</summary>
    /// <returns>float32, [Count; Channels; Height; Width].</returns>
    public Tensor<float> ToTensor()
    {
        var tensor = Tensor<float>.OnHeap(new Shape(Count, Channels, Height, Width));
        var to = (float[])tensor.HeldBy!;
        // Most of the time goes into memory that is touched for the first time: parts are done side by side.
        var parts = Pixels.Length < PartBytes ? 1 : Environment.ProcessorCount;
        Parallel.For(0, parts, part =>
        {
            var (from, end) = ((int)((long)to.Length * part / parts), (int)((long)to.Length * (part + 1) / parts));
            Scale(Pixels.AsSpan(from, end - from), to.AsSpan(from));
        });
        return tensor;
    }

    /// <summary>The pixels from 0 to 1, the channels of a pixel next to each other.</summary>
    /// <returns>float32, [Count; Height; Width; Channels].</returns>
    public Tensor<float> ToChannelsLast()
    {
        if (Channels == 1) return (Tensor<float>)ToTensor().Reshape(new Shape(Count, Height, Width, 1));
        var tensor = Tensor<float>.OnHeap(new Shape(Count, Height, Width, Channels));
        var to = tensor.Write();
        var (values, plane) = (Values(), Height * Width);
        for (var image = 0; image < Count; image++)
        {
            var first = image * Channels * plane;
            for (var pixel = 0; pixel < plane; pixel++)
                for (var c = 0; c < Channels; c++) to[first + pixel * Channels + c] = values[Pixels[first + c * plane + pixel]];
        }

        return tensor;
    }

    /// <summary><c>x / 255</c> for every byte, to the last bit.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Scale(ReadOnlySpan<byte> bytes, Span<float> to)
    {
        var values = Values();
        for (var i = 0; i < bytes.Length; i++) to[i] = values[bytes[i]];
    }

    private static byte[] Checked(byte[] pixels, int[] labels, int channels, int height, int width) =>
        channels > 0 && height > 0 && width > 0 && (Int128)labels.Length * channels * height * width == pixels.Length
            ? pixels
            : throw new ShapeException("LabelledImages", Invariant($"bytes of {labels.Length} images of {channels} x {height} x {width}"), Invariant($"{pixels.Length}"));

    private static float[] Values() => [.. Enumerable.Range(0, 256).Select(value => (float)(value / 255.0))];
}
