using System.Runtime.CompilerServices;

namespace DL.Core.Kernels;

/// <summary>Moves rows between sequences as they lie, [batch; time; width], and packed step after step without their padding.</summary>
internal static unsafe class RecurrentPacking
{
    private const long GrainBytes = 64 << 10;

    /// <summary>The rows that are no padding.</summary>
    public static void Pack<T>(in RecurrentFrame frame, T* sequence, int width, T* packed) where T : unmanaged =>
        Move(frame, sequence, width, packed, false);

    /// <summary>The rows back in their places, zeros in the padding.</summary>
    public static void Unpack<T>(in RecurrentFrame frame, T* packed, int width, T* sequence) where T : unmanaged
    {
        Move(frame, sequence, width, packed, true);
        ClearPadding(frame, 0, frame.Batch, sequence, width);
    }

    /// <summary>Zeros in the padding of some rows.</summary>
    public static void ClearPadding<T>(in RecurrentFrame frame, int from, int to, T* sequence, int width) where T : unmanaged
    {
        for (var row = from; row < to; row++)
        {
            long example = frame.Order[row], length = frame.Lengths[example];
            if (length < frame.Time)
                new Span<T>(sequence + (((example * frame.Time) + length) * width), checked((int)((frame.Time - length) * width))).Clear();
        }
    }

    private static void Move<T>(in RecurrentFrame frame, T* sequence, int width, T* packed, bool back) where T : unmanaged
    {
        var job = new Job<T> { Frame = frame, Sequence = sequence, Width = width, Packed = packed, Back = back };
        job.Frame.Hidden = width;
        Workers.For(frame.Steps, Math.Max(1, GrainBytes / Math.Max(1, (long)frame.Batch * width * sizeof(T))), &Job<T>.Run, &job);
    }

    private struct Job<T> where T : unmanaged
    {
        public RecurrentFrame Frame;
        public T* Sequence;
        public T* Packed;
        public int Width;
        public bool Back;

        public static void Run(void* state, long from, long to)
        {
            ref var job = ref *(Job<T>*)state;
            for (var step = (int)from; step < to; step++) job.Step(step);
        }

        private readonly void Step(int step)
        {
            var bytes = (uint)(Width * sizeof(T));
            var packed = Packed + ((long)Frame.Starts[step] * Width);
            for (int row = 0, rows = Frame.Active(step); row < rows; row++, packed += Width)
            {
                var place = Frame.Place(Sequence, row, step);
                if (Back) Unsafe.CopyBlockUnaligned(place, packed, bytes);
                else Unsafe.CopyBlockUnaligned(packed, place, bytes);
            }
        }
    }
}
