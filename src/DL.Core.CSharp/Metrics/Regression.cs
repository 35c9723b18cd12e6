using System.Numerics;
using static System.FormattableString;

namespace DL.Core.Metrics;

/// <summary>Figures of predicted numbers, summed in float64 whatever the type.</summary>
/// <remarks>Every value must be finite: a NaN in a figure would hide where it came from.</remarks>
public static class Regression
{
    /// <summary><c>mean (y - yhat)^2</c>.</summary>
    /// <param name="truth">y, [n], n at least 1.</param>
    /// <param name="predicted">yhat, [n].</param>
    /// <returns>At least 0; infinite only where a square overflows.</returns>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    /// <exception cref="InvalidArgumentException">There are no rows, or a value is not finite; the message names its position.</exception>
    public static double MeanSquaredError(ReadOnlySpan<double> truth, ReadOnlySpan<double> predicted) => MeanSquare(truth, predicted, "MeanSquaredError");

    /// <inheritdoc cref="MeanSquaredError(ReadOnlySpan{double}, ReadOnlySpan{double})"/>
    public static double MeanSquaredError(ReadOnlySpan<float> truth, ReadOnlySpan<float> predicted) => MeanSquare(truth, predicted, "MeanSquaredError");

    /// <summary><c>sqrt(mean (y - yhat)^2)</c>.</summary>
    /// <inheritdoc cref="MeanSquaredError(ReadOnlySpan{double}, ReadOnlySpan{double})"/>
    public static double RootMeanSquaredError(ReadOnlySpan<double> truth, ReadOnlySpan<double> predicted) =>
        Math.Sqrt(MeanSquare(truth, predicted, "RootMeanSquaredError"));

    /// <summary><c>sqrt(mean (y - yhat)^2)</c>.</summary>
    /// <inheritdoc cref="MeanSquaredError(ReadOnlySpan{double}, ReadOnlySpan{double})"/>
    public static double RootMeanSquaredError(ReadOnlySpan<float> truth, ReadOnlySpan<float> predicted) =>
        Math.Sqrt(MeanSquare(truth, predicted, "RootMeanSquaredError"));

    /// <summary><c>mean |y - yhat|</c>.</summary>
    /// <inheritdoc cref="MeanSquaredError(ReadOnlySpan{double}, ReadOnlySpan{double})"/>
    public static double MeanAbsoluteError(ReadOnlySpan<double> truth, ReadOnlySpan<double> predicted) => MeanAbsolute(truth, predicted);

    /// <summary><c>mean |y - yhat|</c>.</summary>
    /// <inheritdoc cref="MeanSquaredError(ReadOnlySpan{double}, ReadOnlySpan{double})"/>
    public static double MeanAbsoluteError(ReadOnlySpan<float> truth, ReadOnlySpan<float> predicted) => MeanAbsolute(truth, predicted);

    /// <summary><c>R2 = 1 - sum (y - yhat)^2 / sum (y - mean y)^2</c>; for constant y it is 1 if the prediction is perfect, else 0.</summary>
    /// <remarks>The rule for constant targets, where the formula divides by zero, is scikit-learn's. One row counts as constant.</remarks>
    /// <param name="truth">y, [n], n at least 1.</param>
    /// <param name="predicted">yhat, [n].</param>
    /// <returns>At most 1; 0 for predicting the mean; negative for worse than that.</returns>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    /// <exception cref="InvalidArgumentException">There are no rows, or a value is not finite; the message names its position.</exception>
    public static double R2(ReadOnlySpan<double> truth, ReadOnlySpan<double> predicted) => R2Of(truth, predicted);

    /// <inheritdoc cref="R2(ReadOnlySpan{double}, ReadOnlySpan{double})"/>
    public static double R2(ReadOnlySpan<float> truth, ReadOnlySpan<float> predicted) => R2Of(truth, predicted);

    private static double MeanSquare<T>(ReadOnlySpan<T> truth, ReadOnlySpan<T> predicted, string where) where T : IFloatingPointIeee754<T>
    {
        Check(truth, predicted, where);
        double sum = 0;
        for (var i = 0; i < truth.Length; i++)
        {
            var e = Wide(truth[i]) - Wide(predicted[i]);
            sum += e * e;
        }
        return sum / truth.Length;
    }

    private static double MeanAbsolute<T>(ReadOnlySpan<T> truth, ReadOnlySpan<T> predicted) where T : IFloatingPointIeee754<T>
    {
        Check(truth, predicted, "MeanAbsoluteError");
        double sum = 0;
        for (var i = 0; i < truth.Length; i++)
            sum += Math.Abs(Wide(truth[i]) - Wide(predicted[i]));
        return sum / truth.Length;
    }

    private static double R2Of<T>(ReadOnlySpan<T> truth, ReadOnlySpan<T> predicted) where T : IFloatingPointIeee754<T>
    {
        Check(truth, predicted, "R2");
        // Asked exactly: a rounded mean would make constant targets vary a little.
        if (truth.IndexOfAnyExcept(truth[0]) < 0)
            return truth.SequenceEqual(predicted) ? 1 : 0;
        double sum = 0;
        foreach (var y in truth)
            sum += Wide(y) / truth.Length;
        double residual = 0, total = 0;
        var scale = Spread(truth, sum);
        for (var i = 0; i < truth.Length; i++)
        {
            var e = (Wide(truth[i]) - Wide(predicted[i])) / scale;
            var d = (Wide(truth[i]) - sum) / scale;
            residual += e * e;
            total += d * d;
        }
        return 1 - residual / total;
    }

    /// <summary>The largest distance from the mean: divided by it, squares neither overflow nor vanish.</summary>
    private static double Spread<T>(ReadOnlySpan<T> truth, double mean) where T : IFloatingPointIeee754<T>
    {
        double spread = 0;
        foreach (var y in truth)
            spread = Math.Max(spread, Math.Abs(Wide(y) - mean));
        return spread;
    }

    private static double Wide<T>(T value) where T : IFloatingPointIeee754<T> => double.CreateTruncating(value);

    private static void Check<T>(ReadOnlySpan<T> truth, ReadOnlySpan<T> predicted, string where) where T : IFloatingPointIeee754<T>
    {
        Classification.CheckPair(truth.Length, predicted.Length, where);
        for (var i = 0; i < truth.Length; i++)
        {
            if (!T.IsFinite(truth[i]) || !T.IsFinite(predicted[i]))
                throw new InvalidArgumentException(Invariant($"{where}, [{i}]"), "finite numbers", Invariant($"true {truth[i]}, predicted {predicted[i]}"));
        }
    }
}
