using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DL.Core.Kernels;
using DL.Core.Random;

namespace DL.Core.Ops;

/// <summary>Dropout: <c>y = x / (1 - p)</c> where an element is kept, else 0; each is dropped with probability p.</summary>
/// <remarks>Element i is dropped where word i of the key's stream is below p 2^32. The way back is the same map: by its key it draws the same words
/// again and no mask is stored; the layer keeps a bit for an element instead. With p = 0 it is the identity bit for bit, with p = 1 all is dropped.
/// Source: N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever and R. Salakhutdinov, Dropout, 2014.</remarks>
public static class Dropout
{
    /// <summary><c>y = x / (1 - p)</c> where kept, else 0.</summary>
    /// <param name="x">Any shape, float32 or float64.</param>
    /// <param name="p">The probability to drop, from 0 to 1.</param>
    /// <param name="key">The draw of the mask.</param>
    /// <returns>A tensor of the shape of <paramref name="x"/>.</returns>
    /// <exception cref="InvalidArgumentException">p is not a probability, or the elements are integers.</exception>
    public static Tensor Forward(Tensor x, double p, Key key) => ApplyWith.Unary("Dropout", x, (p, key), Spans, Spans);

    /// <summary><c>dx = dy / (1 - p)</c> where x was kept, else 0.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="p">The probability to drop, as given forward.</param>
    /// <param name="key">The draw of the mask, as given forward.</param>
    /// <returns>The gradient of the input.</returns>
    /// <exception cref="InvalidArgumentException">p is not a probability, or the elements are integers.</exception>
    public static Tensor Backward(Tensor dy, double p, Key key) => Forward(dy, p, key);

    /// <summary><c>y = x / (1 - p)</c> where the mask is not 0, else 0.</summary>
    /// <param name="x">Any shape, float32 or float64.</param>
    /// <param name="p">The probability the mask was drawn with, from 0 to 1.</param>
    /// <param name="mask">0 where dropped; of the shape and element type of <paramref name="x"/>.</param>
    /// <returns>A tensor of the shape of <paramref name="x"/>.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="InvalidArgumentException">p is not a probability, or the elements are integers, or of two types.</exception>
    public static Tensor Forward(Tensor x, double p, Tensor mask) => ApplyWith.Binary("Dropout", x, mask, p, Forward, Forward);

    /// <summary><c>dx = dy / (1 - p)</c> where the mask is not 0, else 0.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="p">The probability the mask was drawn with.</param>
    /// <param name="mask">0 where dropped.</param>
    /// <returns>The gradient of the input.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="InvalidArgumentException">p is not a probability, or the elements are integers, or of two types.</exception>
    public static Tensor Backward(Tensor dy, double p, Tensor mask) => Forward(dy, p, mask);

