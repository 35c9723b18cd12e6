using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DL.Core.Kernels;

/// <summary>Convolutions of every channel by itself, with channels as lanes.</summary>
/// <remarks>Limited by loads: one of the image for every multiplication.</remarks>
internal static unsafe class ConvDepthwise
{
    private const long BlockBytes = 1 << 18;
    private const int MostGroups = 16;

    /// <summary>y = sum over taps of x w for channels side by side; outputs at the grid's places are overwritten.</summary>
    public static void Run<T>(ConvTaps taps, T* x, T* weight, int channels, int images, T* y)
        where T : unmanaged
    {
        var grid = taps.Grid;
        if (images == 0 || grid.Rows == 0 || grid.Columns == 0) return;
        var perRow = (grid.StrideHeight * grid.ColumnsRead * channels) + ((long)grid.Columns * channels);
        var rows = Math.Clamp(BlockBytes / (perRow * sizeof(T)), 1, grid.Rows);
        fixed (ConvTap* ptaps = taps.Taps)
        {
            var job = new Job<T>
            {
                Grid = grid,
                Taps = ptaps,
                TapCount = taps.Taps.Length,
                Channels = channels,
                X = x,
                Weight = weight,
                Y = y,
                RowsAtOnce = rows,
                Blocks = (grid.Rows + rows - 1) / rows,
            };
            Workers.For(images * job.Blocks, 1, &Job<T>.Run, &job);
        }
    }

    /// <summary>dw [taps; channels], overwritten, = sum over images and positions of x dy.</summary>
    public static void Gradient<T>(ConvTaps taps, T* x, T* dy, int channels, int images, T* dw)
        where T : unmanaged
    {
        var size = (long)taps.Taps.Length * channels;
        var parts = Math.Min(images, MostGroups);
        new Span<T>(dw, (int)size).Clear();
        if (images == 0) return;
        var sums = (T*)Scratch.Right(parts * size * sizeof(T));
        fixed (ConvTap* ptaps = taps.Taps)
        {
            var job = new Job<T>
            {
                Grid = taps.Grid,
                Taps = ptaps,
                TapCount = taps.Taps.Length,
                Channels = channels,
                X = x,
                Weight = sums,
                Y = dy,
                Images = images,
                Parts = parts,
            };
            Workers.For(parts, 1, &Job<T>.RunGradient, &job);
        }

        for (var part = 0; part < parts; part++) ConvGradient.Add(dw, sums + (part * size), size);
    }

