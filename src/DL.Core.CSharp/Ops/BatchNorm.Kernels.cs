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
                if (_dy is null) Moments<S>(_x + at, height, Math.Min(S.Count, end - c), to);
                else Products<S>(_dy + at, _x + at, height, Math.Min(S.Count, end - c), _center + c, to);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static S Lanes<S>(T* source, long width) where S : struct, ISimd<S, T> =>
            width == S.Count ? S.Load(source) : Tail.Load<T, S>(source, width);

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Moments<S>(T* x, long height, long width, T* to) where S : struct, ISimd<S, T>
        {
            S a = default, b = default, c = default, d = default;
            var row = 0L;
            for (; row + 4 <= height; row += 4)
            {
                a += Lanes<S>(x + (row * _columns), width);
                b += Lanes<S>(x + ((row + 1) * _columns), width);
                c += Lanes<S>(x + ((row + 2) * _columns), width);
                d += Lanes<S>(x + ((row + 3) * _columns), width);
            }

            for (; row < height; row++) a += Lanes<S>(x + (row * _columns), width);
            var center = (a + b + (c + d)) * S.Create(1.0 / height);

            S sum = default, square = default, sum2 = default, square2 = default;
            for (row = 0; row + 2 <= height; row += 2)
            {
                var first = Lanes<S>(x + (row * _columns), width) - center;
                var second = Lanes<S>(x + ((row + 1) * _columns), width) - center;
                sum += first;
                sum2 += second;
                square = S.Fma(first, first, square);
                square2 = S.Fma(second, second, square2);
            }

            if (row < height)
            {
                var last = Lanes<S>(x + (row * _columns), width) - center;
                sum += last;
                square = S.Fma(last, last, square);
            }

            center.Store(to);
            (sum + sum2).Store(to + _stride);
            (square + square2).Store(to + (2 * _stride));
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Products<S>(T* dy, T* x, long height, long width, T* centers, T* to) where S : struct, ISimd<S, T>
        {
            var center = S.Load(centers);
            S sum = default, product = default, sum2 = default, product2 = default;
            var row = 0L;
            for (; row + 2 <= height; row += 2)
            {
                var first = Lanes<S>(dy + (row * _columns), width);
                var second = Lanes<S>(dy + ((row + 1) * _columns), width);
                sum += first;
                sum2 += second;
                product = S.Fma(first, Lanes<S>(x + (row * _columns), width) - center, product);
                product2 = S.Fma(second, Lanes<S>(x + ((row + 1) * _columns), width) - center, product2);
            }

            if (row < height)
            {
                var last = Lanes<S>(dy + (row * _columns), width);
                sum += last;
                product = S.Fma(last, Lanes<S>(x + (row * _columns), width) - center, product);
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

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Loop<S>(long from, long to) where S : struct, ISimd<S, T>
        {
            var dy = _dy;
            var n = _columns;
            for (var row = from; row < to; row++)
            {
                var x = _x + (row * n);
                var y = _y + (row * n);
                var gradient = dy is null ? null : dy + (row * n);
                var c = 0L;
                for (; c + S.Count <= n; c += S.Count)
                {
                    var value = Value(S.Load(x + c), c);
                    if (gradient is not null) value = S.Fma(S.Load(gradient + c), S.Load(Scale + c), value);
                    value.Store(y + c);
                }

                if (c == n) continue;
                var rest = Value(Tail.Load<T, S>(x + c, n - c), c);
                if (gradient is not null) rest = S.Fma(Tail.Load<T, S>(gradient + c, n - c), S.Load(Scale + c), rest);
                Tail.Store(rest, y + c, n - c);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private readonly S Value<S>(S x, long c) where S : struct, ISimd<S, T> => S.Fma(x - S.Load(Center + c), S.Load(Slope + c), S.Load(Constant + c));
    }
}
