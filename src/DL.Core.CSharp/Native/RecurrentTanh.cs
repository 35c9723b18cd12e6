using System.Numerics;
using System.Runtime.CompilerServices;

namespace DL.Core.Kernels;

/// <summary>The steps of a recurrent net of one tanh.</summary>
internal unsafe struct RecurrentTanh<T> : IRecurrentSteps<T> where T : unmanaged, INumber<T>
{
    public RecurrentFrame Frame;
    public RecurrentProduct<T> Recurrent;
    public RecurrentStates<T> Hidden;
    public T* FirstHidden;

    /// <summary>[rows; hidden]: the input's share, overwritten by the states after the steps.</summary>
    public T* States;

    /// <summary>[hidden].</summary>
    public T* Bias;

    /// <summary>[batch; time; hidden].</summary>
    public T* Output;

    /// <summary>Runs all steps.</summary>
    public readonly void Run() => RecurrentParts.Run<T, RecurrentTanh<T>>(this, Frame, Frame.Hidden);

    /// <inheritdoc/>
    public readonly void Rows<S>(int from, int to) where S : struct, ISimd<S, T>
    {
        Hidden.Begin(Frame, from, to, FirstHidden);
        RecurrentPacking.ClearPadding(Frame, from, to, Output, Frame.Hidden);
        long n = Frame.Hidden;
        for (var step = 0; step < Frame.Steps; step++)
        {
            var end = Math.Min(to, Frame.Active(step));
            if (end <= from) break;
            var state = States + ((Frame.Starts[step] + (long)from) * n);
            Recurrent.Multiply(end - from, Hidden.Before(Frame, step) + (from * n), n, true, state, n);
            for (var row = from; row < end; row++, state += n)
            {
                RecurrentGates.Tanh<T, S>(state, Bias, state, n);
                var span = new Span<T>(state, Frame.Hidden);
                span.CopyTo(new Span<T>(Frame.Place(Output, row, step), Frame.Hidden));
                span.CopyTo(new Span<T>(Hidden.After(Frame, step, row), Frame.Hidden));
            }
        }
    }
}

/// <summary>The steps of a recurrent net of one tanh from the last to the first.</summary>
internal unsafe struct RecurrentTanhBackward<T> : IRecurrentSteps<T> where T : unmanaged, INumber<T>
{
    public RecurrentFrame Frame;
    public RecurrentProduct<T> Recurrent;
    public RecurrentStateGradient<T> Hidden;

    /// <summary>[rows; hidden], the states after the steps.</summary>
    public T* States;

    /// <summary>[batch; time; hidden], or null for none.</summary>
    public T* OutputGradient;

    /// <summary>[rows; hidden], the gradients before the tanh.</summary>
    public T* GateGradients;

    /// <summary>Runs all steps.</summary>
    public readonly void Run() => RecurrentParts.Run<T, RecurrentTanhBackward<T>>(this, Frame, Frame.Hidden);

    /// <inheritdoc/>
    public readonly void Rows<S>(int from, int to) where S : struct, ISimd<S, T>
    {
        Hidden.Begin(Frame, from, to);
        long n = Frame.Hidden, whole = n - (n % S.Count);
        for (var step = Frame.Steps - 1; step >= 0; step--)
        {
            var end = Math.Min(to, Frame.Active(step));
            if (end <= from) continue;
            for (var row = from; row < end; row++)
            {
                var at = (Frame.Starts[step] + (long)row) * n;
                var dh = Hidden.Arrived<S>(Frame, OutputGradient, step, row);
                Gradient<S, AllLanes>(dh, States + at, GateGradients + at, 0, whole);
                if (whole < n) Gradient<S, FirstLanes>(dh, States + at, GateGradients + at, whole, n);
            }

            var gradients = GateGradients + ((Frame.Starts[step] + (long)from) * n);
            Recurrent.Multiply(end - from, gradients, n, false, Hidden.Rows + (from * n), n);
        }

        Hidden.End(Frame, from, to);
    }

    /// <summary>da = dh (1 - h²).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Gradient<S, L>(T* dh, T* state, T* gradient, long from, long to) where S : struct, ISimd<S, T> where L : struct, ILaneCount
    {
        var one = S.Create(1);
        for (var j = from; j < to; j += S.Count)
        {
            var h = Lanes.Load<T, S, L>(state + j, to - j);
            Lanes.Store<T, S, L>(Lanes.Load<T, S, L>(dh + j, to - j) * (one - (h * h)), gradient + j, to - j);
        }
    }
}
