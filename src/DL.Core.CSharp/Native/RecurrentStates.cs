using System.Numerics;

namespace DL.Core.Kernels;

/// <summary>A state before every step: packed with the steps where a pass keeps it, else two steps in turn.</summary>
internal unsafe struct RecurrentStates<T> where T : unmanaged
{
    public T* Start;
    public bool Keep;

    /// <summary>[batch; hidden], the state after each example's last step.</summary>
    public T* Last;

    /// <summary>The state of row 0 before a step.</summary>
    public readonly T* Before(in RecurrentFrame frame, int step) =>
        Start + ((Keep ? frame.Starts[step] : (long)(step & 1) * frame.Batch) * frame.Hidden);

    /// <summary>Where the state of a row after a step belongs.</summary>
    public readonly T* After(in RecurrentFrame frame, int step, int row) =>
        row < frame.Active(step + 1) ? Before(frame, step + 1) + ((long)row * frame.Hidden) : frame.Example(Last, row);

    /// <summary>Sets the state before the first step of some rows, and after the last one of rows without a step; a null initial state is zeros.</summary>
    public readonly void Begin(in RecurrentFrame frame, int from, int to, T* initial)
    {
        for (var row = from; row < to; row++)
        {
            var state = new Span<T>(After(frame, -1, row), frame.Hidden);
            if (initial is null) state.Clear();
            else new Span<T>(frame.Example(initial, row), frame.Hidden).CopyTo(state);
        }
    }
}

/// <summary>The gradient of a state, row by row, on its way from the last step to the first.</summary>
internal unsafe struct RecurrentStateGradient<T> where T : unmanaged, INumber<T>
{
    /// <summary>[batch; hidden], row by row.</summary>
    public T* Rows;

    /// <summary>[batch; hidden], the gradient of the state after each example's last step, or null for none.</summary>
    public T* Last;

    /// <summary>[batch; hidden], the gradient of the initial state.</summary>
    public T* Initial;

    /// <summary>Sets what arrives from behind the sequences.</summary>
    public readonly void Begin(in RecurrentFrame frame, int from, int to)
    {
        for (var row = from; row < to; row++)
        {
            var gradient = new Span<T>(Rows + ((long)row * frame.Hidden), frame.Hidden);
            if (Last is null) gradient.Clear();
            else new Span<T>(frame.Example(Last, row), frame.Hidden).CopyTo(gradient);
        }
    }

    /// <summary>The gradient of a row's state after a step: what the step behind sent, with the output's own gradient added.</summary>
    public readonly T* Arrived<S>(in RecurrentFrame frame, T* output, int step, int row) where S : struct, ISimd<S, T>
    {
        var gradient = Rows + ((long)row * frame.Hidden);
        if (output is not null) RecurrentGates.Add<T, S>(frame.Place(output, row, step), gradient, frame.Hidden);
        return gradient;
    }

    /// <summary>Hands out what arrived before the sequences.</summary>
    public readonly void End(in RecurrentFrame frame, int from, int to)
    {
        for (var row = from; row < to; row++)
            new Span<T>(Rows + ((long)row * frame.Hidden), frame.Hidden).CopyTo(new Span<T>(frame.Example(Initial, row), frame.Hidden));
    }
}
