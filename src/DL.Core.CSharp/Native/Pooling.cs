using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DL.Core.Kernels;

/// <summary>The numbers of one channel block that a position covers: rows and columns that lie so many elements apart.</summary>
internal readonly record struct PoolWindow(int Rows, int Columns, long RowStep, long ColumnStep, double Share, bool Alone);

/// <summary>What a pooling makes of a window.</summary>
internal unsafe interface IPool<T> where T : unmanaged
{
    /// <summary>The output of a window whose first number is at x.</summary>
    S Forward<S>(T* x, in PoolWindow window, long lanes) where S : struct, ISimd<S, T>;

    /// <summary>Adds the gradient of a window, or writes it where no other window covers its numbers.</summary>
    void Backward<S>(T* x, in PoolWindow window, long lanes, S dy, T* dx) where S : struct, ISimd<S, T>;
}

/// <summary>The largest number; the first of several gets the gradient. NaN where there is one.</summary>
internal readonly unsafe struct MaxPool<T> : IPool<T> where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public S Forward<S>(T* x, in PoolWindow window, long lanes) where S : struct, ISimd<S, T>
    {
        var best = S.Load(x, lanes);
        for (var u = 0; u < window.Rows; u++)
            for (var v = 0; v < window.Columns; v++)
                best = S.Max(best, S.Load(x + (u * window.RowStep) + (v * window.ColumnStep), lanes));
        return best;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Backward<S>(T* x, in PoolWindow window, long lanes, S dy, T* dx) where S : struct, ISimd<S, T>
    {
        S best = S.Load(x, lanes), chosen = S.Create(0);
        var tap = 0;
        for (var u = 0; u < window.Rows; u++)
            for (var v = 0; v < window.Columns; v++, tap++)
            {
                var next = S.Load(x + (u * window.RowStep) + (v * window.ColumnStep), lanes);
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
                (window.Alone ? share : S.Load(at, lanes) + share).Store(at, lanes);
            }
    }
}

/// <summary>The sum times a share.</summary>
internal readonly unsafe struct MeanPool<T> : IPool<T> where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public S Forward<S>(T* x, in PoolWindow window, long lanes) where S : struct, ISimd<S, T>
    {
        S sum = default;
        for (var u = 0; u < window.Rows; u++)
            for (var v = 0; v < window.Columns; v++)
                sum += S.Load(x + (u * window.RowStep) + (v * window.ColumnStep), lanes);
        return sum * S.Create(window.Share);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Backward<S>(T* x, in PoolWindow window, long lanes, S dy, T* dx) where S : struct, ISimd<S, T>
    {
        var share = dy * S.Create(window.Share);
        for (var u = 0; u < window.Rows; u++)
            for (var v = 0; v < window.Columns; v++)
            {
                var at = dx + (u * window.RowStep) + (v * window.ColumnStep);
                (window.Alone ? share : S.Load(at, lanes) + share).Store(at, lanes);
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
            if (Vector512.IsHardwareAccelerated) Row<Simd512<T>>(image, row);
            else if (Vector256.IsHardwareAccelerated) Row<Simd256<T>>(image, row);
            else Row<Simd128<T>>(image, row);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Row<S>(long image, int row) where S : struct, ISimd<S, T>
        {
            var tall = Rows[row];
            var inputs = ((image * Height) + tall.First) * Width * Channels;
            var outputs = ((image * RowCount) + row) * ColumnCount * Channels;
            for (var column = 0; column < ColumnCount; column++)
            {
                var wide = Columns[column];
                var window = new PoolWindow(tall.Count, wide.Count, RowStep, ColumnStep, 1.0 / ((double)tall.Divisor * wide.Divisor), Alone);
                var at = inputs + ((long)wide.First * Channels);
                var to = outputs + ((long)column * Channels);
                for (var c = 0L; c < Channels; c += S.Count)
                {
                    var lanes = Math.Min(S.Count, Channels - c);
                    if (Dy == null) default(TPool).Forward<S>(X + at + c, window, lanes).Store(Result + to + c, lanes);
                    else default(TPool).Backward(X + at + c, window, lanes, S.Load(Dy + to + c, lanes), Result + at + c);
                }
            }
        }
    }
}
