using System.Runtime.CompilerServices;
using DL.Core.Ops;

namespace DL.Core.Kernels;

/// <summary>Convolutions of every channel by itself, with channels as lanes.</summary>
/// <remarks>Images are read where they lie. Positions whose taps all lie between the first and the last column go six at a time; those at the edges go one by
/// one through the taps that meet the image. An output is one sum in the order of the taps, whichever way its position goes.</remarks>
internal static unsafe partial class ConvDepthwise
{
    // Multiplications under which a second thread costs more than it saves, and what is worth a partial sum of its own.
    private const long Grain = 1 << 16;
    private const int Together = 6;
    private const int MostParts = 16;

    // What a band of rows may take of the second-level cache, and a run of channels of a pixel for some twenty pixels of a window to stay in the first.
    private const long BandBytes = 1 << 19;
    private const long RunBytes = 1 << 10;

    /// <summary>y = act(sum over taps of x w + bias) for channels side by side; outputs at the grid's places are overwritten.</summary>
    /// <remarks>An empty bias adds nothing. Only a dense grid takes a bias or an activation.</remarks>
    public static void Run<T>(ConvTaps taps, T* x, T* weight, ReadOnlySpan<T> bias, Activation activation, int channels, int images, T* y)
        where T : unmanaged
    {
        fixed (T* pbias = bias)
        fixed (ConvTap* ptaps = taps.Taps)
        {
            var job = new Job<T>(taps, ptaps, channels) { X = x, Weight = weight, Y = y, Bias = pbias, Activation = activation };
            var grain = Grain / Math.Max(1, job.RowWork);
            Workers.For(images * (long)taps.Grid.Rows, Math.Max(1, grain), &Job<T>.Run, &job);
        }
    }

    /// <summary>dw [taps; channels], overwritten, = sum over images and positions of x dy.</summary>
    public static void Gradient<T>(ConvTaps taps, T* x, T* dy, int channels, int images, T* dw)
        where T : unmanaged
    {
        var size = (long)taps.Taps.Length * channels;
        var rows = images * (long)taps.Grid.Rows;
        new Span<T>(dw, (int)size).Clear();
        fixed (ConvTap* ptaps = taps.Taps)
        {
            var job = new Job<T>(taps, ptaps, channels) { X = x, Y = dy, Rows = rows };
            var parts = Math.Min(rows, Math.Clamp(rows * job.RowWork / Grain, 1, MostParts));
            if (parts == 0) return;
            job.Parts = parts;
            job.Weight = (T*)Scratch.Right(parts * size * sizeof(T));
            Workers.For(parts, 1, &Job<T>.RunGradient, &job);
            for (var part = 0L; part < parts; part++) ConvGradient.Add(dw, job.Weight + (part * size), size);
        }
    }

    // The rows of a column lie apart, where the machine does not foresee them.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void PrefetchSix<T>(T* first, long step) where T : unmanaged
    {
        Lanes.Prefetch(first);
        Lanes.Prefetch(first + step);
        Lanes.Prefetch(first + (2 * step));
        Lanes.Prefetch(first + (3 * step));
        Lanes.Prefetch(first + (4 * step));
        Lanes.Prefetch(first + (5 * step));
    }

    /// <summary>Taps of a position that lie in the image: where each reads, from the first number of the position, and where its weights lie.</summary>
    private struct Met
    {
        public long* Reads, Weights;
        public int Count;
    }

    /// <summary>Positions side by side that meet the same taps.</summary>
    private struct Tile<T>
        where T : unmanaged
    {
        /// <summary>The image and the outputs or their gradients at the first position.</summary>
        public T* X, Y;

        /// <summary>[taps; channels], read for outputs and added to for gradients.</summary>
        public T* Weight;

        public Met Taps;

        /// <summary>Whether all positions see taps in threes that read neighbouring pixels, so that a position shares two of them with the next.</summary>
        public bool Threes;

        public long Channels, Rows, Columns;

        /// <summary>Numbers of X and of Y from a position to the next of its row and of its column.</summary>
        public long StepColumn, StepRow, ApartColumn, ApartRow;

        /// <summary>Numbers of X from a position to what the last tap of the position below it reads: what the next row is the first to need.</summary>
        public long NextX;
    }
}
