using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DL.Core.Kernels;

namespace DL.Core.Ops;

public static unsafe partial class BatchNorm
{
    /// <summary>Partial sums of columns over fixed blocks of rows: (center, sum d, sum d^2) with d = x - center, or (sum dy, sum dy d).</summary>
    /// <remarks>The center is the mean of a block's first quarter. It differs from the block's mean by at most sqrt(3) standard deviations of the block,
    /// so that taking the square of that difference off again costs at most two bits.</remarks>
    private struct ColumnJob<T>(T* x, T* dy, Columns<T> map, int rows, int columns, int vectors) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public const int Height = 128;

        private const long Sample = Height / 4;

        public readonly int Rows = rows;
        public readonly int Blocks = (int)(((long)rows + Height - 1) / Height);

        private readonly T* _x = x;
        private readonly T* _dy = dy;
        private readonly Columns<T> _map = map;
        private readonly long _columns = columns;
        private readonly long _stride = RowBlocks.Stride<T>(columns);
        private readonly int _vectors = vectors;
        private T* _partials;

        private static int StripWidth => 256 / sizeof(T);

        private readonly int Strips => (int)((_columns + StripWidth - 1) / StripWidth);

        public void Launch()
        {
            _partials = RowBlocks.Room<T>(Blocks, _vectors, _stride);
            var job = this;
            Workers.For((long)Blocks * Strips, 2, &Run, &job);
        }

        public readonly double Partial(int block, int vector, int column) =>
            double.CreateTruncating(_partials[((((long)block * _vectors) + vector) * _stride) + column]);

        public readonly double Total(int vector, int column)
        {
            var sum = 0.0;
            for (var block = 0; block < Blocks; block++) sum += Partial(block, vector, column);
            return sum;
        }

        private static void Run(void* state, long from, long to)
        {
            ref var job = ref *(ColumnJob<T>*)state;
            for (var item = from; item < to; item++)
            {
                if (Vector512.IsHardwareAccelerated) job.Item<Simd512<T>>(item / job.Strips, item % job.Strips);
                else if (Vector256.IsHardwareAccelerated) job.Item<Simd256<T>>(item / job.Strips, item % job.Strips);
                else job.Item<Simd128<T>>(item / job.Strips, item % job.Strips);
            }
        }

        private readonly void Item<S>(long block, long strip) where S : struct, ISimd<S, T>
        {
            var first = block * Height;
            var height = Math.Min(Height, Rows - first);
            var end = Math.Min((strip + 1) * StripWidth, _columns);
            var step = 0L;
            for (var c = strip * StripWidth; c < end; c += step)
            {
                var to = _partials + (block * _vectors * _stride) + c;
                var at = (first * _columns) + c;
                step = end - c >= 4 * S.Count ? 4 * S.Count : S.Count;
                if (end - c < S.Count) Narrow<S>(at, height, (int)(end - c), c, to);
                else if (step == S.Count) One<S>(at, height, c, to);
                else if (_dy is null) Moments4<S>(_x + at, height, to);
                else if (_map.Relu) Products4<S, Positive>(_dy + at, _x + at, height, c, to);
                else Products4<S, All>(_dy + at, _x + at, height, c, to);
            }
        }

        private readonly void One<S>(long at, long height, long c, T* to) where S : struct, ISimd<S, T>
        {
            if (_dy is null) Moments<S>(_x + at, _columns, height, to);
            else Products<S>(_dy + at, _x + at, _columns, height, c, to);
        }

        /// <summary>The last columns of a row, put into whole vectors first.</summary>
        private readonly void Narrow<S>(long at, long height, int width, long c, T* to) where S : struct, ISimd<S, T>
        {
            var x = stackalloc T[Height * S.Count];
            Gather(_x + at, height, width, x, S.Count);
            if (_dy is null)
            {
                Moments<S>(x, S.Count, height, to);
                return;
            }

            var dy = stackalloc T[Height * S.Count];
            Gather(_dy + at, height, width, dy, S.Count);
            Products<S>(dy, x, S.Count, height, c, to);
        }

        private readonly void Gather(T* source, long height, int width, T* destination, int lanes)
        {
            new Span<T>(destination, Height * lanes).Clear();
            for (var row = 0L; row < height; row++)
            {
                for (var c = 0; c < width; c++) destination[(row * lanes) + c] = source[(row * _columns) + c];
            }
        }

