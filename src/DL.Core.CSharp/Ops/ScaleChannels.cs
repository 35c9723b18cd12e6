using System.Numerics;
using System.Runtime.CompilerServices;
using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>Every channel of every image times a number of its own: <c>y[n, .., c] = x[n, .., c] s[n, c]</c>, as squeeze and excitation do.</summary>
/// <remarks>Backward: <c>dx = dy s</c>, <c>ds[n, c] = sum over pixels of dy x</c>. Source: J. Hu, L. Shen and G. Sun, Squeeze-and-excitation networks, 2017, eq. 4.</remarks>
public static class ScaleChannels
{
    private const string BackwardName = "ScaleChannels.Backward";

    /// <summary><c>y[n, .., c] = x[n, .., c] s[n, c]</c>.</summary>
    /// <param name="x">[N; ..; C], float32 or float64.</param>
    /// <param name="scale">[N; C].</param>
    /// <returns>A tensor of the shape of <paramref name="x"/>.</returns>
    /// <exception cref="ShapeException">x has no axes for examples and channels, or the scale does not fit.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers.</exception>
    public static Tensor Forward(Tensor x, Tensor scale)
    {
        Check(x, scale, "ScaleChannels");
        return x.IsDouble("ScaleChannels") ? Forward<double>(x, scale) : Forward<float>(x, scale);
    }

    /// <summary><c>dx = dy s</c> and <c>ds[n, c] = sum of dy x over the pixels</c>.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="x">[N; ..; C], the input.</param>
    /// <param name="scale">[N; C].</param>
    /// <returns>The gradients of both inputs.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers.</exception>
    public static (Tensor Dx, Tensor Dscale) Backward(Tensor dy, Tensor x, Tensor scale)
    {
        Check(x, scale, BackwardName);
        dy.Expect(x.Shape, BackwardName);
        return dy.IsDouble(BackwardName) ? Backward<double>(dy, x, scale) : Backward<float>(dy, x, scale);
    }

    internal static void Check(Tensor x, Tensor scale, string where)
    {
        if (x.Shape.Rank < 2) throw new ShapeException(where, "[examples; ..; channels]", $"{x.Shape}");
        scale.Expect(new Shape(x.Shape[0], x.Shape.Last), where);
    }

    private static Tensor Forward<T>(Tensor input, Tensor scale) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var x = input.As<T>("ScaleChannels");
        var y = x.Like();
        ChannelRows.Map(x.Span, scale.As<T>("ScaleChannels").Span, y.Write(), x.Shape.Last, default(Product<T>));
        return y;
    }

    private static (Tensor, Tensor) Backward<T>(Tensor gradient, Tensor input, Tensor scale) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Tensor<T> dy = gradient.As<T>(BackwardName), x = input.As<T>(BackwardName), s = scale.As<T>(BackwardName);
        Tensor<T> dx = dy.Like(), ds = dy.New<T>(scale.Shape);
        ChannelRows.Map(dy.Span, s.Span, dx.Write(), x.Shape.Last, default(Product<T>));
        ChannelRows.Products(dy.Span, x.Span, ds.Write(), x.Shape.Last);
        return (dx, ds);
    }

    private readonly struct Product<T> : IBinary<T> where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S x, S s) where S : struct, ISimd<S, T> => x * s;
    }
}
