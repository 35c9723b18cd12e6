using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DL.Core.Ops;

namespace DL.Core.Kernels;

/// <summary>Convolution as a matrix product whose left factor is the image where it lies: a row of a window is one run of neighbouring numbers.</summary>
/// <remarks>Every output is one chain of sums over taps and channels in the order of the passes, whatever block it falls into, so the bits do not depend on
/// the number of threads. Limited by the micro-kernel (the rate of a packed product), and for small images by rows that fill no tile.</remarks>
internal static unsafe class ConvDirect
{
    private const int Half = 4;

    // Fewer packed numbers are not worth another thread.
    private const long PackGrain = 1 << 15;

    /// <summary>y [images; OutHeight; OutWidth; outputs] from x [images; Height; Width; inputs]; with dense outputs bias and activation are applied too.</summary>
    public static void Run<T>(
        ConvTaps taps, T* x, in ConvWeights<T> weights, ReadOnlySpan<T> bias, Activation activation, int images, T* y, in PackedPlace place = default)
        where T : unmanaged
    {
        if (Vector512.IsHardwareAccelerated) Run<Lanes512<T>, T>(taps, x, weights, bias, activation, images, y, place);
        else Run<Lanes256<T>, T>(taps, x, weights, bias, activation, images, y, place);
    }

