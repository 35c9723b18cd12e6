namespace DL.Core.Ops;

/// <summary>The arguments of a recurrent operation, looked at before anything is computed.</summary>
internal sealed class RecurrentArguments
{
    /// <summary>Fails unless all arguments fit each other.</summary>
    public RecurrentArguments(
        string name, int gates, Tensor x, Tensor weight, Tensor recurrent, Tensor? bias, Tensor? recurrentBias, Tensor? hidden, Tensor? cell, int[]? lengths)
    {
        Shape = RecurrentChecks.Extents(name, gates, x, weight, recurrent, lengths);
        RecurrentChecks.Bias($"{name} bias", x, bias, recurrent.Shape[1]);
        RecurrentChecks.Bias($"{name} recurrentBias", x, recurrentBias, recurrent.Shape[1]);
        RecurrentChecks.State($"{name} hidden", x, hidden, Shape);
        RecurrentChecks.State($"{name} cell", x, cell, Shape);
        (X, Weight, Recurrent, Bias, RecurrentBias, Hidden, Cell) = (x, weight, recurrent, bias, recurrentBias, hidden, cell);
        IsDouble = x.IsDouble(name);
    }

    public RecurrentShape Shape { get; }

    public bool IsDouble { get; }

    public Tensor X { get; }

    public Tensor Weight { get; }

    public Tensor Recurrent { get; }

    public Tensor? Bias { get; }

    public Tensor? RecurrentBias { get; }

    public Tensor? Hidden { get; }

    public Tensor? Cell { get; }

    /// <summary>The elements of an argument, none where it was left out; its type has been looked at.</summary>
    public static ReadOnlySpan<T> Elements<T>(Tensor? tensor) where T : unmanaged => tensor is null ? default : ((Tensor<T>)tensor).Span;
}
