using System.Numerics;
using System.Runtime.CompilerServices;
using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>Swish with the sigmoid in three straight pieces: <c>y = x min(max(x + 3, 0), 6) / 6</c>.</summary>
/// <remarks>Backward: at the kinks <c>x = -3</c> and <c>x = 3</c> the derivative is that of the outer piece, 0 and 1.
/// Source: A. Howard et al., Searching for MobileNetV3, 2019.</remarks>
public static class HardSwish
{
    /// <summary><c>y = x min(max(x + 3, 0), 6) / 6</c>.</summary>
    /// <param name="x">Any shape, float32 or float64.</param>
    /// <returns>A tensor of the shape of <paramref name="x"/>.</returns>
    /// <exception cref="InvalidArgumentException">The elements are integers.</exception>
    public static Tensor Forward(Tensor x) => Apply.Unary("HardSwish", x, Forward, Forward);

    /// <summary><c>dx = dy (2 x + 3) / 6 where |x| &lt; 3, dy from 3 on, 0 up to -3</c>.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="x">The input of <see cref="Forward(Tensor)"/>.</param>
    /// <returns>The gradient of the input.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    public static Tensor Backward(Tensor dy, Tensor x) => Apply.Binary("HardSwish.Backward", dy, x, Backward, Backward);

    /// <summary><c>y = x min(max(x + 3, 0), 6) / 6</c> over spans; y may be x.</summary>
    /// <param name="x">The input.</param>
    /// <param name="y">The output, overwritten.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    public static void Forward<T>(ReadOnlySpan<T> x, Span<T> y) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Apply.SameLength(x.Length, y.Length, "HardSwish");
        Elementwise.Map(x, y, default(Value<T>));
    }

    /// <summary><c>dx = dy (2 x + 3) / 6 where |x| &lt; 3, dy from 3 on, 0 up to -3</c> over spans; dx may be dy.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="x">The input.</param>
    /// <param name="dx">The gradient of the input, overwritten.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    public static void Backward<T>(ReadOnlySpan<T> dy, ReadOnlySpan<T> x, Span<T> dx) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Apply.SameLength(dy.Length, x.Length, "HardSwish.Backward");
        Apply.SameLength(dy.Length, dx.Length, "HardSwish.Backward");
        Elementwise.Map(dy, x, dx, default(Gradient<T>));
    }

    private readonly struct Value<T> : IUnary<T> where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S x) where S : struct, ISimd<S, T>
        {
            var inside = S.Clamp(x, -3, double.PositiveInfinity);
            return inside * (S.Clamp(inside + S.Create(3), 0, 6) / S.Create(6));
        }
    }

    private readonly struct Gradient<T> : IBinary<T> where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S dy, S x) where S : struct, ISimd<S, T>
        {
            var inside = dy * (S.Fma(x, S.Create(2), S.Create(3)) / S.Create(6));
            return S.Select(S.Less(S.Abs(x), S.Create(3)), inside, S.Greater(x, S.Create(0)) & dy);
        }
    }
}
