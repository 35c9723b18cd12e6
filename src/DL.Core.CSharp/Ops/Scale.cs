using System.Numerics;
using System.Runtime.CompilerServices;
using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>Multiplication by a number: <c>y = c x</c>; with c = -1 the negative, exactly.</summary>
/// <remarks>The gradient is the same map: <c>dx = c dy</c>.</remarks>
public static class Scale
{
    /// <summary><c>y = c x</c>.</summary>
    /// <param name="x">Any shape, float32 or float64.</param>
    /// <param name="factor">The factor c, rounded to the element type.</param>
    /// <returns>A tensor of the shape of <paramref name="x"/>.</returns>
    /// <exception cref="InvalidArgumentException">The elements are integers.</exception>
    public static Tensor Forward(Tensor x, double factor) => ApplyWith.Unary("Scale", x, factor, Forward, Forward);

    /// <summary><c>dx = c dy</c>.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="factor">The factor c.</param>
    /// <returns>The gradient of the input.</returns>
    /// <exception cref="InvalidArgumentException">The elements are integers.</exception>
    public static Tensor Backward(Tensor dy, double factor) => Forward(dy, factor);

    /// <summary><c>y = c x</c> over spans; y may be x.</summary>
    /// <param name="x">The input.</param>
    /// <param name="factor">The factor c, rounded to the element type.</param>
    /// <param name="y">The output, overwritten.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    public static void Forward<T>(ReadOnlySpan<T> x, double factor, Span<T> y) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Apply.SameLength(x.Length, y.Length, "Scale");
        Elementwise.Map(x, y, new Times<T>(factor));
    }

    /// <summary><c>dx = c dy</c> over spans; dx may be dy.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="factor">The factor c.</param>
    /// <param name="dx">The gradient of the input, overwritten.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    public static void Backward<T>(ReadOnlySpan<T> dy, double factor, Span<T> dx) where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Forward(dy, factor, dx);

    private readonly struct Times<T>(double factor) : IUnary<T> where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S x) where S : struct, ISimd<S, T> => x * S.Create(factor);
    }
}
