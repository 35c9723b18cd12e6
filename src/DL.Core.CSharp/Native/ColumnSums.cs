using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DL.Core.Kernels;

/// <summary>Sums down the columns of a row-major matrix, as the gradient of a bias is.</summary>
/// <remarks>Rows are added in blocks of about the root of their number, so that rounding grows with that root; blocks and parts depend on the
/// shape alone, and columns never mix, so the bits do not depend on the number of threads.</remarks>
internal static unsafe class ColumnSums
{
    private const int MaxParts = 8;
    private const int RowsPerPart = 256;
    private const int MaxSharedColumns = 1024;
    private const long Grain = 256;

    // Columns summed at once.
    private const int Width = 1024;

    /// <summary><c>y_j += sum_i x_ij</c>.</summary>
    /// <param name="x">The matrix, rows x columns.</param>
    /// <param name="rows">The number of rows.</param>
    /// <param name="columns">The number of columns.</param>
    /// <param name="y">The sums, added to.</param>
    public static void Add<T>(T* x, int rows, int columns, T* y) where T : unmanaged
    {
        var parts = columns <= MaxSharedColumns ? Math.Clamp(rows / RowsPerPart, 1, MaxParts) : 1;
        var job = new Job<T> { X = x, Rows = rows, Columns = columns, Y = y, Parts = parts };
        if (parts == 1)
        {
            Workers.For(columns, (long)rows * columns < 32 * 1024 ? columns : Grain, &Job<T>.RunColumns, &job);
            return;
        }

        var sums = stackalloc T[parts * columns];
        new Span<T>(sums, parts * columns).Clear();
        job.Y = sums;
        Workers.For(parts, 1, &Job<T>.RunRows, &job);
        var total = new Job<T> { X = sums, Rows = parts, Columns = columns, Y = y };
        Job<T>.RunColumns(&total, 0, columns);
    }

    /// <summary><c>y_j += sum_i x_ij</c> over spans; the caller has checked the lengths.</summary>
    public static void Add<T>(ReadOnlySpan<T> x, int rows, int columns, Span<T> y) where T : unmanaged
    {
        fixed (T* px = x, py = y) Add(px, rows, columns, py);
    }

    private struct Job<T> where T : unmanaged
    {
        public T* X;
        public T* Y;
        public int Rows;
        public int Columns;
        public int Parts;

        public static void RunColumns(void* state, long from, long to)
        {
            ref var job = ref *(Job<T>*)state;
            Strips(ref job, 0, job.Rows, from, to, job.Y);
        }

        public static void RunRows(void* state, long from, long to)
        {
            ref var job = ref *(Job<T>*)state;
            for (var part = from; part < to; part++)
            {
                var first = job.Rows * part / job.Parts;
                Strips(ref job, first, (job.Rows * (part + 1) / job.Parts) - first, 0, job.Columns, job.Y + (part * job.Columns));
            }
        }

        private static void Strips(ref Job<T> job, long row, long rows, long from, long to, T* y)
        {
            if (Vector512.IsHardwareAccelerated) Strips<Simd512<T>>(ref job, row, rows, from, to, y);
            else if (Vector256.IsHardwareAccelerated) Strips<Simd256<T>>(ref job, row, rows, from, to, y);
            else Strips<Simd128<T>>(ref job, row, rows, from, to, y);
        }

        private static void Strips<S>(ref Job<T> job, long row, long rows, long from, long to, T* y) where S : struct, ISimd<S, T>
        {
            var block = Math.Max(8, (long)Math.Sqrt(rows));
            var x = job.X + (row * job.Columns);
            if (job.Columns < S.Count && from == 0 && to == job.Columns)
            {
                Narrow<S>(x, job.Columns, rows, block, y);
                return;
            }

            for (var j = from; j < to; j += Width) Lines<S>(x + j, job.Columns, rows, block, y + j, Math.Min(to - j, Width));
        }

        // Rows are read as they lie, four at a time, beside sums that stay in the nearest cache.
        private static void Lines<S>(T* x, long stride, long rows, long block, T* y, long width) where S : struct, ISimd<S, T>
        {
            var sums = stackalloc T[Width];
            for (var from = 0L; from < rows; from += block)
            {
                new Span<T>(sums, (int)width).Clear();
                var left = Math.Min(block, rows - from);
                for (; left >= 4; left -= 4, x += 4 * stride) AddFour<S>(x, x + stride, x + (2 * stride), x + (3 * stride), sums, width);
                for (; left > 0; left--, x += stride) AddOne<S>(x, sums, width);
                AddOne<S>(sums, y, width);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void AddFour<S>(T* a, T* b, T* c, T* d, T* sums, long width) where S : struct, ISimd<S, T>
        {
            var j = 0L;
            for (; j + S.Count <= width; j += S.Count)
                (S.Load(sums + j) + ((S.Load(a + j) + S.Load(b + j)) + (S.Load(c + j) + S.Load(d + j)))).Store(sums + j);
            if (j == width) return;
            var left = width - j;
            var four = (S.Load(a + j, left) + S.Load(b + j, left)) + (S.Load(c + j, left) + S.Load(d + j, left));
            (S.Load(sums + j, left) + four).Store(sums + j, left);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void AddOne<S>(T* x, T* sums, long width) where S : struct, ISimd<S, T>
        {
            var j = 0L;
            for (; j + S.Count <= width; j += S.Count) (S.Load(sums + j) + S.Load(x + j)).Store(sums + j);
            if (j < width) (S.Load(sums + j, width - j) + S.Load(x + j, width - j)).Store(sums + j, width - j);
        }

        // Rows narrower than a vector: as many vectors as a row has columns hold whole rows, and are added up as they lie.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Narrow<S>(T* x, long columns, long rows, long block, T* y) where S : struct, ISimd<S, T>
        {
            var length = columns * S.Count;
            T* sums = stackalloc T[(int)length], totals = stackalloc T[(int)length];
            new Span<T>(sums, (int)length).Clear();
            new Span<T>(totals, (int)length).Clear();
            var whole = rows - (rows % S.Count);
            block = (block + S.Count - 1) / S.Count;
            for (var row = 0L; row < whole;)
            {
                for (var left = block; left > 0 && row < whole; left--, row += S.Count)
                    for (var j = 0L; j < length; j += S.Count, x += S.Count) (S.Load(sums + j) + S.Load(x)).Store(sums + j);
                for (var j = 0L; j < length; j += S.Count)
                {
                    (S.Load(totals + j) + S.Load(sums + j)).Store(totals + j);
                    S.Create(0).Store(sums + j);
                }
            }

            Lines<S>(totals, columns, S.Count, S.Count, y, columns);
            Lines<S>(x, columns, rows - whole, S.Count, y, columns);
        }
    }
}
