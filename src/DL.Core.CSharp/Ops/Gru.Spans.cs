using System.Numerics;

namespace DL.Core.Ops;

/// <content>The passes over spans.</content>
public static unsafe partial class Gru
{
    /// <summary>The number of elements a pass keeps for its way back.</summary>
    /// <param name="shape">The extents.</param>
    /// <exception cref="ShapeException">It is more than a tensor can hold.</exception>
    public static int SavedLength(RecurrentShape shape) => RecurrentChecks.Count(Layout(shape, true, out _));

    /// <summary>The number of elements the way back works in: the gradients of the gates, [rows; 3 hidden], and others behind them.</summary>
    /// <param name="shape">The extents.</param>
    /// <exception cref="ShapeException">It is more than a tensor can hold.</exception>
    public static int GradientLength(RecurrentShape shape) =>
        RecurrentChecks.Count((((4L * shape.Rows) + 4 + shape.Batch) * shape.Hidden));

    /// <summary>Runs over whole sequences.</summary>
    /// <param name="shape">The extents and lengths.</param>
    /// <param name="form">What is reset.</param>
    /// <param name="x">[batch; time; inputs].</param>
    /// <param name="weight">[inputs; 3 hidden].</param>
    /// <param name="recurrent">[hidden; 3 hidden].</param>
    /// <param name="bias">[3 hidden], or empty for none.</param>
    /// <param name="recurrentBias">[3 hidden], or empty for none.</param>
    /// <param name="hidden">[batch; hidden], the initial state, or empty for zeros.</param>
    /// <param name="y">[batch; time; hidden], overwritten.</param>
    /// <param name="lastHidden">[batch; hidden], overwritten.</param>
    /// <param name="saved">[<see cref="SavedLength"/>], overwritten by what Backward needs.</param>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    /// <exception cref="InvalidArgumentException">There is no such form.</exception>
    public static void Forward<T>(
        RecurrentShape shape, GruForm form, ReadOnlySpan<T> x, ReadOnlySpan<T> weight, ReadOnlySpan<T> recurrent, ReadOnlySpan<T> bias,
        ReadOnlySpan<T> recurrentBias, ReadOnlySpan<T> hidden, Span<T> y, Span<T> lastHidden, Span<T> saved)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CheckForm(form);
        RecurrentChecks.Inputs(Name, shape, GateCount, x.Length, weight.Length, recurrent.Length, bias.Length, hidden.Length);
        RecurrentChecks.Optional((long)GateCount * shape.Hidden, recurrentBias.Length, "Gru recurrentBias");
        RecurrentChecks.Outputs(Name, shape, y.Length, lastHidden.Length);
        RecurrentChecks.Length(SavedLength(shape), saved.Length, "Gru saved");
        Run(shape, form, x, weight, recurrent, bias, recurrentBias, hidden, y, lastHidden, saved, true);
    }

    /// <summary>The gradients of the gates before their activations, and of the initial state.</summary>
    /// <param name="shape">The extents and lengths.</param>
    /// <param name="form">What was reset.</param>
    /// <param name="recurrent">[hidden; 3 hidden].</param>
    /// <param name="saved">What Forward kept.</param>
    /// <param name="dy">[batch; time; hidden], or empty for none; not read in the padding.</param>
    /// <param name="dlastHidden">[batch; hidden], or empty for none.</param>
    /// <param name="dgates">[<see cref="GradientLength"/>], overwritten: what the other gradients are computed from.</param>
    /// <param name="dhidden">[batch; hidden], overwritten.</param>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    /// <exception cref="InvalidArgumentException">There is no such form.</exception>
    public static void Backward<T>(
        RecurrentShape shape, GruForm form, ReadOnlySpan<T> recurrent, ReadOnlySpan<T> saved, ReadOnlySpan<T> dy, ReadOnlySpan<T> dlastHidden,
        Span<T> dgates, Span<T> dhidden)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CheckForm(form);
        RecurrentChecks.Gradients(Name, shape, GateCount, recurrent.Length, dy.Length, dlastHidden.Length, dhidden.Length);
        RecurrentChecks.Length(SavedLength(shape), saved.Length, "Gru.Backward saved");
        RecurrentChecks.Length(GradientLength(shape), dgates.Length, "Gru.Backward dgates");
        RunBack(shape, form, recurrent, saved, dy, dlastHidden, dgates, dhidden);
    }

    /// <summary>The gradients of the parameters, each a sum over all steps.</summary>
    /// <param name="shape">The extents and lengths.</param>
    /// <param name="form">What was reset.</param>
    /// <param name="saved">What Forward kept.</param>
    /// <param name="dgates">What Backward wrote.</param>
    /// <param name="dweight">[inputs; 3 hidden], added to.</param>
    /// <param name="drecurrent">[hidden; 3 hidden], added to.</param>
    /// <param name="dbias">[3 hidden], added to, or empty for none.</param>
    /// <param name="drecurrentBias">[3 hidden], added to, or empty for none.</param>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    /// <exception cref="InvalidArgumentException">There is no such form.</exception>
    public static void BackwardParameters<T>(
        RecurrentShape shape, GruForm form, ReadOnlySpan<T> saved, ReadOnlySpan<T> dgates, Span<T> dweight, Span<T> drecurrent, Span<T> dbias,
        Span<T> drecurrentBias)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CheckForm(form);
        RecurrentChecks.Parameters(Name, shape, GateCount, dweight.Length, drecurrent.Length, dbias.Length);
        RecurrentChecks.Optional((long)GateCount * shape.Hidden, drecurrentBias.Length, "Gru.Backward drecurrentBias");
        RecurrentChecks.Length(SavedLength(shape), saved.Length, "Gru.Backward saved");
        RecurrentChecks.Length(GradientLength(shape), dgates.Length, "Gru.Backward dgates");
        Parameters(shape, form, saved, dgates, true, dweight, drecurrent, dbias, drecurrentBias);
    }

    /// <summary>The gradient of the input: <c>dx = (dr, dz, dn) Wᵀ</c>, zeros in the padding.</summary>
    /// <param name="shape">The extents and lengths.</param>
    /// <param name="weight">[inputs; 3 hidden].</param>
    /// <param name="dgates">What Backward wrote.</param>
    /// <param name="room">[rows; inputs], overwritten.</param>
    /// <param name="dx">[batch; time; inputs], overwritten.</param>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    public static void BackwardInput<T>(RecurrentShape shape, ReadOnlySpan<T> weight, ReadOnlySpan<T> dgates, Span<T> room, Span<T> dx)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        RecurrentChecks.Length(GradientLength(shape), dgates.Length, "Gru.Backward dgates");
        RecurrentProducts.InputGradient(Name, shape, dgates, GateCount * shape.Hidden, weight, room, dx);
    }
}
