using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DL.Core.Ops;

namespace DL.Core.Kernels;

/// <summary>Convolution as a matrix product whose left factor is the image where it lies: a row of a window is one run of neighbouring numbers.</summary>
/// <remarks>Every output is one chain of sums over taps and channels in the order of the passes, whatever block it falls into, so the bits do not depend on
/// the number of threads. Limited by the micro-kernel (the rate of a packed product), and for small images by rows that fill no tile.</remarks>
internal static unsafe class ConvDirect
{
    // A block's rows of the image and of the output stay together in the second-level cache.
    private const long BlockBytes = 1 << 20;

    private const int Half = 4;

    // Fewer packed numbers are not worth another thread.
    private const long PackGrain = 1 << 15;

    /// <summary>y [images; OutHeight; OutWidth; outputs] from x [images; Height; Width; inputs]; with dense outputs bias and activation are applied too.</summary>
    public static void Run<T>(
        ConvTaps taps, T* x, in ConvWeights<T> weights, ReadOnlySpan<T> bias, Activation activation, int images, T* y, in PackedPlace place = default)
        where T : unmanaged
    {
        if (Vector512.IsHardwareAccelerated) Run<Gemm512<T>, T>(taps, x, weights, bias, activation, images, y, place);
        else Run<Gemm256<T>, T>(taps, x, weights, bias, activation, images, y, place);
    }

    private static void Run<V, T>(
        ConvTaps taps, T* x, in ConvWeights<T> weights, ReadOnlySpan<T> bias, Activation activation, int images, T* y, in PackedPlace place)
        where V : struct, IGemmVector<V, T>
        where T : unmanaged
    {
        var grid = taps.Grid;
        if (images == 0 || grid.Rows == 0 || grid.Columns == 0) return;
        var channels = weights.Groups * weights.Summed;
        var passes = ConvPasses.Of(taps.Taps, channels, weights.Summed);
        var rows = RowsAtOnce<T>(grid, channels, weights.Groups * weights.Made, images);
        var packed = place.Open(weights.Groups * weights.GroupRoom<V>(taps.Taps.Length) * sizeof(T));
        fixed (T* pbias = bias)
        fixed (ConvPass* ppasses = passes)
        fixed (ConvTap* ptaps = taps.Taps)
        {
            var job = new Job<V, T>
            {
                Grid = grid,
                Passes = ppasses,
                PassCount = passes.Length,
                Taps = ptaps,
                TapCount = taps.Taps.Length,
                Weights = weights,
                Packed = (T*)packed.Start,
                X = x,
                Y = y,
                Bias = pbias,
                BiasLength = bias.Length,
                Activation = activation,
                RowsAtOnce = rows,
                Blocks = (grid.Rows + rows - 1) / rows,
            };
            var strip = Math.Max(1L, (long)taps.Taps.Length * weights.Summed * 2 * V.Count);
            if (!packed.Filled) Workers.For(weights.Groups * weights.Strips<V>(), Math.Max(1, PackGrain / strip), &Job<V, T>.Pack, &job);
            packed.Close();
            Workers.For(images * job.Blocks, 1, &Job<V, T>.Run, &job);
            GC.KeepAlive(packed.Kept);
        }
    }

    private static long RowsAtOnce<T>(in ConvGrid grid, long channels, long outputs, long images)
        where T : unmanaged
    {
        var perRow = ((grid.StrideHeight * grid.ColumnsRead * channels) + (grid.Columns * outputs)) * sizeof(T);
        var rows = Math.Clamp(BlockBytes / Math.Max(1, perRow), 1, grid.Rows);
        var threads = Workers.Parallelism;
        return images % threads == 0 ? rows : Math.Min(rows, Math.Max(1, grid.Rows / (2 * threads)));
    }

