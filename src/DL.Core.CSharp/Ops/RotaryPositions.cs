using System.Numerics;
using DL.Core.Kernels;
using static System.FormattableString;

namespace DL.Core.Ops;

/// <summary>Rotary positions: number i of each head and number i + d/2 are turned together by the angle <c>position base^(-2i/d)</c>.</summary>
/// <remarks>Dot products of turned queries and keys depend on the distance of their positions alone. The pairs are the halves of a head (i, i + d/2), as in
/// Llama; the paper pairs neighbours (2i, 2i + 1), which is the same up to the order of the columns. The way back turns back.
/// Source: J. Su et al., RoFormer: Enhanced transformer with rotary position embedding, 2021.</remarks>
public static unsafe class RotaryPositions
{
    private const string Name = "RotaryPositions";

    // An angle is that of its block of positions plus that of its place in the block, so that its bits do not depend on where a sequence starts.
    private const int Block = 16;

    /// <summary>Turns queries or keys by their positions.</summary>
    /// <param name="x">[N; positions; heads d], float32 or float64, with d even.</param>
    /// <param name="heads">The number of heads.</param>
    /// <param name="offset">The position of the first, at least 0.</param>
    /// <param name="theta">The base of the angles, above 0.</param>
    /// <returns>A tensor of the shape of <paramref name="x"/>.</returns>
    /// <exception cref="ShapeException">The width is not heads times an even number.</exception>
    /// <exception cref="InvalidArgumentException">An argument is out of range, or the elements are integers.</exception>
    public static Tensor Forward(Tensor x, int heads, int offset = 0, double theta = 10000) => Turn(x, heads, offset, theta, 1, Name);

    /// <summary>Turns the gradient back.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="heads">As given forward.</param>
    /// <param name="offset">As given forward.</param>
    /// <param name="theta">As given forward.</param>
    /// <returns>The gradient of the input.</returns>
    /// <exception cref="ShapeException">The width is not heads times an even number.</exception>
    /// <exception cref="InvalidArgumentException">An argument is out of range, or the elements are integers.</exception>
    public static Tensor Backward(Tensor dy, int heads, int offset = 0, double theta = 10000) => Turn(dy, heads, offset, theta, -1, Name + ".Backward");

    /// <summary>Turns queries or keys by their positions, over spans; y may be x.</summary>
    /// <param name="x">[batch, positions, heads d].</param>
    /// <param name="positions">The positions of an example.</param>
    /// <param name="heads">The number of heads.</param>
    /// <param name="width">d, even.</param>
    /// <param name="offset">The position of the first, at least 0.</param>
    /// <param name="theta">The base of the angles, above 0.</param>
    /// <param name="y">[batch, positions, heads d], overwritten.</param>
    /// <exception cref="ShapeException">A length does not fit.</exception>
    /// <exception cref="InvalidArgumentException">An argument is out of range.</exception>
    public static void Forward<T>(ReadOnlySpan<T> x, int positions, int heads, int width, int offset, double theta, Span<T> y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Turn(x, positions, heads, width, offset, theta, 1, y, Name);

    /// <summary>Turns the gradient back, over spans; dx may be dy.</summary>
    /// <param name="dy">[batch, positions, heads d].</param>
    /// <param name="positions">As given forward.</param>
    /// <param name="heads">As given forward.</param>
    /// <param name="width">As given forward.</param>
    /// <param name="offset">As given forward.</param>
    /// <param name="theta">As given forward.</param>
    /// <param name="dx">[batch, positions, heads d], overwritten.</param>
    /// <exception cref="ShapeException">A length does not fit.</exception>
    /// <exception cref="InvalidArgumentException">An argument is out of range.</exception>
    public static void Backward<T>(ReadOnlySpan<T> dy, int positions, int heads, int width, int offset, double theta, Span<T> dx)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Turn(dy, positions, heads, width, offset, theta, -1, dx, Name + ".Backward");

    private static Tensor Turn(Tensor x, int heads, int offset, double theta, int sense, string where)
    {
        AttentionSizes.Rank(x, "positions", where);
        if (heads < 1) throw new InvalidArgumentException(where + " heads", "at least 1", Invariant($"{heads}"));
        if (x.Shape[2] % heads != 0) throw new ShapeException(where, Invariant($"a width that {heads} heads divide"), Invariant($"{x.Shape[2]}"));
        return x.IsDouble(where) ? Turn(x.As<double>(where), heads, offset, theta, sense, where) : Turn(x.As<float>(where), heads, offset, theta, sense, where);
    }

    private static Tensor<T> Turn<T>(Tensor<T> x, int heads, int offset, double theta, int sense, string where)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Check(x.Shape[1], x.Shape[2] / heads, offset, theta, where);
        var y = x.Like();
        Turn(x.Span, x.Shape[1], heads, x.Shape[2] / heads, offset, theta, sense, y.Write(), where);
        return y;
    }

    private static void Turn<T>(ReadOnlySpan<T> x, int positions, int heads, int width, int offset, double theta, int sense, Span<T> y, string where)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Check(positions, width, offset, theta, where);
        Apply.SameLength(x.Length, y.Length, where);
        if (x.Length == 0) return;
        var row = (long)heads * width;
        if (heads < 1 || positions < 1 || x.Length % (row * positions) != 0)
            throw new ShapeException(where, Invariant($"whole examples of {positions} positions, {heads} heads and {width} numbers"), Invariant($"{x.Length} elements"));
        var table = (T*)Scratch.Left((long)positions * width * sizeof(T));
        Fill(table, positions, width / 2, offset, theta, sense);
        fixed (T* from = x, to = y)
        {
            var job = new AttentionTurn<T> { X = from, Y = to, Table = table, Positions = positions, Heads = heads, Half = width / 2 };
            Workers.For(x.Length / row, RowBlocks.RowGrain((int)row), &AttentionTurn<T>.Run, &job);
        }
    }

    private static void Check(int positions, int width, int offset, double theta, string where)
    {
        if (width < 2 || width % 2 != 0) throw new ShapeException(where, "an even width in each head", Invariant($"{width}"));
        if (offset < 0 || offset > int.MaxValue - positions)
            throw new InvalidArgumentException(where + " offset", "a position of at least 0", Invariant($"{offset}"));
        if (!(theta > 0 && double.IsFinite(theta))) throw new InvalidArgumentException(where + " theta", "a finite number above 0", Invariant($"{theta}"));
    }

    private static void Fill<T>(T* table, int positions, int half, int offset, double theta, int sense) where T : unmanaged
    {
        var places = stackalloc (double Sin, double Cos)[Block];
        for (var i = 0; i < half; i++)
        {
            var rate = Math.Pow(theta, -(double)i / half);
            var block = (Sin: 0.0, Cos: 1.0);
            for (var t = 0; t < positions; t++)
            {
                var position = offset + t;
                var place = position % Block;
                if (t == 0 || place == 0) block = Math.SinCos((position - place) * rate);
                if (t < Block) places[place] = Math.SinCos(place * rate);
                var (sine, cosine) = places[place];
                var at = table + ((long)t * 2 * half) + i;
                at[0] = Reduce.Narrow<T>((block.Cos * cosine) - (block.Sin * sine));
                at[half] = Reduce.Narrow<T>(sense * ((block.Sin * cosine) + (block.Cos * sine)));
            }
        }
    }
}
