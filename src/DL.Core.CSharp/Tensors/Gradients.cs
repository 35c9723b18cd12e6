using DL.Core.Kernels;

namespace DL.Core;

/// <summary>Where the gradient of a parameter is written: its own slot of the step's gradient buffer at the first call of a step, else fresh memory.</summary>
internal static class Gradients
{
    /// <summary>A zeroed tensor of the parameter's shape, to be added to.</summary>
    /// <param name="parameter">The parameter.</param>
    /// <param name="dy">The gradient that the parameter's one is computed from; the result lies in its arena.</param>
    public static Tensor<T> For<T>(Tensor parameter, Tensor dy) where T : unmanaged
    {
        var gradient = Unset<T>(parameter, dy);
        gradient.Write().Clear();
        return gradient;
    }

    /// <summary>An unset tensor of the parameter's shape, for kernels that overwrite it.</summary>
    /// <param name="parameter">The parameter.</param>
    /// <param name="dy">The gradient that the parameter's one is computed from; the result lies in its arena.</param>
    public static Tensor<T> Unset<T>(Tensor parameter, Tensor dy) where T : unmanaged
    {
        if (Slot(parameter, dy) is not { } slot) return dy.As<T>("Gradients").New<T>(parameter.Shape);
        slot.Forget();
        slot.Rows?.Spread();
        return (slot.Shape == parameter.Shape ? slot : slot.Reshape(parameter.Shape)).As<T>("Gradients");
    }

    /// <summary>A tensor of the parameter's shape whose rows are sums of rows of the upstream gradient, and else zero.</summary>
    /// <param name="parameter">The parameter, at least a vector.</param>
    /// <param name="dy">The upstream gradient, of the parameter's element type; the result lies in its arena.</param>
    /// <param name="entries">From which rows of dy to which rows of the result, as <see cref="RowSums"/> reads it.</param>
    public static Tensor<T> OfRows<T>(Tensor parameter, Tensor<T> dy, ReadOnlySpan<ulong> entries) where T : unmanaged
    {
        if (Slot(parameter, dy) is Tensor<T> { Rows: { } rows } slot && slot.Shape == parameter.Shape)
        {
            slot.Forget();
            rows.Clear(slot);
            slot.Defer(entries, dy);
            return slot;
        }

        var gradient = dy.New<T>(parameter.Shape);
        gradient.Write().Clear();
        gradient.Rows = new();
        gradient.Rows.Defer(entries, dy);
        gradient.Rows.Write(gradient);
        return gradient;
    }

    private static Tensor? Slot(Tensor parameter, Tensor dy) =>
        parameter.Home >= 0 && parameter.Arena is { } arena && ReferenceEquals(arena, dy.Arena) ? arena.Claim(parameter.Home) : null;
}
