using System.Numerics;
using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>The maximum over all elements or over one axis: <c>y = max_e x_e</c>.</summary>
/// <remarks>Backward: the first maximum takes the whole gradient. A NaN is larger than every number.</remarks>
public static class Max
{
    /// <summary>The maximum of all elements.</summary>
    /// <param name="x">Any shape, float32 or float64.</param>
    /// <returns>A scalar.</returns>
    /// <exception cref="ShapeException">There is no element.</exception>
    /// <exception cref="InvalidArgumentException">The elements are integers.</exception>
    public static Tensor Forward(Tensor x) =>
        x.IsDouble("Max") ? Run(x.As<double>("Max"), AxisView.All(x.Shape), Shape.Scalar) : Run(x.As<float>("Max"), AxisView.All(x.Shape), Shape.Scalar);

    /// <summary><c>y = max_e x_e</c> over one axis.</summary>
    /// <param name="x">Float32 or float64, with at least one axis.</param>
    /// <param name="axis">The axis; negative ones count from the last.</param>
    /// <param name="keepDims">Whether the axis stays, with extent 1.</param>
    /// <returns>A tensor of the shape of <paramref name="x"/> without the axis, or with extent 1 there.</returns>
    /// <exception cref="ShapeException">There is no such axis, or it is empty.</exception>
    /// <exception cref="InvalidArgumentException">The elements are integers.</exception>
    public static Tensor Forward(Tensor x, int axis, bool keepDims = false)
    {
        var shape = keepDims ? x.Shape.With(axis, 1) : x.Shape.Without(axis);
        var view = AxisView.Of(x.Shape, axis);
        return x.IsDouble("Max") ? Run(x.As<double>("Max"), view, shape) : Run(x.As<float>("Max"), view, shape);
    }

    /// <summary><c>dx = dy</c> at the first maximum of all elements, else 0.</summary>
    /// <param name="dy">The gradient of the output, one element.</param>
    /// <param name="x">The input of <see cref="Forward(Tensor)"/>.</param>
    /// <returns>The gradient of the input.</returns>
    /// <exception cref="ShapeException">dy has not one element, or x none.</exception>
    public static Tensor Backward(Tensor dy, Tensor x) => Back(dy, x, AxisView.All(x.Shape));

    /// <summary><c>dx = dy</c> at the first maximum along the axis, else 0.</summary>
    /// <param name="dy">The gradient of the output, with the axis kept or not.</param>
    /// <param name="x">The input of <see cref="Forward(Tensor, int, bool)"/>.</param>
    /// <param name="axis">The axis; negative ones count from the last.</param>
    /// <returns>The gradient of the input.</returns>
    /// <exception cref="ShapeException">dy has not as many elements as x without the axis, or the axis is empty.</exception>
    public static Tensor Backward(Tensor dy, Tensor x, int axis) => Back(dy, x, AxisView.Of(x.Shape, axis));

    /// <summary><c>y = max_e x_e</c> over spans.</summary>
    /// <param name="x">The input, outer x extent x inner elements.</param>
    /// <param name="outer">The product of the extents before the axis.</param>
    /// <param name="extent">The extent of the axis.</param>
    /// <param name="inner">The product of the extents after the axis.</param>
    /// <param name="y">The output, outer x inner elements, overwritten.</param>
    /// <exception cref="ShapeException">A length does not fit, or it is empty.</exception>
    public static void Forward<T>(ReadOnlySpan<T> x, int outer, int extent, int inner, Span<T> y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var view = new AxisView(outer, extent, inner);
        view.Check(x.Length, y.Length, "Max");
        Filled(view);
        AxisKernels.Max(x, view, y);
    }

    /// <summary><c>dx = dy</c> at the first maximum along the axis, else 0, over spans.</summary>
    /// <param name="dy">The gradient of the output, outer x inner elements.</param>
    /// <param name="x">The input, outer x extent x inner elements.</param>
    /// <param name="outer">The product of the extents before the axis.</param>
    /// <param name="extent">The extent of the axis.</param>
    /// <param name="inner">The product of the extents after the axis.</param>
    /// <param name="dx">The gradient of the input, overwritten; it may not be x.</param>
    /// <exception cref="ShapeException">A length does not fit, or the axis is empty.</exception>
    public static void Backward<T>(ReadOnlySpan<T> dy, ReadOnlySpan<T> x, int outer, int extent, int inner, Span<T> dx)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var view = new AxisView(outer, extent, inner);
        view.Check(x.Length, dy.Length, "Max.Backward");
        Apply.SameLength(x.Length, dx.Length, "Max.Backward");
        Filled(view);
        dx.Clear();
        for (var o = 0; o < outer; o++)
        {
            for (var i = 0; i < inner; i++)
            {
                var start = (o * extent * inner) + i;
                dx[start + (First(x, start, extent, inner) * inner)] = dy[(o * inner) + i];
            }
        }
    }

    private static Tensor<T> Run<T>(Tensor<T> x, AxisView view, Shape shape) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Filled(view);
        var y = x.New<T>(shape);
        Forward(x.Span, view.Outer, view.Extent, view.Inner, y.Write());
        return y;
    }

    /// <summary>The place of the first maximum, or of the first NaN.</summary>
    private static int First<T>(ReadOnlySpan<T> x, int start, int extent, int stride) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var best = 0;
        for (var e = 1; e < extent && !T.IsNaN(x[start + (best * stride)]); e++)
        {
            var candidate = x[start + (e * stride)];
            if (candidate > x[start + (best * stride)] || T.IsNaN(candidate)) best = e;
        }

        return best;
    }

    private static Tensor Back(Tensor dy, Tensor x, AxisView view)
    {
        const string where = "Max.Backward";
        if (dy.Count != view.Reduced) throw new ShapeException(where, $"{view.Reduced} elements", $"{dy.Shape}");
        Filled(view);
        return dy.IsDouble(where) ? Back(dy.As<double>(where), x.As<double>(where), view) : Back(dy.As<float>(where), x.As<float>(where), view);
    }

    private static Tensor<T> Back<T>(Tensor<T> dy, Tensor<T> x, AxisView view) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var dx = dy.New<T>(x.Shape);
        Backward(dy.Span, x.Span, view.Outer, view.Extent, view.Inner, dx.Write());
        return dx;
    }

    private static void Filled(AxisView view)
    {
        if (view.Extent == 0 && view.Reduced > 0) throw new ShapeException("Max", "at least one element along the axis", "none");
    }
}
