using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DL.Core.Kernels;

/// <summary>A convolution from few channels to few, with stride 1, and the gradient of its weights: pixels are the lanes, for the channels would fill no vector.</summary>
/// <remarks>Image and gradient are laid out as planes (<see cref="ConvPlaneLayout{T}"/>): then a tap is a distance, and its gradient
/// the product of two long vectors. Images fall into parts by their number alone and add in order, so the bits do not depend on the
/// number of threads. Limited by multiplications, three taps by four outputs at a time.</remarks>
internal static unsafe partial class ConvPlanes
{
    private const int Parts = 16;
    private const int TapsAtOnce = 3;
    private const int OutputsAtOnce = 4;
    private const int PixelsAtOnce = 8;
    private const int MostOutputs = 8;
    private const int LeastPixels = 64;

    // The planes of one image lie in the second- or third-level cache.
    private const long MostNumbers = 1 << 20;

    /// <summary>Whether a convolution with stride 1 and neighbouring taps gains by it.</summary>
    public static bool Suits<T>(in SpreadShape s) where T : unmanaged =>
        s.Channels * sizeof(T) <= 16 && s.Outputs <= MostOutputs && s.StrideHeight == 1 && s.StrideWidth == 1 && s.DilationHeight == 1
        && s.TapsWide > 1 && s.Rows * (long)s.Columns >= LeastPixels
        && (s.Channels + s.Outputs) * (s.Rows + (long)s.TapsHigh) * (s.Columns + (long)s.TapsWide) <= MostNumbers;

    /// <summary>dweight [TapsHigh; TapsWide; Channels; Outputs], overwritten, from x [images; Height; Width; Channels] and dz [images; Rows; Columns; Outputs].</summary>
    public static void Gradient<T>(in SpreadShape shape, T* x, T* dz, int images, Span<T> dweight) where T : unmanaged, System.Numerics.INumber<T>
    {
        var parts = Math.Min(Parts, images);
        var sums = new double[parts * dweight.Length];
        fixed (double* psums = sums)
        {
            var job = new Job<T> { Planes = new(shape), X = x, Dz = dz, Images = images, Parts = parts, Sums = psums };
            Workers.For(parts, 1, &Job<T>.Run, &job);
        }

        for (var i = 0; i < dweight.Length; i++)
        {
            var sum = 0.0;
            for (var part = 0; part < parts; part++) sum += sums[(part * dweight.Length) + i];
            dweight[i] = T.CreateTruncating(sum);
        }
    }

    private struct Job<T> where T : unmanaged, System.Numerics.INumber<T>
    {
        public ConvPlaneLayout<T> Planes;
        public T* X, Dz;
        public double* Sums;
        public long Images;
        public int Parts;

        public static void Run(void* state, long from, long to)
        {
            ref var job = ref *(Job<T>*)state;
            if (Vector512.IsHardwareAccelerated) job.Loop<Simd512<T>>(from, to);
            else if (Vector256.IsHardwareAccelerated) job.Loop<Simd256<T>>(from, to);
            else job.Loop<Simd128<T>>(from, to);
        }

        private readonly SpreadShape Shape => Planes.Shape;

        private readonly long Tiles =>
            (long)Shape.TapsHigh * Shape.Channels * ((Shape.TapsWide + TapsAtOnce - 1) / TapsAtOnce) * ((Shape.Outputs + OutputsAtOnce - 1) / OutputsAtOnce);

        private readonly void Loop<S>(long from, long to) where S : struct, ISimd<S, T>
        {
            long planes = (Shape.Channels * Planes.Plane) + (Shape.Outputs * Planes.Length), running = Tiles * TapsAtOnce * OutputsAtOnce * S.Count;
            var pixels = (T*)Scratch.Left((planes + running) * sizeof(T));
            T* slopes = pixels + (Shape.Channels * Planes.Plane), totals = pixels + planes;
            for (var part = from; part < to; part++)
            {
                new Span<T>(pixels, (int)(planes + running)).Clear();
                for (var image = part * Images / Parts; image < (part + 1) * Images / Parts; image++)
                {
                    Planes.Lay(X + (image * Shape.Height * Shape.Width * Shape.Channels), pixels);
                    Slopes(Dz + (image * Shape.Rows * Shape.Columns * Shape.Outputs), slopes);
                    Image<S>(pixels, slopes, totals);
                }

                Collect<S>(totals, Sums + (part * Shape.TapsHigh * Shape.TapsWide * Shape.Channels * Shape.Outputs));
            }
        }

