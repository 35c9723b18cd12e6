using static System.FormattableString;

namespace DL.Core.Metrics;

/// <summary>How far boxes overlap.</summary>
public static class Boxes
{
    /// <summary><c>area(a and b) / area(a or b)</c>: 1 for equal boxes, 0 for boxes apart, and 0 where neither has an area.</summary>
    /// <param name="a">A box.</param>
    /// <param name="b">A box.</param>
    /// <returns>A share in [0, 1], the same for b and a.</returns>
    /// <exception cref="InvalidArgumentException">A box is not sound.</exception>
    public static double IntersectionOverUnion(Box a, Box b) =>
        Overlap(a.Sound("Boxes.IntersectionOverUnion, a"), b.Sound("Boxes.IntersectionOverUnion, b"));

    /// <summary>The overlap of every pair: <c>m[i, j] = IntersectionOverUnion(a[i], b[j])</c>.</summary>
    /// <param name="a">Boxes.</param>
    /// <param name="b">Boxes.</param>
    /// <returns>[a; b].</returns>
    /// <exception cref="InvalidArgumentException">A box is not sound.</exception>
    /// <exception cref="ShapeException">There are more pairs than an array holds.</exception>
    public static double[,] IntersectionOverUnion(ReadOnlySpan<Box> a, ReadOnlySpan<Box> b)
    {
        const string where = "Boxes.IntersectionOverUnion";
        Box.CheckAll(a, where, "a");
        Box.CheckAll(b, where, "b");
        if ((long)a.Length * b.Length > Shape.MaxCount)
            throw new ShapeException(where, Invariant($"at most {Shape.MaxCount} pairs"), Invariant($"{a.Length} x {b.Length}"));
        var overlaps = new double[a.Length, b.Length];
        for (var i = 0; i < a.Length; i++)
            for (var j = 0; j < b.Length; j++)
                overlaps[i, j] = Overlap(a[i], b[j]);
        return overlaps;
    }

    /// <summary>The overlap of two sound boxes.</summary>
    internal static double Overlap(in Box a, in Box b)
    {
        // Most pairs lie apart, and the smallest and largest of doubles cost more than comparisons.
        if (a.Right <= b.Left || b.Right <= a.Left || a.Bottom <= b.Top || b.Bottom <= a.Top) return 0;
        double width = Math.Min(a.Right, b.Right) - Math.Max(a.Left, b.Left), height = Math.Min(a.Bottom, b.Bottom) - Math.Max(a.Top, b.Top);
        // In units of the larger extents no area can overflow. The union is the larger box and what the smaller one adds: so it is never below the intersection.
        double unitX = Math.Max(a.Width, b.Width), unitY = Math.Max(a.Height, b.Height);
        double first = a.Width / unitX * (a.Height / unitY), second = b.Width / unitX * (b.Height / unitY), both = width / unitX * (height / unitY);
        return both == 0 ? 0 : both / (Math.Max(first, second) + (Math.Min(first, second) - both));
    }
}
