using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DL.Core.Kernels;

/// <summary>Tiles of outputs from tiles of pixels: a block of tiles is transformed, multiplied by the weights in 36 products, and transformed back, within the second-level cache.</summary>
/// <remarks>An output is a chain of operations that follows from the shapes alone, in whatever block its tile falls.</remarks>
internal static unsafe class WinogradProduct
{
    // A block's transformed pixels and outputs.
    private const long BlockBytes = 1 << 20;
    private const int LeastTiles = 32;

    /// <summary>The grid's outputs from its pixels, with the weights' channels; a null bias adds nothing.</summary>
    internal static void Run(in WinogradGrid grid, in WinogradWeights weights, float* x, float* bias, bool relu, float* y, in PackedPlace place = default)
    {
        if (Vector512.IsHardwareAccelerated)
            Run<Gemm512<float>, Simd512<float>>(grid, weights, x, bias, relu, y, place);
        else if (Vector256.IsHardwareAccelerated)
            Run<Gemm256<float>, Simd256<float>>(grid, weights, x, bias, relu, y, place);
        else
            Run<Gemm256<float>, Simd128<float>>(grid, weights, x, bias, relu, y, place);
    }

    private static void Run<V, S>(in WinogradGrid grid, in WinogradWeights weights, float* x, float* bias, bool relu, float* y, in PackedPlace place)
        where V : struct, IGemmVector<V, float>
        where S : struct, ISimd<S, float>
    {
        if (grid.Tiles == 0)
            return;
        var block = TilesAtOnce<V>(grid.Tiles, weights);
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
            Block = block,
        };
        if (!packed.Filled)
            Workers.For(weights.Strips<V>(), 1, &Job<V, S>.Pack, &job);
        packed.Close();
        Workers.For((grid.Tiles + block - 1) / block, 1, &Job<V, S>.Run, &job);
        GC.KeepAlive(packed.Kept);
    }

    // As many as the cache holds, in blocks of one size, as many for one thread as for another.
    private static long TilesAtOnce<V>(long tiles, in WinogradWeights weights)
        where V : struct, IGemmVector<V, float>
    {
        var most = Math.Max(LeastTiles, BlockBytes / (WinogradGrid.Products * sizeof(float) * (Winograd.Padded(weights.Summed) + Winograd.Padded(weights.Made))));
        long threads = Workers.Parallelism, blocks = (tiles + most - 1) / most;
        blocks = (blocks + threads - 1) / threads * threads;
        var block = (tiles + blocks - 1) / blocks;
        return (block + V.TileRows - 1) / V.TileRows * V.TileRows;
    }

    private struct Job<V, S>
        where V : struct, IGemmVector<V, float>
        where S : struct, ISimd<S, float>
    {
        public WinogradGrid Grid;
        public WinogradWeights Weights;
        public float* Packed, X, Y, Bias;
        public bool Relu;
        public long Block;

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
            ref var job = ref *(Job<V, S>*)state;
            var wide = Math.Max(job.Summed, job.Made);
            var numbers = (WinogradGrid.Products * (job.PixelPlane + job.OutputPlane)) + WinogradKernels.Work + (2 * wide);
            var pixels = (float*)Scratch.Left(numbers * sizeof(float));
            var outputs = pixels + (WinogradGrid.Products * job.PixelPlane);
            var work = outputs + (WinogradGrid.Products * job.OutputPlane);
            var zeros = work + WinogradKernels.Work;
            new Span<float>(zeros, (int)wide).Clear();
            for (var block = from; block < to; block++)
            {
                var first = block * job.Block;
                var tiles = Math.Min(job.Block, job.Grid.Tiles - first);
                job.Transform(first, tiles, pixels, work, zeros);
                job.Multiply(tiles, pixels, outputs);
                job.Finish(first, tiles, outputs, work, zeros, zeros + wide);
            }
        }

        private readonly void Transform(long first, long tiles, float* pixels, float* work, float* zeros)
        {
            var places = stackalloc float*[WinogradGrid.Products];
            for (var tile = 0L; tile < tiles; tile++)
            {
                Grid.Pixels(first + tile, X, Weights.Summed, zeros, places);
                WinogradKernels.Pixels<S>(places, Weights.Summed, work, pixels + (tile * Summed), PixelPlane);
            }
        }

        private readonly void Finish(long first, long tiles, float* outputs, float* work, float* zeros, float* outside)
        {
            var places = stackalloc float*[WinogradGrid.Made * WinogradGrid.Made];
            for (var tile = 0L; tile < tiles; tile++)
            {
                Grid.Outputs(first + tile, Y, Weights.Made, outside, places);
                WinogradKernels.Outputs<S>(outputs + (tile * Made), OutputPlane, Weights.Made, Bias == null ? zeros : Bias, Relu, work, places);
            }
        }

        private readonly void Multiply(long tiles, float* pixels, float* outputs)
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
            tile.Tail = V.Count;
            for (var q = 0L; q < WinogradGrid.Products; q++)
                for (nint p = 0; p < Weights.Summed; p += steps)
                {
                    tile.K = Math.Min(steps, Weights.Summed - p);
                    tile.A = pixels + (q * PixelPlane) + p;
                    tile.Add = p > 0;
                    for (nint j = 0; j < width; j += strip)
                    {
                        tile.B = Packed + (q * Weights.Plane<V>()) + Weights.Offset<V>(p, tile.K, j / strip);
                        tile.C = outputs + (q * OutputPlane) + j;
                        GemmTiles.Strip<V, float>(tile, (nint)tiles, Math.Min(strip, width - j));
                    }
                }
        }
    }
}
