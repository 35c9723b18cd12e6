using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>Channels laid out as pixels: <c>y[h r + i, w r + j, c] = x[h, w, c r^2 + i r + j]</c> for i and j below r.</summary>
/// <remarks>Every number is moved once, so Backward is the way back: <c>dx[h, w, c r^2 + i r + j] = dy[h r + i, w r + j, c]</c>.
/// Source: W. Shi and others, Real-time single image and video super-resolution using an efficient sub-pixel convolutional neural network, 2016.</remarks>
public static class PixelShuffle
{
    private const string Name = "PixelShuffle";

    /// <summary>r^2 channels as r x r pixels of one channel.</summary>
    /// <param name="x">[N; height; width; C r^2], any element type.</param>
    /// <param name="factor">r, at least 1.</param>
    /// <returns>[N; height r; width r; C].</returns>
    /// <exception cref="ShapeException">x is not of rank 4, or its channels are no multiple of r^2.</exception>
    /// <exception cref="InvalidArgumentException">The factor is below 1.</exception>
    public static Tensor Forward(Tensor x, int factor)
    {
        Check(Name, x.Shape, factor);
        var square = (long)factor * factor;
        if (x.Shape[3] % square != 0)
            throw new ShapeException(Name, $"images [N; height; width; channels], channels a multiple of {square}", $"{x.Shape}");
        var shape = new Shape(x.Shape[0], Times(x.Shape[1], factor), Times(x.Shape[2], factor), (int)(x.Shape[3] / square));
        return Moved(x, shape, new(x.Shape[1], x.Shape[2], shape[3], factor, false));
    }

    /// <summary>The gradient of the input, which is <see cref="Forward"/>'s inverse: r x r pixels of one channel as r^2 channels.</summary>
    /// <param name="dy">[N; height r; width r; C], the gradient of the output.</param>
    /// <param name="factor">r, as in the forward pass.</param>
    /// <returns>[N; height; width; C r^2].</returns>
    /// <exception cref="ShapeException">dy is not of rank 4, or its height or width is no multiple of r.</exception>
    /// <exception cref="InvalidArgumentException">The factor is below 1.</exception>
    public static Tensor Backward(Tensor dy, int factor)
    {
        const string where = $"{Name}.Backward";
        Check(where, dy.Shape, factor);
        if (dy.Shape[1] % factor != 0 || dy.Shape[2] % factor != 0)
            throw new ShapeException(where, $"images [N; height; width; channels], height and width multiples of {factor}", $"{dy.Shape}");
        var shape = new Shape(dy.Shape[0], dy.Shape[1] / factor, dy.Shape[2] / factor, Times(Times(dy.Shape[3], factor), factor));
        return Moved(dy, shape, new(shape[1], shape[2], dy.Shape[3], factor, true));
    }

    private static void Check(string where, Shape shape, int factor)
    {
        if (factor < 1) throw new InvalidArgumentException(where, "a factor of at least 1", $"{factor}");
        if (shape.Rank != 4) throw new ShapeException(where, "images [N; height; width; channels]", $"{shape}");
    }

    /// <summary>The product; one that no shape can hold becomes an extent that <see cref="Shape"/> refuses.</summary>
    private static int Times(int extent, int factor) => (int)Math.Min(int.MaxValue, (long)extent * factor);

    private static Tensor Moved(Tensor source, Shape shape, PixelBlocks blocks) => source switch
    {
        Tensor<float> single => Moved(single, shape, blocks),
        Tensor<double> wide => Moved(wide, shape, blocks),
        _ => Moved(source.As<int>(Name), shape, blocks),
    };

    private static unsafe Tensor Moved<T>(Tensor<T> source, Shape shape, PixelBlocks blocks) where T : unmanaged
    {
        var result = source.New<T>(shape);
        fixed (T* from = source.Span, to = result.Write()) blocks.Move(from, shape[0], to);
        return result;
    }
}
