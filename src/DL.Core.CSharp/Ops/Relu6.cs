using System.Numerics;
using System.Runtime.CompilerServices;
using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>Rectified linear unit with a ceiling: <c>y = min(max(x, 0), 6)</c>.</summary>
/// <remarks>Backward: <c>dx = dy</c> where <c>0 &lt; y &lt; 6</c>, else 0; the derivative at both kinks is 0. A NaN stays NaN.
/// Source: A. Krizhevsky, Convolutional deep belief networks on CIFAR-10, 2010.</remarks>
public static class Relu6
{
    /// <summary><c>y = min(max(x, 0), 6)</c>.</summary>
    /// <param name="x">Any shape, float32 or float64.</param>
    /// <returns>A tensor of the shape of <paramref name="x"/>.</returns>
    /// <exception cref="InvalidArgumentException">The elements are integers.</exception>
    public static Tensor Forward(Tensor x) => Apply.Unary("Relu6", x, Forward, Forward);

    /// <summary><c>dx = dy</c> where <c>0 &lt; y &lt; 6</c>, else 0.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="y">The output of <see cref="Forward(Tensor)"/>.</param>
    /// <returns>The gradient of the input.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    public static Tensor Backward(Tensor dy, Tensor y) => Apply.Binary("Relu6.Backward", dy, y, Backward, Backward);

    /// <summary><c>y = min(max(x, 0), 6)</c> over spans; y may be x.</summary>
    /// <param name="x">The input.</param>
    /// <param name="y">The output, overwritten.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    public static void Forward<T>(ReadOnlySpan<T> x, Span<T> y) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Apply.SameLength(x.Length, y.Length, "Relu6");
        Elementwise.Map(x, y, default(Between<T>));
    }

    /// <summary><c>dx = dy</c> where <c>0 &lt; y &lt; 6</c>, else 0, over spans; dx may be dy.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="y">The output.</param>
    /// <param name="dx">The gradient of the input, overwritten.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    public static void Backward<T>(ReadOnlySpan<T> dy, ReadOnlySpan<T> y, Span<T> dx) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Apply.SameLength(dy.Length, y.Length, "Relu6.Backward");
        Apply.SameLength(dy.Length, dx.Length, "Relu6.Backward");
        Elementwise.Map(dy, y, dx, default(WhereInside<T>));
    }

    private readonly struct Between<T> : IUnary<T> where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S x) where S : struct, ISimd<S, T> => S.Clamp(x, 0, 6);
    }

    private readonly struct WhereInside<T> : IBinary<T> where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S dy, S y) where S : struct, ISimd<S, T> => S.Greater(y, S.Create(0)) & (S.Less(y, S.Create(6)) & dy);
    }
}
