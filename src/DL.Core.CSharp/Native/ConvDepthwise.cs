using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DL.Core.Kernels;

/// <summary>Convolutions of every channel by itself, with channels as lanes.</summary>
/// <remarks>Limited by loads: one of the image for every multiplication, and the way of images larger than the caches.</remarks>
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
        var rows = RowsAtOnce<T>(grid, channels);
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
                RowsAtOnce = RowsAtOnce<T>(taps.Grid, channels),
            };
            Workers.For(parts, 1, &Job<T>.RunGradient, &job);
        }

        for (var part = 0; part < parts; part++) ConvGradient.Add(dw, sums + (part * size), size);
    }

    private static long RowsAtOnce<T>(in ConvGrid grid, long channels) where T : unmanaged
    {
        var perRow = ((grid.StrideHeight * grid.ColumnsRead) + grid.Columns) * channels * sizeof(T);
        return Math.Clamp(BlockBytes / Math.Max(1, perRow), 1, grid.Rows);
    }

    /// <summary>Whether a vector is whole, as a type, so that a loop is compiled for it.</summary>
    private interface ILaneCount
    {
        static abstract bool Whole { get; }
    }

    private readonly struct Whole : ILaneCount
    {
        static bool ILaneCount.Whole => true;
    }

    private readonly struct Part : ILaneCount
    {
        static bool ILaneCount.Whole => false;
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
            var offsets = stackalloc long[2 * TapCount];
            Offsets(source.Pitch, offsets);
            var target = Y + (((image * Grid.OutHeight * Grid.OutWidth) + Grid.Pixel(first)) * Channels);
            for (var row = 0L; row < rows; row++)
            {
                var x = source.Origin + (row * Grid.StrideHeight * source.Pitch);
                var y = target + (row * Grid.StepRow * Grid.OutWidth * Channels);
                if (Vector512.IsHardwareAccelerated) Row<Simd512<T>>(x, offsets, y);
                else if (Vector256.IsHardwareAccelerated) Row<Simd256<T>>(x, offsets, y);
                else Row<Simd128<T>>(x, offsets, y);
            }
        }

        /// <summary>Where every tap reads, from the first number of a position, and after that where its weights lie.</summary>
        private readonly void Offsets(long pitch, long* offsets)
        {
            for (var t = 0; t < TapCount; t++)
            {
                offsets[t] = (Taps[t].Row * pitch) + ((long)Taps[t].Column * Channels);
                offsets[TapCount + t] = (long)Taps[t].Index * Channels;
            }
        }

        private readonly void Row<S>(T* x, long* offsets, T* y) where S : struct, ISimd<S, T>
        {
            var whole = Channels - (Channels % S.Count);
            if (whole > 0) Pixels<S, Whole>(x, Weight, offsets, 0, whole, S.Count, y);
            if (whole < Channels) Pixels<S, Part>(x, Weight, offsets, whole, Channels, Channels - whole, y);
        }

        // Six pixels at a time, so that a weight is read once for all of them and their sums hide each other's latency; all their channels
        // before the next pixels, for the lines of one channel fall on few sets of the cache.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Pixels<S, W>(T* x, T* w, long* offsets, long from, long to, long lanes, T* y)
            where S : struct, ISimd<S, T>
            where W : struct, ILaneCount
        {
            long step = (long)Grid.StrideWidth * Channels, apart = (long)Grid.StepColumn * Channels;
            long j = 0, columns = Grid.Columns;
            var taps = TapCount;
            for (; j + 6 <= columns; j += 6, x += 6 * step, y += 6 * apart)
                for (var c = from; c < to; c += S.Count)
                {
                    S s0 = default, s1 = default, s2 = default, s3 = default, s4 = default, s5 = default;
                    for (var t = 0; t < taps; t++)
                    {
                        var at = x + c + offsets[t];
                        var weight = Load<S, W>(w + c + offsets[taps + t], lanes);
                        s0 = S.Fma(Load<S, W>(at, lanes), weight, s0);
                        s1 = S.Fma(Load<S, W>(at + step, lanes), weight, s1);
                        s2 = S.Fma(Load<S, W>(at + (2 * step), lanes), weight, s2);
                        s3 = S.Fma(Load<S, W>(at + (3 * step), lanes), weight, s3);
                        s4 = S.Fma(Load<S, W>(at + (4 * step), lanes), weight, s4);
                        s5 = S.Fma(Load<S, W>(at + (5 * step), lanes), weight, s5);
                    }

                    var result = y + c;
                    Store<S, W>(s0, result, lanes);
                    Store<S, W>(s1, result + apart, lanes);
                    Store<S, W>(s2, result + (2 * apart), lanes);
                    Store<S, W>(s3, result + (3 * apart), lanes);
                    Store<S, W>(s4, result + (4 * apart), lanes);
                    Store<S, W>(s5, result + (5 * apart), lanes);
                }

            for (; j < columns; j++, x += step, y += apart)
                for (var c = from; c < to; c += S.Count)
                {
                    S sum = default;
                    for (var t = 0; t < taps; t++) sum = S.Fma(Load<S, W>(x + c + offsets[t], lanes), Load<S, W>(w + c + offsets[taps + t], lanes), sum);
                    Store<S, W>(sum, y + c, lanes);
                }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static S Load<S, W>(T* from, long lanes) where S : struct, ISimd<S, T> where W : struct, ILaneCount =>
            W.Whole ? S.Load(from) : S.Load(from, lanes);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Store<S, W>(S value, T* to, long lanes) where S : struct, ISimd<S, T> where W : struct, ILaneCount
        {
            if (W.Whole) value.Store(to);
            else value.Store(to, lanes);
        }

        private readonly void Image(long image, T* sums)
        {
            var offsets = stackalloc long[2 * TapCount];
            for (var first = 0L; first < Grid.Rows; first += RowsAtOnce)
            {
                var rows = Math.Min(RowsAtOnce, Grid.Rows - first);
                var source = Source(image, first, rows);
                Offsets(source.Pitch, offsets);
                var gradient = Y + (((image * Grid.Rows) + first) * Grid.Columns * Channels);
                for (var row = 0L; row < rows; row++)
                {
                    var x = source.Origin + (row * Grid.StrideHeight * source.Pitch);
                    var dy = gradient + (row * Grid.Columns * Channels);
                    if (Vector512.IsHardwareAccelerated) RowGradient<Simd512<T>>(x, offsets, dy, sums);
                    else if (Vector256.IsHardwareAccelerated) RowGradient<Simd256<T>>(x, offsets, dy, sums);
                    else RowGradient<Simd128<T>>(x, offsets, dy, sums);
                }
            }
        }

        private readonly void RowGradient<S>(T* x, long* offsets, T* dy, T* sums) where S : struct, ISimd<S, T>
        {
            var whole = Channels - (Channels % S.Count);
            if (whole > 0) Sums<S, Whole>(x, offsets, dy, 0, whole, S.Count, sums);
            if (whole < Channels) Sums<S, Part>(x, offsets, dy, whole, Channels, Channels - whole, sums);
        }

        // Eight pixels at a time, whose gradients stay in registers for all taps.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Sums<S, W>(T* x, long* offsets, T* dy, long from, long to, long lanes, T* sums)
            where S : struct, ISimd<S, T>
            where W : struct, ILaneCount
        {
            long step = (long)Grid.StrideWidth * Channels, apart = Channels;
            long j = 0, columns = Grid.Columns;
            var taps = TapCount;
            for (; j + 8 <= columns; j += 8, x += 8 * step, dy += 8 * apart)
                for (var c = from; c < to; c += S.Count)
                {
                    var g = dy + c;
                    S d0 = Load<S, W>(g, lanes), d1 = Load<S, W>(g + apart, lanes);
                    S d2 = Load<S, W>(g + (2 * apart), lanes), d3 = Load<S, W>(g + (3 * apart), lanes);
                    S d4 = Load<S, W>(g + (4 * apart), lanes), d5 = Load<S, W>(g + (5 * apart), lanes);
                    S d6 = Load<S, W>(g + (6 * apart), lanes), d7 = Load<S, W>(g + (7 * apart), lanes);
                    for (var t = 0; t < taps; t++)
                    {
                        T* at = x + c + offsets[t], sum = sums + c + offsets[taps + t];
                        var a = S.Fma(Load<S, W>(at, lanes), d0, Load<S, W>(sum, lanes));
                        var b = Load<S, W>(at + step, lanes) * d1;
                        a = S.Fma(Load<S, W>(at + (2 * step), lanes), d2, a);
                        b = S.Fma(Load<S, W>(at + (3 * step), lanes), d3, b);
                        a = S.Fma(Load<S, W>(at + (4 * step), lanes), d4, a);
                        b = S.Fma(Load<S, W>(at + (5 * step), lanes), d5, b);
                        a = S.Fma(Load<S, W>(at + (6 * step), lanes), d6, a);
                        b = S.Fma(Load<S, W>(at + (7 * step), lanes), d7, b);
                        Store<S, W>(a + b, sum, lanes);
                    }
                }

            for (; j < columns; j++, x += step, dy += apart)
                for (var c = from; c < to; c += S.Count)
                {
                    var d = Load<S, W>(dy + c, lanes);
                    for (var t = 0; t < taps; t++)
                    {
                        var sum = sums + c + offsets[taps + t];
                        Store<S, W>(S.Fma(Load<S, W>(x + c + offsets[t], lanes), d, Load<S, W>(sum, lanes)), sum, lanes);
                    }
                }
        }
    }
}
