using System.Numerics;
using System.Runtime.CompilerServices;
using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>Product, element by element, of two tensors of one shape: <c>y = a b</c>.</summary>
public static class Multiply
{
    /// <summary><c>y = a b</c>.</summary>
    /// <param name="a">Any shape, float32 or float64.</param>
    /// <param name="b">A tensor of the shape and element type of <paramref name="a"/>.</param>
    /// <returns>A tensor of the shape of <paramref name="a"/>.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="InvalidArgumentException">The elements are integers, or of two types.</exception>
    public static Tensor Forward(Tensor a, Tensor b) => Apply.Binary("Multiply", a, b, Forward, Forward);

    /// <summary><c>da = dy b</c> and <c>db = dy a</c>.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="a">The first input.</param>
    /// <param name="b">The second input.</param>
    /// <returns>The gradients of both inputs.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    public static (Tensor Da, Tensor Db) Backward(Tensor dy, Tensor a, Tensor b)
    {
        const string where = "Multiply.Backward";
        a.Expect(dy.Shape, where);
        b.Expect(dy.Shape, where);
        return dy.IsDouble(where) ? Run<double>(dy, a, b, where) : Run<float>(dy, a, b, where);
    }

    /// <summary><c>y = a b</c> over spans; y may be a or b.</summary>
    /// <param name="a">The first input.</param>
    /// <param name="b">The second input.</param>
    /// <param name="y">The output, overwritten.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    public static void Forward<T>(ReadOnlySpan<T> a, ReadOnlySpan<T> b, Span<T> y) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Apply.SameLength(a.Length, b.Length, "Multiply");
        Apply.SameLength(a.Length, y.Length, "Multiply");
        Elementwise.Map(a, b, y, default(Value<T>));
    }

    /// <summary><c>da = dy b</c> and <c>db = dy a</c> over spans; either may be an input.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="a">The first input.</param>
    /// <param name="b">The second input.</param>
    /// <param name="da">The gradient of a, overwritten.</param>
    /// <param name="db">The gradient of b, overwritten.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    public static void Backward<T>(ReadOnlySpan<T> dy, ReadOnlySpan<T> a, ReadOnlySpan<T> b, Span<T> da, Span<T> db)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Apply.SameLength(dy.Length, a.Length, "Multiply.Backward");
        Apply.SameLength(dy.Length, b.Length, "Multiply.Backward");
        Apply.SameLength(dy.Length, da.Length, "Multiply.Backward");
        Apply.SameLength(dy.Length, db.Length, "Multiply.Backward");
        Gated.Map(dy, a, b, da, db, default(Gradient<T>));
    }

    private static (Tensor Da, Tensor Db) Run<T>(Tensor dy, Tensor a, Tensor b, string where)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Tensor<T> upstream = dy.As<T>(where), first = a.As<T>(where), second = b.As<T>(where);
        Tensor<T> da = upstream.Like(), db = upstream.Like();
        Backward(upstream.Span, first.Span, second.Span, da.Write(), db.Write());
        return (da, db);
    }

    private readonly struct Value<T> : IBinary<T> where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S a, S b) where S : struct, ISimd<S, T> => a * b;
    }

    private readonly struct Gradient<T> : IGated<T> where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S dy, S a, S b, out S db) where S : struct, ISimd<S, T>
        {
            db = dy * a;
            return dy * b;
        }
    }
}
