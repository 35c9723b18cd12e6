using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DL.Core.Kernels;

/// <summary>The numbers of one channel block that a position covers: rows and columns that lie so many elements apart.</summary>
internal readonly record struct PoolWindow(int Rows, int Columns, long RowStep, long ColumnStep, double Share, bool Alone);

/// <summary>What a pooling makes of a window.</summary>
internal unsafe interface IPool<T> where T : unmanaged
{
    /// <summary>The output of a window whose first number is at x.</summary>
    S Forward<S, L>(T* x, in PoolWindow window, long lanes) where S : struct, ISimd<S, T> where L : struct, ILaneCount;

    /// <summary>Adds the gradient of a window, or writes it where no other window covers its numbers.</summary>
    void Backward<S, L>(T* x, in PoolWindow window, long lanes, S dy, T* dx) where S : struct, ISimd<S, T> where L : struct, ILaneCount;
}

/// <summary>The largest number; the first of several gets the gradient. NaN where there is one.</summary>
internal readonly unsafe struct MaxPool<T> : IPool<T> where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public S Forward<S, L>(T* x, in PoolWindow window, long lanes) where S : struct, ISimd<S, T> where L : struct, ILaneCount
    {
        var best = Lanes.Load<T, S, L>(x, lanes);
        if (window.Rows == 2 && window.Columns == 2)
        {
            var below = x + window.RowStep;
            best = S.Max(best, Lanes.Load<T, S, L>(x + window.ColumnStep, lanes));
            best = S.Max(best, Lanes.Load<T, S, L>(below, lanes));
            return S.Max(best, Lanes.Load<T, S, L>(below + window.ColumnStep, lanes));
        }

        for (var u = 0; u < window.Rows; u++)
            for (var v = 0; v < window.Columns; v++)
                best = S.Max(best, Lanes.Load<T, S, L>(x + (u * window.RowStep) + (v * window.ColumnStep), lanes));
        return best;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Backward<S, L>(T* x, in PoolWindow window, long lanes, S dy, T* dx) where S : struct, ISimd<S, T> where L : struct, ILaneCount
    {
        S best = Lanes.Load<T, S, L>(x, lanes), chosen = S.Create(0);
        var tap = 0;
        for (var u = 0; u < window.Rows; u++)
            for (var v = 0; v < window.Columns; v++, tap++)
            {
                var next = Lanes.Load<T, S, L>(x + (u * window.RowStep) + (v * window.ColumnStep), lanes);
                var higher = S.Greater(next, best);
                best = S.Select(higher, next, best);
                chosen = S.Select(higher, S.Create(tap), chosen);
            }

        tap = 0;
        for (var u = 0; u < window.Rows; u++)
            for (var v = 0; v < window.Columns; v++, tap++)
            {
                var at = dx + (u * window.RowStep) + (v * window.ColumnStep);
                var share = S.Less(S.Abs(chosen - S.Create(tap)), S.Create(0.5)) & dy;
                Lanes.Store<T, S, L>(window.Alone ? share : Lanes.Load<T, S, L>(at, lanes) + share, at, lanes);
            }
    }
}

/// <summary>The sum times a share.</summary>
internal readonly unsafe struct MeanPool<T> : IPool<T> where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public S Forward<S, L>(T* x, in PoolWindow window, long lanes) where S : struct, ISimd<S, T> where L : struct, ILaneCount
    {
        if (window.Rows == 2 && window.Columns == 2)
        {
            var below = x + window.RowStep;
            var upper = Lanes.Load<T, S, L>(x, lanes) + Lanes.Load<T, S, L>(x + window.ColumnStep, lanes);
            return (upper + Lanes.Load<T, S, L>(below, lanes) + Lanes.Load<T, S, L>(below + window.ColumnStep, lanes)) * S.Create(window.Share);
        }

        S sum = default;
        for (var u = 0; u < window.Rows; u++)
            for (var v = 0; v < window.Columns; v++)
                sum += Lanes.Load<T, S, L>(x + (u * window.RowStep) + (v * window.ColumnStep), lanes);
        return sum * S.Create(window.Share);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Backward<S, L>(T* x, in PoolWindow window, long lanes, S dy, T* dx) where S : struct, ISimd<S, T> where L : struct, ILaneCount
    {
        var share = dy * S.Create(window.Share);
        for (var u = 0; u < window.Rows; u++)
            for (var v = 0; v < window.Columns; v++)
            {
                var at = dx + (u * window.RowStep) + (v * window.ColumnStep);
                Lanes.Store<T, S, L>(window.Alone ? share : Lanes.Load<T, S, L>(at, lanes) + share, at, lanes);
            }
    }
}

/// <summary>Poolings over images, with channels as lanes. Limited by the way to memory.</summary>
internal static unsafe class Pooling
{
    /// <summary>y [images; rows; columns; channels] from x [images; height; width; channels].</summary>
    public static void Forward<T, TPool>(PoolAxis rows, PoolAxis columns, T* x, int images, int height, int width, int channels, T* y)
        where T : unmanaged
        where TPool : unmanaged, IPool<T> => Run<T, TPool>(rows, columns, x, null, images, height, width, channels, y);

