using System.Numerics;
using System.Runtime.CompilerServices;
using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>Sigmoid of three straight pieces: <c>y = min(max(x + 3, 0), 6) / 6</c>.</summary>
/// <remarks>Backward: the derivative at the kinks <c>x = -3</c> and <c>x = 3</c> is 0. Source: A. Howard et al., Searching for MobileNetV3, 2019.</remarks>
public static class HardSigmoid
{
    /// <summary><c>y = min(max(x + 3, 0), 6) / 6</c>.</summary>
    /// <param name="x">Any shape, float32 or float64.</param>
    /// <returns>A tensor of the shape of <paramref name="x"/>.</returns>
    /// <exception cref="InvalidArgumentException">The elements are integers.</exception>
    public static Tensor Forward(Tensor x) => Apply.Unary("HardSigmoid", x, Forward, Forward);

    /// <summary><c>dx = dy / 6 where |x| &lt; 3, else 0</c>.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="x">The input of <see cref="Forward(Tensor)"/>.</param>
    /// <returns>The gradient of the input.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    public static Tensor Backward(Tensor dy, Tensor x) => Apply.Binary("HardSigmoid.Backward", dy, x, Backward, Backward);

    /// <summary><c>y = min(max(x + 3, 0), 6) / 6</c> over spans; y may be x.</summary>
    /// <param name="x">The input.</param>
    /// <param name="y">The output, overwritten.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    public static void Forward<T>(ReadOnlySpan<T> x, Span<T> y) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Apply.SameLength(x.Length, y.Length, "HardSigmoid");
        Elementwise.Map(x, y, default(Value<T>));
    }

    /// <summary><c>dx = dy / 6 where |x| &lt; 3, else 0</c> over spans; dx may be dy.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="x">The input.</param>
    /// <param name="dx">The gradient of the input, overwritten.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    public static void Backward<T>(ReadOnlySpan<T> dy, ReadOnlySpan<T> x, Span<T> dx) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Apply.SameLength(dy.Length, x.Length, "HardSigmoid.Backward");
        Apply.SameLength(dy.Length, dx.Length, "HardSigmoid.Backward");
        Elementwise.Map(dy, x, dx, default(Gradient<T>));
    }

    private readonly struct Value<T> : IUnary<T> where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S x) where S : struct, ISimd<S, T> => S.Clamp(x + S.Create(3), 0, 6) / S.Create(6);
    }

    private readonly struct Gradient<T> : IBinary<T> where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S dy, S x) where S : struct, ISimd<S, T> => S.Less(S.Abs(x), S.Create(3)) & (dy / S.Create(6));
    }
}
