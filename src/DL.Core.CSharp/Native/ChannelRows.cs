using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DL.Core.Kernels;

/// <summary>Images [examples; pixels; channels] beside one number for every example and channel.</summary>
/// <remarks>Sums over pixels are made in blocks, so that rounding does not grow with the image; a channel adds its pixels in order, so the bits do
/// not depend on the number of threads.</remarks>
internal static unsafe class ChannelRows
{
    private const long Grain = 16 * 1024;
    private const long Block = 64;

    /// <summary><c>y[n, p, c] = f(x[n, p, c], s[n, c])</c>; y may be x.</summary>
    public static void Map<T, F>(ReadOnlySpan<T> x, ReadOnlySpan<T> s, Span<T> y, int channels, F f) where T : unmanaged where F : unmanaged, IBinary<T>
    {
        if (x.IsEmpty) return;
        fixed (T* px = x, ps = s, py = y)
        {
            var pixels = x.Length / s.Length;
            var job = new MapJob<T, F> { X = px, S = ps, Y = py, Pixels = pixels, Channels = channels, Function = f };
            Workers.For(x.Length / channels, Math.Max(1, Grain / channels), &MapJob<T, F>.Run, &job);
        }
    }

    /// <summary><c>s[n, c] = sum over p of a[n, p, c] b[n, p, c]</c>.</summary>
    public static void Products<T>(ReadOnlySpan<T> a, ReadOnlySpan<T> b, Span<T> s, int channels) where T : unmanaged
    {
        if (s.IsEmpty) return;
        fixed (T* pa = a, pb = b, ps = s)
        {
            var job = new ProductJob<T> { A = pa, B = pb, S = ps, Pixels = a.Length / s.Length, Channels = channels };
            Workers.For(s.Length / channels, Math.Max(1, Grain / Math.Max(1, a.Length / (s.Length / channels))), &ProductJob<T>.Run, &job);
        }
    }

    private struct MapJob<T, F> where T : unmanaged where F : unmanaged, IBinary<T>
    {
        public T* X;
        public T* S;
        public T* Y;
        public long Pixels;
        public long Channels;
        public F Function;

        public static void Run(void* state, long from, long to)
        {
            ref var job = ref *(MapJob<T, F>*)state;
            for (var row = from; row < to; row++)
            {
                T* x = job.X + (row * job.Channels), s = job.S + (row / job.Pixels * job.Channels), y = job.Y + (row * job.Channels);
                if (Vector512.IsHardwareAccelerated) Row<Simd512<T>>(x, s, y, job.Channels, job.Function);
                else if (Vector256.IsHardwareAccelerated) Row<Simd256<T>>(x, s, y, job.Channels, job.Function);
                else Row<Simd128<T>>(x, s, y, job.Channels, job.Function);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Row<V>(T* x, T* s, T* y, long n, F f) where V : struct, ISimd<V, T>
        {
            var c = 0L;
            for (; c + V.Count <= n; c += V.Count) f.Apply(V.Load(x + c), V.Load(s + c)).Store(y + c);
            if (c < n) f.Apply(V.Load(x + c, n - c), V.Load(s + c, n - c)).Store(y + c, n - c);
        }
    }

    private struct ProductJob<T> where T : unmanaged
    {
        public T* A;
        public T* B;
        public T* S;
        public long Pixels;
        public long Channels;

        public static void Run(void* state, long from, long to)
        {
            ref var job = ref *(ProductJob<T>*)state;
            if (Vector512.IsHardwareAccelerated) job.Examples<Simd512<T>>(from, to);
            else if (Vector256.IsHardwareAccelerated) job.Examples<Simd256<T>>(from, to);
            else job.Examples<Simd128<T>>(from, to);
        }

        private readonly void Examples<V>(long from, long to) where V : struct, ISimd<V, T>
        {
            for (var n = from; n < to; n++)
            {
                for (var c = 0L; c < Channels; c += V.Count)
                {
                    var at = (n * Pixels * Channels) + c;
                    Lanes<V>(A + at, B + at, Pixels, Channels, S + (n * Channels) + c, Math.Min(V.Count, Channels - c));
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Lanes<V>(T* a, T* b, long pixels, long stride, T* to, long lanes) where V : struct, ISimd<V, T>
        {
            var total = V.Create(0);
            for (var from = 0L; from < pixels; from += Block)
            {
                var sum = V.Create(0);
                for (var left = Math.Min(Block, pixels - from); left > 0; left--, a += stride, b += stride)
                    sum = V.Fma(V.Load(a, lanes), V.Load(b, lanes), sum);
                total += sum;
            }

            total.Store(to, lanes);
        }
    }
}
