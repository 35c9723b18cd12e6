namespace DL.Core.Ops;

/// <summary>A run of positions of one axis: <c>y_i = x_(from + i)</c>.</summary>
/// <remarks>Backward puts the gradient back into its place among zeros.</remarks>
public static class Slice
{
    /// <summary><c>y_i = x_(from + i)</c> along an axis.</summary>
    /// <param name="x">Any shape with at least one axis, any element type.</param>
    /// <param name="axis">The axis; negative ones count from the last.</param>
    /// <param name="from">The first position.</param>
    /// <param name="length">The number of positions.</param>
    /// <exception cref="ShapeException">There is no such axis, or the positions do not lie within it.</exception>
    public static Tensor Forward(Tensor x, int axis, int from, int length)
    {
        var view = AxisView.Of(x.Shape, axis);
        if (from < 0 || length < 0 || from > view.Extent - length)
            throw new ShapeException("Slice", $"positions within the {view.Extent} of axis {axis} of {x.Shape}", $"{length} from {from}");
        return Blocks.Cut(x, view, from, x.Shape.With(axis, length));
    }

    /// <summary><c>dx_(from + i) = dy_i</c>, and zeros elsewhere.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="shape">The shape of the input.</param>
    /// <param name="axis">The axis; negative ones count from the last.</param>
    /// <param name="from">The first position.</param>
    /// <exception cref="ShapeException">The gradient is not that of such a slice.</exception>
    public static Tensor Backward(Tensor dy, Shape shape, int axis, int from)
    {
        var rest = shape[axis] - from - (dy.Shape.Rank == shape.Rank ? dy.Shape[axis] : 0);
        if (rest < 0 || dy.Shape.Rank != shape.Rank || dy.Shape.Without(axis) != shape.Without(axis))
            throw new ShapeException("Slice.Backward", $"the gradient of a slice from {from} on axis {axis} of {shape}", $"{dy.Shape}");
        return Pad.Forward(dy, axis, from, rest);
    }
}
