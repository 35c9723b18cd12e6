using System.Numerics;
using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <content>What the passes keep, and the calls of the kernels.</content>
public static unsafe partial class Rnn
{
    /// <summary>Where the parts of what a pass keeps begin, and the number of elements of all; the input's rows lie first.</summary>
    private static long Layout(RecurrentShape shape, bool keep, out Places at)
    {
        long rows = shape.Rows, hidden = shape.Hidden;
        at.States = rows * shape.Inputs;
        at.Hiddens = at.States + (rows * hidden);
        at.Bias = at.Hiddens + ((keep ? rows : 2L * shape.Batch) * hidden);
        return at.Bias + hidden;
    }

    private static void Run<T>(
        RecurrentShape shape, ReadOnlySpan<T> x, ReadOnlySpan<T> weight, ReadOnlySpan<T> recurrent, ReadOnlySpan<T> bias,
        ReadOnlySpan<T> hidden, Span<T> y, Span<T> lastHidden, Span<T> room, bool keep)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        fixed (int* order = shape.Order, starts = shape.Starts, lengths = shape.Steps)
        fixed (T* px = x, pw = weight, pr = recurrent, ph = hidden, py = y, plh = lastHidden, at = room)
        {
            var frame = shape.Frame(order, starts, lengths);
            _ = Layout(shape, keep, out var place);
            RecurrentProducts.Input(frame, px, shape.Inputs, pw, shape.Hidden, at, at + place.States);
            RecurrentProducts.Bias(bias, at + place.Bias, shape.Hidden);
            var product = new RecurrentProduct<T> { K = shape.Hidden, N = shape.Hidden, Source = pr, Stride = shape.Hidden };
            RecurrentProducts.Pack(frame, ref product);
            new RecurrentTanh<T>
            {
                Frame = frame,
                Recurrent = product,
                Hidden = new() { Start = at + place.Hiddens, Last = plh, Keep = keep },
                FirstHidden = ph,
                States = at + place.States,
                Bias = at + place.Bias,
                Output = py,
            }.Run();
        }
    }

    private static void Parameters<T>(
        RecurrentShape shape, ReadOnlySpan<T> saved, ReadOnlySpan<T> dgates, bool accumulate, Span<T> dweight, Span<T> drecurrent, Span<T> dbias)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        _ = Layout(shape, true, out var at);
        fixed (T* ps = saved, pg = dgates, pw = dweight, pr = drecurrent)
            RecurrentProducts.WeightGradients(shape, ps, ps + at.Hiddens, pg, shape.Hidden, accumulate, pw, pr);
        if (dbias.Length != 0) ColumnSums.Add(dgates, shape.Rows, shape.Hidden, dbias);
    }

    private struct Places
    {
        public long States, Hiddens, Bias;
    }
}
