using System.Numerics;
using DL.Core.Random;
using static System.FormattableString;

namespace DL.Core.Augmentation;

/// <summary>Which examples of a batch are mixed, and how: example i becomes <c>w_i x_i + (1 - w_i) x_(partner i)</c>.</summary>
/// <param name="Weights">The weight of each example itself, in [0, 1].</param>
/// <param name="Partners">The example each is mixed with.</param>
public sealed record Mixture(double[] Weights, int[] Partners);

/// <summary>Mixed examples and mixed targets: <c>w x_i + (1 - w) x_j</c> and <c>w t_i + (1 - w) t_j</c> with <c>w ~ Beta(alpha, alpha)</c>.</summary>
/// <remarks>H. Zhang, M. Cisse, Y. Dauphin, D. Lopez-Paz, mixup: Beyond empirical risk minimization, 2018. Every example has a weight of its own; the partners
/// are a permutation of the batch.</remarks>
public static class MixUp
{
    private const double LeastAlpha = 1e-6, MostAlpha = 1e6;

    /// <summary>Draws a mixture, a pure function of the key.</summary>
    /// <param name="count">The examples of the batch, at least 0.</param>
    /// <param name="alpha">From 0.000001 to 1000000; the larger, the nearer the weights are to one half.</param>
    /// <param name="key">The draw.</param>
    /// <exception cref="InvalidArgumentException">The count is negative, or alpha out of range.</exception>
    public static Mixture Draw(int count, double alpha, Key key)
    {
        if (!(alpha >= LeastAlpha && alpha <= MostAlpha)) throw new InvalidArgumentException("MixUp, alpha", Invariant($"a number from {LeastAlpha} to {MostAlpha}"), Invariant($"{alpha}"));
        var partners = Data.Shuffle.Permutation(count, key.Seed, key.At(0).Seed);
        var weights = new double[count];
        for (var i = 0; i < count; i++) weights[i] = Beta(alpha, key.At((ulong)i + 1));
        return new(weights, partners);
    }

    /// <summary>Mixes examples, or their targets.</summary>
    /// <param name="x">[n; ..], float32 or float64.</param>
    /// <param name="mixture">The mixture of n examples.</param>
    /// <returns>[n; ..].</returns>
    /// <exception cref="DLException">The element type or number of examples does not fit, a weight is not in [0, 1], or there is no such partner.</exception>
    public static Tensor Apply(Tensor x, Mixture mixture)
    {
        if (x.Shape.Rank == 0 || x.Shape[0] != mixture.Weights.Length || mixture.Partners.Length != mixture.Weights.Length)
            throw new ShapeException("MixUp", Invariant($"{mixture.Weights.Length} examples and as many partners"), $"{x.Shape} and {mixture.Partners.Length}");
        if (mixture.Weights.Any(w => !(w >= 0 && w <= 1))) throw new InvalidArgumentException("MixUp, weights", "numbers from 0 to 1", "others");
        if (mixture.Partners.Any(p => (uint)p >= (uint)x.Shape[0])) throw new InvalidArgumentException("MixUp, partners", Invariant($"0 to {x.Shape[0] - 1}"), "others");
        return x.IsDouble("MixUp") ? Apply(x.As<double>("MixUp"), mixture) : Apply(x.As<float>("MixUp"), mixture);
    }

    private static Tensor Apply<T>(Tensor<T> x, Mixture mixture) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var y = x.New<T>(x.Shape);
        var width = x.Count / Math.Max(1, x.Shape[0]);
        var from = x.Span;
        var to = y.Write();
        for (var i = 0; i < x.Shape[0]; i++)
        {
            var own = from.Slice(i * width, width);
            var other = from.Slice(mixture.Partners[i] * width, width);
            var mixed = to.Slice(i * width, width);
            var (weight, rest) = (T.CreateTruncating(mixture.Weights[i]), T.CreateTruncating(1 - mixture.Weights[i]));
            for (var e = 0; e < width; e++) mixed[e] = weight * own[e] + rest * other[e];
        }

        return y;
    }

    /// <summary>Two gamma draws a and b give <c>a / (a + b)</c>; small shapes are taken in logarithms, where both could be zero.</summary>
    private static double Beta(double alpha, Key key)
    {
        var (a, b) = (LogGamma(alpha, key.At(0)), LogGamma(alpha, key.At(1)));
        return 1 / (1 + Math.Exp(b - a));
    }

    /// <summary>The logarithm of a gamma draw: G. Marsaglia, W. Tsang, A simple method for generating gamma variables, 2000; a shape below 1 by the draw of
    /// shape + 1 times <c>u^(1/shape)</c>.</summary>
    private static double LogGamma(double shape, Key key)
    {
        var boost = shape < 1 ? Math.Log(1 - Images.Uniform(key.At(0), 1)[0]) / shape : 0;
        var d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3;
        var c = 1 / Math.Sqrt(9 * d);
        var normal = new double[1];
        for (var trial = 1UL; ; trial++)
        {
            Random.Draw.Normal<double>(key.At(trial), normal);
            var z = normal[0];
            var v = Math.Pow(1 + c * z, 3);
            var u = 1 - Images.Uniform(key.At(trial).Next, 1)[0];
            if (v > 0 && Math.Log(u) < z * z / 2 + d - d * v + d * Math.Log(v)) return Math.Log(d * v) + boost;
        }
    }
}
