using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DL.Core.Kernels;

/// <summary>Tiles of outputs from tiles of pixels: a block of tiles is transformed, multiplied by the weights in 36 products, and transformed back, within the second-level cache.</summary>
/// <remarks>An output is a chain of operations that follows from the shapes alone, in whatever block its tile falls. Threads take blocks of their own; where one
/// block holds all tiles they share it, and each multiplies by its part of the weights.</remarks>
internal static unsafe class WinogradProduct
{
    // A block's transformed pixels and outputs.
    private const long BlockBytes = 1 << 20;
    private const int LeastTiles = 32;

    // Numbers of a cache line.
    private const int Line = 16;

    /// <summary>The grid's outputs from its pixels, with the weights' channels; a null bias adds nothing.</summary>
    internal static void Run(in WinogradGrid grid, in WinogradWeights weights, float* x, float* bias, bool relu, float* y, in PackedPlace place = default)
    {
        if (Vector512.IsHardwareAccelerated)
            Run<Lanes512<float>, Simd512<float>>(grid, weights, x, bias, relu, y, place);
        else if (Vector256.IsHardwareAccelerated)
            Run<Lanes256<float>, Simd256<float>>(grid, weights, x, bias, relu, y, place);
        else
            Run<Lanes256<float>, Simd128<float>>(grid, weights, x, bias, relu, y, place);
    }

    private static void Run<V, S>(in WinogradGrid grid, in WinogradWeights weights, float* x, float* bias, bool relu, float* y, in PackedPlace place)
        where V : struct, IGemmWidth
        where S : struct, ISimd<S, float>
    {
        if (grid.Tiles == 0)
            return;
        var most = MostTiles(weights);
        var shared = grid.Tiles <= most && Workers.Parallelism > 1;
        var packed = place.Open(WinogradGrid.Products * weights.Plane<V>() * sizeof(float));
        var job = new Job<V, S>
        {
            Grid = grid,
            Weights = weights,
            Packed = (float*)packed.Start,
            X = x,
            Y = y,
            Bias = bias,
            Relu = relu,
            Block = shared ? Whole<V>(grid.Tiles) : TilesAtOnce<V>(grid.Tiles, most),
        };
        if (!packed.Filled)
            Workers.For(weights.Strips<V>(), 1, &Job<V, S>.Pack, &job);
        packed.Close();
        if (shared)
            Together(ref job);
        else
            Workers.For((grid.Tiles + job.Block - 1) / job.Block, 1, &Job<V, S>.Run, &job);
        GC.KeepAlive(packed.Kept);
    }

    private static void Together<V, S>(ref Job<V, S> job)
        where V : struct, IGemmWidth
        where S : struct, ISimd<S, float>
    {
        job.Open(0, job.Grid.Tiles);
        fixed (Job<V, S>* state = &job)
        {
            Workers.For(job.Tiles, 1, &Job<V, S>.Transform, state);
            Workers.For(WinogradGrid.Products, 1, &Job<V, S>.Multiply, state);
            Workers.For(job.Tiles, 1, &Job<V, S>.Finish, state);
        }
    }

    private static long MostTiles(in WinogradWeights weights) =>
        Math.Max(LeastTiles, BlockBytes / (WinogradGrid.Products * sizeof(float) * (Winograd.Padded(weights.Summed) + Winograd.Padded(weights.Made))));

    // As many as the cache holds, in blocks of one size, as many for one thread as for another.
    private static long TilesAtOnce<V>(long tiles, long most)
        where V : struct, IGemmWidth
    {
        long threads = Workers.Parallelism, blocks = (tiles + most - 1) / most;
        blocks = (blocks + threads - 1) / threads * threads;
        return Whole<V>((tiles + blocks - 1) / blocks);
    }

    private static long Whole<V>(long tiles)
        where V : struct, IGemmWidth => (tiles + V.TileRows - 1) / V.TileRows * V.TileRows;

