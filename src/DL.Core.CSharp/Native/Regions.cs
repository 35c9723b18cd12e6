using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace DL.Core.Kernels;

/// <summary>The pixels of one axis that a bin of a region covers, with a weight for each where the pooling has weights.</summary>
internal unsafe struct RegionBin
{
    public int First, Count;
    public double* Weights;
}

/// <summary>Which pixels every region takes its outputs from: the bins of its rows, then those of its columns.</summary>
internal unsafe struct RegionPlan
{
    public int Regions, Rows, Columns, Images, Height, Width, Channels;
    public int* Image;
    public RegionBin* Bins;

    public readonly int Axes => Rows + Columns;
}

/// <summary>What a pooling over regions makes of the pixels of a bin.</summary>
internal unsafe interface IRegionPool<T> where T : unmanaged
{
    /// <summary>The output of a bin with pixels, whose first number is at x.</summary>
    S Forward<S>(T* x, in RegionBin rows, in RegionBin columns, long rowStep, long columnStep, long lanes) where S : struct, ISimd<S, T>;

    /// <summary>Adds the gradient of a bin to dx.</summary>
    void Backward<S>(T* x, in RegionBin rows, in RegionBin columns, long rowStep, long columnStep, long lanes, S dy, T* dx) where S : struct, ISimd<S, T>;
}

/// <summary>The largest number of a bin; the first of several gets the gradient.</summary>
internal readonly unsafe struct RegionMax<T> : IRegionPool<T> where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public S Forward<S>(T* x, in RegionBin rows, in RegionBin columns, long rowStep, long columnStep, long lanes) where S : struct, ISimd<S, T> =>
        default(MaxPool<T>).Forward<S, FirstLanes>(x, new(rows.Count, columns.Count, rowStep, columnStep, 1, false), lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Backward<S>(T* x, in RegionBin rows, in RegionBin columns, long rowStep, long columnStep, long lanes, S dy, T* dx) where S : struct, ISimd<S, T> =>
        default(MaxPool<T>).Backward<S, FirstLanes>(x, new(rows.Count, columns.Count, rowStep, columnStep, 1, false), lanes, dy, dx);
}

/// <summary>The weighted sum of a bin.</summary>
internal readonly unsafe struct RegionMean<T> : IRegionPool<T> where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public S Forward<S>(T* x, in RegionBin rows, in RegionBin columns, long rowStep, long columnStep, long lanes) where S : struct, ISimd<S, T>
    {
        var sum = S.Create(0);
        for (var u = 0; u < rows.Count; u++)
            for (var v = 0; v < columns.Count; v++)
                sum = S.Fma(S.Create(rows.Weights[u] * columns.Weights[v]), S.Load(x + (u * rowStep) + (v * columnStep), lanes), sum);
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Backward<S>(T* x, in RegionBin rows, in RegionBin columns, long rowStep, long columnStep, long lanes, S dy, T* dx) where S : struct, ISimd<S, T>
    {
        for (var u = 0; u < rows.Count; u++)
            for (var v = 0; v < columns.Count; v++)
            {
                var at = dx + (u * rowStep) + (v * columnStep);
                S.Fma(S.Create(rows.Weights[u] * columns.Weights[v]), dy, S.Load(at, lanes)).Store(at, lanes);
            }
    }
}

/// <summary>Poolings over regions of images, with channels as lanes. Regions may overlap, so the gradient is split by image and channel: every number
/// of it is added up by one thread, in the order of the regions.</summary>
internal static unsafe class Regions
{
    private const int ChannelBlock = 64;

    /// <summary>y [regions; rows; columns; channels] from x [images; height; width; channels].</summary>
    public static void Forward<T, TPool>(in RegionPlan plan, T* x, T* y)
        where T : unmanaged
        where TPool : unmanaged, IRegionPool<T>
    {
        var job = new Job<T, TPool> { Plan = plan, X = x, Result = y };
        Workers.For((long)plan.Regions * plan.Rows, 1 + (2048 / Math.Max(1, (long)plan.Columns * plan.Channels)), &Job<T, TPool>.Forward, &job);
    }

