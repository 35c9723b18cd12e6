using System.Numerics;
using System.Runtime.CompilerServices;
using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>Difference of two tensors of one shape: <c>y = a - b</c>.</summary>
public static class Subtract
{
    /// <summary><c>y = a - b</c>.</summary>
    /// <param name="a">Any shape, float32 or float64.</param>
    /// <param name="b">A tensor of the shape and element type of <paramref name="a"/>.</param>
    /// <returns>A tensor of the shape of <paramref name="a"/>.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="InvalidArgumentException">The elements are integers, or of two types.</exception>
    public static Tensor Forward(Tensor a, Tensor b) => Apply.Binary("Subtract", a, b, Forward, Forward);

    /// <summary><c>da = dy</c>, the same tensor, and <c>db = -dy</c>.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <returns>The gradients of both inputs.</returns>
    /// <exception cref="InvalidArgumentException">The elements are integers.</exception>
    public static (Tensor Da, Tensor Db) Backward(Tensor dy) => (dy, Scale.Forward(dy, -1));

    /// <summary><c>y = a - b</c> over spans; y may be a or b.</summary>
    /// <param name="a">The first input.</param>
    /// <param name="b">The second input.</param>
    /// <param name="y">The output, overwritten.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    public static void Forward<T>(ReadOnlySpan<T> a, ReadOnlySpan<T> b, Span<T> y) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Apply.SameLength(a.Length, b.Length, "Subtract");
        Apply.SameLength(a.Length, y.Length, "Subtract");
        Elementwise.Map(a, b, y, default(Value<T>));
    }

    private readonly struct Value<T> : IBinary<T> where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S a, S b) where S : struct, ISimd<S, T> => a - b;
    }
}
