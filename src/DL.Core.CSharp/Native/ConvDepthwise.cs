using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DL.Core.Ops;

namespace DL.Core.Kernels;

/// <summary>Convolutions of every channel by itself, with channels as lanes.</summary>
/// <remarks>Images are read where they lie. Positions whose taps all lie between the first and the last column go six at a time; those at the edges go one by
/// one through the taps that meet the image. An output is one sum in the order of the taps, whichever way its position goes.</remarks>
internal static unsafe partial class ConvDepthwise
{
    // Multiplications under which a second thread costs more than it saves, and what is worth a partial sum of its own.
    private const long Grain = 1 << 16;
    private const int Together = 6;
    private const int MostParts = 16;

    /// <summary>y = act(sum over taps of x w + bias) for channels side by side; outputs at the grid's places are overwritten.</summary>
    /// <remarks>An empty bias adds nothing. Only a dense grid takes a bias or an activation.</remarks>
    public static void Run<T>(ConvTaps taps, T* x, T* weight, ReadOnlySpan<T> bias, Activation activation, int channels, int images, T* y)
        where T : unmanaged
    {
        fixed (T* pbias = bias)
        fixed (ConvTap* ptaps = taps.Taps)
        {
            var job = new Job<T>(taps, ptaps, channels) { X = x, Weight = weight, Y = y, Bias = pbias, Activation = activation };
            var grain = Grain / Math.Max(1, job.RowWork);
            Workers.For(images * (long)taps.Grid.Rows, Math.Max(1, grain), &Job<T>.Run, &job);
        }
    }

    /// <summary>dw [taps; channels], overwritten, = sum over images and positions of x dy.</summary>
    public static void Gradient<T>(ConvTaps taps, T* x, T* dy, int channels, int images, T* dw)
        where T : unmanaged
    {
        var size = (long)taps.Taps.Length * channels;
        var rows = images * (long)taps.Grid.Rows;
        new Span<T>(dw, (int)size).Clear();
        fixed (ConvTap* ptaps = taps.Taps)
        {
            var job = new Job<T>(taps, ptaps, channels) { X = x, Y = dy, Units = rows };
            var parts = Math.Min(rows, Math.Clamp(rows * job.RowWork / Grain, 1, MostParts));
            if (parts == 0) return;
            job.Parts = parts;
            job.Weight = (T*)Scratch.Right(parts * size * sizeof(T));
            Workers.For(parts, 1, &Job<T>.RunGradient, &job);
            for (var part = 0L; part < parts; part++) ConvGradient.Add(dw, job.Weight + (part * size), size);
        }
    }

    /// <summary>Whether a vector is whole, as a type, so that a loop is compiled for it.</summary>
    private interface ILaneCount
    {
        static abstract bool Whole { get; }
    }

    private readonly struct Whole : ILaneCount
    {
        static bool ILaneCount.Whole => true;
    }