    /// <summary>dx, overwritten, from dy and x.</summary>
    public static void Backward<T, TPool>(in RegionPlan plan, T* dy, T* x, T* dx)
        where T : unmanaged
        where TPool : unmanaged, IRegionPool<T>
    {
        var job = new Job<T, TPool> { Plan = plan, X = x, Dy = dy, Result = dx };
        Workers.For(plan.Images * job.Blocks, 1, &Job<T, TPool>.Backward, &job);
    }

    private struct Job<T, TPool>
        where T : unmanaged
        where TPool : unmanaged, IRegionPool<T>
    {
        public RegionPlan Plan;
        public T* X, Dy, Result;

        public readonly long Blocks => (Plan.Channels + ChannelBlock - 1L) / ChannelBlock;

        private readonly long RowStep => (long)Plan.Width * Plan.Channels;

        public static void Forward(void* state, long from, long to)
        {
            ref var job = ref *(Job<T, TPool>*)state;
            for (var row = from; row < to; row++) job.Row(row / job.Plan.Rows, (int)(row % job.Plan.Rows), 0, job.Plan.Channels);
        }

        public static void Backward(void* state, long from, long to)
        {
            ref var job = ref *(Job<T, TPool>*)state;
            for (var item = from; item < to; item++)
            {
                var (image, start) = (item / job.Blocks, item % job.Blocks * ChannelBlock);
                var end = Math.Min(start + ChannelBlock, job.Plan.Channels);
                job.Clear(image, start, end);
                for (var region = 0; region < job.Plan.Regions; region++)
                    for (var row = 0; job.Plan.Image[region] == image && row < job.Plan.Rows; row++) job.Row(region, row, start, end);
            }
        }

        private readonly void Clear(long image, long start, long end)
        {
            var pixels = (long)Plan.Height * Plan.Width;
            for (var pixel = image * pixels; pixel < (image + 1) * pixels; pixel++)
                NativeMemory.Clear(Result + (pixel * Plan.Channels) + start, (nuint)((end - start) * sizeof(T)));
        }

        private readonly void Row(long region, int row, long start, long end)
        {
            if (Vector512.IsHardwareAccelerated) Row<Simd512<T>>(region, row, start, end);
            else if (Vector256.IsHardwareAccelerated) Row<Simd256<T>>(region, row, start, end);
            else Row<Simd128<T>>(region, row, start, end);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Row<S>(long region, int row, long start, long end) where S : struct, ISimd<S, T>
        {
            var bins = Plan.Bins + (region * Plan.Axes);
            ref var tall = ref bins[row];
            var line = (((long)Plan.Image[region] * Plan.Height) + tall.First) * RowStep;
            for (var column = 0; column < Plan.Columns; column++)
            {
                ref var wide = ref bins[Plan.Rows + column];
                var at = line + ((long)wide.First * Plan.Channels);
                var output = ((((region * Plan.Rows) + row) * Plan.Columns) + column) * Plan.Channels;
                if (tall.Count == 0 || wide.Count == 0)
                {
                    if (Dy == null) NativeMemory.Clear(Result + output, (nuint)(Plan.Channels * (long)sizeof(T)));
                    continue;
                }

                for (var c = start; c < end; c += S.Count)
                {
                    var lanes = Math.Min(S.Count, end - c);
                    if (Dy == null)
                        default(TPool).Forward<S>(X + at + c, tall, wide, RowStep, Plan.Channels, lanes).Store(Result + output + c, lanes);
                    else
                        default(TPool).Backward(X + at + c, tall, wide, RowStep, Plan.Channels, lanes, S.Load(Dy + output + c, lanes), Result + at + c);
                }
            }
        }
    }
}
