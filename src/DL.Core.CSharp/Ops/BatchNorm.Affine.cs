using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DL.Core.Kernels;

namespace DL.Core.Ops;

public static unsafe partial class BatchNorm
{
    /// <summary>Whether a gradient passes only where the output is positive.</summary>
    private interface IGate
    {
        static abstract bool ByOutput { get; }
    }

    private readonly struct All : IGate
    {
        public static bool ByOutput => false;
    }

    private readonly struct Positive : IGate
    {
        public static bool ByOutput => true;
    }

    /// <summary>The affine map of every column, <c>(x - center) slope + constant</c>, and whether what is negative becomes 0 after it.</summary>
    private readonly struct Columns<T>(T* center, T* slope, T* constant, bool relu) where T : unmanaged
    {
        public readonly T* Center = center;
        public readonly T* Slope = slope;
        public readonly T* Constant = constant;
        public readonly bool Relu = relu;

        /// <summary>Room for so many columns in the calling thread's working memory, and for as many more numbers behind it.</summary>
        public static Columns<T> Room(int columns, bool relu, out T* more)
        {
            var stride = RowBlocks.Stride<T>(columns);
            var start = (T*)Scratch.Right(6 * stride * sizeof(T));
            more = start + (3 * stride);
            return new(start, start + stride, start + (2 * stride), relu);
        }

        public Columns<T> From(long column) => new(Center + column, Slope + column, Constant + column, Relu);
    }

    /// <summary>y = (x - center) slope + constant, with one setting per column; or, where dy is given,
    /// dx = dy scale + (x - center) more + rest, with dy let through where y is positive if a ReLU follows.</summary>
    /// <remarks>Limited by memory where x is larger than the second cache: forward and backward fetch an array eight times between them, the two that are
    /// overwritten included, at what one core can ask for at once. Stores past the caches and lines cleared before they are written take as long.</remarks>
    private struct AffineJob<T>(T* dy, T* x, T* y, int rows, int columns, Columns<T> map, T* more) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public readonly T* Scale = more;
        public readonly T* More = more + RowBlocks.Stride<T>(columns);
        public readonly T* Rest = more + (2 * RowBlocks.Stride<T>(columns));

        private readonly Columns<T> _map = map;
        private readonly T* _dy = dy;
        private readonly T* _x = x;
        private readonly T* _y = y;
        private readonly int _rows = rows;
        private readonly long _columns = columns;

        private readonly long Stretch => Math.Max(1, 64 * 1024 / (_columns * sizeof(T)));

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
                if (_map.Relu) Stretches<S, Positive>(at, rows);
                else Stretches<S, All>(at, rows);
            }
        }

        private readonly void Stretches<S, G>(long at, long rows) where S : struct, ISimd<S, T> where G : struct, IGate
        {
            if (_dy is null) Forward<S, G>(_x + at, rows, _y + at);
            else Backward<S, G>(_dy + at, _x + at, rows, _y + at);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Forward<S, G>(T* x, long rows, T* y) where S : struct, ISimd<S, T> where G : struct, IGate
        {
            T* center = _map.Center, slope = _map.Slope, constant = _map.Constant;
            var n = _columns;
            for (var row = 0L; row < rows; row++, x += n, y += n)
            {
                var c = 0L;
                for (; c + S.Count <= n; c += S.Count)
                    Let<S, G>(S.Fma(S.Load(x + c) - S.Load(center + c), S.Load(slope + c), S.Load(constant + c))).Store(y + c);
                if (c < n) Let<S, G>(S.Fma(S.Load(x + c, n - c) - S.Load(center + c), S.Load(slope + c), S.Load(constant + c))).Store(y + c, n - c);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Backward<S, G>(T* dy, T* x, long rows, T* dx) where S : struct, ISimd<S, T> where G : struct, IGate
        {
            var n = _columns;
            for (var row = 0L; row < rows; row++, dy += n, x += n, dx += n)
            {
                var c = 0L;
                for (; c + S.Count <= n; c += S.Count) Gradient<S, G>(S.Load(dy + c), S.Load(x + c), c).Store(dx + c);
                if (c < n) Gradient<S, G>(S.Load(dy + c, n - c), S.Load(x + c, n - c), c).Store(dx + c, n - c);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private readonly S Gradient<S, G>(S dy, S x, long c) where S : struct, ISimd<S, T> where G : struct, IGate
        {
            var d = x - S.Load(_map.Center + c);
            if (G.ByOutput) dy = S.Greater(S.Fma(d, S.Load(_map.Slope + c), S.Load(_map.Constant + c)), S.Create(0)) & dy;
            return S.Fma(dy, S.Load(Scale + c), S.Fma(d, S.Load(More + c), S.Load(Rest + c)));
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static S Let<S, G>(S y) where S : struct, ISimd<S, T> where G : struct, IGate => G.ByOutput ? S.Max(y, S.Create(0)) : y;
    }
}
