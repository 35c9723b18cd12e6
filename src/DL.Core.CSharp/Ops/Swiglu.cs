using System.Numerics;
using System.Runtime.CompilerServices;
using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>Gated linear unit with a swish gate: <c>y = silu(a) b</c>.</summary>
/// <remarks>Source: N. Shazeer, GLU variants improve transformer, 2020; a and b are two products of the same input there.</remarks>
public static class Swiglu
{
    /// <summary><c>y = silu(a) b</c>.</summary>
    /// <param name="a">The gate before its activation; any shape, float32 or float64.</param>
    /// <param name="b">The gated values, of the shape of <paramref name="a"/>.</param>
    /// <returns>A tensor of the shape of <paramref name="a"/>.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="InvalidArgumentException">The elements are integers, or of two types.</exception>
    public static Tensor Forward(Tensor a, Tensor b) => Apply.Binary("Swiglu", a, b, Forward, Forward);

    /// <summary><c>da = dy b silu'(a)</c> and <c>db = dy silu(a)</c>.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="a">The gate before its activation.</param>
    /// <param name="b">The gated values.</param>
    /// <returns>The gradients of both inputs.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    public static (Tensor Da, Tensor Db) Backward(Tensor dy, Tensor a, Tensor b)
    {
        const string where = "Swiglu.Backward";
        a.Expect(dy.Shape, where);
        b.Expect(dy.Shape, where);
        return dy.IsDouble(where) ? Run<double>(dy, a, b, where) : Run<float>(dy, a, b, where);
    }

    /// <summary><c>y = silu(a) b</c> over spans; y may be a or b.</summary>
    /// <param name="a">The gate before its activation.</param>
    /// <param name="b">The gated values.</param>
    /// <param name="y">The output, overwritten.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    public static void Forward<T>(ReadOnlySpan<T> a, ReadOnlySpan<T> b, Span<T> y) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Apply.SameLength(a.Length, b.Length, "Swiglu");
        Apply.SameLength(a.Length, y.Length, "Swiglu");
        Elementwise.Map(a, b, y, default(Value<T>));
    }

    /// <summary><c>da = dy b silu'(a)</c> and <c>db = dy silu(a)</c> over spans; either may be an input.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="a">The gate before its activation.</param>
    /// <param name="b">The gated values.</param>
    /// <param name="da">The gradient of a, overwritten.</param>
    /// <param name="db">The gradient of b, overwritten.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    public static void Backward<T>(ReadOnlySpan<T> dy, ReadOnlySpan<T> a, ReadOnlySpan<T> b, Span<T> da, Span<T> db)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Apply.SameLength(dy.Length, a.Length, "Swiglu.Backward");
        Apply.SameLength(dy.Length, b.Length, "Swiglu.Backward");
        Apply.SameLength(dy.Length, da.Length, "Swiglu.Backward");
        Apply.SameLength(dy.Length, db.Length, "Swiglu.Backward");
        Gated.Map(dy, a, b, da, db, default(Gradient<T>));
    }

    private static (Tensor Da, Tensor Db) Run<T>(Tensor dy, Tensor a, Tensor b, string where)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var upstream = dy.As<T>(where);
        var gate = a.As<T>(where);
        var values = b.As<T>(where);
        var da = upstream.Like();
        var db = upstream.Like();
        Backward(upstream.Span, gate.Span, values.Span, da.Write(), db.Write());
        return (da, db);
    }

    private readonly struct Value<T> : IBinary<T> where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S a, S b) where S : struct, ISimd<S, T> =>
            Silu.Of<T, S>(a, MathVector.Sigmoid<T, S>(a)) * b;
    }

    private readonly struct Gradient<T> : IGated<T> where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S dy, S a, S b, out S db) where S : struct, ISimd<S, T>
        {
            var s = MathVector.Sigmoid<T, S>(a);
            db = dy * Silu.Of<T, S>(a, s);
            return dy * b * Silu.Slope<T, S>(a, s);
        }
    }
}
