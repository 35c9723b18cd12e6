using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DL.Core.Formats;

/// <summary>The bytes of a matrix with its axes exchanged, made a piece at a time in a buffer that stays in the cache.</summary>
internal static class TransposedBytes
{
    private const int PieceBytes = 1 << 18;

    // Elements of a square that is moved at once: a line of the cache in each of its rows, on both sides.
    private const int Tile = 16;

    // Rows that are read side by side: few enough for the processor to follow each of them.
    private const int Streams = 32;

    /// <summary>Hands out the bytes of the transposed matrix, a piece at a time.</summary>
    /// <param name="matrix">A tensor of two axes.</param>
    /// <param name="take">Is given each piece, for the time of the call.</param>
    public static void Each(Tensor matrix, Action<ReadOnlySpan<byte>> take)
    {
        switch (matrix)
        {
            case Tensor<float> single:
                Each(single, take);
                break;
            case Tensor<double> wide:
                Each(wide, take);
                break;
            default:
                Each(matrix.As<int>("TransposedBytes"), take);
                break;
        }
    }

    private static void Each<T>(Tensor<T> matrix, Action<ReadOnlySpan<byte>> take) where T : unmanaged
    {
        if (matrix.Count == 0) return;
        var (rows, columns) = (matrix.Shape[0], matrix.Shape[1]);
        var width = Math.Min(columns, Math.Max(1, PieceBytes / Unsafe.SizeOf<T>() / rows));
        var piece = ArrayPool<T>.Shared.Rent(checked(width * rows));
        try
        {
            for (var from = 0; from < columns; from += Math.Min(width, columns - from))
            {
                var count = Math.Min(width, columns - from);
                Turn(matrix.Span, rows, columns, from, count, piece);
                take(MemoryMarshal.AsBytes(piece.AsSpan(0, count * rows)));
            }
        }
        finally
        {
            ArrayPool<T>.Shared.Return(piece);
        }
    }

    /// <summary>Some columns of a matrix as rows.</summary>
    private static unsafe void Turn<T>(ReadOnlySpan<T> matrix, int rows, int columns, int from, int count, Span<T> target) where T : unmanaged
    {
        fixed (T* x = matrix, y = target)
        {
            var (rowsDone, columnsDone) = (0, 0);
            if (Sse.IsSupported && sizeof(T) == sizeof(float))
            {
                (rowsDone, columnsDone) = (rows / 4 * 4, count / 4 * 4);
                Squares((float*)x + from, rowsDone, columns, columnsDone, (float*)y, rows);
            }
            Elements(x + from, 0, rows, columns, columnsDone, count, y);
            Elements(x + from, rowsDone, rows, columns, 0, columnsDone, y);
        }
    }

    /// <summary>Whole squares of four by four numbers of 32 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static unsafe void Squares(float* x, int rows, long columns, int count, float* y, long height)
    {
        for (var i0 = 0; i0 < rows; i0 += Streams)
            for (var j = 0; j < count; j += 4)
                for (var i = i0; i < Math.Min(rows, i0 + Streams); i += 4)
                {
                    float* from = x + (i * columns) + j, to = y + (j * height) + i;
                    var (a, b) = (Vector128.Load(from), Vector128.Load(from + columns));
                    var (c, d) = (Vector128.Load(from + (2 * columns)), Vector128.Load(from + (3 * columns)));
                    var (ab, cd) = (Sse.UnpackLow(a, b), Sse.UnpackLow(c, d));
                    Sse.MoveLowToHigh(ab, cd).Store(to);
                    Sse.MoveHighToLow(cd, ab).Store(to + height);
                    (ab, cd) = (Sse.UnpackHigh(a, b), Sse.UnpackHigh(c, d));
                    Sse.MoveLowToHigh(ab, cd).Store(to + (2 * height));
                    Sse.MoveHighToLow(cd, ab).Store(to + (3 * height));
                }
    }

    /// <summary>The elements of some rows and columns, one by one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static unsafe void Elements<T>(T* x, int firstRow, int rows, long columns, int firstColumn, int count, T* y) where T : unmanaged
    {
        for (var i0 = firstRow; i0 < rows; i0 += Tile)
            for (var j0 = firstColumn; j0 < count; j0 += Tile)
            {
                var (i1, j1) = (Math.Min(rows, i0 + Tile), Math.Min(count, j0 + Tile));
                for (var j = j0; j < j1; j++)
                {
                    T* to = y + ((long)j * rows), from = x + j;
                    for (var i = i0; i < i1; i++) to[i] = from[i * columns];
                }
            }
    }
}
