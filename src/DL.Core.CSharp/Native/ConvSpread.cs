using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DL.Core.Kernels;

/// <summary>The shapes of a convolution of one group whose gradient is spread: strides and taps in both directions, columns of taps side by side.</summary>
internal struct SpreadShape
{
    public int Height, Width, Channels, Outputs, Rows, Columns;
    public int TapsHigh, TapsWide, StrideHeight, StrideWidth, DilationHeight, PadTop, PadLeft;

    /// <summary>Numbers that one position spreads over the image.</summary>
    public readonly int Spread => TapsHigh * TapsWide * Channels;
}

/// <summary>The gradient of images of few channels: every position's gradient times the weights, all taps of it at once, added where the taps read.</summary>
/// <remarks>Few channels fill no vector; all channels of all taps do. A product makes what every position gives to the pixels under its window, for some rows of
/// positions at a time, within the second-level cache; then every run of a window's row, whose pixels are neighbours, is summed over the window's
/// rows and added once. Each pixel adds in an order that follows from the shapes, so the bits do not depend on the number of threads.
/// Limited by those additions, of neighbours that overlap.</remarks>
internal static unsafe class ConvSpread
{
    private const long BlockBytes = 256 << 10;

    /// <summary>Whether images of so few channels gain by it.</summary>
    public static bool Suits<T>(int channels, int taps) where T : unmanaged => channels * sizeof(T) <= 32 && taps > 1 && channels * taps * sizeof(T) >= 64;

    /// <summary>dx [images; Height; Width; Channels], overwritten, from dz [images; Rows; Columns; Outputs] and weights [TapsHigh; TapsWide; Channels; Outputs].</summary>
    public static void Run<T>(in SpreadShape shape, T* dz, T* weight, int images, T* dx) where T : unmanaged, INumber<T>
    {
        var room = (T*)AlignedMemory.Allocate((nuint)PackedMatrix<T>.Bytes(shape.Outputs, shape.Spread));
        try
        {
            var weights = new PackedMatrix<T>(shape.Outputs, shape.Spread, room);
            weights.Fill(true, weight, shape.Outputs);
            var job = new Job<T> { Shape = shape, Dz = dz, Dx = dx, Weights = weights };
            Workers.For(images, 1, &Job<T>.Run, &job);
        }
        finally
        {
            AlignedMemory.Free(room);
        }
    }

    private struct Job<T> where T : unmanaged, INumber<T>
    {
        public SpreadShape Shape;
        public T* Dz;
        public T* Dx;
        public PackedMatrix<T> Weights;

        public static void Run(void* state, long from, long to)
        {
            ref var job = ref *(Job<T>*)state;
            for (var image = from; image < to; image++) job.Image(image);
        }

        private readonly void Image(long image)
        {
            var dx = Dx + (image * Shape.Height * Shape.Width * Shape.Channels);
            new Span<T>(dx, Shape.Height * Shape.Width * Shape.Channels).Clear();
            var perRow = (long)Shape.Columns * Shape.Spread;
            var most = (int)Math.Clamp(BlockBytes / Math.Max(1, perRow * sizeof(T)), 1, Math.Max(1, Shape.Rows));
            var given = (T*)Scratch.Right(most * perRow * sizeof(T));
            for (var first = 0; first < Shape.Rows; first += most)
            {
                var rows = Math.Min(most, Shape.Rows - first);
                var dz = Dz + (((image * Shape.Rows) + first) * Shape.Columns * Shape.Outputs);
                Weights.Multiply(new Product<T>
                {
                    M = (nint)rows * Shape.Columns,
                    N = Shape.Spread,
                    K = Shape.Outputs,
                    A = dz,
                    Lda = Shape.Outputs,
                    C = given,
                    Ldc = Shape.Spread,
                });
                if (Vector512.IsHardwareAccelerated) Spread<Simd512<T>>(given, first, rows, dx);
                else if (Vector256.IsHardwareAccelerated) Spread<Simd256<T>>(given, first, rows, dx);
                else Spread<Simd128<T>>(given, first, rows, dx);
            }
        }

        private readonly void Spread<S>(T* given, int first, int rows, T* dx) where S : struct, ISimd<S, T>
        {
            long channels = Shape.Channels, spread = Shape.Spread, run = Shape.TapsWide * channels;
            var top = Math.Max(0, (first * Shape.StrideHeight) - Shape.PadTop);
            var bottom = Math.Min(Shape.Height - 1, ((first + rows - 1) * Shape.StrideHeight) + ((Shape.TapsHigh - 1) * Shape.DilationHeight) - Shape.PadTop);
            var sources = stackalloc T*[Shape.TapsHigh];
            for (var row = top; row <= bottom; row++)
            {
                var count = Sources(given, first, rows, row, sources);
                if (count == 0) continue;
                for (var j = 0; j < Shape.Columns; j++)
                {
                    var left = ((long)j * Shape.StrideWidth) - Shape.PadLeft;
                    long from = Math.Max(0, -left), to = Math.Min(Shape.TapsWide, Shape.Width - left);
                    if (to > from)
                        Add<S>(sources, count, (j * spread) + (from * channels), (to - from) * channels, dx + (((row * (long)Shape.Width) + left + from) * channels));
                }
            }
        }

        /// <summary>Where the position rows that reach a row of the image hold what they give to it: the first position's.</summary>
        private readonly int Sources(T* given, int first, int rows, int row, T** sources)
        {
            var count = 0;
            for (var u = 0; u < Shape.TapsHigh; u++)
            {
                var at = row + Shape.PadTop - (u * Shape.DilationHeight);
                if (at < 0 || at % Shape.StrideHeight != 0) continue;
                var position = (at / Shape.StrideHeight) - first;
                if (position >= 0 && position < rows)
                    sources[count++] = given + ((long)position * Shape.Columns * Shape.Spread) + ((long)u * Shape.TapsWide * Shape.Channels);
            }

            return count;
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Add<S>(T** sources, int count, long at, long n, T* to) where S : struct, ISimd<S, T>
        {
            for (var c = 0L; c < n; c += S.Count)
            {
                var lanes = Math.Min(S.Count, n - c);
                var sum = S.Load(to + c, lanes);
                for (var s = 0; s < count; s++) sum += S.Load(sources[s] + at + c, lanes);
                sum.Store(to + c, lanes);
            }
        }
    }
}
