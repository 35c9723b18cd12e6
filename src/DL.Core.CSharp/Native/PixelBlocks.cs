using System.Runtime.CompilerServices;

namespace DL.Core.Kernels;

/// <summary>The two layouts of blocks of factor x factor pixels: the block's pixels as channels of one pixel, or as pixels.</summary>
/// <param name="Height">The rows of blocks.</param>
/// <param name="Width">The columns of blocks.</param>
/// <param name="Channels">The channels of the pixels.</param>
/// <param name="Factor">The side of a block.</param>
/// <param name="Gather">Whether pixels become channels, instead of channels pixels.</param>
internal readonly record struct PixelBlocks(int Height, int Width, int Channels, int Factor, bool Gather)
{
    private long Square => (long)Factor * Factor;

    /// <summary>Moves all numbers of some images from one layout to the other.</summary>
    public unsafe void Move<T>(T* source, int images, T* result) where T : unmanaged
    {
        var job = new Job<T> { Blocks = this, Source = source, Result = result };
        Workers.For((long)images * Height, 1 + (4096 / Math.Max(1, Width * Channels * Square)), &Job<T>.Run, &job);
    }

    private unsafe struct Job<T> where T : unmanaged
    {
        public PixelBlocks Blocks;
        public T* Source, Result;

        public static void Run(void* state, long from, long to)
        {
            ref var job = ref *(Job<T>*)state;
            var blocks = job.Blocks;
            var size = blocks.Width * blocks.Channels * blocks.Square;
            for (var row = from; row < to; row++)
                if (blocks.Gather) Row<Back>(blocks, job.Result + (row * size), job.Source + (row * size));
                else Row<There>(blocks, job.Source + (row * size), job.Result + (row * size));
        }

        /// <summary>One row of blocks: the channels are [Width; Channels; Factor; Factor], the pixels [Factor; Width; Factor; Channels].</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Row<TWay>(in PixelBlocks blocks, T* channels, T* pixels) where TWay : struct, IWay
        {
            var (width, depth, factor, square) = (blocks.Width, (long)blocks.Channels, blocks.Factor, blocks.Square);
            for (var w = 0; w < width; w++)
                for (var i = 0; i < factor; i++)
                    for (var j = 0; j < factor; j++)
                    {
                        var channel = channels + (w * depth * square) + (i * factor) + j;
                        var pixel = pixels + (((((long)i * width) + w) * factor) + j) * depth;
                        for (var c = 0L; c < depth; c++, channel += square) TWay.Copy(channel, pixel + c);
                    }
        }

        private interface IWay
        {
            static abstract void Copy(T* channel, T* pixel);
        }

        private readonly struct There : IWay
        {
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public static void Copy(T* channel, T* pixel) => *pixel = *channel;
        }

        private readonly struct Back : IWay
        {
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public static void Copy(T* channel, T* pixel) => *channel = *pixel;
        }
    }
}
