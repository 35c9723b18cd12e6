using System.Numerics;
using static System.FormattableString;

namespace DL.Core.Losses;

/// <summary>The loss of a detector: cross entropy of the classes at its anchors, and the smooth L1 distance of the offsets of those that answer for a box.</summary>
/// <remarks>With P anchors matched in the whole batch it is <c>(sum of -log softmax(scores)[class] + sum over matched of h(offset - target)) / max(1, P)</c>,
/// <c>h(e) = e^2 / 2</c> for |e| below 1, else <c>|e| - 1/2</c>. Backgrounds outnumber boxes, so in every image only so many times as many as it has
/// matched anchors count (and as if there were one, where there is none): those of the largest loss, of equals the first. Which count is held fixed in the
/// gradient. Source: W. Liu et al., SSD: single shot multibox detector, 2016, eq. 1 to 3 and "hard negative mining".</remarks>
public static class MultiBox
{
    private const string Name = "MultiBox";
    private const int Sides = 4;

    /// <summary>The value and its gradient in the prediction.</summary>
    /// <param name="prediction">[N; anchors; 1 + classes + 4]: scores, the background's first, then offsets; float32 or float64.</param>
    /// <param name="target">[N; anchors; 5] of the same type: the class, 0 for background, and offsets.</param>
    /// <param name="negatives">How many backgrounds count for every matched anchor, at least 0.</param>
    /// <returns>The value, accumulated in float64, and the gradient, of the shape of <paramref name="prediction"/>.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, a class is no class, or the number of backgrounds is negative.</exception>
    public static (double Value, Tensor Gradient) Evaluate(Tensor prediction, Tensor target, double negatives = 3)
    {
        Check(prediction.Shape, target, negatives);
        return prediction.IsDouble(Name) ? Evaluate<double>(prediction, target, negatives) : Evaluate<float>(prediction, target, negatives);
    }

    /// <summary>Fails unless a target [N; anchors; 5] fits predictions of a shape [N; anchors; 1 + classes + 4].</summary>
    /// <param name="prediction">The shape of the predictions.</param>
    /// <param name="target">The target.</param>
    /// <param name="negatives">As in Evaluate.</param>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">A class is no class, or the number of backgrounds is negative.</exception>
    public static void Check(Shape prediction, Tensor target, double negatives = 3)
    {
        if (prediction.Rank != 3 || prediction.Last < Sides + 2)
            throw new ShapeException(Name, "predictions [N; anchors; 1 + classes + 4] of at least one class", $"{prediction}");
        target.Expect(new Shape(prediction[0], prediction[1], 1 + Sides), $"{Name} target");
        if (!(negatives >= 0)) throw new InvalidArgumentException($"{Name}, negatives", "a number of at least 0", Invariant($"{negatives}"));
        var most = prediction.Last - Sides - 1;
        for (var i = 0; i < target.Count; i += 1 + Sides)
        {
            var label = target.At(i);
            if (!(label >= 0 && label <= most && label == Math.Floor(label)))
                throw new InvalidArgumentException(Invariant($"{Name} target, anchor {i / (1 + Sides)}"), Invariant($"a class from 0 to {most}"), Invariant($"{label}"));
        }
    }

    private static (double, Tensor) Evaluate<T>(Tensor prediction, Tensor target, double negatives) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Tensor<T> p = prediction.As<T>(Name), t = target.As<T>(Name);
        int images = p.Shape[0], anchors = p.Shape[1], width = p.Shape.Last;
        var gradient = p.Like();
        gradient.Write().Clear();
        var matched = 0;
        for (var i = 0; i < t.Count; i += 1 + Sides) matched += t.Span[i] > T.Zero ? 1 : 0;
        var share = 1.0 / Math.Max(1, matched);
        var losses = new double[anchors];
        var total = 0.0;
        for (var image = 0; image < images; image++)
        {
            var scores = p.Span.Slice(image * anchors * width, anchors * width);
            var truth = t.Span.Slice(image * anchors * (1 + Sides), anchors * (1 + Sides));
            for (var a = 0; a < anchors; a++) losses[a] = CrossEntropy(scores.Slice(a * width, width - Sides), Label(truth, a));
            foreach (var a in Counted(losses, truth, negatives))
            {
                total += losses[a];
                var slope = gradient.Write().Slice(((image * anchors) + a) * width, width);
                Classes(scores.Slice(a * width, width - Sides), Label(truth, a), share, slope);
                if (Label(truth, a) > 0)
                    total += Offsets(scores.Slice((a * width) + width - Sides, Sides), truth.Slice((a * (1 + Sides)) + 1, Sides), share, slope[^Sides..]);
            }
        }

        return (total * share, gradient);
    }

    private static int Label<T>(ReadOnlySpan<T> truth, int anchor) where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        int.CreateTruncating(truth[anchor * (1 + Sides)]);

    /// <summary>The anchors that count: all matched ones, and the backgrounds of the largest loss.</summary>
    private static int[] Counted<T>(double[] losses, ReadOnlySpan<T> truth, double negatives) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (matched, background) = (new List<int>(), new List<int>());
        for (var a = 0; a < losses.Length; a++) (Label(truth, a) > 0 ? matched : background).Add(a);
        var count = (int)Math.Min(background.Count, Math.Floor(negatives * Math.Max(1, matched.Count)));
        var hardest = background.OrderByDescending(a => losses[a]).ThenBy(a => a).Take(count);
        return [.. matched, .. hardest];
    }

    private static double Top<T>(ReadOnlySpan<T> scores) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var top = double.NegativeInfinity;
        foreach (var s in scores) top = Math.Max(top, double.CreateTruncating(s));
        return top;
    }

    private static double Sum<T>(ReadOnlySpan<T> scores, double top) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var sum = 0.0;
        foreach (var s in scores) sum += Math.Exp(double.CreateTruncating(s) - top);
        return sum;
    }

    private static double CrossEntropy<T>(ReadOnlySpan<T> scores, int label) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var top = Top(scores);
        return top + Math.Log(Sum(scores, top)) - double.CreateTruncating(scores[label]);
    }

    private static void Classes<T>(ReadOnlySpan<T> scores, int label, double share, Span<T> slope) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var top = Top(scores);
        var sum = Sum(scores, top);
        for (var k = 0; k < scores.Length; k++)
            slope[k] = T.CreateTruncating(share * ((Math.Exp(double.CreateTruncating(scores[k]) - top) / sum) - (k == label ? 1 : 0)));
    }

    private static double Offsets<T>(ReadOnlySpan<T> offsets, ReadOnlySpan<T> truth, double share, Span<T> slope) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var total = 0.0;
        for (var k = 0; k < Sides; k++)
        {
            var e = double.CreateTruncating(offsets[k]) - double.CreateTruncating(truth[k]);
            total += Math.Abs(e) < 1 ? e * e / 2 : Math.Abs(e) - 0.5;
            slope[k] = T.CreateTruncating(share * Math.Clamp(e, -1, 1));
        }

        return total;
    }
}
