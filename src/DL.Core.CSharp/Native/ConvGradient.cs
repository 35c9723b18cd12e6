using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DL.Core.Kernels;

/// <summary>The gradient of a convolution's weights: for every row of the window a product of the image, where it lies, by the output's gradient.</summary>
/// <remarks>The images fall into groups that depend on the shapes alone; every group has sums of its own, which are added in order, so the bits do not depend on
/// the number of threads. Limited by the micro-kernel, and for many channels and few pixels by the sums' way to memory and back.</remarks>
internal static unsafe class ConvGradient
{
    // Pixels summed in registers before the sums go to memory: a strip of the gradient of so many stays in the first-level cache.
    private const long StepLimit = 256;

    // Images are dealt out in so many groups at most, less where each group's sums are large.
    private const int MostGroups = 16;
    private const long SumBytes = 32 << 20;

    /// <summary>dw [taps; inputs of a group; outputs], overwritten, from x [images; Height; Width; inputs] and dy [images; Rows; Columns; outputs].</summary>
    public static void Run<T>(ConvTaps taps, T* x, T* dy, int groups, int inputs, int outputs, int images, T* dw)
        where T : unmanaged
    {
        if (Vector512.IsHardwareAccelerated) Run<Lanes512<T>, T>(taps, x, dy, groups, inputs, outputs, images, dw);
        else Run<Lanes256<T>, T>(taps, x, dy, groups, inputs, outputs, images, dw);
    }

    private static void Run<V, T>(ConvTaps taps, T* x, T* dy, int groups, int inputs, int outputs, int images, T* dw)
        where V : struct, IGemmWidth
        where T : unmanaged
    {
        var size = (long)taps.Taps.Length * inputs * outputs;
        if (images == 0)
        {
            new Span<T>(dw, (int)size).Clear();
            return;
        }

        var parts = (int)Math.Min(images, Math.Clamp(SumBytes / Math.Max(1, size * sizeof(T)), 2, MostGroups));
        var passes = ConvPasses.Of(taps.Taps, groups * inputs, inputs);
        fixed (ConvPass* ppasses = passes)
        {
            var job = new Job<V, T>
            {
                Grid = taps.Grid,
                Passes = ppasses,
                PassCount = passes.Length,
                X = x,
                Dy = dy,
                Groups = groups,
                Inputs = inputs,
                Outputs = outputs,
                Images = images,
                Parts = parts,
                Size = size,
                Sums = parts == 1 ? dw : (T*)Scratch.Right(parts * size * sizeof(T)),
            };
            Workers.For(parts, 1, &Job<V, T>.Run, &job);
            if (parts == 1) return;
            for (var part = 1; part < parts; part++)
                Add(job.Sums, job.Sums + (part * size), size);
            Buffer.MemoryCopy(job.Sums, dw, size * sizeof(T), size * sizeof(T));
        }
    }

    /// <summary>sum += part.</summary>
    public static void Add<T>(T* sum, T* part, long size) where T : unmanaged =>
        Elementwise.Map(new ReadOnlySpan<T>(sum, (int)size), new ReadOnlySpan<T>(part, (int)size), new Span<T>(sum, (int)size), default(Added<T>));

    private readonly struct Added<T> : IBinary<T>
        where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S a, S b) where S : struct, ISimd<S, T> => a + b;
    }

    private struct Job<V, T>
        where V : struct, IGemmWidth
        where T : unmanaged
    {
        public ConvGrid Grid;
        public ConvPass* Passes;
        public int PassCount, Groups, Inputs, Outputs, Images, Parts;
        public long Size;
        public T* X, Dy, Sums;

        public static void Run(void* state, long from, long to)
        {
            ref var job = ref *(Job<V, T>*)state;
            for (var part = from; part < to; part++)
            {
                var (first, last) = (job.Images * part / job.Parts, job.Images * (part + 1) / job.Parts);
                for (var image = first; image < last; image++)
                    job.Image(image, image > first, job.Sums + (part * job.Size));
            }
        }

        private readonly void Image(long image, bool add, T* sums)
        {
            long channels = (long)Groups * Inputs, width = 2 * V.Count;
            var rows = Math.Clamp(StepLimit / Math.Max(1, Grid.Columns), 1, Grid.Rows);
            var room = ConvImage<T>.Room(Grid, rows, channels);
            var strip = (T*)Scratch.Left((room + (rows * Grid.Columns * width)) * sizeof(T));
            var copy = strip + (rows * Grid.Columns * width);
            for (var first = 0L; first < Grid.Rows; first += rows)
            {
                var count = Math.Min(rows, Grid.Rows - first);
                var source = ConvImage<T>.Of(Grid, X + (image * Grid.Height * Grid.Width * channels), channels, first, count, copy);
                var gradient = Dy + (((image * Grid.Rows) + first) * Grid.Columns * Outputs);
                for (var group = 0; group < Groups; group++)
                    Rows(source, gradient + (group * (Outputs / Groups)), group, count, add || first > 0, strip, sums + (group * (Outputs / Groups)));
            }
        }

        // One strip of outputs after the other, packed once for all rows of the window.
        private readonly void Rows(ConvImage<T> source, T* gradient, int group, long rows, bool add, T* strip, T* sums)
        {
            int width = 2 * V.Count, made = Outputs / Groups;
            Unsafe.SkipInit(out Tile<T> tile);
            tile.K = Grid.Columns;
            tile.Runs = (nint)rows;
            tile.ARow = 1;
            tile.AStep = (nint)Grid.StrideWidth * Groups * Inputs;
            tile.ANext = V.TileRows;
            tile.AJump = (nint)((Grid.StrideHeight * source.Pitch) - (Grid.Columns * tile.AStep));
            tile.BJump = 0;
            tile.B = strip;
            tile.BStep = width;
            tile.CRow = Outputs;
            tile.Add = add;
            tile.Packed = null;
            tile.Ahead = false;
            tile.FetchRun = tile.AJump;
            tile.FetchTile = tile.ANext - ((tile.Runs * tile.K * tile.AStep) + ((tile.Runs - 1) * tile.AJump));
            for (var from = 0; from < made; from += width)
            {
                var lanes = Math.Min(width, made - from);
                GemmPack.Copy<V, T>(gradient + from, Outputs, (nint)(rows * Grid.Columns), lanes, width, strip);
                tile.Tail = ((lanes - 1) % V.Count) + 1;
                // The later strips of outputs find the image near.
                tile.FetchStep = from == 0 ? tile.AStep : 0;
                for (var index = 0; index < PassCount; index++)
                    Window(ref tile, source, Passes[index], group, lanes, sums + from);
            }
        }

        private readonly void Window(ref Tile<T> tile, ConvImage<T> source, in ConvPass pass, int group, int lanes, T* sums)
        {
            for (var run = 0L; run < pass.Runs; run++)
            {
                tile.A = source.Origin + ((pass.Row + (run * pass.RowJump)) * source.Pitch) + pass.Offset + (run * pass.ColumnJump) + (group * Inputs);
                tile.Fetch = tile.A + (AlignedMemory.Line / sizeof(T));
                tile.C = sums + ((pass.First + (run * pass.Steps)) * Outputs);
                GemmTiles.Strip<V, T>(tile, pass.Steps, lanes);
            }
        }
    }
}