    private struct Job<V, T>
        where V : struct, IGemmVector<V, T>
        where T : unmanaged
    {
        public ConvGrid Grid;
        public ConvPass* Passes;
        public ConvTap* Taps;
        public int PassCount, TapCount, BiasLength;
        public ConvWeights<T> Weights;
        public T* Packed, X, Y, Bias;
        public Activation Activation;
        public long RowsAtOnce, Blocks;

        public static void Pack(void* state, long from, long to)
        {
            ref var job = ref *(Job<V, T>*)state;
            job.Weights.Pack<V>(new(job.Taps, job.TapCount), new(job.Passes, job.PassCount), from, to, job.Packed);
        }

        public static void Run(void* state, long from, long to)
        {
            ref var job = ref *(Job<V, T>*)state;
            for (var part = from; part < to; part++)
            {
                var first = part % job.Blocks * job.RowsAtOnce;
                job.Block(part / job.Blocks, first, Math.Min(job.RowsAtOnce, job.Grid.Rows - first));
            }
        }

        private readonly void Block(long image, long first, long rows)
        {
            long channels = Weights.Groups * Weights.Summed, outputs = Weights.Groups * Weights.Made;
            var copy = (T*)Scratch.Left(ConvImage<T>.Room(Grid, rows, channels) * sizeof(T));
            var source = ConvImage<T>.Of(Grid, X + (image * Grid.Height * Grid.Width * channels), channels, first, rows, copy);
            var target = Y + (((image * Grid.OutHeight * Grid.OutWidth) + Grid.Pixel(first)) * outputs);
            for (var group = 0; group < Weights.Groups; group++)
                for (var pass = 0; pass < PassCount; pass++)
                    Pass(source, Passes[pass], pass > 0, group, rows, target + (group * Weights.Made));
            if (Grid.Dense)
                BiasActivation.Forward(
                    new Span<T>(target, (int)(rows * Grid.Columns * outputs)), new ReadOnlySpan<T>(Bias, BiasLength), Activation,
                    (int)(rows * Grid.Columns), (int)outputs);
        }

        private readonly void Pass(ConvImage<T> source, in ConvPass pass, bool add, int group, long rows, T* target)
        {
            long width = 2 * V.Count, strips = Weights.Strips<V>(), outputs = Weights.Groups * Weights.Made;
            Unsafe.SkipInit(out Tile<T> tile);
            tile.K = pass.Steps;
            tile.Runs = pass.Runs;
            tile.ARow = (nint)(Grid.StrideWidth * Weights.Groups * Weights.Summed);
            tile.AStep = 1;
            tile.ANext = V.TileRows * tile.ARow;
            tile.AJump = (nint)((pass.RowJump * source.Pitch) + pass.ColumnJump - pass.Steps);
            tile.BStep = (nint)width;
            tile.CRow = (nint)(Grid.StepColumn * outputs);
            tile.Add = add;
            tile.Packed = null;
            var start = source.Origin + (pass.Row * source.Pitch) + pass.Offset + (group * Weights.Summed);
            var packed = Packed + (group * Weights.GroupRoom<V>(TapCount)) + (pass.First * strips * width);
            for (var strip = 0L; strip < strips; strip++)
            {
                var lanes = (nint)Math.Min(width, Weights.Made - (strip * width));
                tile.B = packed + (strip * pass.Length * width);
                tile.Tail = (int)((lanes - 1) % V.Count) + 1;
                Strip(tile, start, target + (strip * width), Grid.StrideHeight * source.Pitch, Grid.StepRow * Grid.OutWidth * outputs, rows, lanes);
            }
        }

        // The last four columns of a row fill half a tile: those of the next row fill the other half.
        private readonly void Strip(Tile<T> tile, T* start, T* target, long down, long downC, long rows, nint lanes)
        {
            var whole = V.TileRows == 2 * Half && Grid.Columns % V.TileRows == Half ? Grid.Columns - Half : Grid.Columns;
            tile.Ahead = true;
            for (var row = 0L; row < rows && whole > 0; row++)
            {
                tile.A = start + (row * down);
                tile.C = target + (row * downC);
                GemmTiles.Strip<V, T>(tile, whole, lanes);
                tile.Ahead = false;
            }

            tile.AHalf = (nint)down;
            tile.CHalf = (nint)downC;
            for (var row = 0L; row < rows && whole < Grid.Columns; row += 2)
            {
                tile.A = start + (row * down) + (whole * tile.ARow);
                tile.C = target + (row * downC) + (whole * tile.CRow);
                if (row + 1 < rows) GemmTiles.Halves<V, T>(tile, lanes);
                else GemmTiles.Strip<V, T>(tile, Half, lanes);
                tile.Ahead = false;
            }
        }
    }
}