    /// <summary><c>y = x / (1 - p)</c> where kept, else 0, over spans; y may be x.</summary>
    /// <param name="x">The input.</param>
    /// <param name="p">The probability to drop, from 0 to 1.</param>
    /// <param name="key">The draw of the mask.</param>
    /// <param name="y">The output, overwritten.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    /// <exception cref="InvalidArgumentException">p is not a probability.</exception>
    public static void Forward<T>(ReadOnlySpan<T> x, double p, Key key, Span<T> y) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Apply.SameLength(x.Length, y.Length, "Dropout");
        Probability(p);
        var threshold = Math.Round(p * (1L << 32));
        if (p == 0) x.CopyTo(y);
        else if (threshold > uint.MaxValue) y.Clear();
        else DropoutMap.Run(x, (uint)threshold, 1 / (1 - p), key, y);
    }

    /// <summary><c>dx = dy / (1 - p)</c> where x was kept, else 0, over spans; dx may be dy.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="p">The probability to drop, as given forward.</param>
    /// <param name="key">The draw of the mask, as given forward.</param>
    /// <param name="dx">The gradient of the input, overwritten.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    /// <exception cref="InvalidArgumentException">p is not a probability.</exception>
    public static void Backward<T>(ReadOnlySpan<T> dy, double p, Key key, Span<T> dx) where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Forward(dy, p, key, dx);

    /// <summary><c>y = x / (1 - p)</c> where the mask is not 0, else 0, over spans; y may be x. The way back is the same map.</summary>
    /// <param name="x">The input, or the gradient of the output.</param>
    /// <param name="mask">0 where dropped.</param>
    /// <param name="p">The probability the mask was drawn with, from 0 to 1.</param>
    /// <param name="y">The output, or the gradient of the input, overwritten.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    /// <exception cref="InvalidArgumentException">p is not a probability.</exception>
    public static void Forward<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> mask, double p, Span<T> y) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Apply.SameLength(x.Length, mask.Length, "Dropout");
        Apply.SameLength(x.Length, y.Length, "Dropout");
        Probability(p);
        if (p == 1) y.Clear();
        else Elementwise.Map(x, mask, y, new Kept<T>(1 / (1 - p)));
    }

    /// <summary>What a draw keeps, in bits: drawn once, used forward and back by <see cref="KeepBits(Tensor, double, Tensor)"/>.</summary>
    /// <param name="x">The tensor it is drawn for.</param>
    /// <param name="p">The probability to drop, from 0 to 1.</param>
    /// <param name="key">The draw.</param>
    internal static Tensor<int> DrawBits(Tensor x, double p, Key key)
    {
        Probability(p);
        return x.IsDouble("Dropout") ? DrawBits<double>(x, p, key) : DrawBits<float>(x, p, key);
    }

    /// <summary><c>y = x / (1 - p)</c> where kept, else 0.</summary>
    /// <param name="x">A tensor of the shape and element type that the bits were drawn for.</param>
    /// <param name="p">The probability they were drawn with.</param>
    /// <param name="kept">The bits.</param>
    /// <exception cref="ShapeException">The bits are those of another number of elements.</exception>
    internal static Tensor KeepBits(Tensor x, double p, Tensor kept) => x.IsDouble("Dropout") ? KeepBits<double>(x, p, kept) : KeepBits<float>(x, p, kept);

    private static Tensor<int> DrawBits<T>(Tensor x, double p, Key key) where T : unmanaged
    {
        var bits = x.As<T>("Dropout").New<int>(Bits<T>(x));
        var threshold = Math.Round(p * (1L << 32));
        if (threshold > uint.MaxValue) bits.Write().Clear();
        else DropoutMap.Draw<T>(x.Count, (uint)threshold, key, MemoryMarshal.Cast<int, ushort>(bits.Write()));
        return bits;
    }

    private static Shape Bits<T>(Tensor x) where T : unmanaged => new((DropoutMap.Vectors<T>(x.Count) + 1) / 2);

    private static Tensor<T> KeepBits<T>(Tensor x, double p, Tensor kept) where T : unmanaged
    {
        var from = x.As<T>("Dropout");
        kept.Expect(Bits<T>(x), "Dropout, what is kept");
        var y = from.Like();
        DropoutMap.Keep(from.Span, MemoryMarshal.Cast<int, ushort>(kept.As<int>("Dropout").Span), 1 / (1 - p), y.Write());
        return y;
    }

    private static void Spans<T>(ReadOnlySpan<T> x, (double P, Key Key) draw, Span<T> y) where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Forward(x, draw.P, draw.Key, y);

    private static void Probability(double p)
    {
        if (!(p >= 0 && p <= 1))
            throw new InvalidArgumentException("Dropout, p", "a probability from 0 to 1", p.ToString(CultureInfo.InvariantCulture));
    }

    private readonly struct Kept<T>(double scale) : IBinary<T> where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S x, S mask) where S : struct, ISimd<S, T> => S.Greater(S.Abs(mask), S.Create(0)) & (x * S.Create(scale));
    }
}
