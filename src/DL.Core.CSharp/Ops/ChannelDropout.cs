using System.Numerics;
using System.Runtime.CompilerServices;
using DL.Core.Kernels;
using DL.Core.Random;

namespace DL.Core.Ops;

/// <summary>Spatial dropout: whole channels of an image are dropped with probability p, the others are divided by <c>1 - p</c>.</summary>
/// <remarks>Channel c of example n is dropped where <see cref="Dropout"/> by the same key would drop element (n, c) of an [N; C] matrix. The way
/// back is the same map. Source: J. Tompson, R. Goroshin, A. Jain, Y. LeCun and C. Bregler, Efficient object localization using convolutional
/// networks, 2014.</remarks>
public static class ChannelDropout
{
    private const string Name = "ChannelDropout";

    /// <summary><c>y = x / (1 - p)</c> in the channels that are kept, else 0.</summary>
    /// <param name="x">[N; ..; C], float32 or float64.</param>
    /// <param name="p">The probability to drop a channel, from 0 to 1.</param>
    /// <param name="key">The draw of the mask.</param>
    /// <returns>A tensor of the shape of <paramref name="x"/>.</returns>
    /// <exception cref="ShapeException">x has no axes for examples and channels.</exception>
    /// <exception cref="InvalidArgumentException">p is not a probability, or the elements are integers.</exception>
    public static Tensor Forward(Tensor x, double p, Key key)
    {
        if (x.Shape.Rank < 2) throw new ShapeException(Name, "[examples; ..; channels]", $"{x.Shape}");
        return x.IsDouble(Name) ? Run<double>(x, p, key) : Run<float>(x, p, key);
    }

    /// <summary><c>dx = dy / (1 - p)</c> in the channels that were kept, else 0.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="p">The probability to drop, as given forward.</param>
    /// <param name="key">The draw of the mask, as given forward.</param>
    /// <returns>The gradient of the input.</returns>
    /// <exception cref="ShapeException">dy has no axes for examples and channels.</exception>
    /// <exception cref="InvalidArgumentException">p is not a probability, or the elements are integers.</exception>
    public static Tensor Backward(Tensor dy, double p, Key key) => Forward(dy, p, key);

    private static Tensor<T> Run<T>(Tensor input, double p, Key key) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var x = input.As<T>(Name);
        var mask = x.New<T>(new Shape(x.Shape[0], x.Shape.Last));
        mask.Write().Fill(T.One);
        Dropout.Forward<T>(mask.Span, p, key, mask.Write());
        var y = x.Like();
        ChannelRows.Map(x.Span, mask.Span, y.Write(), x.Shape.Last, default(Kept<T>));
        return y;
    }

    // A dropped channel is 0 even where it holds no finite number.
    private readonly struct Kept<T> : IBinary<T> where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S x, S mask) where S : struct, ISimd<S, T> => S.Greater(mask, S.Create(0)) & (x * mask);
    }
}