    private struct Job<T>
        where T : unmanaged
    {
        public ConvGrid Grid;
        public ConvTap* Taps;
        public int TapCount, Channels, Images, Parts;
        public T* X, Weight, Y;
        public long RowsAtOnce, Blocks;

        public static void Run(void* state, long from, long to)
        {
            ref var job = ref *(Job<T>*)state;
            for (var part = from; part < to; part++)
            {
                var first = part % job.Blocks * job.RowsAtOnce;
                job.Block(part / job.Blocks, first, Math.Min(job.RowsAtOnce, job.Grid.Rows - first));
            }
        }

        public static void RunGradient(void* state, long from, long to)
        {
            ref var job = ref *(Job<T>*)state;
            for (var part = from; part < to; part++)
            {
                var sums = job.Weight + (part * job.TapCount * job.Channels);
                new Span<T>(sums, job.TapCount * job.Channels).Clear();
                for (var image = job.Images * part / job.Parts; image < job.Images * (part + 1) / job.Parts; image++) job.Image(image, sums);
            }
        }

        private readonly ConvImage<T> Source(long image, long first, long rows) => ConvImage<T>.Of(
            Grid, X + (image * Grid.Height * Grid.Width * Channels), Channels, first, rows,
            (T*)Scratch.Left(ConvImage<T>.Room(Grid, rows, Channels) * sizeof(T)));

        private readonly void Block(long image, long first, long rows)
        {
            var source = Source(image, first, rows);
            var target = Y + (((image * Grid.OutHeight * Grid.OutWidth) + Grid.Pixel(first)) * Channels);
            for (var row = 0L; row < rows; row++)
            {
                var x = source.Origin + (row * Grid.StrideHeight * source.Pitch);
                var y = target + (row * Grid.StepRow * Grid.OutWidth * Channels);
                if (Vector512.IsHardwareAccelerated) Row<Simd512<T>>(x, source.Pitch, y);
                else if (Vector256.IsHardwareAccelerated) Row<Simd256<T>>(x, source.Pitch, y);
                else Row<Simd128<T>>(x, source.Pitch, y);
            }
        }

        private readonly void Row<S>(T* x, long pitch, T* y) where S : struct, ISimd<S, T>
        {
            for (var c = 0L; c < Channels; c += S.Count)
            {
                var lanes = Math.Min(S.Count, Channels - c);
                var j = 0L;
                for (; j + 4 <= Grid.Columns; j += 4) Four<S>(x + c, pitch, j, Weight + c, lanes, y + c);
                for (; j < Grid.Columns; j++) One<S>(x + c, pitch, j, Weight + c, lanes, y + c);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Four<S>(T* x, long pitch, long column, T* w, long lanes, T* y) where S : struct, ISimd<S, T>
        {
            long step = (long)Grid.StrideWidth * Channels, apart = (long)Grid.StepColumn * Channels;
            S a = default, b = default, c = default, d = default;
            x += column * step;
            y += column * apart;
            for (var t = 0; t < TapCount; t++)
            {
                var at = x + (Taps[t].Row * pitch) + ((long)Taps[t].Column * Channels);
                var weight = S.Load(w + ((long)Taps[t].Index * Channels), lanes);
                a = S.Fma(S.Load(at, lanes), weight, a);
                b = S.Fma(S.Load(at + step, lanes), weight, b);
                c = S.Fma(S.Load(at + (2 * step), lanes), weight, c);
                d = S.Fma(S.Load(at + (3 * step), lanes), weight, d);
            }

            a.Store(y, lanes);
            b.Store(y + apart, lanes);
            c.Store(y + (2 * apart), lanes);
            d.Store(y + (3 * apart), lanes);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void One<S>(T* x, long pitch, long column, T* w, long lanes, T* y) where S : struct, ISimd<S, T>
        {
            S sum = default;
            x += column * Grid.StrideWidth * Channels;
            for (var t = 0; t < TapCount; t++)
                sum = S.Fma(
                    S.Load(x + (Taps[t].Row * pitch) + ((long)Taps[t].Column * Channels), lanes), S.Load(w + ((long)Taps[t].Index * Channels), lanes), sum);
            sum.Store(y + (column * Grid.StepColumn * Channels), lanes);
        }

        private readonly void Image(long image, T* sums)
        {
            var source = Source(image, 0, Grid.Rows);
            var gradient = Y + (image * Grid.Rows * Grid.Columns * Channels);
            for (var row = 0L; row < Grid.Rows; row++)
            {
                var x = source.Origin + (row * Grid.StrideHeight * source.Pitch);
                var dy = gradient + (row * Grid.Columns * Channels);
                if (Vector512.IsHardwareAccelerated) RowGradient<Simd512<T>>(x, source.Pitch, dy, sums);
                else if (Vector256.IsHardwareAccelerated) RowGradient<Simd256<T>>(x, source.Pitch, dy, sums);
                else RowGradient<Simd128<T>>(x, source.Pitch, dy, sums);
            }
        }

        private readonly void RowGradient<S>(T* x, long pitch, T* dy, T* sums) where S : struct, ISimd<S, T>
        {
            for (var c = 0L; c < Channels; c += S.Count)
            {
                var lanes = Math.Min(S.Count, Channels - c);
                for (var t = 0; t < TapCount; t++)
                {
                    var at = x + c + (Taps[t].Row * pitch) + ((long)Taps[t].Column * Channels);
                    Tap<S>(at, dy + c, lanes, sums + c + ((long)Taps[t].Index * Channels));
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Tap<S>(T* x, T* dy, long lanes, T* sum) where S : struct, ISimd<S, T>
        {
            var step = (long)Grid.StrideWidth * Channels;
            S a = default, b = default;
            var j = 0L;
            for (; j + 2 <= Grid.Columns; j += 2, x += 2 * step, dy += 2 * Channels)
            {
                a = S.Fma(S.Load(x, lanes), S.Load(dy, lanes), a);
                b = S.Fma(S.Load(x + step, lanes), S.Load(dy + Channels, lanes), b);
            }

            if (j < Grid.Columns) a = S.Fma(S.Load(x, lanes), S.Load(dy, lanes), a);
            (S.Load(sum, lanes) + (a + b)).Store(sum, lanes);
        }
    }
}
