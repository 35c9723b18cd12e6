using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DL.Core.Kernels;

/// <summary>Sums of rows of a matrix by where they go. An entry holds a target row in its upper and a source row in its lower 32 bits; entries are ascending, so that a
/// run of one target lies together.</summary>
/// <remarks>A run is added up by one thread in the order of its sources, in blocks, so that a row met a million times loses no digits to its own size.</remarks>
internal static unsafe class RowSums
{
    /// <summary>Elements under which a second thread costs more than it saves.</summary>
    public const long Grain = 16 * 1024;

    private const long Block = 512;

    private const int TargetShift = 32;

    /// <summary>The bytes of a cache line.</summary>
    private const int Line = 64;

    /// <summary>The entry of a target and a source.</summary>
    public static ulong Entry(int target, int source) => ((ulong)(uint)target << TargetShift) | (uint)source;

    /// <summary>The row an entry goes to.</summary>
    public static int Target(ulong entry) => (int)(entry >> TargetShift);

    /// <summary>The row an entry comes from.</summary>
    public static long Source(ulong entry) => (uint)entry;

    /// <summary>Entries worth one thread.</summary>
    public static long EntryGrain(long width) => Math.Max(1, Grain / Math.Max(1, width));

    /// <summary>y[target] = the sum of x[source] over all entries of the target, or that added to it; other rows are left alone.</summary>
    public static void Run<T>(ReadOnlySpan<ulong> entries, ReadOnlySpan<T> x, int width, Span<T> y, bool add) where T : unmanaged
    {
        fixed (ulong* pe = entries)
        fixed (T* px = x, py = y)
        {
            var job = new Job<T> { Entries = pe, Count = entries.Length, X = px, Y = py, Width = width, Add = add };
            Workers.For(entries.Length, EntryGrain(width), &Job<T>.Run, &job);
        }
    }

    /// <summary>The first entry from <paramref name="from"/> on that begins a run: a run belongs to the part of the entries its first one lies in.</summary>
    public static long FirstRun(ulong* entries, long from, long to)
    {
        while (from > 0 && from < to && Target(entries[from]) == Target(entries[from - 1])) from++;
        return from;
    }

    /// <summary>The entry behind the run that begins at <paramref name="from"/>.</summary>
    public static long EndOfRun(ulong* entries, long from, long count)
    {
        var target = Target(entries[from]);
        var end = from + 1;
        while (end < count && Target(entries[end]) == target) end++;
        return end;
    }

    /// <summary>Fetches a row that is needed soon.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prefetch<T>(T* row, long width) where T : unmanaged
    {
        for (var d = 0L; d < width; d += Line / sizeof(T)) Lanes.Prefetch(row + d);
    }

    /// <summary>y = the sum of x[source] over some entries, or that added to it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Sum<T, S>(ulong* entries, long count, T* x, long width, T* y, bool add)
        where T : unmanaged
        where S : struct, ISimd<S, T>
    {
        SumBlock<T, S>(entries, Math.Min(Block, count), x, width, y, add);
        for (var i = Block; i < count; i += Block) SumBlock<T, S>(entries + i, Math.Min(Block, count - i), x, width, y, true);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SumBlock<T, S>(ulong* entries, long count, T* x, long width, T* y, bool add)
        where T : unmanaged
        where S : struct, ISimd<S, T>
    {
        var d = 0L;
        for (; d + (4 * S.Count) <= width; d += 4 * S.Count)
        {
            var from = x + (Source(entries[0]) * width) + d;
            S a = S.Load(from), b = S.Load(from + S.Count), c = S.Load(from + (2 * S.Count)), e = S.Load(from + (3 * S.Count));
            for (var i = 1L; i < count; i++)
            {
                from = x + (Source(entries[i]) * width) + d;
                a += S.Load(from);
                b += S.Load(from + S.Count);
                c += S.Load(from + (2 * S.Count));
                e += S.Load(from + (3 * S.Count));
            }

            var to = y + d;
            if (add)
            {
                a += S.Load(to);
                b += S.Load(to + S.Count);
                c += S.Load(to + (2 * S.Count));
                e += S.Load(to + (3 * S.Count));
            }

            a.Store(to);
            b.Store(to + S.Count);
            c.Store(to + (2 * S.Count));
            e.Store(to + (3 * S.Count));
        }

        for (; d < width; d += S.Count)
        {
            var lanes = Math.Min(S.Count, width - d);
            var sum = S.Load(x + (Source(entries[0]) * width) + d, lanes);
            for (var i = 1L; i < count; i++) sum += S.Load(x + (Source(entries[i]) * width) + d, lanes);
            if (add) sum += S.Load(y + d, lanes);
            sum.Store(y + d, lanes);
        }
    }

    private struct Job<T> where T : unmanaged
    {
        public ulong* Entries;
        public long Count;
        public T* X;
        public T* Y;
        public long Width;
        public bool Add;

        public static void Run(void* state, long from, long to)
        {
            ref var job = ref *(Job<T>*)state;
            from = FirstRun(job.Entries, from, to);
            if (Vector512.IsHardwareAccelerated) job.Runs<Simd512<T>>(from, to);
            else if (Vector256.IsHardwareAccelerated) job.Runs<Simd256<T>>(from, to);
            else job.Runs<Simd128<T>>(from, to);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Runs<S>(long from, long to) where S : struct, ISimd<S, T>
        {
            while (from < to)
            {
                var end = EndOfRun(Entries, from, Count);
                Sum<T, S>(Entries + from, end - from, X, Width, Y + (Target(Entries[from]) * Width), Add);
                from = end;
            }
        }
    }
}
