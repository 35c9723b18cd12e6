namespace DL.Core;

/// <summary>A shape seen from one axis: the product of the extents before it, its own extent, and the product of those after it.</summary>
internal readonly record struct AxisView(int Outer, int Extent, int Inner)
{
    public static AxisView Of(Shape shape, int axis)
    {
        var at = shape.Axis(axis);
        return new((int)Product(shape.Extents[..at]), shape.Extents[at], (int)Product(shape.Extents[(at + 1)..]));
    }

    /// <summary>A whole tensor taken as one axis.</summary>
    public static AxisView All(Shape shape) => new(1, shape.Count, 1);

    /// <summary>The number of elements without the axis.</summary>
    public long Reduced => (long)Outer * Inner;

    /// <summary>Fails unless the spans of a reduction have the lengths of the view.</summary>
    public void Check(long whole, long reduced, string where)
    {
        if (Outer < 0 || Extent < 0 || Inner < 0 || (long)Outer * Extent * Inner != whole)
            throw new ShapeException(where, $"{Outer} x {Extent} x {Inner} elements", $"{whole}");
        if (Reduced != reduced)
            throw new ShapeException(where, $"{Outer} x {Inner} elements", $"{reduced}");
    }

    // Extents beside one of 0 may be of any size, and then only their being a number of int matters.
    private static long Product(ReadOnlySpan<int> extents)
    {
        var product = 1L;
        foreach (var extent in extents)
        {
            product *= extent;
            if (product > int.MaxValue) throw new ShapeException("AxisView", $"at most {int.MaxValue} elements beside the axis", $"{product}");
        }

        return product;
    }
}
