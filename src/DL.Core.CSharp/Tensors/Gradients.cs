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
        slot.Rows?.Spread();
        return (slot.Shape == parameter.Shape ? slot : slot.Reshape(parameter.Shape)).As<T>("Gradients");
    }

    /// <summary>A zeroed tensor of the parameter's shape, of which only the rows that its <see cref="Tensor.Rows"/> are told are to be added to.</summary>
    /// <param name="parameter">The parameter, at least a vector.</param>
    /// <param name="dy">The gradient that the parameter's one is computed from; the result lies in its arena.</param>
    public static Tensor<T> ForRows<T>(Tensor parameter, Tensor dy) where T : unmanaged
    {
        if (Slot(parameter, dy) is { Rows: { } rows } slot && slot.Shape == parameter.Shape)
        {
            var home = slot.As<T>("Gradients");
            rows.Clear(home);
            return home;
        }

        var gradient = dy.As<T>("Gradients").New<T>(parameter.Shape);
        gradient.Write().Clear();
        gradient.Rows = new();
        return gradient;
    }

    private static Tensor? Slot(Tensor parameter, Tensor dy) =>
        parameter.Home >= 0 && parameter.Arena is { } arena && ReferenceEquals(arena, dy.Arena) ? arena.Claim(parameter.Home) : null;
}
