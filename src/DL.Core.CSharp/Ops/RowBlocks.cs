using System.Globalization;
using System.Numerics;
using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>Sums over the rows of a matrix whose bits do not depend on the number of threads: fixed blocks of rows, summed alone and added in order.</summary>
internal static unsafe class RowBlocks
{
    /// <summary>Rows of one block.</summary>
    public const int Height = 64;

    /// <summary>Elements under which a second thread costs more than it saves.</summary>
    private const long Grain = 16 * 1024;

    /// <summary>The number of blocks of a matrix.</summary>
    public static int Count(int rows) => (int)(((long)rows + Height - 1) / Height);

    /// <summary>Rows per part of a parallel loop over rows.</summary>
    public static long RowGrain(int columns) => Math.Max(1, Grain / Math.Max(1, columns));

    /// <summary>Blocks per part of a parallel loop over blocks.</summary>
    public static long BlockGrain(int columns) => Math.Max(1, Grain / (Height * (long)Math.Max(1, columns)));

    /// <summary>Unset room for <paramref name="vectors"/> vectors per block, each of <paramref name="stride"/> elements; it belongs to the calling thread.</summary>
    public static T* Room<T>(int blocks, int vectors, long stride) where T : unmanaged => (T*)Scratch.Left(blocks * vectors * stride * sizeof(T));

    /// <summary>A row length rounded up to whole cache lines.</summary>
    public static long Stride<T>(int columns) where T : unmanaged => (columns + (64L / sizeof(T)) - 1) / (64 / sizeof(T)) * (64 / sizeof(T));

    /// <summary>sum += every block's vector, in the order of the blocks.</summary>
    public static void AddTo<T>(T* first, int blocks, long distance, Span<T> sum) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (var block = 0; block < blocks; block++)
            Elementwise.Map(new ReadOnlySpan<T>(first + (block * distance), sum.Length), sum, sum, default(Add<T>));
    }

    /// <summary>The rows of a matrix of <paramref name="columns"/> columns over a span, which it must fill.</summary>
    public static int RowsOf(int elements, int columns, string where)
    {
        if (columns < 1) throw new ShapeException(where, "rows of at least 1 element", $"{columns}");
        return elements % columns == 0 ? elements / columns : throw new ShapeException(where, $"whole rows of {columns} elements", $"{elements} elements");
    }

    /// <summary>Fails unless epsilon is positive and finite.</summary>
    public static void CheckEpsilon(double epsilon, string where)
    {
        if (!(epsilon > 0 && double.IsFinite(epsilon)))
            throw new InvalidArgumentException(where, "a positive finite epsilon", epsilon.ToString(CultureInfo.InvariantCulture));
    }

    private readonly struct Add<T> : IBinary<T> where T : unmanaged
    {
        public S Apply<S>(S a, S b) where S : struct, ISimd<S, T> => a + b;
    }
}
