using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DL.Core.Kernels;

namespace DL.Core.Ops;

public static unsafe partial class Embedding
{
    /// <summary>Elements under which a second thread costs more than it saves.</summary>
    private const long Grain = 16 * 1024;

    /// <summary>Places added up before their sum goes to the row: a row met a million times loses no digits to its own size.</summary>
    private const long Block = 512;

    private static void Copy<T>(EmbeddingPlaces places, ReadOnlySpan<T> table, int width, Span<T> y) where T : unmanaged
    {
        fixed (T* from = table, to = y)
        fixed (int* ids = places.Ids, lengths = places.Lengths)
        {
            var job = new CopyJob<T>
            {
                Ids = ids,
                Lengths = lengths,
                PerRun = places.PerRun,
                PerStep = places.PerStep,
                Table = from,
                Y = to,
                Width = width,
            };
            Workers.For(places.Ids.Length, Math.Max(1, Grain / Math.Max(1, width)), &CopyJob<T>.Run, &job);
        }
    }

    private static void AddRows<T>(EmbeddingOrder order, ReadOnlySpan<T> dy, int width, Span<T> dweight)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        fixed (T* from = dy, to = dweight)
        {
            var job = new AddJob<T> { Entries = order.Entries, Count = order.Count, Dy = from, Dweight = to, Width = width };
            Workers.For(order.Count, Math.Max(1, Grain / Math.Max(1, width)), &AddJob<T>.Run, &job);
        }
    }

    private struct CopyJob<T> where T : unmanaged
    {
        public int* Ids;
        public int* Lengths;
        public long PerRun;
        public long PerStep;
        public T* Table;
        public T* Y;
        public long Width;

        public static void Run(void* state, long from, long to)
        {
            ref var job = ref *(CopyJob<T>*)state;
            var bytes = job.Width * sizeof(T);
            for (var place = from; place < to; place++)
            {
                var y = job.Y + (place * job.Width);
                if (job.IsPadding(place)) new Span<T>(y, (int)job.Width).Clear();
                else Buffer.MemoryCopy(job.Table + (job.Ids[place] * job.Width), y, bytes, bytes);
            }
        }

        private readonly bool IsPadding(long place) => Lengths is not null && place % PerRun >= Lengths[place / PerRun] * PerStep;
    }

    private struct AddJob<T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public ulong* Entries;
        public long Count;
        public T* Dy;
        public T* Dweight;
        public long Width;

        public static void Run(void* state, long from, long to)
        {
            ref var job = ref *(AddJob<T>*)state;
            // A row belongs to the part that its first place lies in.
            while (from > 0 && from < to && job.SameRow(from - 1, from)) from++;
            if (Vector512.IsHardwareAccelerated) job.Rows<Simd512<T>>(from, to);
            else if (Vector256.IsHardwareAccelerated) job.Rows<Simd256<T>>(from, to);
            else job.Rows<Simd128<T>>(from, to);
        }

        private readonly bool SameRow(long a, long b) => EmbeddingOrder.Row(Entries[a]) == EmbeddingOrder.Row(Entries[b]);

        private readonly void Rows<S>(long from, long to) where S : struct, ISimd<S, T>
        {
            while (from < to)
            {
                var row = Dweight + (EmbeddingOrder.Row(Entries[from]) * Width);
                var end = from + 1;
                while (end < Count && SameRow(from, end)) end++;
                for (; from < end; from += Block) AddBlock<S>(Entries + from, Math.Min(Block, end - from), row);
                from = end;
            }
        }

        /// <summary>row += the sum of the gradients at some places.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void AddBlock<S>(ulong* entries, long places, T* row) where S : struct, ISimd<S, T>
        {
            var d = 0L;
            for (; d + (4 * S.Count) <= Width; d += 4 * S.Count)
            {
                S a = default, b = default, c = default, e = default;
                for (var i = 0L; i < places; i++)
                {
                    var dy = Dy + (EmbeddingOrder.Place(entries[i]) * Width) + d;
                    a += S.Load(dy);
                    b += S.Load(dy + S.Count);
                    c += S.Load(dy + (2 * S.Count));
                    e += S.Load(dy + (3 * S.Count));
                }

                (S.Load(row + d) + a).Store(row + d);
                (S.Load(row + d + S.Count) + b).Store(row + d + S.Count);
                (S.Load(row + d + (2 * S.Count)) + c).Store(row + d + (2 * S.Count));
                (S.Load(row + d + (3 * S.Count)) + e).Store(row + d + (3 * S.Count));
            }

            for (; d < Width; d += S.Count)
            {
                var lanes = Math.Min(S.Count, Width - d);
                S sum = default;
                for (var i = 0L; i < places; i++) sum += S.Load(Dy + (EmbeddingOrder.Place(entries[i]) * Width) + d, lanes);
                (S.Load(row + d, lanes) + sum).Store(row + d, lanes);
            }
        }
    }
}
