using System.Numerics;
using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <content>The passes over spans.</content>
public static unsafe partial class Lstm
{
    /// <summary>The number of elements a pass keeps for its way back.</summary>
    /// <param name="shape">The extents.</param>
    /// <exception cref="ShapeException">It is more than a tensor can hold.</exception>
    public static int SavedLength(RecurrentShape shape) => RecurrentChecks.Count(Layout(shape, true, out _));

    /// <summary>The number of elements the way back works in: the gradients of the gates, [rows; 4 hidden], and room behind them.</summary>
    /// <param name="shape">The extents.</param>
    /// <exception cref="ShapeException">It is more than a tensor can hold.</exception>
    public static int GradientLength(RecurrentShape shape) =>
        RecurrentChecks.Count(((long)shape.Rows * GateCount * shape.Hidden) + (2L * shape.Batch * shape.Hidden));

    /// <summary>Runs over whole sequences.</summary>
    /// <param name="shape">The extents and lengths.</param>
    /// <param name="x">[batch; time; inputs].</param>
    /// <param name="weight">[inputs; 4 hidden].</param>
    /// <param name="recurrent">[hidden; 4 hidden].</param>
    /// <param name="bias">[4 hidden], or empty for none.</param>
    /// <param name="hidden">[batch; hidden], the initial state, or empty for zeros.</param>
    /// <param name="cell">[batch; hidden], the initial cell, or empty for zeros.</param>
    /// <param name="y">[batch; time; hidden], overwritten.</param>
    /// <param name="lastHidden">[batch; hidden], overwritten.</param>
    /// <param name="lastCell">[batch; hidden], overwritten.</param>
    /// <param name="saved">[<see cref="SavedLength"/>], overwritten by what Backward needs.</param>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    public static void Forward<T>(
        RecurrentShape shape, ReadOnlySpan<T> x, ReadOnlySpan<T> weight, ReadOnlySpan<T> recurrent, ReadOnlySpan<T> bias,
        ReadOnlySpan<T> hidden, ReadOnlySpan<T> cell, Span<T> y, Span<T> lastHidden, Span<T> lastCell, Span<T> saved)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var states = (long)shape.Batch * shape.Hidden;
        RecurrentChecks.Inputs(Name, shape, GateCount, x.Length, weight.Length, recurrent.Length, bias.Length, hidden.Length);
        RecurrentChecks.Optional(states, cell.Length, "Lstm cell");
        RecurrentChecks.Outputs(Name, shape, y.Length, lastHidden.Length);
        RecurrentChecks.Length(states, lastCell.Length, "Lstm lastCell");
        RecurrentChecks.Length(SavedLength(shape), saved.Length, "Lstm saved");
        Run(shape, x, weight, recurrent, bias, hidden, cell, y, lastHidden, lastCell, saved, true);
    }

    /// <summary>The gradients of the gates before their activations, and of the initial state and cell.</summary>
    /// <param name="shape">The extents and lengths.</param>
    /// <param name="recurrent">[hidden; 4 hidden].</param>
    /// <param name="saved">What Forward kept.</param>
    /// <param name="dy">[batch; time; hidden], or empty for none; not read in the padding.</param>
    /// <param name="dlastHidden">[batch; hidden], or empty for none.</param>
    /// <param name="dlastCell">[batch; hidden], or empty for none.</param>
    /// <param name="dgates">[<see cref="GradientLength"/>], overwritten: what the other gradients are computed from.</param>
    /// <param name="dhidden">[batch; hidden], overwritten.</param>
    /// <param name="dcell">[batch; hidden], overwritten.</param>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    public static void Backward<T>(
        RecurrentShape shape, ReadOnlySpan<T> recurrent, ReadOnlySpan<T> saved, ReadOnlySpan<T> dy, ReadOnlySpan<T> dlastHidden,
        ReadOnlySpan<T> dlastCell, Span<T> dgates, Span<T> dhidden, Span<T> dcell)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (states, width) = ((long)shape.Batch * shape.Hidden, GateCount * shape.Hidden);
        RecurrentChecks.Gradients(Name, shape, GateCount, recurrent.Length, dy.Length, dlastHidden.Length, dhidden.Length);
        RecurrentChecks.Optional(states, dlastCell.Length, "Lstm.Backward dlastCell");
        RecurrentChecks.Length(states, dcell.Length, "Lstm.Backward dcell");
        RecurrentChecks.Length(SavedLength(shape), saved.Length, "Lstm.Backward saved");
        RecurrentChecks.Length(GradientLength(shape), dgates.Length, "Lstm.Backward dgates");
        fixed (int* order = shape.Order, starts = shape.Starts, lengths = shape.Steps)
        fixed (T* pr = recurrent, ps = saved, py = dy, ph = dlastHidden, pc = dlastCell, pg = dgates, poh = dhidden, poc = dcell)
        {
            var frame = shape.Frame(order, starts, lengths);
            var _ = Layout(shape, true, out var at);
            var product = new RecurrentProduct<T> { K = width, N = shape.Hidden, Transpose = true, Source = pr, Stride = width };
            var room = pg + ((long)shape.Rows * width);
            RecurrentProducts.Pack(frame, ref product);
            new LstmBackward<T>
            {
                Frame = frame,
                Recurrent = product,
                Hidden = new() { Rows = room, Last = ph, Initial = poh },
                Cell = new() { Rows = room + states, Last = pc, Initial = poc },
                Gates = ps + at.Gates,
                Cells = ps + at.Cells,
                Tangents = ps + at.Tangents,
                OutputGradient = py,
                GateGradients = pg,
            }.Run();
        }
    }

    /// <summary>The gradients of the parameters: <c>dW += xᵀ da</c>, <c>dR += h_(t-1)ᵀ da</c>, <c>db += sum of the rows of da</c>.</summary>
    /// <param name="shape">The extents and lengths.</param>
    /// <param name="saved">What Forward kept.</param>
    /// <param name="dgates">What Backward wrote.</param>
    /// <param name="dweight">[inputs; 4 hidden], added to.</param>
    /// <param name="drecurrent">[hidden; 4 hidden], added to.</param>
    /// <param name="dbias">[4 hidden], added to, or empty for none.</param>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    public static void BackwardParameters<T>(
        RecurrentShape shape, ReadOnlySpan<T> saved, ReadOnlySpan<T> dgates, Span<T> dweight, Span<T> drecurrent, Span<T> dbias)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        RecurrentChecks.Parameters(Name, shape, GateCount, dweight.Length, drecurrent.Length, dbias.Length);
        RecurrentChecks.Length(SavedLength(shape), saved.Length, "Lstm.Backward saved");
        RecurrentChecks.Length(GradientLength(shape), dgates.Length, "Lstm.Backward dgates");
        Parameters(shape, saved, dgates, true, dweight, drecurrent, dbias);
    }

    /// <summary>The gradient of the input: <c>dx = da Wᵀ</c>, zeros in the padding.</summary>
    /// <param name="shape">The extents and lengths.</param>
    /// <param name="weight">[inputs; 4 hidden].</param>
    /// <param name="dgates">What Backward wrote.</param>
    /// <param name="room">[rows; inputs], overwritten.</param>
    /// <param name="dx">[batch; time; inputs], overwritten.</param>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    public static void BackwardInput<T>(RecurrentShape shape, ReadOnlySpan<T> weight, ReadOnlySpan<T> dgates, Span<T> room, Span<T> dx)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        RecurrentChecks.Length(GradientLength(shape), dgates.Length, "Lstm.Backward dgates");
        RecurrentProducts.InputGradient(Name, shape, dgates, GateCount * shape.Hidden, weight, room, dx);
    }
}
