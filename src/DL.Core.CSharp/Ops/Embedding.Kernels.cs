using System.Runtime.CompilerServices;
using DL.Core.Kernels;

namespace DL.Core.Ops;

public static unsafe partial class Embedding
{
    /// <summary>Elements under which a second thread costs more than it saves.</summary>
    private const long Grain = 16 * 1024;

    // Rows lie anywhere in a table larger than the caches: as many are on their way while one is copied.
    private const long Ahead = 4;

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

    private struct CopyJob<T> where T : unmanaged
    {
        public int* Ids;
        public int* Lengths;
        public long PerRun;
        public long PerStep;
        public T* Table;
        public T* Y;
        public long Width;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public static void Run(void* state, long from, long to)
        {
            ref var job = ref *(CopyJob<T>*)state;
            var bytes = job.Width * sizeof(T);
            for (var place = from; place < to; place++)
            {
                if (place + Ahead < to && !job.IsPadding(place + Ahead)) RowSums.Prefetch(job.Table + (job.Ids[place + Ahead] * job.Width), job.Width);
                var y = job.Y + (place * job.Width);
                if (job.IsPadding(place)) new Span<T>(y, (int)job.Width).Clear();
                else Buffer.MemoryCopy(job.Table + (job.Ids[place] * job.Width), y, bytes, bytes);
            }
        }

        private readonly bool IsPadding(long place) => Lengths is not null && place % PerRun >= Lengths[place / PerRun] * PerStep;
    }
}
