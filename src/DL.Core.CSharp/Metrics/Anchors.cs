using static System.FormattableString;

namespace DL.Core.Metrics;

/// <summary>Boxes laid over an image from which a detector measures what it finds.</summary>
public static class Anchors
{
    /// <summary>For every pixel of a feature map, boxes of size s and ratio r around its middle: <c>width = s sqrt(r) aspect, height = s / sqrt(r)</c>.</summary>
    /// <remarks>In shares of the image: pixel (i, j) has its middle at <c>((j + 1/2) / columns, (i + 1/2) / rows)</c>. Of n sizes and m ratios only
    /// the pairs with the first size or the first ratio are taken, n + m - 1 for a pixel: all sizes with the first ratio, then the first
    /// size with the other ratios. Boxes at the border reach past it; see <see cref="Box.Clip"/>. Source: A. Zhang et al., Dive into Deep Learning, 14.4.</remarks>
    /// <param name="rows">The rows of the feature map, at least 1.</param>
    /// <param name="columns">The columns of the feature map, at least 1.</param>
    /// <param name="sizes">s: shares of the image's height, above 0; at least one.</param>
    /// <param name="ratios">r: width over height, above 0; at least one.</param>
    /// <param name="aspect">The image's height over its width; then r holds in pixels.</param>
    /// <returns>The boxes, pixel after pixel, row after row.</returns>
    /// <exception cref="InvalidArgumentException">There is no row, column, size or ratio, or a number is not above 0 and finite.</exception>
    /// <exception cref="ShapeException">There are more boxes than an array holds.</exception>
    public static Box[] Grid(int rows, int columns, ReadOnlySpan<double> sizes, ReadOnlySpan<double> ratios, double aspect = 1)
    {
        if (Math.Min(rows, columns) < 1) throw new InvalidArgumentException("Anchors.Grid", "at least one row and one column", Invariant($"{rows} x {columns}"));
        Check(sizes, "sizes");
        Check(ratios, "ratios");
        Check([aspect], "aspect");
        var perPixel = sizes.Length + ratios.Length - 1L;
        if ((Int128)rows * columns * perPixel > Shape.MaxCount)
            throw new ShapeException("Anchors.Grid", Invariant($"at most {Shape.MaxCount} boxes"), Invariant($"{rows} x {columns} x {perPixel}"));
        var boxes = new Box[rows * columns * perPixel];
        var next = 0L;
        for (var i = 0; i < rows; i++)
            for (var j = 0; j < columns; j++)
                for (var k = 0; k < perPixel; k++)
                {
                    var (size, ratio) = k < sizes.Length ? (sizes[k], ratios[0]) : (sizes[0], ratios[k - sizes.Length + 1]);
                    boxes[next++] = Box.FromCenter((j + 0.5) / columns, (i + 0.5) / rows, size * Math.Sqrt(ratio) * aspect, size / Math.Sqrt(ratio));
                }

        return boxes;
    }

    private static void Check(ReadOnlySpan<double> numbers, string name)
    {
        if (numbers.Length == 0) throw new InvalidArgumentException($"Anchors.Grid, {name}", "at least one", "none");
        foreach (var number in numbers)
        {
            if (!(number > 0 && double.IsFinite(number)))
                throw new InvalidArgumentException($"Anchors.Grid, {name}", "finite numbers above 0", Invariant($"{number}"));
        }
    }
}
