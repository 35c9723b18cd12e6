using System.Globalization;
using System.Numerics;

namespace DL.Core.Ops;

/// <summary>Batch normalization of every column: <c>y = gamma * xhat + beta</c>, <c>xhat = (x - mean) * rstd</c>, <c>rstd = 1 / sqrt(variance + epsilon)</c>.</summary>
/// <remarks>A column is an index of the last axis; all other axes are the batch. In training mean and biased variance are those of the batch, and
/// <c>dx = gamma * rstd / N * (N dy - sum(dy) - xhat * sum(dy * xhat))</c>. In prediction both are given and the map is affine.
/// The running statistics are returned as new tensors: <c>r = (1 - momentum) r + momentum s</c> with the batch mean and the unbiased variance
/// <c>variance * N / (N - 1)</c>. For a batch of one the unbiased variance is undefined and the running variance keeps its value; an empty batch
/// changes neither. Source: S. Ioffe and C. Szegedy, Batch normalization, 2015, algorithms 1 and 2.</remarks>
public static partial class BatchNorm
{
    /// <summary>The training pass: <c>y = gamma * xhat + beta</c> with the statistics of the batch.</summary>
    /// <param name="x">[.., C], float32 or float64.</param>
    /// <param name="gamma">[C], the gain.</param>
    /// <param name="beta">[C], the shift.</param>
    /// <param name="runningMean">[C], the running mean so far.</param>
    /// <param name="runningVariance">[C], the running unbiased variance so far.</param>
    /// <param name="momentum">The weight of the new statistics, from 0 to 1.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="activation">Identity or Relu, done in the same pass.</param>
    /// <returns>y; the float64 mean and biased variance of the batch for Backward; the new running statistics.</returns>
    /// <exception cref="ShapeException">A parameter or statistic is not [C].</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, or a setting is out of range.</exception>
    public static (Tensor Y, Tensor Mean, Tensor Variance, Tensor RunningMean, Tensor RunningVariance) Forward(
        Tensor x, Tensor gamma, Tensor beta, Tensor runningMean, Tensor runningVariance, double momentum = 0.1, double epsilon = 1e-5,
        Activation activation = Activation.Identity)
    {
        CheckColumns("BatchNorm", x, gamma, beta, runningMean, runningVariance);
        RowBlocks.CheckEpsilon(epsilon, "BatchNorm");
        if (!(momentum is >= 0 and <= 1))
            throw new InvalidArgumentException("BatchNorm", "a momentum from 0 to 1", momentum.ToString(CultureInfo.InvariantCulture));
        return x.IsDouble("BatchNorm")
            ? Forward<double>(x, gamma, beta, runningMean, runningVariance, momentum, epsilon, activation)
            : Forward<float>(x, gamma, beta, runningMean, runningVariance, momentum, epsilon, activation);
    }

    /// <summary>The gradients of the training pass: <c>dx = gamma * rstd / N * (N dy - sum(dy) - xhat * sum(dy * xhat))</c>.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="x">The input of the forward pass.</param>
    /// <param name="gamma">[C], the gain.</param>
    /// <param name="beta">[C], the shift; only its place is used.</param>
    /// <param name="mean">The mean that Forward returned.</param>
    /// <param name="variance">The variance that Forward returned.</param>
    /// <param name="epsilon">Added to the variance, as in Forward.</param>
    /// <param name="activation">As in Forward; a ReLU's output is worked out again from x.</param>
    /// <returns>dx of x's shape, dgamma and dbeta of [C].</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, or epsilon is not positive.</exception>
    public static (Tensor Dx, Tensor Dgamma, Tensor Dbeta) Backward(
        Tensor dy, Tensor x, Tensor gamma, Tensor beta, Tensor mean, Tensor variance, double epsilon = 1e-5,
        Activation activation = Activation.Identity) =>
        Backward("BatchNorm.Backward", dy, x, gamma, beta, mean, variance, epsilon, activation, true);

    /// <summary>The prediction pass, a fixed affine map: <c>y = gamma * (x - mean) / sqrt(variance + epsilon) + beta</c>.</summary>
    /// <param name="x">[.., C], float32 or float64.</param>
    /// <param name="gamma">[C], the gain.</param>
    /// <param name="beta">[C], the shift.</param>
    /// <param name="runningMean">[C], the running mean.</param>
    /// <param name="runningVariance">[C], the running variance.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="activation">Identity or Relu, done in the same pass.</param>
    /// <returns>A tensor of the shape of <paramref name="x"/>.</returns>
    /// <exception cref="ShapeException">A parameter or statistic is not [C].</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, epsilon is not positive, or a variance is negative.</exception>
    public static Tensor Predict(
        Tensor x, Tensor gamma, Tensor beta, Tensor runningMean, Tensor runningVariance, double epsilon = 1e-5, Activation activation = Activation.Identity)
    {
        CheckColumns("BatchNorm.Predict", x, gamma, beta, runningMean, runningVariance);
        return x.IsDouble("BatchNorm.Predict")
            ? Predict<double>(x, gamma, beta, runningMean, runningVariance, epsilon, activation)
            : Predict<float>(x, gamma, beta, runningMean, runningVariance, epsilon, activation);
    }