    private static void Run<V, T>(
        ConvTaps taps, T* x, in ConvWeights<T> weights, ReadOnlySpan<T> bias, Activation activation, int images, T* y, in PackedPlace place)
        where V : struct, IGemmWidth
        where T : unmanaged
    {
        var grid = taps.Grid;
        if (images == 0 || grid.Rows == 0 || grid.Columns == 0) return;
        var passes = ConvPasses.Of(taps.Taps, weights.Groups * weights.Summed, weights.Summed);
        var bytes = weights.Groups * weights.GroupRoom<V>(taps.Taps.Length) * sizeof(T);
        var packed = place.Open(bytes);
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
                Images = images,
                Parts = ConvParts.Of(images, grid.Rows, RowBytes(grid, weights), bytes, weights.Groups * weights.Strips<V>()),
            };
            var strip = Math.Max(1L, (long)taps.Taps.Length * weights.Summed * 2 * V.Count);
            if (!packed.Filled) Workers.For(weights.Groups * weights.Strips<V>(), Math.Max(1, PackGrain / strip), &Job<V, T>.Pack, &job);
            packed.Close();
            Workers.For(job.Parts.Count, 1, &Job<V, T>.Run, &job);
            GC.KeepAlive(packed.Kept);
        }
    }

    private static long RowBytes<T>(in ConvGrid grid, in ConvWeights<T> weights)
        where T : unmanaged =>
        ((grid.StrideHeight * grid.ColumnsRead * weights.Groups * weights.Summed) + ((long)grid.Columns * weights.Groups * weights.Made)) * sizeof(T);

    private struct Job<V, T>
        where V : struct, IGemmWidth
        where T : unmanaged
    {
        public ConvGrid Grid;
        public ConvPass* Passes;
        public ConvTap* Taps;
        public int PassCount, TapCount, BiasLength, Images;
        public ConvWeights<T> Weights;
        public T* Packed, X, Y, Bias;
        public Activation Activation;
        public ConvParts Parts;

        private readonly long Channels => Weights.Groups * Weights.Summed;

        private readonly long Outputs => Weights.Groups * Weights.Made;

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
                var parts = job.Parts;
                var strips = ConvParts.Range(job.Weights.Groups * job.Weights.Strips<V>(), parts.Outputs, part % parts.Outputs);
                var rows = ConvParts.Range(job.Grid.Rows, parts.Rows, part / parts.Outputs % parts.Rows);
                var images = ConvParts.Range(job.Images, parts.Images, part / parts.Outputs / parts.Rows);
                job.Part(job.Open(images, rows), strips.From, strips.To);
            }
        }

        private readonly Block Open((long From, long To) images, (long From, long To) rows)
        {
            var (grid, block) = (Grid, default(Block));
            block.Images = images.To - images.From;
            block.Rows = rows.To - rows.From;
            var (size, room) = (grid.Height * (long)grid.Width * Channels, ConvImage<T>.Room(grid, block.Rows, Channels));
            var copy = (T*)Scratch.Left(block.Images * room * sizeof(T));
            // The first image comes last, for its place is the block's.
            for (var image = block.Images - 1; image >= 0; image--)
                block.Source = ConvImage<T>.Of(grid, X + ((images.From + image) * size), Channels, rows.From, block.Rows, copy + (image * room));
            block.NextSource = grid.Inside ? size : room;
            block.NextTarget = grid.OutHeight * (long)grid.OutWidth * Outputs;
            block.Target = Y + (images.From * block.NextTarget) + (grid.Pixel(rows.From) * Outputs);
            return block;
        }

        private readonly void Part(in Block block, long from, long to)
        {
            var strips = Weights.Strips<V>();
            for (var group = from / strips; group * strips < to; group++)
                for (var pass = 0; pass < PassCount; pass++)
                    Pass(block, Passes[pass], pass > 0, group, Math.Max(from - (group * strips), 0), Math.Min(to - (group * strips), strips));
            if (Grid.Dense && (BiasLength > 0 || Activation != Activation.Identity)) Finish(block, Column(from), Column(to));
        }

        private readonly long Column(long strip) =>
            (strip / Weights.Strips<V>() * Weights.Made) + Math.Min(strip % Weights.Strips<V>() * 2 * V.Count, Weights.Made);

        // Rows of dense outputs follow one another.
        private readonly void Finish(in Block block, long from, long to)
        {
            var pixels = block.Rows * Grid.Columns;
            for (var image = 0L; image < block.Images; image++)
            {
                var target = block.Target + (image * block.NextTarget);
                if (to - from == Outputs) Finish(target, pixels, 0, Outputs);
                else for (var pixel = 0L; pixel < pixels; pixel++) Finish(target + (pixel * Outputs), 1, from, to);
            }
        }

        private readonly void Finish(T* target, long pixels, long from, long to) =>
            BiasActivation.Forward(
                new Span<T>(target + from, (int)(pixels * (to - from))), BiasLength == 0 ? default : new ReadOnlySpan<T>(Bias + from, (int)(to - from)), Activation,
                (int)pixels, (int)(to - from));

        private readonly void Pass(in Block block, in ConvPass pass, bool add, long group, long from, long to)
        {
            long width = 2 * V.Count, strips = Weights.Strips<V>();
            Unsafe.SkipInit(out Tile<T> tile);
            tile.K = pass.Steps;
            tile.Runs = pass.Runs;
            tile.ARow = (nint)(Grid.StrideWidth * Channels);
            tile.AStep = 1;
            tile.ANext = V.TileRows * tile.ARow;
            tile.AJump = (nint)((pass.RowJump * block.Source.Pitch) + pass.ColumnJump - pass.Steps);
            tile.BJump = 0;
            tile.BStep = (nint)width;
            tile.CRow = (nint)(Grid.StepColumn * Outputs);
            tile.Add = add;
            tile.Packed = null;
            tile.FetchStep = 0;
            var start = block.Source.Origin + (pass.Row * block.Source.Pitch) + pass.Offset + (group * Weights.Summed);
            var packed = Packed + (group * Weights.GroupRoom<V>(TapCount)) + (pass.First * strips * width);
            for (var strip = from; strip < to; strip++)
            {
                var lanes = (nint)Math.Min(width, Weights.Made - (strip * width));
                tile.B = packed + (strip * pass.Length * width);
                tile.Tail = (int)((lanes - 1) % V.Count) + 1;
                tile.Ahead = true;
                for (var image = 0L; image < block.Images; image++)
                    Strip(ref tile, start + (image * block.NextSource), block.Target + (image * block.NextTarget) + (group * Weights.Made) + (strip * width), block, lanes);
            }
        }

        // The last four columns of a row fill half a tile: those of the next row fill the other half.
        private readonly void Strip(ref Tile<T> tile, T* start, T* target, in Block block, nint lanes)
        {
            long down = Grid.StrideHeight * block.Source.Pitch, downC = Grid.StepRow * Grid.OutWidth * Outputs;
            var whole = V.TileRows == 2 * Half && Grid.Columns % V.TileRows == Half ? Grid.Columns - Half : Grid.Columns;
            for (var row = 0L; row < block.Rows && whole > 0; row++)
            {
                tile.A = start + (row * down);
                tile.C = target + (row * downC);
                GemmTiles.Strip<V, T>(tile, whole, lanes);
                tile.Ahead = false;
            }

            tile.AHalf = (nint)down;
            tile.CHalf = (nint)downC;
            for (var row = 0L; row < block.Rows && whole < Grid.Columns; row += 2)
            {
                tile.A = start + (row * down) + (whole * tile.ARow);
                tile.C = target + (row * downC) + (whole * tile.CRow);
                if (row + 1 < block.Rows) GemmTiles.Halves<V, T>(tile, lanes);
                else GemmTiles.Strip<V, T>(tile, Half, lanes);
                tile.Ahead = false;
            }
        }

        /// <summary>Some rows of some images: where the first of them lies, and how far the next are.</summary>
        private struct Block
        {
            public ConvImage<T> Source;
            public T* Target;
            public long Images, Rows, NextSource, NextTarget;
        }
    }
}
