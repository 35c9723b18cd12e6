using System.Numerics;

namespace DL.Core.Random;

public static partial class Initializers
{
    /// <summary>Where <see cref="TruncatedNormal"/> cuts, in deviations of the normal distribution it cuts from.</summary>
    private const double Cut = 2;

    /// <summary>The deviation of a standard normal number that lies within two deviations: <c>sqrt(1 - 4 phi(2) / (2 Phi(2) - 1))</c>.</summary>
    private const double CutDeviation = 0.87962566103423978;

    /// <summary>Normal numbers of the given mean and variance, without those further than two deviations from the mean.</summary>
    /// <remarks>What is left has 0.7737 of the variance. By default the variance is that before the cut, as in Keras' <c>TruncatedNormal</c> and in torch's <c>trunc_normal_</c> with
    /// bounds of two deviations; corrected, it is that of the numbers drawn, as in Keras' <c>VarianceScaling</c>, and the cut lies at 2.27 deviations of theirs.</remarks>
    /// <param name="key">The draw.</param>
    /// <param name="type">Float32 or float64.</param>
    /// <param name="shape">The shape.</param>
    /// <param name="mean">The mean, finite.</param>
    /// <param name="variance">The variance, finite and at least 0.</param>
    /// <param name="corrected">Whether the variance is that of the numbers drawn.</param>
    /// <exception cref="InvalidArgumentException">The type is of integers, or a parameter is out of range.</exception>
    public static Tensor TruncatedNormal(Key key, ElementType type, Shape shape, double mean, double variance, bool corrected = false)
    {
        const string Where = "Initializers.TruncatedNormal";
        CheckGaussian(mean, variance, Where);
        var deviation = Math.Sqrt(variance) / (corrected ? CutDeviation : 1);
        return type switch
        {
            ElementType.Float32 => Truncated<float>(key, shape, mean, deviation),
            ElementType.Float64 => Truncated<double>(key, shape, mean, deviation),
            _ => throw new InvalidArgumentException(Where, "float32 or float64", $"{type}"),
        };
    }

    // Normal numbers are drawn in float64 and those outside left out; one in 22 is, and enough are drawn for that at first.
    private static Tensor<T> Truncated<T>(Key key, Shape shape, double mean, double deviation) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var tensor = Tensor<T>.OnHeap(shape);
        var w = tensor.Write();
        for (var spare = 64L; ; spare *= 2)
        {
            var normals = new double[w.Length + (w.Length / 16) + spare];
            Draw.Normal(key, normals.AsSpan());
            var filled = 0;
            for (var i = 0; i < normals.Length && filled < w.Length; i++)
                if (Math.Abs(normals[i]) <= Cut) w[filled++] = T.CreateTruncating(mean + (deviation * normals[i]));
            if (filled == w.Length) return tensor;
        }
    }
}
