using System.Numerics;
using System.Runtime.CompilerServices;
using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>Leaky rectified linear unit: <c>y = x where x &gt; 0, else alpha x</c>.</summary>
/// <remarks>Backward: the derivative at the kink <c>x = 0</c> is alpha.
/// Source: A. Maas, A. Hannun and A. Ng, Rectifier nonlinearities improve neural network acoustic models, 2013.</remarks>
public static class LeakyRelu
{
    /// <summary><c>y = x where x &gt; 0, else alpha x</c>.</summary>
    /// <param name="x">Any shape, float32 or float64.</param>
    /// <param name="alpha">The slope below 0.</param>
    /// <returns>A tensor of the shape of <paramref name="x"/>.</returns>
    /// <exception cref="InvalidArgumentException">The elements are integers, or alpha is not finite.</exception>
    public static Tensor Forward(Tensor x, double alpha = 0.01) => ApplyWith.Unary("LeakyRelu", x, alpha, Forward, Forward);

    /// <summary><c>dx = dy where x &gt; 0, else alpha dy</c>.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="x">The input of <see cref="Forward(Tensor, double)"/>.</param>
    /// <param name="alpha">The slope below 0.</param>
    /// <returns>The gradient of the input.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    public static Tensor Backward(Tensor dy, Tensor x, double alpha = 0.01) => ApplyWith.Binary("LeakyRelu.Backward", dy, x, alpha, Backward, Backward);

    /// <summary><c>y = x where x &gt; 0, else alpha x</c> over spans; y may be x.</summary>
    /// <param name="x">The input.</param>
    /// <param name="alpha">The slope below 0.</param>
    /// <param name="y">The output, overwritten.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    /// <exception cref="InvalidArgumentException">alpha is not finite.</exception>
    public static void Forward<T>(ReadOnlySpan<T> x, double alpha, Span<T> y) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Apply.SameLength(x.Length, y.Length, "LeakyRelu");
        ApplyWith.Finite(alpha, "LeakyRelu, alpha");
        Elementwise.Map(x, y, new Value<T>(alpha));
    }

    /// <summary><c>dx = dy where x &gt; 0, else alpha dy</c> over spans; dx may be dy.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="x">The input.</param>
    /// <param name="alpha">The slope below 0.</param>
    /// <param name="dx">The gradient of the input, overwritten.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    /// <exception cref="InvalidArgumentException">alpha is not finite.</exception>
    public static void Backward<T>(ReadOnlySpan<T> dy, ReadOnlySpan<T> x, double alpha, Span<T> dx) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Apply.SameLength(dy.Length, x.Length, "LeakyRelu.Backward");
        Apply.SameLength(dy.Length, dx.Length, "LeakyRelu.Backward");
        ApplyWith.Finite(alpha, "LeakyRelu, alpha");
        Elementwise.Map(dy, x, dx, new Gradient<T>(alpha));
    }

    private readonly struct Value<T>(double alpha) : IUnary<T> where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S x) where S : struct, ISimd<S, T> => S.Select(S.Greater(x, S.Create(0)), x, x * S.Create(alpha));
    }

    private readonly struct Gradient<T>(double alpha) : IBinary<T> where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S dy, S x) where S : struct, ISimd<S, T> => S.Select(S.Greater(x, S.Create(0)), dy, dy * S.Create(alpha));
    }
}
