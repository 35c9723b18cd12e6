using System.Numerics;

namespace DL.Core.Losses;

public static partial class CrossEntropy
{
    private static void CheckShapes(Tensor logits, Tensor target, Tensor? weights, string where)
    {
        if (logits.Shape.Rank == 0) throw new ShapeException(where, "logits [.., C]", $"{logits.Shape}");
        if (logits.Shape.Last == 0) throw new ShapeException(where, "at least one class", $"logits of shape {logits.Shape}");
        target.Expect(target.ElementType == ElementType.Int32 ? logits.Shape.Without(-1) : logits.Shape, where);
        weights?.Expect(new Shape(logits.Shape.Last), where);
    }

    private static (double Value, Tensor Gradient) Single<T>(
        Tensor logits, Tensor target, Reduction reduction, Tensor? weights, double smoothing, int? ignored, bool slopes)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        const string Where = "CrossEntropy";
        Reductions.CheckSingle(reduction, Where, "PerExample and Backward");
        var z = logits.As<T>(Where);
        var request = Ask<T>(Where, z, target, weights, smoothing, ignored);
        if (!slopes) return (request.Evaluate(z.Span, reduction, default, false), logits);
        var gradient = z.Like();
        return (request.Evaluate(z.Span, reduction, gradient.Write(), true), gradient);
    }

    private static Tensor<T> Apart<T>(Tensor logits, Tensor target, Tensor? weights, double smoothing, int? ignored)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        const string Where = "CrossEntropy.PerExample";
        var z = logits.As<T>(Where);
        var request = Ask<T>(Where, z, target, weights, smoothing, ignored);
        var values = z.New<T>(z.Shape.Without(-1));
        request.PerExample(z.Span, values.Write());
        return values;
    }

    private static Tensor<T> Gradient<T>(Tensor dy, Tensor logits, Tensor target, Tensor? weights, double smoothing, int? ignored)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        const string Where = "CrossEntropy.Backward";
        var z = logits.As<T>(Where);
        var upstream = dy.As<T>(Where);
        var request = Ask<T>(Where, z, target, weights, smoothing, ignored);
        var dx = z.Like();
        request.Backward(upstream.Span, z.Span, dx.Write());
        return dx;
    }

    private static CrossEntropyRequest<T> Ask<T>(string where, Tensor<T> logits, Tensor target, Tensor? weights, double smoothing, int? ignored)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ReadOnlySpan<T> w = weights is null ? default : weights.As<T>(where).Span;
        return target is Tensor<int> ids
            ? new CrossEntropyRequest<T>(where, logits.Count, ids.Span, w, smoothing, ignored)
            : new CrossEntropyRequest<T>(where, logits.Count, target.As<T>(where).Span, logits.Shape.Last, w, smoothing, ignored);
    }
}
