using System.Numerics;

namespace DL.Core.Ops;

public static partial class BatchNorm
{
    /// <summary>The weights and the bias of an affine layer that does the batch norm after it too: <c>w' = w s</c>, <c>b' = (b - mean) s + beta</c> with
    /// <c>s = gamma / sqrt(variance + epsilon)</c>, for prediction.</summary>
    /// <param name="weight">[..; C], of a dense layer or a convolution; float32 or float64.</param>
    /// <param name="bias">[C], or null for none.</param>
    /// <param name="gamma">[C], the gain.</param>
    /// <param name="beta">[C], the shift.</param>
    /// <param name="runningMean">[C], the running mean.</param>
    /// <param name="runningVariance">[C], the running variance.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <returns>A weight of the shape of <paramref name="weight"/> and a bias [C].</returns>
    /// <exception cref="ShapeException">A parameter or statistic is not [C].</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, epsilon is not positive, or a variance is negative.</exception>
    public static (Tensor Weight, Tensor Bias) Fold(
        Tensor weight, Tensor? bias, Tensor gamma, Tensor beta, Tensor runningMean, Tensor runningVariance, double epsilon = 1e-5)
    {
        const string Where = "BatchNorm.Fold";
        CheckColumns(Where, weight, gamma, beta, runningMean, runningVariance);
        bias?.Expect(gamma.Shape, Where);
        return weight.IsDouble(Where)
            ? Fold<double>(weight, bias, gamma, beta, runningMean, runningVariance, epsilon)
            : Fold<float>(weight, bias, gamma, beta, runningMean, runningVariance, epsilon);
    }

    private static (Tensor, Tensor) Fold<T>(
        Tensor weight, Tensor? bias, Tensor gamma, Tensor beta, Tensor runningMean, Tensor runningVariance, double epsilon)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        const string Where = "BatchNorm.Fold";
        Tensor<T> w = weight.As<T>(Where), gain = gamma.As<T>(Where), shift = beta.As<T>(Where);
        Tensor<double> mean = Doubles(w, runningMean, Where), variance = Doubles(w, runningVariance, Where);
        CheckStatistics(mean.Span, variance.Span, gain.Count, epsilon, Where);
        Tensor<T> folded = w.Like(), offset = gain.Like();
        Tensor<T> scale = gain.Like();
        for (var c = 0; c < gain.Count; c++)
        {
            var s = double.CreateTruncating(gain.Span[c]) / Math.Sqrt(variance.Span[c] + epsilon);
            var b = bias is null ? 0 : double.CreateTruncating(bias.As<T>(Where).Span[c]);
            scale.Write()[c] = T.CreateTruncating(s);
            offset.Write()[c] = T.CreateTruncating(((b - mean.Span[c]) * s) + double.CreateTruncating(shift.Span[c]));
        }

        for (var row = 0; row < w.Count; row += gain.Count)
            Multiply.Forward<T>(w.Span.Slice(row, gain.Count), scale.Span, folded.Write().Slice(row, gain.Count));
        return (folded, offset);
    }
}
