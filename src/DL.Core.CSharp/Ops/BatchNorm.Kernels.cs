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
    private struct ColumnJob<T>(T* x, T* dy, T* center, int rows, int columns, int vectors) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public const int Height = 128;

        private const long Sample = Height / 4;

        public readonly int Rows = rows;
        public readonly int Blocks = (int)(((long)rows + Height - 1) / Height);

        private readonly T* _x = x;
        private readonly T* _dy = dy;
        private readonly T* _center = center;
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
                if (end - c < S.Count) Narrow<S>(at, height, (int)(end - c), _center + c, to);
                else if (step == S.Count) One<S>(at, height, _center + c, to);
                else if (_dy is null) Moments4<S>(_x + at, height, to);
                else Products4<S>(_dy + at, _x + at, height, _center + c, to);
            }
        }

        private readonly void One<S>(long at, long height, T* center, T* to) where S : struct, ISimd<S, T>
        {
            if (_dy is null) Moments<S>(_x + at, _columns, height, to);
            else Products<S>(_dy + at, _x + at, _columns, height, center, to);
        }

        /// <summary>The last columns of a row, put into whole vectors first.</summary>
        private readonly void Narrow<S>(long at, long height, int width, T* center, T* to) where S : struct, ISimd<S, T>
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
            Products<S>(dy, x, S.Count, height, center, to);
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
        private readonly void Products4<S>(T* dy, T* x, long height, T* centers, T* to) where S : struct, ISimd<S, T>
        {
            S a = S.Load(centers), b = S.Load(centers + S.Count), c = S.Load(centers + (2 * S.Count)), d = S.Load(centers + (3 * S.Count));
            S sumA = default, sumB = default, sumC = default, sumD = default, productA = default, productB = default, productC = default, productD = default;
            var stride = _columns;
            for (var row = 0L; row < height; row++, dy += stride, x += stride)
            {
                AddProduct(S.Load(dy), S.Load(x) - a, ref sumA, ref productA);
                AddProduct(S.Load(dy + S.Count), S.Load(x + S.Count) - b, ref sumB, ref productB);
                AddProduct(S.Load(dy + (2 * S.Count)), S.Load(x + (2 * S.Count)) - c, ref sumC, ref productC);
                AddProduct(S.Load(dy + (3 * S.Count)), S.Load(x + (3 * S.Count)) - d, ref sumD, ref productD);
            }

            Store4(to, sumA, sumB, sumC, sumD);
            Store4(to + _stride, productA, productB, productC, productD);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Products<S>(T* dy, T* x, long stride, long height, T* centers, T* to) where S : struct, ISimd<S, T>
        {
            var center = S.Load(centers);
            S sum = default, product = default;
            for (var row = 0L; row < height; row++, dy += stride, x += stride) AddProduct(S.Load(dy), S.Load(x) - center, ref sum, ref product);
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
        private static void AddProduct<S>(S dy, S d, ref S sum, ref S product) where S : struct, ISimd<S, T>
        {
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

    /// <summary>y = (x - center) slope + constant, and scale dy more where dy is given, with one setting per column.</summary>
    private struct AffineJob<T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public readonly T* Center;
        public readonly T* Slope;
        public readonly T* Constant;
        public readonly T* Scale;

        private readonly T* _dy;
        private readonly T* _x;
        private readonly T* _y;
        private readonly int _rows;
        private readonly long _columns;

        private readonly long Stretch => Math.Max(1, 64 * 1024 / (_columns * sizeof(T)));

        public AffineJob(T* dy, T* x, T* y, int rows, int columns)
        {
            var stride = RowBlocks.Stride<T>(columns);
            Center = (T*)Scratch.Right(4 * stride * sizeof(T));
            Slope = Center + stride;
            Constant = Slope + stride;
            Scale = Constant + stride;
            (_rows, _columns) = (rows, columns);
            _dy = dy;
            _x = x;
            _y = y;
        }

        public readonly void Launch()
        {
            var job = this;
            Workers.For(_rows, RowBlocks.RowGrain((int)_columns), &Run, &job);
        }

        private static void Run(void* state, long from, long to)
        {
            ref var job = ref *(AffineJob<T>*)state;
            if (Vector512.IsHardwareAccelerated) job.Loop<Simd512<T>>(from, to);
            else if (Vector256.IsHardwareAccelerated) job.Loop<Simd256<T>>(from, to);
            else job.Loop<Simd128<T>>(from, to);
        }

        private readonly void Loop<S>(long from, long to) where S : struct, ISimd<S, T>
        {
            // From the end: what the sums have read last still lies in the second cache.
            for (var end = to; end > from; end -= Stretch)
            {
                var rows = Math.Min(Stretch, end - from);
                var at = (end - rows) * _columns;
                if (_dy is null) Forward<S>(_x + at, rows, _y + at);
                else Backward<S>(_dy + at, _x + at, rows, _y + at);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Forward<S>(T* x, long rows, T* y) where S : struct, ISimd<S, T>
        {
            T* center = Center, slope = Slope, constant = Constant;
            var n = _columns;
            for (var row = 0L; row < rows; row++, x += n, y += n)
            {
                var c = 0L;
                for (; c + S.Count <= n; c += S.Count)
                {
                    S.Fma(S.Load(x + c) - S.Load(center + c), S.Load(slope + c), S.Load(constant + c)).Store(y + c);
                }

                if (c < n) S.Fma(S.Load(x + c, n - c) - S.Load(center + c), S.Load(slope + c), S.Load(constant + c)).Store(y + c, n - c);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Backward<S>(T* dy, T* x, long rows, T* dx) where S : struct, ISimd<S, T>
        {
            T* center = Center, slope = Slope, constant = Constant, scale = Scale;
            var n = _columns;
            for (var row = 0L; row < rows; row++, dy += n, x += n, dx += n)
            {
                var c = 0L;
                for (; c + S.Count <= n; c += S.Count)
                {
                    var rest = S.Fma(S.Load(x + c) - S.Load(center + c), S.Load(slope + c), S.Load(constant + c));
                    S.Fma(S.Load(dy + c), S.Load(scale + c), rest).Store(dx + c);
                }

                if (c == n) continue;
                var last = S.Fma(S.Load(x + c, n - c) - S.Load(center + c), S.Load(slope + c), S.Load(constant + c));
                S.Fma(S.Load(dy + c, n - c), S.Load(scale + c), last).Store(dx + c, n - c);
            }
        }
    }
}