    private readonly struct Part : ILaneCount
    {
        static bool ILaneCount.Whole => false;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static S Load<T, S, W>(T* from, long lanes) where T : unmanaged where S : struct, ISimd<S, T> where W : struct, ILaneCount =>
        W.Whole ? S.Load(from) : S.Load(from, lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<T, S, W>(S value, T* to, long lanes) where T : unmanaged where S : struct, ISimd<S, T> where W : struct, ILaneCount
    {
        if (W.Whole) value.Store(to);
        else value.Store(to, lanes);
    }

    /// <summary>Taps of a position that lie in the image: where each reads, from the position's column in the first row, and where its weights lie.</summary>
    private struct Met
    {
        public long* Reads, Weights;
        public int Count;
    }

    private struct Job<T>
        where T : unmanaged
    {
        public T* X, Weight, Y, Bias;
        public Activation Activation;
        public long Units, Parts;

        private readonly ConvGrid _grid;
        private readonly ConvTap* _taps;
        private readonly int _tapCount, _channels;

        // Whether taps come in threes that read neighbouring pixels, so that a position shares two of them with the next.
        private readonly bool _threes;

        // Columns from the first to the end for which all taps lie between the edges.
        private readonly long _left, _right;

        public Job(ConvTaps taps, ConvTap* pointer, int channels)
        {
            _grid = taps.Grid;
            _taps = pointer;
            _tapCount = taps.Taps.Length;
            _channels = channels;
            _threes = _grid.StrideWidth == 1 && InThrees(taps.Taps);
            var stride = (long)_grid.StrideWidth;
            _left = Math.Clamp((stride - 1 - _grid.MinColumn) / stride, 0, _grid.Columns);
            _right = _grid.MaxColumn >= _grid.Width ? _left : Math.Clamp(((_grid.Width - 1L - _grid.MaxColumn) / stride) + 1, _left, _grid.Columns);
        }

        /// <summary>Multiplications of a row of positions.</summary>
        public readonly long RowWork => (long)_grid.Columns * _channels * _tapCount;

        public static void Run(void* state, long from, long to)
        {
            ref var job = ref *(Job<T>*)state;
            if (Vector512.IsHardwareAccelerated) job.Rows<Simd512<T>>(from, to);
            else if (Vector256.IsHardwareAccelerated) job.Rows<Simd256<T>>(from, to);
            else job.Rows<Simd128<T>>(from, to);
        }

        public static void RunGradient(void* state, long from, long to)
        {
            ref var job = ref *(Job<T>*)state;
            for (var part = from; part < to; part++)
            {
                var sums = job.Weight + (part * job._tapCount * job._channels);
                new Span<T>(sums, job._tapCount * job._channels).Clear();
                long first = job.Units * part / job.Parts, end = job.Units * (part + 1) / job.Parts;
                if (Vector512.IsHardwareAccelerated) job.RowGradients<Simd512<T>>(first, end, sums);
                else if (Vector256.IsHardwareAccelerated) job.RowGradients<Simd256<T>>(first, end, sums);
                else job.RowGradients<Simd128<T>>(first, end, sums);
            }
        }

        private static bool InThrees(ConvTap[] taps)
        {
            for (var t = 0; t < taps.Length; t++)
                if (taps[t] is var tap && taps[t - (t % 3)] is var first && (tap.Row != first.Row || tap.Column != first.Column + (t % 3)))
                    return false;
            return taps.Length % 3 == 0;
        }

        private readonly void Rows<S>(long from, long to) where S : struct, ISimd<S, T>
        {
            var room = stackalloc long[2 * _tapCount];
            long step = (long)_grid.StrideWidth * _channels, apart = (long)_grid.StepColumn * _channels;
            for (var unit = from; unit < to; unit++)
            {
                long image = unit / _grid.Rows, row = unit % _grid.Rows;
                var x = X + (image * _grid.Height * _grid.Width * _channels);
                var y = Y + (((image * _grid.OutHeight * _grid.OutWidth) + _grid.Pixel(row)) * _channels);
                for (var j = 0L; j < _grid.Columns; j++)
                {
                    var count = j == _left && j < _right ? _right - j : 1;
                    var taps = Meet(row, j, room);
                    Outputs<T, S>(x + (j * step), Weight, taps, _threes, _channels, count, step, apart, y + (j * apart));
                    j += count - 1;
                }

                if (Bias is not null || Activation != Activation.Identity) Finish(y);
            }
        }

        private readonly void RowGradients<S>(long from, long to, T* sums) where S : struct, ISimd<S, T>
        {
            var room = stackalloc long[2 * _tapCount];
            long step = (long)_grid.StrideWidth * _channels;
            for (var unit = from; unit < to; unit++)
            {
                long image = unit / _grid.Rows, row = unit % _grid.Rows;
                var x = X + (image * _grid.Height * _grid.Width * _channels);
                var dy = Y + (unit * _grid.Columns * _channels);
                for (var j = 0L; j < _grid.Columns; j++)
                {
                    var count = j == _left && j < _right ? _right - j : 1;
                    var taps = Meet(row, j, room);
                    Sums<T, S>(x + (j * step), dy + (j * _channels), taps, _threes, _channels, count, step, sums);
                    j += count - 1;
                }
            }
        }

        // While the row lies in the cache.
        private readonly void Finish(T* y) => BiasActivation.Forward(
            new Span<T>(y, _grid.Columns * _channels), new ReadOnlySpan<T>(Bias, Bias is null ? 0 : _channels), Activation, _grid.Columns, _channels);

        private readonly Met Meet(long row, long column, long* room)
        {
            var met = new Met { Reads = room, Weights = room + _tapCount };
            for (var t = 0; t < _tapCount; t++)
            {
                var tap = _taps[t];
                long r = (row * _grid.StrideHeight) + tap.Row, q = (column * _grid.StrideWidth) + tap.Column;
                if (r < 0 || r >= _grid.Height || q < 0 || q >= _grid.Width) continue;
                met.Reads[met.Count] = ((r * _grid.Width) + tap.Column) * _channels;
                met.Weights[met.Count++] = (long)tap.Index * _channels;
            }

            return met;
        }
    }
}
