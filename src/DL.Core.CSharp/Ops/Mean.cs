using System.Numerics;
using System.Runtime.CompilerServices;
using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>The mean over all elements or over one axis: <c>y = (1 / k) sum_e x_e</c>.</summary>
/// <remarks>k is the number of elements averaged. Added in blocks as <see cref="Sum"/> is.</remarks>
public static class Mean
{
    /// <summary>The mean of all elements.</summary>
    /// <param name="x">Any shape, float32 or float64.</param>
    /// <returns>A scalar.</returns>
    /// <exception cref="ShapeException">There is no element.</exception>
    /// <exception cref="InvalidArgumentException">The elements are integers.</exception>
    public static Tensor Forward(Tensor x) =>
        x.IsDouble("Mean") ? Run(x.As<double>("Mean"), AxisView.All(x.Shape), Shape.Scalar) : Run(x.As<float>("Mean"), AxisView.All(x.Shape), Shape.Scalar);

    /// <summary><c>y = (1 / k) sum_e x_e</c> over one axis.</summary>
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
        return x.IsDouble("Mean") ? Run(x.As<double>("Mean"), view, shape) : Run(x.As<float>("Mean"), view, shape);
    }

    /// <summary><c>dx_e = dy / k</c> for every element of a tensor whose mean was taken as a whole.</summary>
    /// <param name="dy">The gradient of the output, one element.</param>
    /// <param name="shape">The shape of the input.</param>
    /// <returns>The gradient of the input.</returns>
    /// <exception cref="ShapeException">dy has not one element.</exception>
    public static Tensor Backward(Tensor dy, Shape shape) => Back(dy, shape, AxisView.All(shape));

    /// <summary><c>dx_e = dy / k</c> along the axis.</summary>
    /// <param name="dy">The gradient of the output, with the axis kept or not.</param>
    /// <param name="shape">The shape of the input.</param>
    /// <param name="axis">The axis; negative ones count from the last.</param>
    /// <returns>The gradient of the input.</returns>
    /// <exception cref="ShapeException">dy has not as many elements as the shape without the axis.</exception>
    public static Tensor Backward(Tensor dy, Shape shape, int axis) => Back(dy, shape, AxisView.Of(shape, axis));

    /// <summary><c>y = (1 / k) sum_e x_e</c> over spans.</summary>
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
        view.Check(x.Length, y.Length, "Mean");
        Filled(view);
        AxisKernels.Sum(x, view, y);
        Elementwise.Map((ReadOnlySpan<T>)y, y, new Quotient<T>(extent));
    }

    /// <summary><c>dx_e = dy / k</c> over spans.</summary>
    /// <param name="dy">The gradient of the output, outer x inner elements.</param>
    /// <param name="outer">The product of the extents before the axis.</param>
    /// <param name="extent">The extent of the axis.</param>
    /// <param name="inner">The product of the extents after the axis.</param>
    /// <param name="dx">The gradient of the input, outer x extent x inner elements, overwritten.</param>
    /// <exception cref="ShapeException">A length does not fit.</exception>
    public static void Backward<T>(ReadOnlySpan<T> dy, int outer, int extent, int inner, Span<T> dx)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var view = new AxisView(outer, extent, inner);
        view.Check(dx.Length, dy.Length, "Mean.Backward");
        AxisKernels.Spread(dy, view, extent, dx);
    }

    private static Tensor<T> Run<T>(Tensor<T> x, AxisView view, Shape shape) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Filled(view);
        var y = x.New<T>(shape);
        Forward(x.Span, view.Outer, view.Extent, view.Inner, y.Write());
        return y;
    }

    private static Tensor Back(Tensor dy, Shape shape, AxisView view)
    {
        const string where = "Mean.Backward";
        if (dy.Count != view.Reduced) throw new ShapeException(where, $"{view.Reduced} elements", $"{dy.Shape}");
        return dy.IsDouble(where) ? Back(dy.As<double>(where), shape, view) : Back(dy.As<float>(where), shape, view);
    }

    private static Tensor<T> Back<T>(Tensor<T> dy, Shape shape, AxisView view) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var dx = dy.New<T>(shape);
        Backward(dy.Span, view.Outer, view.Extent, view.Inner, dx.Write());
        return dx;
    }

    private static void Filled(AxisView view)
    {
        if (view.Extent == 0 && view.Reduced > 0) throw new ShapeException("Mean", "at least one element along the axis", "none");
    }

    private readonly struct Quotient<T>(double divisor) : IUnary<T> where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S x) where S : struct, ISimd<S, T> => x / S.Create(divisor);
    }
}