        // Four vectors side by side read whole neighbouring cache lines; every column still adds its rows one after the other.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Moments4<S>(T* x, long height, T* to) where S : struct, ISimd<S, T>
        {
            S a = default, b = default, c = default, d = default;
            var stride = _columns;
            var sample = Math.Min(height, Sample);
            var end = x + (sample * stride);
            for (var row = x; row < end; row += stride)
            {
                a += S.Load(row);
                b += S.Load(row + S.Count);
                c += S.Load(row + (2 * S.Count));
                d += S.Load(row + (3 * S.Count));
            }

            var share = S.Create(1.0 / sample);
            a *= share;
            b *= share;
            c *= share;
            d *= share;
            S sumA = default, sumB = default, sumC = default, sumD = default, squareA = default, squareB = default, squareC = default, squareD = default;
            end = x + (height * stride);
            for (var row = x; row < end; row += stride)
            {
                AddSquare(S.Load(row) - a, ref sumA, ref squareA);
                AddSquare(S.Load(row + S.Count) - b, ref sumB, ref squareB);
                AddSquare(S.Load(row + (2 * S.Count)) - c, ref sumC, ref squareC);
                AddSquare(S.Load(row + (3 * S.Count)) - d, ref sumD, ref squareD);
            }

            Store4(to, a, b, c, d);
            Store4(to + _stride, sumA, sumB, sumC, sumD);
            Store4(to + (2 * _stride), squareA, squareB, squareC, squareD);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Moments<S>(T* x, long stride, long height, T* to) where S : struct, ISimd<S, T>
        {
            S center = default, sum = default, square = default;
            var sample = Math.Min(height, Sample);
            var end = x + (sample * stride);
            for (var row = x; row < end; row += stride) center += S.Load(row);
            center *= S.Create(1.0 / sample);
            end = x + (height * stride);
            for (var row = x; row < end; row += stride) AddSquare(S.Load(row) - center, ref sum, ref square);
            center.Store(to);
            sum.Store(to + _stride);
            square.Store(to + (2 * _stride));
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Products4<S, G>(T* dy, T* x, long height, long column, T* to) where S : struct, ISimd<S, T> where G : struct, IGate
        {
            var map = _map.From(column);
            S a = S.Load(map.Center), b = S.Load(map.Center + S.Count), c = S.Load(map.Center + (2 * S.Count)), d = S.Load(map.Center + (3 * S.Count));
            S sumA = default, sumB = default, sumC = default, sumD = default, productA = default, productB = default, productC = default, productD = default;
            var stride = _columns;
            for (var row = 0L; row < height; row++, dy += stride, x += stride)
            {
                AddProduct<S, G>(S.Load(dy), S.Load(x) - a, map, 0, ref sumA, ref productA);
                AddProduct<S, G>(S.Load(dy + S.Count), S.Load(x + S.Count) - b, map, S.Count, ref sumB, ref productB);
                AddProduct<S, G>(S.Load(dy + (2 * S.Count)), S.Load(x + (2 * S.Count)) - c, map, 2 * S.Count, ref sumC, ref productC);
                AddProduct<S, G>(S.Load(dy + (3 * S.Count)), S.Load(x + (3 * S.Count)) - d, map, 3 * S.Count, ref sumD, ref productD);
            }

            Store4(to, sumA, sumB, sumC, sumD);
            Store4(to + _stride, productA, productB, productC, productD);
        }

        private readonly void Products<S>(T* dy, T* x, long stride, long height, long column, T* to) where S : struct, ISimd<S, T>
        {
            if (_map.Relu) Products<S, Positive>(dy, x, stride, height, _map.From(column), to);
            else Products<S, All>(dy, x, stride, height, _map.From(column), to);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Products<S, G>(T* dy, T* x, long stride, long height, Columns<T> map, T* to) where S : struct, ISimd<S, T> where G : struct, IGate
        {
            var center = S.Load(map.Center);
            S sum = default, product = default;
            for (var row = 0L; row < height; row++, dy += stride, x += stride)
                AddProduct<S, G>(S.Load(dy), S.Load(x) - center, map, 0, ref sum, ref product);
            sum.Store(to);
            product.Store(to + _stride);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void AddSquare<S>(S d, ref S sum, ref S square) where S : struct, ISimd<S, T>
        {
            sum += d;
            square = S.Fma(d, d, square);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void AddProduct<S, G>(S dy, S d, in Columns<T> map, long at, ref S sum, ref S product)
            where S : struct, ISimd<S, T> where G : struct, IGate
        {
            if (G.ByOutput) dy = S.Greater(S.Fma(d, S.Load(map.Slope + at), S.Load(map.Constant + at)), S.Create(0)) & dy;
            sum += dy;
            product = S.Fma(dy, d, product);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Store4<S>(T* to, S a, S b, S c, S d) where S : struct, ISimd<S, T>
        {
            a.Store(to);
            b.Store(to + S.Count);
            c.Store(to + (2 * S.Count));
            d.Store(to + (3 * S.Count));
        }
    }
}