    private struct Job<V, S>
        where V : struct, IGemmWidth
        where S : struct, ISimd<S, float>
    {
        public WinogradGrid Grid;
        public WinogradWeights Weights;
        public float* Packed, X, Y, Bias;
        public bool Relu;
        public long Block;

        /// <summary>The block's tiles, and the room of their products, of a pixel outside the image and of an output there.</summary>
        public long First, Tiles;
        public float* Pixels, Outputs, Zeros, Outside;

        private readonly long Summed => Winograd.Padded(Weights.Summed);

        private readonly long Made => Winograd.Padded(Weights.Made);

        private readonly long PixelPlane => Winograd.Plane(Block * Summed);

        private readonly long OutputPlane => Winograd.Plane(Block * Made);

        public static void Pack(void* state, long from, long to)
        {
            ref var job = ref *(Job<V, S>*)state;
            job.Weights.Pack<V, S>(from, to, job.Packed);
        }

        public static void Run(void* state, long from, long to)
        {
            var job = *(Job<V, S>*)state;
            for (var block = from; block < to; block++)
            {
                var first = block * job.Block;
                job.Open(first, Math.Min(job.Block, job.Grid.Tiles - first));
                Transform(&job, 0, job.Tiles);
                Multiply(&job, 0, WinogradGrid.Products);
                Finish(&job, 0, job.Tiles);
            }
        }

        /// <summary>A block of tiles in the thread's working memory.</summary>
        public void Open(long first, long tiles)
        {
            var wide = Math.Max(Summed, Made);
            (First, Tiles) = (first, tiles);
            Pixels = (float*)Scratch.Left(((WinogradGrid.Products * (PixelPlane + OutputPlane)) + (2 * wide)) * sizeof(float));
            Outputs = Pixels + (WinogradGrid.Products * PixelPlane);
            Zeros = Outputs + (WinogradGrid.Products * OutputPlane);
            Outside = Zeros + wide;
            new Span<float>(Zeros, (int)wide).Clear();
        }

        /// <summary>The block's tiles [from, to).</summary>
        public static void Transform(void* state, long from, long to)
        {
            ref var job = ref *(Job<V, S>*)state;
            var places = stackalloc float*[WinogradGrid.Products];
            var room = stackalloc float[WinogradKernels.Work + Line];
            var work = Aligned(room);
            for (var tile = from; tile < to; tile++)
            {
                job.Grid.Pixels(job.First + tile, job.X, job.Weights.Summed, job.Zeros, places);
                WinogradKernels.Pixels<S>(places, job.Weights.Summed, work, job.Pixels + (tile * job.Summed), job.PixelPlane);
            }
        }

        /// <inheritdoc cref="Transform"/>
        public static void Finish(void* state, long from, long to)
        {
            ref var job = ref *(Job<V, S>*)state;
            var places = stackalloc float*[WinogradGrid.Made * WinogradGrid.Made];
            var room = stackalloc float[WinogradKernels.Work + Line];
            var work = Aligned(room);
            var bias = job.Bias == null ? job.Zeros : job.Bias;
            for (var tile = from; tile < to; tile++)
            {
                job.Grid.Outputs(job.First + tile, job.Y, job.Weights.Made, job.Outside, places);
                WinogradKernels.Outputs<S>(job.Outputs + (tile * job.Made), job.OutputPlane, job.Weights.Made, bias, job.Relu, work, places);
            }
        }

        /// <summary>The products [from, to) of all tiles of the block.</summary>
        public static void Multiply(void* state, long from, long to)
        {
            ref var job = ref *(Job<V, S>*)state;
            for (var q = from; q < to; q++) job.Multiply(q);
        }

        private readonly void Multiply(long q)
        {
            nint strip = 2 * V.Count, steps = GemmBlocks.Steps(Weights.Summed), width = (Weights.Made + V.Count - 1) / V.Count * V.Count;
            Unsafe.SkipInit(out Tile<float> tile);
            tile.Runs = 1;
            tile.ARow = (nint)Summed;
            tile.AStep = 1;
            tile.ANext = V.TileRows * tile.ARow;
            tile.BStep = strip;
            tile.CRow = (nint)Made;
            tile.Packed = null;
            tile.Ahead = true;
            tile.FetchStep = 0;
            tile.Tail = V.Count;
            for (nint p = 0; p < Weights.Summed; p += steps)
            {
                tile.K = Math.Min(steps, Weights.Summed - p);
                tile.A = Pixels + (q * PixelPlane) + p;
                tile.Add = p > 0;
                for (nint j = 0; j < width; j += strip)
                {
                    tile.B = Packed + (q * Weights.Plane<V>()) + Weights.Offset<V>(p, tile.K, j / strip);
                    tile.C = Outputs + (q * OutputPlane) + j;
                    GemmTiles.Strip<V, float>(tile, (nint)Tiles, Math.Min(strip, width - j));
                }
            }
        }

        private static float* Aligned(float* room) => (float*)(((nuint)room + (Line * sizeof(float)) - 1) & ~(nuint)((Line * sizeof(float)) - 1));
    }
}
