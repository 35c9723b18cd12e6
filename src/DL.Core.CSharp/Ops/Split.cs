namespace DL.Core.Ops;

/// <summary>A tensor cut along an axis.</summary>
/// <remarks>Backward puts the gradients of the parts one after the other: the two are each other's transpose.</remarks>
public static class Split
{
    /// <summary>The parts of the given sizes, in order.</summary>
    /// <param name="x">Any shape with at least one axis, any element type.</param>
    /// <param name="axis">The axis; negative ones count from the last.</param>
    /// <param name="sizes">The extents of the parts.</param>
    /// <exception cref="ShapeException">A size is negative, or they do not add up to the extent.</exception>
    public static Tensor[] Forward(Tensor x, int axis, params int[] sizes)
    {
        var total = 0L;
        foreach (var size in sizes) total += size < 0 ? long.MinValue / 2 : size;
        if (total != x.Shape[axis])
            throw new ShapeException("Split", $"sizes of at least 0 that add up to {x.Shape[axis]}", string.Join(" + ", sizes));
        var parts = new Tensor[sizes.Length];
        var from = 0;
        for (var i = 0; i < sizes.Length; i++)
        {
            parts[i] = Slice.Forward(x, axis, from, sizes[i]);
            from += sizes[i];
        }

        return parts;
    }

    /// <summary>The gradient of the input from those of the parts.</summary>
    /// <param name="axis">The axis; negative ones count from the last.</param>
    /// <param name="gradients">The gradients of the parts, in order.</param>
    /// <exception cref="ShapeException">They do not fit each other.</exception>
    public static Tensor Backward(int axis, params Tensor[] gradients) => Concat.Forward(axis, gradients);
}
