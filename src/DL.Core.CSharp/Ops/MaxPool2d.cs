using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>The largest number of every window: <c>y[i, j, c] = max over taps inside the image of x[i s + u d - p, j s + v d - p, c]</c>.</summary>
/// <remarks>Backward: the first of several largest numbers, in the order of rows and columns, gets the whole gradient; windows that overlap add.
/// Padding is never chosen. A NaN in a window gives NaN.</remarks>
public static class MaxPool2d
{
    private const string Name = "MaxPool2d";

    /// <summary>The largest number of every window.</summary>
    /// <param name="x">[N; height; width; C], float32 or float64.</param>
    /// <param name="window">Size, strides, paddings and dilations.</param>
    /// <param name="ceil">Whether a last window that reaches past the padded image counts, if it starts inside the image or the padding before it.</param>
    /// <returns>[N; rows; columns; C].</returns>
    /// <exception cref="ShapeException">x is not of rank 4, or the window is larger than the padded image.</exception>
    /// <exception cref="InvalidArgumentException">The elements are integers, a number of the window is out of range, or a window lies in the padding alone.</exception>
    public static Tensor Forward(Tensor x, Window window, bool ceil = false) =>
        PoolForm.Moving(Name, x.Shape, window, ceil, false).Forward<MaxPool<float>, MaxPool<double>>(x);

    /// <summary>The gradient of the input.</summary>
    /// <param name="dy">[N; rows; columns; C], the gradient of the output.</param>
    /// <param name="x">The input of the forward pass.</param>
    /// <param name="window">The window of the forward pass.</param>
    /// <param name="ceil">As in the forward pass.</param>
    /// <returns>A tensor of the shape of <paramref name="x"/>.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">As in the forward pass, or the element types differ.</exception>
    public static Tensor Backward(Tensor dy, Tensor x, Window window, bool ceil = false) =>
        PoolForm.Moving($"{Name}.Backward", x.Shape, window, ceil, false).Backward<MaxPool<float>, MaxPool<double>>(dy, x);

    /// <summary>The largest number of windows that share the image out evenly: position i covers <c>[floor(i n / m), ceil((i + 1) n / m))</c>.</summary>
    /// <param name="x">[N; height; width; C].</param>
    /// <param name="rows">The rows of the output.</param>
    /// <param name="columns">The columns of the output.</param>
    /// <returns>[N; rows; columns; C].</returns>
    /// <exception cref="ShapeException">x is not of rank 4, or has no pixel.</exception>
    /// <exception cref="InvalidArgumentException">There is no row or no column, or the elements are integers.</exception>
    public static Tensor AdaptiveForward(Tensor x, int rows, int columns) =>
        PoolForm.Adaptive(Name, x.Shape, rows, columns).Forward<MaxPool<float>, MaxPool<double>>(x);

    /// <summary>The gradient of the input of <see cref="AdaptiveForward"/>.</summary>
    /// <param name="dy">[N; rows; columns; C], the gradient of the output.</param>
    /// <param name="x">The input of the forward pass.</param>
    /// <returns>A tensor of the shape of <paramref name="x"/>.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers.</exception>
    public static Tensor AdaptiveBackward(Tensor dy, Tensor x) =>
        PoolForm.Adaptive($"{Name}.Backward", x.Shape, dy.Shape[1], dy.Shape[2]).Backward<MaxPool<float>, MaxPool<double>>(dy, x);
}