        private readonly void Slopes(T* dz, T* slopes)
        {
            var wide = typeof(T) == typeof(float) && Avx.IsSupported && Shape.Columns >= PixelsAtOnce && Shape.Outputs >= OutputsAtOnce;
            for (var i = 0; i < Shape.Rows; i++, dz += Shape.Columns * Shape.Outputs, slopes += Planes.Pitch)
                if (wide) TurnWide((float*)dz, (float*)slopes);
                else Turn(dz, slopes);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Turn(T* dz, T* slopes)
        {
            for (var o = 0; o < Shape.Outputs; o++)
                for (var j = 0; j < Shape.Columns; j++) slopes[(o * Planes.Length) + j] = dz[(j * Shape.Outputs) + o];
        }

        // Where pixels or outputs run out the last ones are done again.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void TurnWide(float* dz, float* slopes)
        {
            var (outputs, length) = (Shape.Outputs, (nint)Planes.Length);
            for (var j = 0; j < Shape.Columns; j += PixelsAtOnce)
                for (var o = 0; o < outputs; o += OutputsAtOnce)
                {
                    int pixel = Math.Min(j, Shape.Columns - PixelsAtOnce), output = Math.Min(o, outputs - OutputsAtOnce);
                    float* a = dz + (pixel * outputs) + output, b = a + (4 * outputs);
                    GemmPack.EightByFour(
                        a, a + outputs, a + (2 * outputs), a + (3 * outputs), b, b + outputs, b + (2 * outputs), b + (3 * outputs),
                        length, slopes + (output * length) + pixel);
                }
        }

        /// <summary>Every tap with every output, tile by tile; where taps or outputs run out the last ones are done again.</summary>
        private readonly void Image<S>(T* pixels, T* slopes, T* totals) where S : struct, ISimd<S, T>
        {
            for (var u = 0; u < Shape.TapsHigh; u++)
                for (var c = 0; c < Shape.Channels; c++)
                    for (var v = 0; v < Shape.TapsWide; v += TapsAtOnce)
                        for (var o = 0; o < Shape.Outputs; o += OutputsAtOnce)
                        {
                            int v1 = Math.Min(v + 1, Shape.TapsWide - 1), v2 = Math.Min(v + 2, Shape.TapsWide - 1), last = Shape.Outputs - 1;
                            var row = pixels + (c * Planes.Plane) + (u * Planes.Pitch);
                            Tile<S>(
                                row + v, row + v1, row + v2, slopes + (o * Planes.Length), slopes + (Math.Min(o + 1, last) * Planes.Length),
                                slopes + (Math.Min(o + 2, last) * Planes.Length), slopes + (Math.Min(o + 3, last) * Planes.Length), Planes.Length, totals);
                            totals += TapsAtOnce * OutputsAtOnce * S.Count;
                        }
        }

        /// <summary>The lanes of every tap and output added up.</summary>
        private readonly void Collect<S>(T* totals, double* sums) where S : struct, ISimd<S, T>
        {
            for (var u = 0; u < Shape.TapsHigh; u++)
                for (var c = 0; c < Shape.Channels; c++)
                    for (var v = 0; v < Shape.TapsWide; v += TapsAtOnce)
                        for (var o = 0; o < Shape.Outputs; o += OutputsAtOnce)
                            for (var k = 0; k < TapsAtOnce * OutputsAtOnce; k++, totals += S.Count)
                            {
                                int tap = v + (k / OutputsAtOnce), output = o + (k % OutputsAtOnce);
                                if (tap >= Shape.TapsWide || output >= Shape.Outputs) continue;
                                var sum = 0.0;
                                for (var i = 0; i < S.Count; i++) sum += double.CreateTruncating(totals[i]);
                                sums[((((((long)u * Shape.TapsWide) + tap) * Shape.Channels) + c) * Shape.Outputs) + output] = sum;
                            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Tile<S>(T* x0, T* x1, T* x2, T* d0, T* d1, T* d2, T* d3, long length, T* totals) where S : struct, ISimd<S, T>
        {
            S a0 = S.Load(totals), a1 = S.Load(totals + S.Count), a2 = S.Load(totals + (2 * S.Count)), a3 = S.Load(totals + (3 * S.Count));
            S b0 = S.Load(totals + (4 * S.Count)), b1 = S.Load(totals + (5 * S.Count)), b2 = S.Load(totals + (6 * S.Count)), b3 = S.Load(totals + (7 * S.Count));
            S c0 = S.Load(totals + (8 * S.Count)), c1 = S.Load(totals + (9 * S.Count)), c2 = S.Load(totals + (10 * S.Count)), c3 = S.Load(totals + (11 * S.Count));
            for (var i = 0L; i < length; i += S.Count)
            {
                S p = S.Load(d0 + i), q = S.Load(d1 + i), r = S.Load(d2 + i), s = S.Load(d3 + i);
                var x = S.Load(x0 + i);
                a0 = S.Fma(x, p, a0);
                a1 = S.Fma(x, q, a1);
                a2 = S.Fma(x, r, a2);
                a3 = S.Fma(x, s, a3);
                x = S.Load(x1 + i);
                b0 = S.Fma(x, p, b0);
                b1 = S.Fma(x, q, b1);
                b2 = S.Fma(x, r, b2);
                b3 = S.Fma(x, s, b3);
                x = S.Load(x2 + i);
                c0 = S.Fma(x, p, c0);
                c1 = S.Fma(x, q, c1);
                c2 = S.Fma(x, r, c2);
                c3 = S.Fma(x, s, c3);
            }

            Store4(totals, a0, a1, a2, a3);
            Store4(totals + (4 * S.Count), b0, b1, b2, b3);
            Store4(totals + (8 * S.Count), c0, c1, c2, c3);
        }

        private static void Store4<S>(T* to, S a, S b, S c, S d) where S : struct, ISimd<S, T>
        {
            a.Store(to);
            b.Store(to + S.Count);
            c.Store(to + (2 * S.Count));
            d.Store(to + (3 * S.Count));
        }
    }
}
