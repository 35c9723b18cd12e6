using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using DL.Core.Kernels;

namespace DL.Core.Optimizers;

/// <summary>Gradient clipping: <c>g *= limit / norm</c> where <c>norm = sqrt(sum g^2)</c> over all gradients together exceeds the limit.</summary>
/// <remarks>Squares are added in float64. The factor is rounded down by four units in the last place, so that the clipped norm does not exceed the limit
/// and clipping again changes nothing. A norm that is NaN or infinite is returned and the gradients stay as they are.
/// Source: R. Pascanu, T. Mikolov and Y. Bengio, On the difficulty of training recurrent neural networks, 2013, algorithm 1.</remarks>
public static unsafe class ClipByGlobalNorm
{
    /// <summary>Clips several gradients by their common norm, in place.</summary>
    /// <param name="gradients">Tensors of float32 or float64; changed where the norm exceeds the limit.</param>
    /// <param name="limit">The largest norm allowed, positive; infinity only measures.</param>
    /// <returns>The norm before clipping.</returns>
    /// <exception cref="InvalidArgumentException">The limit is not positive, or a gradient is of integers. Nothing has changed then.</exception>
    public static double Apply(IReadOnlyList<Tensor> gradients, double limit)
    {
        CheckLimit(limit);
        var sum = 0.0;
        foreach (var gradient in gradients)
            sum += gradient.IsDouble("ClipByGlobalNorm") ? SumOfSquares(gradient.As<double>("").Span) : SumOfSquares(gradient.As<float>("").Span);
        var norm = Math.Sqrt(sum);
        if (!Exceeds(norm, limit)) return norm;
        foreach (var gradient in gradients)
        {
            if (gradient is Tensor<double> wide) Scale(wide.Change(), limit / norm);
            else Scale(gradient.InPlace<float>("ClipByGlobalNorm"), limit / norm);
        }

        return norm;
    }

    /// <summary>Clips one span by its norm, in place.</summary>
    /// <param name="gradient">The gradients; changed where the norm exceeds the limit.</param>
    /// <param name="limit">The largest norm allowed, positive; infinity only measures.</param>
    /// <returns>The norm before clipping.</returns>
    /// <exception cref="InvalidArgumentException">The limit is not positive.</exception>
    public static double Apply<T>(Span<T> gradient, double limit) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CheckLimit(limit);
        var norm = Math.Sqrt(SumOfSquares<T>(gradient));
        if (Exceeds(norm, limit)) Scale(gradient, limit / norm);
        return norm;
    }

    /// <summary><c>sum g^2</c> in float64, to be added over several spans before <see cref="Scale{T}"/>.</summary>
    /// <param name="gradient">The gradients.</param>
    public static double SumOfSquares<T>(ReadOnlySpan<T> gradient) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        fixed (T* g = gradient)
        {
            var job = new BlockSums.Job<T, BlockSums.Square> { X = g };
            return BlockSums.Run(gradient.Length, ref job);
        }
    }

    /// <summary><c>g *= factor</c> with the factor rounded down by four units in the last place, in place.</summary>
    /// <param name="gradient">The gradients, changed.</param>
    /// <param name="factor">The limit over the norm.</param>
    public static void Scale<T>(Span<T> gradient, double factor) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var unit = typeof(T) == typeof(float) ? 1.0 / (1 << 24) : 1.0 / (1L << 53);
        Elementwise.Map(gradient, gradient, new Times<T>(factor * (1 - (4 * unit))));
    }

    private static bool Exceeds(double norm, double limit) => norm > limit && double.IsFinite(norm);

    private static void CheckLimit(double limit)
    {
        if (!(limit > 0)) throw new InvalidArgumentException("ClipByGlobalNorm", "a positive limit", limit.ToString(CultureInfo.InvariantCulture));
    }

    private readonly struct Times<T>(double factor) : IUnary<T> where T : unmanaged
    {
        private readonly double _factor = factor;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S x) where S : struct, ISimd<S, T> => x * S.Create(_factor);
    }
}
