using System.Numerics;
using System.Runtime.CompilerServices;
using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>Exponential: <c>y = e^x</c>.</summary>
/// <remarks>Overflow is infinity, underflow 0. Backward from the output alone.</remarks>
public static class Exp
{
    /// <summary><c>y = e^x</c>.</summary>
    /// <param name="x">Any shape, float32 or float64.</param>
    /// <returns>A tensor of the shape of <paramref name="x"/>.</returns>
    /// <exception cref="InvalidArgumentException">The elements are integers.</exception>
    public static Tensor Forward(Tensor x) => Apply.Unary("Exp", x, Forward, Forward);

    /// <summary><c>dx = dy y</c>.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="y">The output of <see cref="Forward(Tensor)"/>.</param>
    /// <returns>The gradient of the input.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    public static Tensor Backward(Tensor dy, Tensor y) => Apply.Binary("Exp.Backward", dy, y, Backward, Backward);

    /// <summary><c>y = e^x</c> over spans; y may be x.</summary>
    /// <param name="x">The input.</param>
    /// <param name="y">The output, overwritten.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    public static void Forward<T>(ReadOnlySpan<T> x, Span<T> y) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Apply.SameLength(x.Length, y.Length, "Exp");
        Elementwise.Map(x, y, default(Value<T>));
    }

    /// <summary><c>dx = dy y</c> over spans; dx may be dy.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="y">The output.</param>
    /// <param name="dx">The gradient of the input, overwritten.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    public static void Backward<T>(ReadOnlySpan<T> dy, ReadOnlySpan<T> y, Span<T> dx) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Apply.SameLength(dy.Length, y.Length, "Exp.Backward");
        Apply.SameLength(dy.Length, dx.Length, "Exp.Backward");
        Elementwise.Map(dy, y, dx, default(Gradient<T>));
    }

    private readonly struct Value<T> : IUnary<T> where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S x) where S : struct, ISimd<S, T> => MathVector.Exp<T, S>(x);
    }

    private readonly struct Gradient<T> : IBinary<T> where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S dy, S y) where S : struct, ISimd<S, T> => dy * y;
    }
}
