using static System.FormattableString;

namespace DL.Core.Metrics;

/// <summary>Where a box lies as seen from an anchor, in numbers of ordinary size: what a detector learns to predict.</summary>
/// <remarks>With centres (x, y) and extents (w, h) of the box and (x', y'), (w', h') of the anchor:
/// <c>((x - x') / w' / 0.1, (y - y') / h' / 0.1, log(w / w') / 0.2, log(h / h') / 0.2)</c>. Source: W. Liu et al., SSD, 2016.</remarks>
public static class BoxOffsets
{
    private const double Center = 0.1, Extent = 0.2;

    /// <summary>The four offsets of every box from its anchor.</summary>
    /// <param name="anchors"><c>[n]</c>, each with an area.</param>
    /// <param name="boxes"><c>[n]</c>, each with an area.</param>
    /// <returns><c>[n, 4]</c>, row after row.</returns>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    /// <exception cref="InvalidArgumentException">A box is not sound, has no area, or lies too far from its anchor for a finite offset.</exception>
    public static double[] Encode(ReadOnlySpan<Box> anchors, ReadOnlySpan<Box> boxes)
    {
        const string where = "BoxOffsets.Encode";
        if (anchors.Length != boxes.Length)
            throw new ShapeException(where, Invariant($"as many boxes as the {anchors.Length} anchors"), Invariant($"{boxes.Length}"));
        CheckAreas(anchors, where, "anchors");
        CheckAreas(boxes, where, "boxes");
        var offsets = new double[4L * anchors.Length];
        for (var i = 0; i < anchors.Length; i++) Encode(anchors[i], boxes[i], offsets.AsSpan(4 * i, 4), where);
        return offsets;
    }

    /// <summary>The boxes that lie at the offsets from their anchors: the inverse of <see cref="Encode(ReadOnlySpan{Box}, ReadOnlySpan{Box})"/>.</summary>
    /// <param name="anchors"><c>[n]</c>, each with an area.</param>
    /// <param name="offsets"><c>[n, 4]</c>, row after row.</param>
    /// <returns><c>[n]</c>.</returns>
    /// <exception cref="ShapeException">There are not four offsets for every anchor.</exception>
    /// <exception cref="InvalidArgumentException">An anchor is not sound or has no area, or the offsets lead to a box that is not finite.</exception>
    public static Box[] Decode(ReadOnlySpan<Box> anchors, ReadOnlySpan<double> offsets)
    {
        const string where = "BoxOffsets.Decode";
        if (offsets.Length != 4L * anchors.Length)
            throw new ShapeException(where, Invariant($"4 offsets for each of {anchors.Length} anchors"), Invariant($"{offsets.Length}"));
        CheckAreas(anchors, where, "anchors");
        var boxes = new Box[anchors.Length];
        for (var i = 0; i < boxes.Length; i++) boxes[i] = Decode(anchors[i], offsets.Slice(4 * i, 4));
        Box.CheckAll(boxes, where, "boxes");
        return boxes;
    }

    /// <summary>The offsets of one box, both boxes known to have an area.</summary>
    internal static void Encode(in Box anchor, in Box box, Span<double> offsets, string where)
    {
        offsets[0] = (box.CenterX - anchor.CenterX) / anchor.Width / Center;
        offsets[1] = (box.CenterY - anchor.CenterY) / anchor.Height / Center;
        offsets[2] = (Math.Log(box.Width) - Math.Log(anchor.Width)) / Extent;
        offsets[3] = (Math.Log(box.Height) - Math.Log(anchor.Height)) / Extent;
        if (!(double.IsFinite(offsets[0]) && double.IsFinite(offsets[1])))
            throw new InvalidArgumentException(where, "a box at a finite offset from its anchor", Invariant($"{box} from {anchor}"));
    }

    internal static void CheckAreas(ReadOnlySpan<Box> boxes, string where, string name)
    {
        Box.CheckAll(boxes, where, name);
        for (var i = 0; i < boxes.Length; i++)
        {
            if (!(boxes[i].Width > 0 && boxes[i].Height > 0))
                throw new InvalidArgumentException(Invariant($"{where}, {name}[{i}]"), "a box with an area", $"{boxes[i]}");
        }
    }

    private static Box Decode(in Box anchor, ReadOnlySpan<double> offsets)
    {
        var (x, y) = (anchor.CenterX + (offsets[0] * Center * anchor.Width), anchor.CenterY + (offsets[1] * Center * anchor.Height));
        var (width, height) = (anchor.Width * Math.Exp(offsets[2] * Extent), anchor.Height * Math.Exp(offsets[3] * Extent));
        return new(x - (width / 2), y - (height / 2), x + (width / 2), y + (height / 2));
    }
}
