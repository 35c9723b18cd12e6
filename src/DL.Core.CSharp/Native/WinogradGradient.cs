using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DL.Core.Kernels;

/// <summary>The gradient of 3 x 3 weights: F(3 x 3, 4 x 4), in which tiles are what the 36 products sum over.</summary>
/// <remarks>The tiles fall into parts that depend on the shapes alone; every part has sums of its own, which are added in order, so the bits do not depend on
/// the number of threads.</remarks>
internal static unsafe class WinogradGradient
{
    // A block's transformed pixels and gradients.
    private const long BlockBytes = 1 << 20;
    private const int LeastTiles = 64;
    private const int MostTiles = 256;

    // Tiles are dealt out in so many parts at most, less where each part's sums are large.
    private const int MostParts = 8;
    private const long SumBytes = 32 << 20;

    /// <summary>dw [3; 3; channels; outputs] (+)= the gradient.</summary>
    internal static void Run(in WinogradForm form, float* x, float* dy, bool add, float* dweight)
    {
        if (Vector512.IsHardwareAccelerated)
            Run<Lanes512<float>, Simd512<float>>(form, x, dy, add, dweight);
        else if (Vector256.IsHardwareAccelerated)
            Run<Lanes256<float>, Simd256<float>>(form, x, dy, add, dweight);
        else
            Run<Lanes256<float>, Simd128<float>>(form, x, dy, add, dweight);
    }

    private static void Run<V, S>(in WinogradForm form, float* x, float* dy, bool add, float* dweight)
        where V : struct, IGemmWidth
        where S : struct, ISimd<S, float>
    {
        var grid = form.Forward();
        if (grid.Tiles == 0)
        {
            if (!add)
                new Span<float>(dweight, 9 * form.Channels * form.Outputs).Clear();
            return;
        }

        long channels = Winograd.Padded(form.Channels), outputs = Winograd.Padded(form.Outputs);
        var most = Math.Clamp(BlockBytes / (WinogradGrid.Products * sizeof(float) * (channels + outputs)), LeastTiles, MostTiles);
        var plane = Winograd.Plane(form.Channels * outputs);
        var parts = Math.Clamp(SumBytes / (WinogradGrid.Products * plane * sizeof(float)), 2, MostParts);
        parts = Math.Min((long)System.Numerics.BitOperations.RoundUpToPowerOf2((ulong)parts + 1) / 2, (grid.Tiles + LeastTiles - 1) / LeastTiles);
        var blocks = ((grid.Tiles + parts - 1) / parts + most - 1) / most;
        var job = new Job<V, S>
        {
            Grid = grid,
            Channels = form.Channels,
            Outputs = form.Outputs,
            X = x,
            Y = dy,
            Add = add,
            Weight = dweight,
            Plane = plane,
            Parts = (int)parts,
            Block = (grid.Tiles + (parts * blocks) - 1) / (parts * blocks),
            Sums = (float*)Scratch.Right(parts * WinogradGrid.Products * plane * sizeof(float)),
        };
        Workers.For(parts, 1, &Job<V, S>.Run, &job);
        Workers.For(form.Channels, 1, &Job<V, S>.Finish, &job);
    }

    private struct Job<V, S>
        where V : struct, IGemmWidth
        where S : struct, ISimd<S, float>
    {
        public WinogradGrid Grid;
        public int Channels, Outputs, Parts;
        public float* X, Y, Sums, Weight;
        public bool Add;
        public long Plane, Block;

        private readonly long WideChannels => Winograd.Padded(Channels);

        private readonly long WideOutputs => Winograd.Padded(Outputs);

        private readonly long Strips => (Outputs + (2 * V.Count) - 1) / (2 * V.Count);

        private readonly long PixelPlane => Winograd.Plane(Block * WideChannels);

        private readonly long GradientPlane => Winograd.Plane(Block * Strips * 2 * V.Count);

        public static void Run(void* state, long from, long to)
        {
            ref var job = ref *(Job<V, S>*)state;
            var wide = Math.Max(job.WideChannels, job.WideOutputs);
            var numbers = (WinogradGrid.Products * (job.PixelPlane + job.GradientPlane)) + WinogradKernels.Work + wide;
            var pixels = (float*)Scratch.Left(numbers * sizeof(float));
            var gradients = pixels + (WinogradGrid.Products * job.PixelPlane);
            var work = gradients + (WinogradGrid.Products * job.GradientPlane);
            var zeros = work + WinogradKernels.Work;
            new Span<float>(zeros, (int)wide).Clear();
            for (var part = from; part < to; part++)
            {
                var (start, end) = (job.Grid.Tiles * part / job.Parts, job.Grid.Tiles * (part + 1) / job.Parts);
                for (var first = start; first < end; first += job.Block)
                {
                    var tiles = Math.Min(job.Block, end - first);
                    job.Transform(first, tiles, pixels, gradients, work, zeros);
                    job.Multiply(tiles, pixels, gradients, first > start, job.Sums + (part * WinogradGrid.Products * job.Plane));
                }
            }
        }

        public static void Finish(void* state, long from, long to)
        {
            ref var job = ref *(Job<V, S>*)state;
            var work = (float*)Scratch.Left(WinogradKernels.Work * sizeof(float));
            for (var c = from; c < to; c++)
                for (var o = 0L; o < job.Outputs; o += S.Count)
                    WinogradKernels.TapSums<S>(
                        job.Sums + (c * job.WideOutputs) + o, job.Plane, job.Parts, WinogradGrid.Products * job.Plane, Math.Min(S.Count, job.Outputs - o), job.Add, work,
                        job.Weight + (c * job.Outputs) + o, (long)job.Channels * job.Outputs);
        }

        private readonly void Transform(long first, long tiles, float* pixels, float* gradients, float* work, float* zeros)
        {
            var places = stackalloc float*[WinogradGrid.Products];
            for (var tile = 0L; tile < tiles; tile++)
            {
                Grid.Pixels(first + tile, X, Channels, zeros, places);
                WinogradKernels.Pixels<S>(places, Channels, work, pixels + (tile * WideChannels), PixelPlane);
                Grid.Outputs(first + tile, Y, Outputs, zeros, places);
                WinogradKernels.Gradients<S>(places, Outputs, work, gradients + (tile * 2 * V.Count), GradientPlane, 2 * V.Count, Block * 2 * V.Count);
            }
        }

        private readonly void Multiply(long tiles, float* pixels, float* gradients, bool add, float* sums)
        {
            nint strip = 2 * V.Count, width = (Outputs + V.Count - 1) / V.Count * V.Count;
            Unsafe.SkipInit(out Tile<float> tile);
            tile.K = (nint)tiles;
            tile.Runs = 1;
            tile.ARow = 1;
            tile.AStep = (nint)WideChannels;
            tile.ANext = V.TileRows;
            tile.BStep = strip;
            tile.CRow = (nint)WideOutputs;
            tile.Packed = null;
            tile.Ahead = false;
            tile.FetchStep = 0;
            tile.Tail = V.Count;
            tile.Add = add;
            for (var q = 0L; q < WinogradGrid.Products; q++)
                for (nint j = 0; j < width; j += strip)
                {
                    tile.A = pixels + (q * PixelPlane);
                    tile.B = gradients + (q * GradientPlane) + (j * (nint)Block);
                    tile.C = sums + (q * Plane) + j;
                    GemmTiles.Strip<V, float>(tile, Channels, Math.Min(strip, width - j));
                }
        }
    }
}
