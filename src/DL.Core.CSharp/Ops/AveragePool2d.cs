using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>The mean of every window: <c>y[i, j, c] = sum over taps of x[i s + u d - p, j s + v d - p, c] / count</c>, where x is zero outside its image.</summary>
/// <remarks>The count is the taps inside the padded image, or those inside the image where padding is not counted. Backward: every number of a window gets
/// <c>dy / count</c>; windows that overlap add.</remarks>
public static class AveragePool2d
{
    private const string Name = "AveragePool2d";

    /// <summary>The mean of every window.</summary>
    /// <param name="x">[N; height; width; C], float32 or float64.</param>
    /// <param name="window">Size, strides, paddings and dilations.</param>
    /// <param name="countPadding">Whether the padding's zeros count in the mean.</param>
    /// <param name="ceil">Whether a last window that reaches past the padded image counts, if it starts inside the image or the padding before it.</param>
    /// <returns>[N; rows; columns; C].</returns>
    /// <exception cref="ShapeException">x is not of rank 4, or the window is larger than the padded image.</exception>
    /// <exception cref="InvalidArgumentException">The elements are integers, a number of the window is out of range, or a window lies in the padding alone.</exception>
    public static Tensor Forward(Tensor x, Window window, bool countPadding = true, bool ceil = false) =>
        PoolForm.Moving(Name, x.Shape, window, ceil, countPadding).Forward<MeanPool<float>, MeanPool<double>>(x);

    /// <summary>The gradient of the input.</summary>
    /// <param name="dy">[N; rows; columns; C], the gradient of the output.</param>
    /// <param name="input">The shape of the input.</param>
    /// <param name="window">The window of the forward pass.</param>
    /// <param name="countPadding">As in the forward pass.</param>
    /// <param name="ceil">As in the forward pass.</param>
    /// <returns>A tensor of the input's shape.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">As in the forward pass.</exception>
    public static Tensor Backward(Tensor dy, Shape input, Window window, bool countPadding = true, bool ceil = false) =>
        PoolForm.Moving($"{Name}.Backward", input, window, ceil, countPadding).Backward<MeanPool<float>, MeanPool<double>>(dy, null);

    /// <summary>The mean of windows that share the image out evenly: position i covers <c>[floor(i n / m), ceil((i + 1) n / m))</c>; 1 x 1 is the mean of the image.</summary>
    /// <param name="x">[N; height; width; C].</param>
    /// <param name="rows">The rows of the output.</param>
    /// <param name="columns">The columns of the output.</param>
    /// <returns>[N; rows; columns; C].</returns>
    /// <exception cref="ShapeException">x is not of rank 4, or has no pixel.</exception>
    /// <exception cref="InvalidArgumentException">There is no row or no column, or the elements are integers.</exception>
    public static Tensor AdaptiveForward(Tensor x, int rows, int columns) =>
        PoolForm.Adaptive(Name, x.Shape, rows, columns).Forward<MeanPool<float>, MeanPool<double>>(x);

    /// <summary>The gradient of the input of <see cref="AdaptiveForward"/>.</summary>
    /// <param name="dy">[N; rows; columns; C], the gradient of the output.</param>
    /// <param name="input">The shape of the input.</param>
    /// <returns>A tensor of the input's shape.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">The elements are integers.</exception>
    public static Tensor AdaptiveBackward(Tensor dy, Shape input) =>
        PoolForm.Adaptive($"{Name}.Backward", input, dy.Shape[1], dy.Shape[2]).Backward<MeanPool<float>, MeanPool<double>>(dy, null);
}
