using System.Numerics;
using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <content>What the passes keep, and the calls of the kernels.</content>
public static unsafe partial class Lstm
{
    /// <summary>Where the parts of what a pass keeps begin, and the number of elements of all; the input's rows lie first.</summary>
    private static long Layout(RecurrentShape shape, bool keep, out Places at)
    {
        long rows = shape.Rows, hidden = shape.Hidden, states = keep ? rows : 2L * shape.Batch;
        at.Gates = rows * shape.Inputs;
        at.Hiddens = at.Gates + (rows * GateCount * hidden);
        at.Cells = at.Hiddens + (states * hidden);
        at.Bias = at.Cells + (states * hidden);
        at.Tangents = at.Bias + (GateCount * hidden);
        return at.Tangents + (keep ? rows * hidden : 0);
    }

    private static void Run<T>(
        RecurrentShape shape, ReadOnlySpan<T> x, ReadOnlySpan<T> weight, ReadOnlySpan<T> recurrent, ReadOnlySpan<T> bias,
        ReadOnlySpan<T> hidden, ReadOnlySpan<T> cell, Span<T> y, Span<T> lastHidden, Span<T> lastCell, Span<T> room, bool keep)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var width = GateCount * shape.Hidden;
        fixed (int* order = shape.Order, starts = shape.Starts, lengths = shape.Steps)
        fixed (T* px = x, pw = weight, pr = recurrent, ph = hidden, pc = cell, py = y, plh = lastHidden, plc = lastCell, at = room)
        {
            var frame = shape.Frame(order, starts, lengths);
            _ = Layout(shape, keep, out var place);
            RecurrentProducts.Input(frame, px, shape.Inputs, pw, width, at, at + place.Gates);
            RecurrentProducts.Bias(bias, at + place.Bias, width);
            var product = new RecurrentProduct<T> { K = shape.Hidden, N = width, Source = pr, Stride = width };
            RecurrentProducts.Pack(frame, ref product);
            new LstmForward<T>
            {
                Frame = frame,
                Recurrent = product,
                Hidden = new() { Start = at + place.Hiddens, Last = plh, Keep = keep },
                Cell = new() { Start = at + place.Cells, Last = plc, Keep = keep },
                FirstHidden = ph,
                FirstCell = pc,
                Gates = at + place.Gates,
                Bias = at + place.Bias,
                Tangents = keep ? at + place.Tangents : null,
                Output = py,
            }.Run();
        }
    }

    private static void Parameters<T>(
        RecurrentShape shape, ReadOnlySpan<T> saved, ReadOnlySpan<T> dgates, bool accumulate, Span<T> dweight, Span<T> drecurrent, Span<T> dbias)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var width = GateCount * shape.Hidden;
        _ = Layout(shape, true, out var at);
        fixed (T* ps = saved, pg = dgates, pw = dweight, pr = drecurrent)
            RecurrentProducts.WeightGradients(shape, ps, ps + at.Hiddens, pg, width, accumulate, pw, pr);
        if (dbias.Length != 0) ColumnSums.Add(dgates, shape.Rows, width, dbias);
    }

    private struct Places
    {
        public long Gates, Hiddens, Cells, Bias, Tangents;
    }
}
