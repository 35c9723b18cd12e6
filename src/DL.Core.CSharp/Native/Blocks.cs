namespace DL.Core.Kernels;

/// <summary>Copies equally long runs between two regular places, as joining, cutting and padding do.</summary>
internal static unsafe class Blocks
{
    private const long Grain = 64 * 1024;

    /// <summary>to[r * toStride + i] = from[r * fromStride + i] for r below runs and i below length.</summary>
    public static void Copy<T>(ReadOnlySpan<T> from, long fromStride, Span<T> to, long toStride, long runs, long length) where T : unmanaged
    {
        if (length == 0) return;
        fixed (T* source = from, destination = to)
        {
            var job = new Job<T> { From = source, FromStride = fromStride, To = destination, ToStride = toStride, Length = length };
            Workers.For(runs, Math.Max(1, Grain / length), &Job<T>.Run, &job);
        }
    }

    private struct Job<T> where T : unmanaged
    {
        public T* From;
        public long FromStride;
        public T* To;
        public long ToStride;
        public long Length;

        public static void Run(void* state, long first, long end)
        {
            ref var job = ref *(Job<T>*)state;
            var bytes = job.Length * sizeof(T);
            for (var run = first; run < end; run++)
                Buffer.MemoryCopy(job.From + (run * job.FromStride), job.To + (run * job.ToStride), bytes, bytes);
        }
    }
}