    /// <summary>The gradients of the prediction pass: <c>dx = gamma * rstd * dy</c>, <c>dgamma = sum(dy * xhat)</c>, <c>dbeta = sum(dy)</c>.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="x">The input of the prediction pass.</param>
    /// <param name="gamma">[C], the gain.</param>
    /// <param name="beta">[C], the shift; only its place is used.</param>
    /// <param name="runningMean">[C], the running mean.</param>
    /// <param name="runningVariance">[C], the running variance.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="activation">As in Predict; a ReLU's output is worked out again from x.</param>
    /// <returns>dx of x's shape, dgamma and dbeta of [C].</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, epsilon is not positive, or a variance is negative.</exception>
    public static (Tensor Dx, Tensor Dgamma, Tensor Dbeta) PredictBackward(
        Tensor dy, Tensor x, Tensor gamma, Tensor beta, Tensor runningMean, Tensor runningVariance, double epsilon = 1e-5,
        Activation activation = Activation.Identity) =>
        Backward("BatchNorm.PredictBackward", dy, x, gamma, beta, runningMean, runningVariance, epsilon, activation, false);

    private static (Tensor, Tensor, Tensor) Backward(
        string where, Tensor dy, Tensor x, Tensor gamma, Tensor beta, Tensor mean, Tensor variance, double epsilon, Activation activation, bool training)
    {
        CheckColumns(where, x, gamma, beta, mean, variance);
        dy.Expect(x.Shape, where);
        return x.IsDouble(where)
            ? Backward<double>(where, dy, x, gamma, beta, mean, variance, epsilon, activation, training)
            : Backward<float>(where, dy, x, gamma, beta, mean, variance, epsilon, activation, training);
    }

    private static void CheckColumns(string where, Tensor x, params ReadOnlySpan<Tensor> columns)
    {
        if (x.Shape.Rank == 0) throw new ShapeException(where, "at least one axis", $"{x.Shape}");
        var shape = new Shape(x.Shape.Last);
        foreach (var column in columns) column.Expect(shape, where);
    }

    private static (Tensor, Tensor, Tensor, Tensor, Tensor) Forward<T>(
        Tensor input, Tensor gamma, Tensor beta, Tensor runningMean, Tensor runningVariance, double momentum, double epsilon, Activation activation)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        const string Where = "BatchNorm";
        var x = input.As<T>(Where);
        var (gain, shift) = (gamma.As<T>(Where), beta.As<T>(Where));
        var (oldMean, oldVariance) = (runningMean.As<T>(Where), runningVariance.As<T>(Where));
        var y = x.Like();
        var mean = x.New<double>(gamma.Shape);
        var variance = x.New<double>(gamma.Shape);
        Statistics(x.Span, mean.Write(), variance.Write());
        Normalize(x.Span, gain.Span, shift.Span, mean.Span, variance.Span, epsilon, y.Write(), activation);

        var rows = x.Shape.Rows;
        var newMean = x.New<T>(gamma.Shape);
        var newVariance = x.New<T>(gamma.Shape);
        Blend(oldMean.Span, mean.Span, rows > 0 ? momentum : 0, 1, newMean.Write());
        Blend(oldVariance.Span, variance.Span, rows > 1 ? momentum : 0, rows / Math.Max(1.0, rows - 1.0), newVariance.Write());
        return (y, mean, variance, newMean, newVariance);
    }

    private static void Blend<T>(ReadOnlySpan<T> old, ReadOnlySpan<double> statistic, double momentum, double factor, Span<T> result)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        // A weight of zero keeps the bits of the old value, also where the statistic is not finite.
        for (var i = 0; i < result.Length; i++)
            result[i] = momentum == 0 ? old[i] : T.CreateTruncating(((1 - momentum) * double.CreateTruncating(old[i])) + (momentum * factor * statistic[i]));
    }

    private static Tensor Predict<T>(Tensor input, Tensor gamma, Tensor beta, Tensor mean, Tensor variance, double epsilon, Activation activation)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        const string Where = "BatchNorm.Predict";
        var x = input.As<T>(Where);
        var y = x.Like();
        var (means, variances) = (Doubles(x, mean, Where), Doubles(x, variance, Where));
        Normalize(x.Span, gamma.As<T>(Where).Span, beta.As<T>(Where).Span, means.Span, variances.Span, epsilon, y.Write(), activation);
        return y;
    }

    private static (Tensor, Tensor, Tensor) Backward<T>(
        string where, Tensor gradient, Tensor input, Tensor gamma, Tensor beta, Tensor mean, Tensor variance, double epsilon, Activation activation, bool training)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var x = input.As<T>(where);
        var dy = gradient.As<T>(where);
        var gain = gamma.As<T>(where);
        var (means, variances) = (Doubles(x, mean, where), Doubles(x, variance, where));
        CheckStatistics(means.Span, variances.Span, gain.Count, epsilon, where);
        var dx = dy.Like();
        var dgamma = Gradients.For<T>(gamma, dy);
        var dbeta = Gradients.For<T>(beta, dy);
        Gradient(
            where, training ? 1 : 0, dy.Span, x.Span, gain.Span, beta.As<T>(where).Span, activation, means.Span, variances.Span, epsilon,
            dx.Write(), dgamma.Write(), dbeta.Write());
        return (dx, dgamma, dbeta);
    }

    /// <summary>A statistic in float64: itself, or a widened copy of a running one.</summary>
    private static Tensor<double> Doubles<T>(Tensor<T> x, Tensor statistic, string where) where T : unmanaged
    {
        if (statistic is Tensor<double> wide) return wide;
        var narrow = statistic.As<float>(where).Span;
        var result = x.New<double>(statistic.Shape);
        var to = result.Write();
        for (var i = 0; i < to.Length; i++) to[i] = narrow[i];
        return result;
    }
}
