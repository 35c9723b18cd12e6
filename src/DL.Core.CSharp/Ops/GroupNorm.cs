using System.Numerics;

namespace DL.Core.Ops;

/// <summary>Group normalization of images: <c>y = gamma * xhat + beta</c>, <c>xhat = (x - mean) * rstd</c>, <c>rstd = 1 / sqrt(variance + epsilon)</c>,
/// with the mean and biased variance of one example's group of channels over all its pixels.</summary>
/// <remarks>One group is layer norm over the whole example; as many groups as channels are instance norm (D. Ulyanov, A. Vedaldi and V. Lempitsky, 2016).
/// With <c>g = dy * gamma</c> the gradient is <c>dx = rstd * (g - mean(g) - xhat * mean(g * xhat))</c> over the group. An example is a batch of its
/// pixels to <see cref="BatchNorm"/>, whose columns share their statistics here. Source: Y. Wu and K. He, Group normalization, 2018, eq. 1 to 7.</remarks>
public static class GroupNorm
{
    private const string Name = "GroupNorm";
    private const string BackwardName = "GroupNorm.Backward";

    /// <summary><c>y = gamma * xhat + beta</c>.</summary>
    /// <param name="x">[N; ..; C], float32 or float64.</param>
    /// <param name="gamma">[C], the gain.</param>
    /// <param name="beta">[C], the shift.</param>
    /// <param name="groups">The number of groups, which divides C.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <returns>y of x's shape, and the float64 mean and biased variance of every example and channel, [N; C], for Backward.</returns>
    /// <exception cref="ShapeException">gamma or beta is not [C], or the groups do not divide the channels.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, or a setting is out of range.</exception>
    public static (Tensor Y, Tensor Mean, Tensor Variance) Forward(Tensor x, Tensor gamma, Tensor beta, int groups, double epsilon = 1e-5)
    {
        Check(Name, x, gamma, groups);
        beta.Expect(gamma.Shape, Name);
        RowBlocks.CheckEpsilon(epsilon, Name);
        return x.IsDouble(Name) ? Forward<double>(x, gamma, beta, groups, epsilon) : Forward<float>(x, gamma, beta, groups, epsilon);
    }

    /// <summary>The gradients of the input, the gain and the shift.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="x">The input of the forward pass.</param>
    /// <param name="gamma">[C], the gain.</param>
    /// <param name="beta">[C], the shift; only its place is used.</param>
    /// <param name="mean">The means that Forward returned.</param>
    /// <param name="variance">The variances that Forward returned.</param>
    /// <param name="groups">The number of groups.</param>
    /// <param name="epsilon">Added to the variance, as in Forward.</param>
    /// <returns>dx of x's shape, dgamma and dbeta of [C].</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, or a setting is out of range.</exception>
    public static (Tensor Dx, Tensor Dgamma, Tensor Dbeta) Backward(
        Tensor dy, Tensor x, Tensor gamma, Tensor beta, Tensor mean, Tensor variance, int groups, double epsilon = 1e-5)
    {
        Check(BackwardName, x, gamma, groups);
        dy.Expect(x.Shape, BackwardName);
        beta.Expect(gamma.Shape, BackwardName);
        mean.Expect(new Shape(x.Shape[0], x.Shape.Last), BackwardName);
        variance.Expect(mean.Shape, BackwardName);
        return x.IsDouble(BackwardName)
            ? Backward<double>(dy, x, gamma, beta, mean, variance, groups, epsilon)
            : Backward<float>(dy, x, gamma, beta, mean, variance, groups, epsilon);
    }

    private static void Check(string where, Tensor x, Tensor gamma, int groups)
    {
        if (x.Shape.Rank < 2) throw new ShapeException(where, "[examples; ..; channels]", $"{x.Shape}");
        if (groups < 1) throw new InvalidArgumentException(where, "at least 1 group", $"{groups}");
        gamma.Expect(new Shape(x.Shape.Last), where);
        if (x.Shape.Last < 1 || x.Shape.Last % groups != 0)
            throw new ShapeException(where, $"channels that {groups} groups divide", $"{x.Shape.Last}");
    }

    private static (Tensor, Tensor, Tensor) Forward<T>(Tensor input, Tensor gamma, Tensor beta, int groups, double epsilon)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var x = input.As<T>(Name);
        Tensor<T> gain = gamma.As<T>(Name), shift = beta.As<T>(Name);
        var (examples, channels) = (x.Shape[0], x.Shape.Last);
        var y = x.Like();
        var mean = x.New<double>(new Shape(examples, channels));
        var variance = x.New<double>(mean.Shape);
        var to = y.Write();
        var size = examples == 0 ? 0 : x.Count / examples;
        for (var n = 0; n < examples; n++)
        {
            var example = x.Span.Slice(n * size, size);
            Span<double> m = mean.Write().Slice(n * channels, channels), v = variance.Write().Slice(n * channels, channels);
            BatchNorm.Statistics(example, m, v);
            for (var first = 0; first < channels; first += channels / groups)
                Join(m.Slice(first, channels / groups), v.Slice(first, channels / groups));
            BatchNorm.Normalize<T>(example, gain.Span, shift.Span, m, v, epsilon, to.Slice(n * size, size));
        }

        return (y, mean, variance);
    }

    /// <summary>The statistics of channels become those of the whole group: equally many pixels, so the mean of the means and the spread around it.</summary>
    private static void Join(Span<double> means, Span<double> variances)
    {
        var (mean, variance) = (0.0, 0.0);
        foreach (var m in means) mean += m / means.Length;
        for (var c = 0; c < means.Length; c++) variance += (variances[c] + ((means[c] - mean) * (means[c] - mean))) / means.Length;
        means.Fill(mean);
        variances.Fill(variance);
    }

    private static (Tensor, Tensor, Tensor) Backward<T>(
        Tensor gradient, Tensor input, Tensor gamma, Tensor beta, Tensor mean, Tensor variance, int groups, double epsilon)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Tensor<T> x = input.As<T>(BackwardName), dy = gradient.As<T>(BackwardName), gain = gamma.As<T>(BackwardName);
        Tensor<double> means = mean.As<double>(BackwardName), variances = variance.As<double>(BackwardName);
        RowBlocks.CheckEpsilon(epsilon, BackwardName);
        var (examples, channels) = (x.Shape[0], x.Shape.Last);
        var dx = dy.Like();
        Tensor<T> dgamma = Gradients.For<T>(gamma, dy), dbeta = Gradients.For<T>(beta, dy);
        var to = dx.Write();
        var size = examples == 0 ? 0 : x.Count / examples;
        for (var n = 0; n < examples; n++)
        {
            BatchNorm.Gradient(
                BackwardName, channels / groups, dy.Span.Slice(n * size, size), x.Span.Slice(n * size, size), gain.Span, default, Activation.Identity,
                means.Span.Slice(n * channels, channels), variances.Span.Slice(n * channels, channels), epsilon,
                to.Slice(n * size, size), dgamma.Write(), dbeta.Write());
        }

        return (dx, dgamma, dbeta);
    }
}
