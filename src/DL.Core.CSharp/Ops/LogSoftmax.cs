using System.Numerics;
using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>Logarithm of softmax along one axis: <c>y_e = x_e - m - log sum_k e^(x_k - m)</c>.</summary>
/// <remarks>Shifted by the maximum m, so that it is finite for every finite input, and invariant to a constant added along the axis.
/// An axis of extent 0 is legal. A row of -infinity alone, as a mask makes it, stays so, with zero gradient. +infinity or NaN gives NaN along its row.</remarks>
public static class LogSoftmax
{
    /// <summary><c>y_e = x_e - m - log sum_k e^(x_k - m)</c>.</summary>
    /// <param name="x">Float32 or float64, with at least one axis.</param>
    /// <param name="axis">The axis; negative ones count from the last, which is the default.</param>
    /// <returns>A tensor of the shape of <paramref name="x"/>.</returns>
    /// <exception cref="ShapeException">There is no such axis.</exception>
    /// <exception cref="InvalidArgumentException">The elements are integers.</exception>
    public static Tensor Forward(Tensor x, int axis = -1)
    {
        var view = AxisView.Of(x.Shape, axis);
        return x.IsDouble("LogSoftmax") ? Run(x.As<double>("LogSoftmax"), view) : Run(x.As<float>("LogSoftmax"), view);
    }

    /// <summary><c>dx = dy - e^y sum_k dy_k</c>.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="y">The output of <see cref="Forward(Tensor, int)"/>.</param>
    /// <param name="axis">The axis; negative ones count from the last, which is the default.</param>
    /// <returns>The gradient of the input.</returns>
    /// <exception cref="ShapeException">The shapes differ, or there is no such axis.</exception>
    public static Tensor Backward(Tensor dy, Tensor y, int axis = -1)
    {
        const string where = "LogSoftmax.Backward";
        y.Expect(dy.Shape, where);
        var view = AxisView.Of(dy.Shape, axis);
        return dy.IsDouble(where) ? Back(dy.As<double>(where), y.As<double>(where), view) : Back(dy.As<float>(where), y.As<float>(where), view);
    }

    /// <summary><c>y_e = x_e - m - log sum_k e^(x_k - m)</c> over spans; y may be x.</summary>
    /// <param name="x">The input, outer x extent x inner elements.</param>
    /// <param name="outer">The product of the extents before the axis.</param>
    /// <param name="extent">The extent of the axis.</param>
    /// <param name="inner">The product of the extents after the axis; 1 for rows.</param>
    /// <param name="y">The output, overwritten.</param>
    /// <exception cref="ShapeException">A length does not fit.</exception>
    public static void Forward<T>(ReadOnlySpan<T> x, int outer, int extent, int inner, Span<T> y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var view = new AxisView(outer, extent, inner);
        view.Check(x.Length, view.Reduced, "LogSoftmax");
        Apply.SameLength(x.Length, y.Length, "LogSoftmax");
        AxisMap.Run(x, x, x, y, view, default, default(LogSoftmaxForward<T>));
    }

    /// <summary><c>dx = dy - e^y sum_k dy_k</c> over spans; dx may be dy.</summary>
    /// <param name="dy">The gradient of the output, outer x extent x inner elements.</param>
    /// <param name="y">The output.</param>
    /// <param name="outer">The product of the extents before the axis.</param>
    /// <param name="extent">The extent of the axis.</param>
    /// <param name="inner">The product of the extents after the axis; 1 for rows.</param>
    /// <param name="dx">The gradient of the input, overwritten.</param>
    /// <exception cref="ShapeException">A length does not fit.</exception>
    public static void Backward<T>(ReadOnlySpan<T> dy, ReadOnlySpan<T> y, int outer, int extent, int inner, Span<T> dx)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var view = new AxisView(outer, extent, inner);
        view.Check(dy.Length, view.Reduced, "LogSoftmax.Backward");
        Apply.SameLength(dy.Length, y.Length, "LogSoftmax.Backward");
        Apply.SameLength(dy.Length, dx.Length, "LogSoftmax.Backward");
        AxisMap.Run(dy, y, y, dx, view, default, default(LogSoftmaxBackward<T>));
    }

    private static Tensor<T> Run<T>(Tensor<T> x, AxisView view) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var y = x.Like();
        Forward(x.Span, view.Outer, view.Extent, view.Inner, y.Write());
        return y;
    }

    private static Tensor<T> Back<T>(Tensor<T> dy, Tensor<T> y, AxisView view) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var dx = dy.Like();
        Backward(dy.Span, y.Span, view.Outer, view.Extent, view.Inner, dx.Write());
        return dx;
    }
}
