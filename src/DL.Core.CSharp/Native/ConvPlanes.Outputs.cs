using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using DL.Core.Ops;

namespace DL.Core.Kernels;

internal static unsafe partial class ConvPlanes
{
    private const int ReturnedAtOnce = 4;

    /// <summary>y [images; Rows; Columns; Outputs] from x and weights as for <see cref="Gradient"/>; bias and activation are applied too.</summary>
    /// <remarks>Outputs are the rows of a product and pixels its columns, read where the planes lie. Limited by multiplications; a third of the time goes
    /// into laying planes out and back.</remarks>
    public static void Forward<T>(in SpreadShape shape, T* x, T* weight, ReadOnlySpan<T> bias, Activation activation, int images, T* y) where T : unmanaged
    {
        fixed (T* pbias = bias)
        {
            var job = new ForwardJob<T>
            {
                Planes = new(shape),
                X = x,
                Weight = weight,
                Bias = pbias,
                BiasLength = bias.Length,
                Activation = activation,
                Y = y,
            };
            Workers.For(images, 1, &ForwardJob<T>.Run, &job);
        }
    }

    private struct ForwardJob<T> where T : unmanaged
    {
        public ConvPlaneLayout<T> Planes;
        public T* X, Weight, Bias, Y;
        public int BiasLength;
        public Activation Activation;

        public static void Run(void* state, long from, long to)
        {
            ref var job = ref *(ForwardJob<T>*)state;
            if (Vector512.IsHardwareAccelerated) job.Images<Lanes512<T>>(from, to);
            else job.Images<Lanes256<T>>(from, to);
        }

        private readonly void Images<V>(long from, long to) where V : struct, IGemmWidth
        {
            var shape = Planes.Shape;
            long planes = shape.Channels * Planes.Plane, read = (long)shape.Height * shape.Width * shape.Channels;
            int pixels = shape.Rows * shape.Columns, made = pixels * shape.Outputs;
            var lanes = (T*)Scratch.Left((planes + (shape.Outputs * Planes.Length)) * sizeof(T));
            new Span<T>(lanes, (int)planes).Clear();
            for (var image = from; image < to; image++)
            {
                var y = Y + (image * made);
                Planes.Lay(X + (image * read), lanes);
                Multiply<V>(lanes, lanes + planes);
                Return(lanes + planes, y);
                BiasActivation.Forward(new Span<T>(y, made), new ReadOnlySpan<T>(Bias, BiasLength), Activation, pixels, shape.Outputs);
            }
        }

        private readonly void Multiply<V>(T* pixels, T* sums) where V : struct, IGemmWidth
        {
            var shape = Planes.Shape;
            Unsafe.SkipInit(out Tile<T> tile);
            tile.K = shape.TapsWide;
            tile.Runs = shape.TapsHigh;
            tile.ARow = 1;
            tile.AStep = shape.Channels * shape.Outputs;
            tile.ANext = V.TileRows;
            tile.AJump = 0;
            tile.BStep = 1;
            tile.BJump = Planes.Pitch - shape.TapsWide;
            tile.CRow = (nint)Planes.Length;
            tile.Packed = null;
            tile.Ahead = false;
            tile.FetchStep = 0;
            tile.Tail = V.Count;
            for (var c = 0; c < shape.Channels; c++)
            {
                tile.A = Weight + (c * shape.Outputs);
                tile.Add = c > 0;
                for (var j = 0L; j < Planes.Length; j += 2 * V.Count)
                {
                    tile.B = pixels + (c * Planes.Plane) + j;
                    tile.C = sums + j;
                    GemmTiles.Strip<V, T>(tile, shape.Outputs, (nint)Math.Min(2 * V.Count, Planes.Length - j));
                }
            }
        }

        // Eight numbers are written for every pixel: what is not its own is overwritten by the pixels behind it, but for the last of the image.
        private readonly void Return(T* sums, T* y)
        {
            var shape = Planes.Shape;
            var wide = typeof(T) == typeof(float) && Avx.IsSupported && shape.Outputs >= OutputsAtOnce && shape.Columns >= ReturnedAtOnce;
            for (var i = 0; i < shape.Rows; i++, sums += Planes.Pitch, y += shape.Columns * shape.Outputs)
            {
                var done = !wide ? 0 : i < shape.Rows - 1 ? shape.Columns : shape.Columns - MostOutputs / OutputsAtOnce;
                if (done >= ReturnedAtOnce) ReturnWide((float*)sums, done, (float*)y);
                else done = 0;
                for (var j = done; j < shape.Columns; j++)
                    for (var o = 0; o < shape.Outputs; o++) y[(j * shape.Outputs) + o] = sums[(o * Planes.Length) + j];
            }
        }

        // Where pixels run out the last ones are done again.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void ReturnWide(float* sums, int columns, float* y)
        {
            var outputs = Planes.Shape.Outputs;
            nint length = (nint)Planes.Length, last = outputs - 1;
            float* s4 = sums + (Math.Min(4, last) * length), s5 = sums + (Math.Min(5, last) * length);
            float* s6 = sums + (Math.Min(6, last) * length), s7 = sums + (Math.Min(7, last) * length);
            for (var j = 0; j < columns; j += ReturnedAtOnce)
            {
                var p = Math.Min(j, columns - ReturnedAtOnce);
                GemmPack.EightByFour(
                    sums + p, sums + length + p, sums + (2 * length) + p, sums + (3 * length) + p, s4 + p, s5 + p, s6 + p, s7 + p, outputs, y + (p * outputs));
            }
        }
    }
}
