using System.Numerics;
using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>Logarithm of the sum of exponentials along one axis: <c>y = m + log sum_e e^(x_e - m)</c>.</summary>
/// <remarks>m is the maximum, so that it is finite for every finite input. A row of -infinity alone, or of no element, gives -infinity,
/// with zero gradient; +infinity or NaN gives NaN.</remarks>
public static class LogSumExp
{
    /// <summary><c>y = m + log sum_e e^(x_e - m)</c>.</summary>
    /// <param name="x">Float32 or float64, with at least one axis.</param>
    /// <param name="axis">The axis; negative ones count from the last, which is the default.</param>
    /// <param name="keepDims">Whether the axis stays, with extent 1.</param>
    /// <returns>A tensor of the shape of <paramref name="x"/> without the axis, or with extent 1 there.</returns>
    /// <exception cref="ShapeException">There is no such axis.</exception>
    /// <exception cref="InvalidArgumentException">The elements are integers.</exception>
    public static Tensor Forward(Tensor x, int axis = -1, bool keepDims = false)
    {
        var shape = keepDims ? x.Shape.With(axis, 1) : x.Shape.Without(axis);
        var view = AxisView.Of(x.Shape, axis);
        return x.IsDouble("LogSumExp") ? Run(x.As<double>("LogSumExp"), view, shape) : Run(x.As<float>("LogSumExp"), view, shape);
    }

    /// <summary><c>dx_e = dy e^(x_e - y)</c>.</summary>
    /// <param name="dy">The gradient of the output, with the axis kept or not.</param>
    /// <param name="x">The input of <see cref="Forward(Tensor, int, bool)"/>.</param>
    /// <param name="y">Its output.</param>
    /// <param name="axis">The axis; negative ones count from the last, which is the default.</param>
    /// <returns>The gradient of the input.</returns>
    /// <exception cref="ShapeException">The shapes do not fit, or there is no such axis.</exception>
    public static Tensor Backward(Tensor dy, Tensor x, Tensor y, int axis = -1)
    {
        const string where = "LogSumExp.Backward";
        y.Expect(dy.Shape, where);
        var view = AxisView.Of(x.Shape, axis);
        view.Check(x.Count, dy.Count, where);
        return x.IsDouble(where)
            ? Back(dy.As<double>(where), x.As<double>(where), y.As<double>(where), view)
            : Back(dy.As<float>(where), x.As<float>(where), y.As<float>(where), view);
    }

    /// <summary><c>y = m + log sum_e e^(x_e - m)</c> over spans.</summary>
    /// <param name="x">The input, outer x extent x inner elements.</param>
    /// <param name="outer">The product of the extents before the axis.</param>
    /// <param name="extent">The extent of the axis.</param>
    /// <param name="inner">The product of the extents after the axis; 1 for rows.</param>
    /// <param name="y">The output, outer x inner elements, overwritten.</param>
    /// <exception cref="ShapeException">A length does not fit.</exception>
    public static void Forward<T>(ReadOnlySpan<T> x, int outer, int extent, int inner, Span<T> y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var view = new AxisView(outer, extent, inner);
        view.Check(x.Length, y.Length, "LogSumExp");
        var forms = new AxisMap.Forms(AxisArgument.Whole, AxisArgument.Whole, AxisArgument.Whole, AxisArgument.Reduced);
        AxisMap.Run(x, x, x, y, view, forms, default(LogSumExpForward<T>));
    }

    /// <summary><c>dx_e = dy e^(x_e - y)</c> over spans; dx may be x.</summary>
    /// <param name="dy">The gradient of the output, outer x inner elements.</param>
    /// <param name="x">The input, outer x extent x inner elements.</param>
    /// <param name="y">The output, outer x inner elements.</param>
    /// <param name="outer">The product of the extents before the axis.</param>
    /// <param name="extent">The extent of the axis.</param>
    /// <param name="inner">The product of the extents after the axis; 1 for rows.</param>
    /// <param name="dx">The gradient of the input, overwritten.</param>
    /// <exception cref="ShapeException">A length does not fit.</exception>
    public static void Backward<T>(ReadOnlySpan<T> dy, ReadOnlySpan<T> x, ReadOnlySpan<T> y, int outer, int extent, int inner, Span<T> dx)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var view = new AxisView(outer, extent, inner);
        view.Check(x.Length, dy.Length, "LogSumExp.Backward");
        Apply.SameLength(dy.Length, y.Length, "LogSumExp.Backward");
        Apply.SameLength(x.Length, dx.Length, "LogSumExp.Backward");
        var forms = new AxisMap.Forms(AxisArgument.Reduced, AxisArgument.Whole, AxisArgument.Reduced, AxisArgument.Whole);
        AxisMap.Run(dy, x, y, dx, view, forms, default(LogSumExpBackward<T>));
    }

    private static Tensor<T> Run<T>(Tensor<T> x, AxisView view, Shape shape) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var y = x.New<T>(shape);
        Forward(x.Span, view.Outer, view.Extent, view.Inner, y.Write());
        return y;
    }

    private static Tensor<T> Back<T>(Tensor<T> dy, Tensor<T> x, Tensor<T> y, AxisView view) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var dx = x.Like();
        Backward(dy.Span, x.Span, y.Span, view.Outer, view.Extent, view.Inner, dx.Write());
        return dx;
    }
}
