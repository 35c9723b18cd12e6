using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DL.Core.Kernels;

/// <summary>Two linear maps over the rows and columns of images, with channels as lanes. Every result is gathered by one thread, in an order that follows from the maps.</summary>
internal static unsafe class Resampling
{
    /// <summary>result [images; rows; columns; channels], overwritten, from source [images; height; width; channels].</summary>
    public static void Apply<T>(ResampleAxis rows, ResampleAxis columns, T* source, int images, int height, int width, int channels, T* result)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        fixed (int* rowStarts = rows.Starts, rowIndices = rows.Indices, columnStarts = columns.Starts, columnIndices = columns.Indices)
        fixed (double* rowWeights = rows.Weights, columnWeights = columns.Weights)
        {
            var job = new Job<T>
            {
                Rows = new() { Starts = rowStarts, Indices = rowIndices, Weights = rowWeights, Count = rows.Count },
                Columns = new() { Starts = columnStarts, Indices = columnIndices, Weights = columnWeights, Count = columns.Count },
                Height = height,
                Width = width,
                Channels = channels,
                Source = source,
                Result = result,
            };
            var work = Math.Max(columns.Count, columns.Indices.Length) * (long)Math.Max(1, channels);
            Workers.For((long)images * rows.Count, 1 + (4096 / work), &Job<T>.Run, &job);
        }
    }

    private struct Taps
    {
        public int* Starts, Indices;
        public double* Weights;
        public int Count;
    }

    private struct Job<T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public Taps Rows, Columns;
        public int Height, Width, Channels;
        public T* Source, Result;

        public static void Run(void* state, long from, long to)
        {
            ref var job = ref *(Job<T>*)state;
            for (var row = from; row < to; row++)
            {
                if (Vector512.IsHardwareAccelerated) job.Row<Simd512<T>>(row / job.Rows.Count, (int)(row % job.Rows.Count));
                else if (Vector256.IsHardwareAccelerated) job.Row<Simd256<T>>(row / job.Rows.Count, (int)(row % job.Rows.Count));
                else job.Row<Simd128<T>>(row / job.Rows.Count, (int)(row % job.Rows.Count));
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Row<S>(long image, int row) where S : struct, ISimd<S, T>
        {
            var line = (long)Width * Channels;
            var source = Source + (image * Height * line);
            var result = Result + (((image * Rows.Count) + row) * Columns.Count * Channels);
            int r0 = Rows.Starts[row], r1 = Rows.Starts[row + 1];
            for (var column = 0; column < Columns.Count; column++, result += Channels)
            {
                int c0 = Columns.Starts[column], c1 = Columns.Starts[column + 1];
                // A sum that begins with -0 keeps the sign of a zero; a sum of nothing is +0.
                var start = S.Create(r0 == r1 || c0 == c1 ? 0.0 : -0.0);
                for (var c = 0L; c < Channels; c += S.Count)
                {
                    var lanes = Math.Min(S.Count, Channels - c);
                    var sum = start;
                    for (var r = r0; r < r1; r++)
                    {
                        var pixels = source + (Rows.Indices[r] * line) + c;
                        for (var t = c0; t < c1; t++)
                            sum = S.Fma(S.Create(Rows.Weights[r] * Columns.Weights[t]), S.Load(pixels + ((long)Columns.Indices[t] * Channels), lanes), sum);
                    }

                    sum.Store(result + c, lanes);
                }
            }
        }
    }
}
