using System.Numerics;
using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <content>What the passes keep, and the calls of the kernels.</content>
public static unsafe partial class Gru
{
    /// <summary>Where the parts of what a pass keeps begin, and the number of elements of all; the input's rows lie first.</summary>
    private static long Layout(RecurrentShape shape, bool keep, out Places at)
    {
        long rows = shape.Rows, hidden = shape.Hidden;
        at.Gates = rows * shape.Inputs;
        at.Hiddens = at.Gates + (rows * GateCount * hidden);
        at.Resets = at.Hiddens + ((keep ? rows : 2L * shape.Batch) * hidden);
        at.Bias = at.Resets + ((keep ? rows : shape.Batch) * hidden);
        return at.Bias + (4 * hidden);
    }

    /// <summary>Where the parts of the gradients begin; those of the gates lie first.</summary>
    private static (long Resets, long Sums, long Rows) GradientLayout(RecurrentShape shape)
    {
        var resets = (long)shape.Rows * GateCount * shape.Hidden;
        var sums = resets + ((long)shape.Rows * shape.Hidden);
        return (resets, sums, sums + (4L * shape.Hidden));
    }

    private static RecurrentProduct<T> Factor<T>(T* recurrent, int hidden, bool candidate, bool transpose) where T : unmanaged, INumber<T>
    {
        var columns = candidate ? hidden : 2 * hidden;
        return new()
        {
            K = transpose ? columns : hidden,
            N = transpose ? hidden : columns,
            Transpose = transpose,
            Source = recurrent + (candidate ? 2 * hidden : 0),
            Stride = GateCount * hidden,
        };
    }

    private static void Run<T>(
        RecurrentShape shape, GruForm form, ReadOnlySpan<T> x, ReadOnlySpan<T> weight, ReadOnlySpan<T> recurrent, ReadOnlySpan<T> bias,
        ReadOnlySpan<T> recurrentBias, ReadOnlySpan<T> hidden, Span<T> y, Span<T> lastHidden, Span<T> room, bool keep)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        fixed (int* order = shape.Order, starts = shape.Starts, lengths = shape.Steps)
        fixed (T* px = x, pw = weight, pr = recurrent, ph = hidden, py = y, plh = lastHidden, at = room)
        {
            var frame = shape.Frame(order, starts, lengths);
            _ = Layout(shape, keep, out var place);
            RecurrentProducts.Input(frame, px, shape.Inputs, pw, GateCount * shape.Hidden, at, at + place.Gates);
            Biases(form, shape.Hidden, bias, recurrentBias, at + place.Bias);
            var both = Factor(pr, shape.Hidden, false, false);
            var candidate = Factor(pr, shape.Hidden, true, false);
            RecurrentProducts.Pack(frame, ref both, ref candidate);
            new GruForward<T>
            {
                Frame = frame,
                ResetAfter = form == GruForm.ResetAfter,
                Both = both,
                Candidate = candidate,
                Hidden = new() { Start = at + place.Hiddens, Last = plh, Keep = keep },
                FirstHidden = ph,
                Gates = at + place.Gates,
                Bias = at + place.Bias,
                Resets = at + place.Resets,
                Output = py,
            }.Run();
        }
    }

    /// <summary>The biases as they are added: together, but for the candidate whose product is reset.</summary>
    private static void Biases<T>(GruForm form, int hidden, ReadOnlySpan<T> bias, ReadOnlySpan<T> recurrentBias, T* target)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        RecurrentProducts.Bias(bias, target, GateCount * hidden);
        new Span<T>(target + (3L * hidden), hidden).Clear();
        for (var j = 0; j < recurrentBias.Length; j++)
            target[form == GruForm.ResetAfter && j >= 2 * hidden ? j + hidden : j] += recurrentBias[j];
    }

    private static void RunBack<T>(
        RecurrentShape shape, GruForm form, ReadOnlySpan<T> recurrent, ReadOnlySpan<T> saved, ReadOnlySpan<T> dy, ReadOnlySpan<T> dlastHidden,
        Span<T> dgates, Span<T> dhidden)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        fixed (int* order = shape.Order, starts = shape.Starts, lengths = shape.Steps)
        fixed (T* pr = recurrent, ps = saved, py = dy, ph = dlastHidden, pg = dgates, poh = dhidden)
        {
            var frame = shape.Frame(order, starts, lengths);
            _ = Layout(shape, true, out var at);
            var (resets, sums, rows) = GradientLayout(shape);
            var both = Factor(pr, shape.Hidden, false, true);
            var candidate = Factor(pr, shape.Hidden, true, true);
            RecurrentProducts.Pack(frame, ref both, ref candidate);
            new GruBackward<T>
            {
                Frame = frame,
                ResetAfter = form == GruForm.ResetAfter,
                Both = both,
                Candidate = candidate,
                Hidden = new() { Rows = pg + rows, Last = ph, Initial = poh },
                Gates = ps + at.Gates,
                States = ps + at.Hiddens,
                Resets = ps + at.Resets,
                OutputGradient = py,
                GateGradients = pg,
                ResetGradients = pg + resets,
            }.Run();

            new Span<T>(pg + sums, 4 * shape.Hidden).Clear();
            ColumnSums.Add(pg, shape.Rows, GateCount * shape.Hidden, pg + sums);
            if (form == GruForm.ResetAfter) ColumnSums.Add(pg + resets, shape.Rows, shape.Hidden, pg + sums + (GateCount * shape.Hidden));
        }
    }

    private static void Parameters<T>(
        RecurrentShape shape, GruForm form, ReadOnlySpan<T> saved, ReadOnlySpan<T> dgates, bool accumulate, Span<T> dweight, Span<T> drecurrent,
        Span<T> dbias, Span<T> drecurrentBias)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (rows, hidden, width) = (shape.Rows, shape.Hidden, GateCount * shape.Hidden);
        _ = Layout(shape, true, out var at);
        var (resets, sums, _) = GradientLayout(shape);
        fixed (T* ps = saved, pg = dgates, pw = dweight, pr = drecurrent)
        {
            RecurrentProducts.Multiply(true, false, shape.Inputs, width, rows, ps, shape.Inputs, pg, width, accumulate, pw, width);
            RecurrentProducts.Multiply(true, false, hidden, 2 * hidden, rows, ps + at.Hiddens, hidden, pg, width, accumulate, pr, width);
            if (form == GruForm.ResetAfter)
                RecurrentProducts.Multiply(true, false, hidden, hidden, rows, ps + at.Hiddens, hidden, pg + resets, hidden, accumulate, pr + (2 * hidden), width);
            else
                RecurrentProducts.Multiply(true, false, hidden, hidden, rows, ps + at.Resets, hidden, pg + (2 * hidden), width, accumulate, pr + (2 * hidden), width);
        }

        var total = dgates.Slice((int)sums, 4 * hidden);
        for (var j = 0; j < dbias.Length; j++) dbias[j] += total[j];
        for (var j = 0; j < drecurrentBias.Length; j++)
            drecurrentBias[j] += total[form == GruForm.ResetAfter && j >= 2 * hidden ? j + hidden : j];
    }

    private struct Places
    {
        public long Gates, Hiddens, Resets, Bias;
    }
}
