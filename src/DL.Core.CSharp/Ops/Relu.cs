using System.Numerics;
using System.Runtime.CompilerServices;
using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>Rectified linear unit: <c>y = max(x, 0)</c>.</summary>
/// <remarks>Backward: <c>dx = dy</c> where <c>y &gt; 0</c>, else 0; the derivative at the kink <c>x = 0</c> is 0. A NaN stays NaN.
/// Source: V. Nair and G. Hinton, Rectified linear units improve restricted Boltzmann machines, 2010.</remarks>
public static class Relu
{
    /// <summary><c>y = max(x, 0)</c>.</summary>
    /// <param name="x">Any shape, float32 or float64.</param>
    /// <returns>A tensor of the shape of <paramref name="x"/>.</returns>
    /// <exception cref="InvalidArgumentException">The elements are integers.</exception>
    public static Tensor Forward(Tensor x) => Apply.Unary("Relu", x, Forward, Forward);

    /// <summary><c>dx = dy</c> where <c>y &gt; 0</c>, else 0.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="y">The output of <see cref="Forward(Tensor)"/>.</param>
    /// <returns>The gradient of the input.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    public static Tensor Backward(Tensor dy, Tensor y) => Apply.Binary("Relu.Backward", dy, y, Backward, Backward);

    /// <summary><c>y = max(x, 0)</c> over spans; y may be x.</summary>
    /// <param name="x">The input.</param>
    /// <param name="y">The output, overwritten.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    public static void Forward<T>(ReadOnlySpan<T> x, Span<T> y) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Apply.SameLength(x.Length, y.Length, "Relu");
        Elementwise.Map(x, y, default(Positive<T>));
    }

    /// <summary><c>dx = dy</c> where <c>y &gt; 0</c>, else 0, over spans; dx may be dy.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="y">The output.</param>
    /// <param name="dx">The gradient of the input, overwritten.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    public static void Backward<T>(ReadOnlySpan<T> dy, ReadOnlySpan<T> y, Span<T> dx) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Apply.SameLength(dy.Length, y.Length, "Relu.Backward");
        Apply.SameLength(dy.Length, dx.Length, "Relu.Backward");
        Elementwise.Map(dy, y, dx, default(WherePositive<T>));
    }

    private readonly struct Positive<T> : IUnary<T> where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S x) where S : struct, ISimd<S, T> => S.Max(x, S.Create(0));
    }

    private readonly struct WherePositive<T> : IBinary<T> where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S dy, S y) where S : struct, ISimd<S, T> => S.Greater(y, S.Create(0)) & dy;
    }
}
