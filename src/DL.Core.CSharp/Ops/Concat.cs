namespace DL.Core.Ops;

/// <summary>Tensors one after the other along an axis.</summary>
/// <remarks>Backward cuts the gradient at the same places: the two are each other's transpose.</remarks>
public static class Concat
{
    /// <summary>The tensors one after the other.</summary>
    /// <param name="axis">The axis; negative ones count from the last.</param>
    /// <param name="parts">At least one tensor, of one element type, equal in all other axes.</param>
    /// <exception cref="InvalidArgumentException">There is no tensor, or the element types differ.</exception>
    /// <exception cref="ShapeException">The shapes differ in another axis.</exception>
    public static Tensor Forward(int axis, params Tensor[] parts)
    {
        if (parts.Length == 0) throw new InvalidArgumentException("Concat", "at least one tensor", "none");
        var shape = parts[0].Shape;
        var extent = 0L;
        foreach (var part in parts)
        {
            if (part.Shape.Rank != shape.Rank || part.Shape.Without(axis) != shape.Without(axis))
                throw new ShapeException("Concat", $"shapes that differ on axis {axis} only, as {shape}", $"{part.Shape}");
            extent += part.Shape[axis];
        }

        if (extent > int.MaxValue) throw new ShapeException("Concat", $"at most {int.MaxValue} positions", $"{extent}");
        return Blocks.Join(parts, axis, shape.With(axis, (int)extent));
    }

    /// <summary>The gradient of every part.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="axis">The axis; negative ones count from the last.</param>
    /// <param name="sizes">The extents of the parts along the axis.</param>
    /// <exception cref="ShapeException">The sizes do not add up to the extent.</exception>
    public static Tensor[] Backward(Tensor dy, int axis, params int[] sizes) => Split.Forward(dy, axis, sizes);
}
