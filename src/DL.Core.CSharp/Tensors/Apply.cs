using System.Runtime.CompilerServices;

namespace DL.Core;

/// <summary>Lifts span kernels to tensors: one dispatch on the element type, checks, and an output placed where the input lies.</summary>
internal static class Apply
{
    public delegate void Kernel1<T>(ReadOnlySpan<T> x, Span<T> y) where T : unmanaged;

    public delegate void Kernel2<T>(ReadOnlySpan<T> a, ReadOnlySpan<T> b, Span<T> y) where T : unmanaged;

    /// <summary>y of x's shape from x.</summary>
    public static Tensor Unary(string where, Tensor x, Kernel1<float> single, Kernel1<double> wide) =>
        x.IsDouble(where) ? Run(x.As<double>(where), wide) : Run(x.As<float>(where), single);

    /// <summary>y of a's shape from a and b, which must agree in shape and element type.</summary>
    public static Tensor Binary(string where, Tensor a, Tensor b, Kernel2<float> single, Kernel2<double> wide)
    {
        b.Expect(a.Shape, where);
        return a.IsDouble(where) ? Run(a.As<double>(where), b.As<double>(where), wide) : Run(a.As<float>(where), b.As<float>(where), single);
    }

    /// <summary>Fails unless two spans are equally long.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SameLength(int expected, int got, string where)
    {
        if (expected != got) throw new ShapeException(where, $"{expected} elements", $"{got}");
    }

    private static Tensor<T> Run<T>(Tensor<T> x, Kernel1<T> kernel) where T : unmanaged
    {
        var y = x.Like();
        kernel(x.Span, y.Write());
        return y;
    }

    private static Tensor<T> Run<T>(Tensor<T> a, Tensor<T> b, Kernel2<T> kernel) where T : unmanaged
    {
        var y = a.Like();
        kernel(a.Span, b.Span, y.Write());
        return y;
    }
}
