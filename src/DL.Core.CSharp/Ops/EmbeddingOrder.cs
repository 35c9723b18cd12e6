using System.Runtime.CompilerServices;
using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>The valid places sorted by id, those of one id in their own order: all that is added to a row lies side by side.</summary>
/// <remarks>Sorted by digits, so that the time is linear in the places and owes nothing to the size of the table.</remarks>
internal static unsafe class EmbeddingOrder
{
    private const int Digit = 8;
    private const int Buckets = 1 << Digit;
    private const int IdShift = 32;

    /// <summary>For each valid place an entry of its id and itself, as <see cref="RowSums"/> reads it; it lies in the thread's work space.</summary>
    /// <param name="places">Checked ids in their places.</param>
    /// <param name="count">The rows of the table.</param>
    public static ReadOnlySpan<ulong> Of(EmbeddingPlaces places, int count)
    {
        var from = (ulong*)Scratch.Left(2L * places.Ids.Length * sizeof(ulong));
        var to = from + places.Ids.Length;
        var n = Gather(places, from);
        for (var shift = IdShift; shift < 64 && (ulong)(uint)Math.Max(0, count - 1) << IdShift >> shift != 0; shift += Digit)
        {
            Pass(from, to, n, shift);
            var sorted = to;
            to = from;
            from = sorted;
        }

        return new ReadOnlySpan<ulong>(from, n);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Gather(EmbeddingPlaces places, ulong* entries)
    {
        var n = 0;
        for (var run = 0; run < places.Runs; run++)
        {
            var end = places.End(run);
            for (var place = places.Start(run); place < end; place++) entries[n++] = RowSums.Entry(places.Ids[place], place);
        }

        return n;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Pass(ulong* from, ulong* to, int n, int shift)
    {
        var starts = stackalloc int[Buckets];
        new Span<int>(starts, Buckets).Clear();
        for (var i = 0; i < n; i++) starts[(from[i] >> shift) & (Buckets - 1)]++;
        var sum = 0;
        for (var bucket = 0; bucket < Buckets; bucket++) (starts[bucket], sum) = (sum, sum + starts[bucket]);
        for (var i = 0; i < n; i++) to[starts[(from[i] >> shift) & (Buckets - 1)]++] = from[i];
    }
}
