using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DL.Core.Kernels;

namespace DL.Core.Ops;

public static unsafe partial class BatchNorm
{
    /// <summary>Partial sums of columns over fixed blocks of rows: (center, sum d, sum d^2) with d = x - center, or (sum dy, sum dy d).</summary>
    /// <remarks>A block of one strip of columns fits the first cache, so that its second pass is free.</remarks>
    private struct ColumnJob<T>(T* x, T* dy, T* center, int rows, int columns, int vectors) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public const int Height = 128;

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
            for (var c = strip * StripWidth; c < end; c += S.Count)
            {
                var to = _partials + (block * _vectors * _stride) + c;
                var at = (first * _columns) + c;
                if (end - c < S.Count) Narrow<S>(at, height, (int)(end - c), _center + c, to);
                else if (_dy is null) Moments<S>(_x + at, _columns, height, to);
                else Products<S>(_dy + at, _x + at, _columns, height, _center + c, to);
            }
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

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Moments<S>(T* x, long stride, long height, T* to) where S : struct, ISimd<S, T>
        {
            S a = default, b = default, c = default, d = default;
            var row = 0L;
            for (; row + 4 <= height; row += 4)
            {
                a += S.Load(x + (row * stride));
                b += S.Load(x + ((row + 1) * stride));
                c += S.Load(x + ((row + 2) * stride));
                d += S.Load(x + ((row + 3) * stride));
            }

            for (; row < height; row++) a += S.Load(x + (row * stride));
            var center = (a + b + (c + d)) * S.Create(1.0 / height);

            S sum = default, square = default, sum2 = default, square2 = default;
            for (row = 0; row + 2 <= height; row += 2)
            {
                var first = S.Load(x + (row * stride)) - center;
                var second = S.Load(x + ((row + 1) * stride)) - center;
                sum += first;
                sum2 += second;
                square = S.Fma(first, first, square);
                square2 = S.Fma(second, second, square2);
            }

            if (row < height)
            {
                var last = S.Load(x + (row * stride)) - center;
                sum += last;
                square = S.Fma(last, last, square);
            }

            center.Store(to);
            (sum + sum2).Store(to + _stride);
            (square + square2).Store(to + (2 * _stride));
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Products<S>(T* dy, T* x, long stride, long height, T* centers, T* to) where S : struct, ISimd<S, T>
        {
            var center = S.Load(centers);
            S sum = default, product = default, sum2 = default, product2 = default;
            var row = 0L;
            for (; row + 2 <= height; row += 2)
            {
                var first = S.Load(dy + (row * stride));
                var second = S.Load(dy + ((row + 1) * stride));
                sum += first;
                sum2 += second;
                product = S.Fma(first, S.Load(x + (row * stride)) - center, product);
                product2 = S.Fma(second, S.Load(x + ((row + 1) * stride)) - center, product2);
            }

            if (row < height)
            {
                var last = S.Load(dy + (row * stride));
                sum += last;
                product = S.Fma(last, S.Load(x + (row * stride)) - center, product);
            }

            (sum + sum2).Store(to);
            (product + product2).Store(to + _stride);
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
            for (var row = from * _columns; row < to * _columns; row += _columns)
            {
                if (_dy is null) Map<S>(_x + row, _y + row);
                else Map<S>(_dy + row, _x + row, _y + row);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Map<S>(T* x, T* y) where S : struct, ISimd<S, T>
        {
            var c = 0L;
            for (; c + S.Count <= _columns; c += S.Count) Value(S.Load(x + c), c).Store(y + c);
            if (c < _columns) Padded.Store(Value(Padded.Load<T, S>(x + c, _columns - c), c), y + c, _columns - c);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Map<S>(T* dy, T* x, T* y) where S : struct, ISimd<S, T>
        {
            var c = 0L;
            for (; c + S.Count <= _columns; c += S.Count)
                S.Fma(S.Load(dy + c), S.Load(Scale + c), Value(S.Load(x + c), c)).Store(y + c);
            if (c == _columns) return;
            var left = _columns - c;
            Padded.Store(S.Fma(Padded.Load<T, S>(dy + c, left), S.Load(Scale + c), Value(Padded.Load<T, S>(x + c, left), c)), y + c, left);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private readonly S Value<S>(S x, long c) where S : struct, ISimd<S, T> => S.Fma(x - S.Load(Center + c), S.Load(Slope + c), S.Load(Constant + c));
    }
}