    /// <summary>dx, overwritten, from dy and x.</summary>
    public static void Backward<T, TPool>(PoolAxis rows, PoolAxis columns, T* dy, T* x, int images, int height, int width, int channels, T* dx)
        where T : unmanaged
        where TPool : unmanaged, IPool<T> => Run<T, TPool>(rows, columns, x, dy, images, height, width, channels, dx);

    private static void Run<T, TPool>(PoolAxis rows, PoolAxis columns, T* x, T* dy, int images, int height, int width, int channels, T* result)
        where T : unmanaged
        where TPool : unmanaged, IPool<T>
    {
        fixed (PoolSpan* prows = rows.Spans, pcolumns = columns.Spans)
        {
            var job = new Job<T, TPool>
            {
                Rows = prows,
                Columns = pcolumns,
                RowCount = rows.Spans.Length,
                ColumnCount = columns.Spans.Length,
                Height = height,
                Width = width,
                Channels = channels,
                RowStep = (long)rows.Step * width * channels,
                ColumnStep = (long)columns.Step * channels,
                Alone = rows.Tiles(height) && columns.Tiles(width),
                X = x,
                Dy = dy,
                Result = result,
            };
            if (dy == null) Workers.For((long)images * job.RowCount, 1 + (4096 / Math.Max(1, width * channels)), &Job<T, TPool>.Forward, &job);
            else Workers.For(images, 1, &Job<T, TPool>.Backward, &job);
        }
    }

    private struct Job<T, TPool>
        where T : unmanaged
        where TPool : unmanaged, IPool<T>
    {
        public PoolSpan* Rows, Columns;
        public int RowCount, ColumnCount, Height, Width, Channels;
        public long RowStep, ColumnStep;
        public bool Alone;
        public T* X, Dy, Result;

        public static void Forward(void* state, long from, long to)
        {
            ref var job = ref *(Job<T, TPool>*)state;
            for (var row = from; row < to; row++) job.Row(row / job.RowCount, (int)(row % job.RowCount));
        }

        public static void Backward(void* state, long from, long to)
        {
            ref var job = ref *(Job<T, TPool>*)state;
            for (var image = from; image < to; image++)
            {
                var size = (long)job.Height * job.Width * job.Channels;
                if (!job.Alone) System.Runtime.InteropServices.NativeMemory.Clear(job.Result + (image * size), (nuint)(size * sizeof(T)));
                for (var row = 0; row < job.RowCount; row++) job.Row(image, row);
            }
        }

        private readonly void Row(long image, int row)
        {
            // Few channels leave lanes of a wide vector idle, and its ends in other cache lines.
            if (Vector512.IsHardwareAccelerated && Channels > Vector256<T>.Count) Row<Simd512<T>>(image, row);
            else if (Vector256.IsHardwareAccelerated && Channels > Vector128<T>.Count) Row<Simd256<T>>(image, row);
            else Row<Simd128<T>>(image, row);
        }

        private readonly void Row<S>(long image, int row) where S : struct, ISimd<S, T>
        {
            var whole = Channels < S.Count ? Spilling(S.Count) : 0;
            if (whole > 0) Stretch<S, AllLanes>(image, row, 0, whole);
            if (whole < ColumnCount) Stretch<S, FirstLanes>(image, row, whole, ColumnCount);
        }

        // Pixels of less than a vector, in order: what a whole vector writes behind its pixel, the next pixels of the row write after it.
        private readonly int Spilling(int lanes)
        {
            if (Dy != null && !Alone) return 0;
            var column = ColumnCount;
            while (column > 0 && !Spills(column - 1, Columns[column - 1], lanes)) column--;
            return column;
        }

        private readonly bool Spills(int column, PoolSpan wide, int lanes) =>
            ((ColumnCount - column) * (long)Channels) >= lanes
            && ((Width - wide.First) * (long)Channels) - ((wide.Count - 1) * ColumnStep) >= lanes;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Stretch<S, L>(long image, int row, int from, int to) where S : struct, ISimd<S, T> where L : struct, ILaneCount
        {
            var tall = Rows[row];
            var inputs = ((image * Height) + tall.First) * Width * Channels;
            var outputs = ((image * RowCount) + row) * ColumnCount * Channels;
            var window = default(PoolWindow);
            var divisor = 0L;
            for (var column = from; column < to; column++)
            {
                var wide = Columns[column];
                // Most windows are of one size, and to make one, with its division, takes as long as the sums of a small one.
                if (wide.Count != window.Columns || (long)tall.Divisor * wide.Divisor != divisor)
                {
                    divisor = (long)tall.Divisor * wide.Divisor;
                    window = new(tall.Count, wide.Count, RowStep, ColumnStep, 1.0 / divisor, Alone);
                }

                long at = inputs + ((long)wide.First * Channels), place = outputs + ((long)column * Channels), left = Channels;
                for (; left >= S.Count; left -= S.Count, at += S.Count, place += S.Count) Position<S, AllLanes>(window, at, place, S.Count);
                if (left > 0) Position<S, L>(window, at, place, left);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private readonly void Position<S, L>(in PoolWindow window, long at, long to, long lanes) where S : struct, ISimd<S, T> where L : struct, ILaneCount
        {
            if (Dy == null) Lanes.Store<T, S, L>(default(TPool).Forward<S, L>(X + at, window, lanes), Result + to, lanes);
            else default(TPool).Backward<S, L>(X + at, window, lanes, Lanes.Load<T, S, L>(Dy + to, lanes), Result + at);
        }
    }
}
