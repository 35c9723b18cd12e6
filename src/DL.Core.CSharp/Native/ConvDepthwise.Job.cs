using System.Runtime.Intrinsics;
using DL.Core.Ops;

namespace DL.Core.Kernels;

internal static unsafe partial class ConvDepthwise
{
    private struct Job<T>
        where T : unmanaged
    {
        public T* X, Weight, Y, Bias;
        public Activation Activation;

        /// <summary>Rows of positions of all images, and how many parts they are summed in.</summary>
        public long Rows, Parts;

        private readonly ConvGrid _grid;
        private readonly ConvTap* _taps;
        private readonly int _tapCount, _channels;
        private readonly bool _threes;

        // Rows and columns from the first to the end whose taps all lie in the image.
        private readonly (long From, long To) _rows, _columns;

        // Rows of positions that are done column by column.
        private readonly long _band;

        public Job(ConvTaps taps, ConvTap* pointer, int channels)
        {
            _grid = taps.Grid;
            _taps = pointer;
            _tapCount = taps.Taps.Length;
            _channels = channels;
            _threes = _grid.StrideWidth == 1 && InThrees(taps.Taps);
            _rows = Inside(_grid.StrideHeight, _grid.MinRow, _grid.MaxRow, _grid.Height, _grid.Rows);
            _columns = Inside(_grid.StrideWidth, _grid.MinColumn, _grid.MaxColumn, _grid.Width, _grid.Columns);
            var bytes = ((_grid.StrideHeight * (long)_grid.Width) + _grid.Columns) * channels * sizeof(T);
            _band = Math.Max(1, BandBytes / Math.Max(1, bytes));
        }

        /// <summary>Multiplications of a row of positions.</summary>
        public readonly long RowWork => (long)_grid.Columns * _channels * _tapCount;

        public static void Run(void* state, long from, long to)
        {
            ref var job = ref *(Job<T>*)state;
            if (Vector512.IsHardwareAccelerated) job.Outputs<Simd512<T>>(from, to);
            else if (Vector256.IsHardwareAccelerated) job.Outputs<Simd256<T>>(from, to);
            else job.Outputs<Simd128<T>>(from, to);
        }

        public static void RunGradient(void* state, long from, long to)
        {
            ref var job = ref *(Job<T>*)state;
            for (var part = from; part < to; part++)
            {
                var sums = job.Weight + (part * job._tapCount * job._channels);
                new Span<T>(sums, job._tapCount * job._channels).Clear();
                long first = job.Rows * part / job.Parts, end = job.Rows * (part + 1) / job.Parts;
                if (Vector512.IsHardwareAccelerated) job.Sums<Simd512<T>>(first, end, sums);
                else if (Vector256.IsHardwareAccelerated) job.Sums<Simd256<T>>(first, end, sums);
                else job.Sums<Simd128<T>>(first, end, sums);
            }
        }

        private static bool InThrees(ConvTap[] taps)
        {
            for (var t = 0; t < taps.Length; t++)
                if (taps[t] is var tap && taps[t - (t % 3)] is var first && (tap.Row != first.Row || tap.Column != first.Column + (t % 3)))
                    return false;
            return taps.Length % 3 == 0;
        }

        private static (long From, long To) Inside(long stride, long lowest, long highest, long extent, long positions)
        {
            var from = Math.Clamp((stride - 1 - lowest) / stride, 0, positions);
            return (from, highest >= extent ? from : Math.Clamp(((extent - 1 - highest) / stride) + 1, from, positions));
        }

        // Positions from one on that see what it sees.
        private static long Alike((long From, long To) inside, long at, long end) => at >= inside.From && at < inside.To ? Math.Min(inside.To, end) - at : 1;

        private readonly void Outputs<S>(long from, long to) where S : struct, ISimd<S, T>
        {
            var room = stackalloc long[2 * _tapCount];
            for (var unit = from; unit < to;)
            {
                long image = unit / _grid.Rows, first = unit % _grid.Rows;
                var rows = Math.Min(_band, Math.Min(_grid.Rows - first, to - unit));
                var y = Y + (image * _grid.OutHeight * _grid.OutWidth * _channels);
                for (long i = first, n; i < first + rows; i += n)
                {
                    n = Alike(_rows, i, first + rows);
                    for (long j = 0, m; j < _grid.Columns; j += m)
                    {
                        m = Alike(_columns, j, _grid.Columns);
                        var tile = At(image, i, j, n, m, room);
                        tile.Weight = Weight;
                        tile.Y = y + ((_grid.Pixel(i) + (j * _grid.StepColumn)) * _channels);
                        tile.ApartColumn = (long)_grid.StepColumn * _channels;
                        tile.ApartRow = (long)_grid.StepRow * _grid.OutWidth * _channels;
                        ConvDepthwise.Outputs<T, S>(tile);
                    }
                }

                if (Bias is not null || Activation != Activation.Identity) Finish(y + (_grid.Pixel(first) * _channels), rows * _grid.Columns);
                unit += rows;
            }
        }

        private readonly void Sums<S>(long from, long to, T* sums) where S : struct, ISimd<S, T>
        {
            var room = stackalloc long[2 * _tapCount];
            for (var unit = from; unit < to;)
            {
                long image = unit / _grid.Rows, first = unit % _grid.Rows;
                var rows = Math.Min(_band, Math.Min(_grid.Rows - first, to - unit));
                for (long i = first, n; i < first + rows; i += n)
                {
                    n = Alike(_rows, i, first + rows);
                    for (long j = 0, m; j < _grid.Columns; j += m)
                    {
                        m = Alike(_columns, j, _grid.Columns);
                        var tile = At(image, i, j, n, m, room);
                        tile.Weight = sums;
                        tile.Y = Y + ((((image * _grid.Rows) + i) * _grid.Columns) + j) * _channels;
                        tile.ApartColumn = _channels;
                        tile.ApartRow = (long)_grid.Columns * _channels;
                        ConvDepthwise.Sums<T, S>(tile);
                    }
                }

                unit += rows;
            }
        }

        private readonly Tile<T> At(long image, long row, long column, long rows, long columns, long* room)
        {
            var taps = Meet(row, column, room);
            var down = (long)_grid.StrideHeight * _grid.Width * _channels;
            return new()
            {
                X = X + ((((image * _grid.Height) + (row * _grid.StrideHeight)) * _grid.Width) + (column * _grid.StrideWidth)) * _channels,
                Taps = taps,
                Threes = _threes && columns > 1,
                Channels = _channels,
                Rows = rows,
                Columns = columns,
                StepColumn = (long)_grid.StrideWidth * _channels,
                StepRow = down,
                NextX = taps.Count > 0 ? taps.Reads[taps.Count - 1] + down : 0,
            };
        }

        // While the rows lie in the cache.
        private readonly void Finish(T* y, long positions) => BiasActivation.Forward(
            new Span<T>(y, (int)(positions * _channels)), new ReadOnlySpan<T>(Bias, Bias is null ? 0 : _channels), Activation, (int)positions, _channels);

        private readonly Met Meet(long row, long column, long* room)
        {
            var met = new Met { Reads = room, Weights = room + _tapCount };
            for (var t = 0; t < _tapCount; t++)
            {
                var tap = _taps[t];
                long r = (row * _grid.StrideHeight) + tap.Row, q = (column * _grid.StrideWidth) + tap.Column;
                if (r < 0 || r >= _grid.Height || q < 0 || q >= _grid.Width) continue;
                met.Reads[met.Count] = (((long)tap.Row * _grid.Width) + tap.Column) * _channels;
                met.Weights[met.Count++] = (long)tap.Index * _channels;
            }

            return met;
        }
    }
}
