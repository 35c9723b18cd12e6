using System.Numerics;
using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <content>The passes over spans.</content>
public static unsafe partial class Rnn
{
    /// <summary>The number of elements a pass keeps for its way back.</summary>
    /// <param name="shape">The extents.</param>
    /// <exception cref="ShapeException">It is more than a tensor can hold.</exception>
    public static int SavedLength(RecurrentShape shape) => RecurrentChecks.Count(Layout(shape, true, out _));

    /// <summary>The number of elements the way back works in: the gradients before the tanh, [rows; hidden], and room behind them.</summary>
    /// <param name="shape">The extents.</param>
    /// <exception cref="ShapeException">It is more than a tensor can hold.</exception>
    public static int GradientLength(RecurrentShape shape) => RecurrentChecks.Count(((long)shape.Rows + shape.Batch) * shape.Hidden);

    /// <summary>Runs over whole sequences.</summary>
    /// <param name="shape">The extents and lengths.</param>
    /// <param name="x">[batch; time; inputs].</param>
    /// <param name="weight">[inputs; hidden].</param>
    /// <param name="recurrent">[hidden; hidden].</param>
    /// <param name="bias">[hidden], or empty for none.</param>
    /// <param name="hidden">[batch; hidden], the initial state, or empty for zeros.</param>
    /// <param name="y">[batch; time; hidden], overwritten.</param>
    /// <param name="lastHidden">[batch; hidden], overwritten.</param>
    /// <param name="saved">[<see cref="SavedLength"/>], overwritten by what Backward needs.</param>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    public static void Forward<T>(
        RecurrentShape shape, ReadOnlySpan<T> x, ReadOnlySpan<T> weight, ReadOnlySpan<T> recurrent, ReadOnlySpan<T> bias,
        ReadOnlySpan<T> hidden, Span<T> y, Span<T> lastHidden, Span<T> saved)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        RecurrentChecks.Inputs(Name, shape, 1, x.Length, weight.Length, recurrent.Length, bias.Length, hidden.Length);
        RecurrentChecks.Outputs(Name, shape, y.Length, lastHidden.Length);
        RecurrentChecks.Length(SavedLength(shape), saved.Length, "Rnn saved");
        Run(shape, x, weight, recurrent, bias, hidden, y, lastHidden, saved, true);
    }

    /// <summary>The gradients before the tanh, and of the initial state.</summary>
    /// <param name="shape">The extents and lengths.</param>
    /// <param name="recurrent">[hidden; hidden].</param>
    /// <param name="saved">What Forward kept.</param>
    /// <param name="dy">[batch; time; hidden], or empty for none; not read in the padding.</param>
    /// <param name="dlastHidden">[batch; hidden], or empty for none.</param>
    /// <param name="dgates">[<see cref="GradientLength"/>], overwritten: what the other gradients are computed from.</param>
    /// <param name="dhidden">[batch; hidden], overwritten.</param>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    public static void Backward<T>(
        RecurrentShape shape, ReadOnlySpan<T> recurrent, ReadOnlySpan<T> saved, ReadOnlySpan<T> dy, ReadOnlySpan<T> dlastHidden,
        Span<T> dgates, Span<T> dhidden)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        RecurrentChecks.Gradients(Name, shape, 1, recurrent.Length, dy.Length, dlastHidden.Length, dhidden.Length);
        RecurrentChecks.Length(SavedLength(shape), saved.Length, "Rnn.Backward saved");
        RecurrentChecks.Length(GradientLength(shape), dgates.Length, "Rnn.Backward dgates");
        fixed (int* order = shape.Order, starts = shape.Starts, lengths = shape.Steps)
        fixed (T* pr = recurrent, ps = saved, py = dy, ph = dlastHidden, pg = dgates, poh = dhidden)
        {
            var frame = shape.Frame(order, starts, lengths);
            _ = Layout(shape, true, out var at);
            var product = new RecurrentProduct<T> { K = shape.Hidden, N = shape.Hidden, Transpose = true, Source = pr, Stride = shape.Hidden };
            RecurrentProducts.Pack(frame, ref product);
            new RecurrentTanhBackward<T>
            {
                Frame = frame,
                Recurrent = product,
                Hidden = new() { Rows = pg + ((long)shape.Rows * shape.Hidden), Last = ph, Initial = poh },
                States = ps + at.States,
                OutputGradient = py,
                GateGradients = pg,
            }.Run();
        }
    }

    /// <summary>The gradients of the parameters: <c>dW += xᵀ da</c>, <c>dR += h_(t-1)ᵀ da</c>, <c>db += sum of the rows of da</c>.</summary>
    /// <param name="shape">The extents and lengths.</param>
    /// <param name="saved">What Forward kept.</param>
    /// <param name="dgates">What Backward wrote.</param>
    /// <param name="dweight">[inputs; hidden], added to.</param>
    /// <param name="drecurrent">[hidden; hidden], added to.</param>
    /// <param name="dbias">[hidden], added to, or empty for none.</param>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    public static void BackwardParameters<T>(
        RecurrentShape shape, ReadOnlySpan<T> saved, ReadOnlySpan<T> dgates, Span<T> dweight, Span<T> drecurrent, Span<T> dbias)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        RecurrentChecks.Parameters(Name, shape, 1, dweight.Length, drecurrent.Length, dbias.Length);
        RecurrentChecks.Length(SavedLength(shape), saved.Length, "Rnn.Backward saved");
        RecurrentChecks.Length(GradientLength(shape), dgates.Length, "Rnn.Backward dgates");
        Parameters(shape, saved, dgates, true, dweight, drecurrent, dbias);
    }

    /// <summary>The gradient of the input: <c>dx = da Wᵀ</c>, zeros in the padding.</summary>
    /// <param name="shape">The extents and lengths.</param>
    /// <param name="weight">[inputs; hidden].</param>
    /// <param name="dgates">What Backward wrote.</param>
    /// <param name="room">[rows; inputs], overwritten.</param>
    /// <param name="dx">[batch; time; inputs], overwritten.</param>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    public static void BackwardInput<T>(RecurrentShape shape, ReadOnlySpan<T> weight, ReadOnlySpan<T> dgates, Span<T> room, Span<T> dx)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        RecurrentChecks.Length(GradientLength(shape), dgates.Length, "Rnn.Backward dgates");
        RecurrentProducts.InputGradient(Name, shape, dgates, shape.Hidden, weight, room, dx);
    }
}
