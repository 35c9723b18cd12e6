using System.Globalization;
using System.Numerics;
using DL.Core.Kernels;

namespace DL.Core.Random;

public static partial class Initializers
{
    /// <summary>Normal numbers of the given mean and variance over a span.</summary>
    /// <param name="key">The draw.</param>
    /// <param name="mean">The mean.</param>
    /// <param name="variance">The variance, finite and at least 0.</param>
    /// <param name="w">The weights, overwritten.</param>
    /// <exception cref="InvalidArgumentException">A parameter is out of range.</exception>
    public static void Gaussian<T>(Key key, double mean, double variance, Span<T> w) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CheckGaussian(mean, variance, "Initializers.Gaussian");
        new Request(key, true, mean, Math.Sqrt(variance)).Write(w);
    }

    /// <summary>Uniform numbers from low to high over a span.</summary>
    /// <param name="key">The draw.</param>
    /// <param name="low">The lower bound, finite.</param>
    /// <param name="high">The upper bound, finite and at least the lower one; rounding may reach it.</param>
    /// <param name="w">The weights, overwritten.</param>
    /// <exception cref="InvalidArgumentException">A bound is out of range.</exception>
    public static void Uniform<T>(Key key, double low, double high, Span<T> w) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CheckUniform(low, high, "Initializers.Uniform");
        new Request(key, false, low, high - low).Write(w);
    }

    private static void CheckGaussian(double mean, double variance, string where)
    {
        if (!double.IsFinite(mean)) throw Bad(where, "a finite mean", mean);
        if (!(variance >= 0 && double.IsFinite(variance))) throw Bad(where, "a finite variance of at least 0", variance);
    }

    private static void CheckUniform(double low, double high, string where)
    {
        if (!double.IsFinite(low)) throw Bad(where, "a finite lower bound", low);
        if (!(high >= low && double.IsFinite(high - low))) throw Bad(where, $"a finite upper bound from {low.ToString(CultureInfo.InvariantCulture)} on", high);
    }

    private static void CheckFan(int fan, string where)
    {
        if (fan < 1) throw new InvalidArgumentException(where, "at least 1", $"{fan}");
    }

    private static InvalidArgumentException Bad(string where, string expected, double got) =>
        new(where, expected, got.ToString(CultureInfo.InvariantCulture));

    private static Tensor Fill(string where, ElementType type, Shape shape, Request request) => type switch
    {
        ElementType.Float32 => request.Make<float>(shape),
        ElementType.Float64 => request.Make<double>(shape),
        _ => throw new InvalidArgumentException(where, "float32 or float64", $"{type}"),
    };

    /// <summary>shift + scale z with z standard normal, or uniform on [0, 1).</summary>
    private readonly record struct Request(Key Key, bool Normal, double Shift, double Scale)
    {
        public Tensor Make<T>(Shape shape) where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            var tensor = Tensor<T>.OnHeap(shape);
            Write(tensor.Write());
            return tensor;
        }

        public void Write<T>(Span<T> w) where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            if (Normal) Draw.Normal(Key, w);
            else Draw.Uniform(Key, w);
            Elementwise.Map(w, w, new Affine<T>(Shift, Scale));
        }
    }

    private readonly struct Affine<T>(double shift, double scale) : IUnary<T> where T : unmanaged
    {
        private readonly double _shift = shift;
        private readonly double _scale = scale;

        public S Apply<S>(S z) where S : struct, ISimd<S, T> => S.Fma(z, S.Create(_scale), S.Create(_shift));
    }
}
