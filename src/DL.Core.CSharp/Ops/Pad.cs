namespace DL.Core.Ops;

/// <summary>Constants put before and after one axis.</summary>
/// <remarks>Backward cuts the gradient of the padding off.</remarks>
public static class Pad
{
    /// <summary>x with constants before and after one axis.</summary>
    /// <param name="x">Any shape with at least one axis, any element type.</param>
    /// <param name="axis">The axis; negative ones count from the last.</param>
    /// <param name="before">The number of positions put before.</param>
    /// <param name="after">The number of positions put after.</param>
    /// <param name="value">The constant.</param>
    /// <exception cref="InvalidArgumentException">A number of positions is negative, or all are more than an axis holds.</exception>
    /// <exception cref="ShapeException">There is no such axis.</exception>
    public static Tensor Forward(Tensor x, int axis, int before, int after, double value = 0)
    {
        if (before < 0 || after < 0) throw new InvalidArgumentException("Pad", "at least 0 positions", $"{before} before and {after} after");
        var whole = (long)x.Shape[axis] + before + after;
        if (whole > int.MaxValue) throw new InvalidArgumentException("Pad", $"at most {int.MaxValue} positions in all", $"{whole}");
        return Blocks.Surround(x, AxisView.Of(x.Shape, axis), before, value, x.Shape.With(axis, (int)whole));
    }

    /// <summary>The gradient without the padding.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="axis">The axis; negative ones count from the last.</param>
    /// <param name="before">The number of positions put before.</param>
    /// <param name="after">The number of positions put after.</param>
    /// <exception cref="ShapeException">The gradient is shorter than the padding.</exception>
    public static Tensor Backward(Tensor dy, int axis, int before, int after) => Slice.Forward(dy, axis, before, dy.Shape[axis] - before - after);
}
