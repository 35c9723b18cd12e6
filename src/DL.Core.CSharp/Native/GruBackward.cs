using System.Numerics;
using System.Runtime.CompilerServices;

namespace DL.Core.Kernels;

/// <summary>The steps of a gated recurrent unit from the last to the first.</summary>
internal unsafe struct GruBackward<T> : IRecurrentSteps<T> where T : unmanaged, INumber<T>
{
    public RecurrentFrame Frame;

    /// <summary>Whether the product with the state was reset, and not the state.</summary>
    public bool ResetAfter;

    /// <summary>The recurrent weights of the gates r and z, transposed.</summary>
    public RecurrentProduct<T> Both;

    /// <summary>Those of the candidate, transposed.</summary>
    public RecurrentProduct<T> Candidate;
    public RecurrentStateGradient<T> Hidden;

    /// <summary>[rows; 3 hidden].</summary>
    public T* Gates;

    /// <summary>[rows; hidden], the states before each step.</summary>
    public T* States;

    /// <summary>[rows; hidden], the candidate's product; not read where the state was reset.</summary>
    public T* Resets;

    /// <summary>[batch; time; hidden], or null for none.</summary>
    public T* OutputGradient;

    /// <summary>[rows; 3 hidden], the gradients of the gates before their activations.</summary>
    public T* GateGradients;

    /// <summary>[rows; hidden], the gradients of what was reset.</summary>
    public T* ResetGradients;

    /// <summary>Runs all steps.</summary>
    public readonly void Run() => RecurrentParts.Run<T, GruBackward<T>>(this, Frame, 3L * Frame.Hidden);

    /// <inheritdoc/>
    public readonly void Rows<S>(int from, int to) where S : struct, ISimd<S, T>
    {
        Hidden.Begin(Frame, from, to);
        for (var step = Frame.Steps - 1; step >= 0; step--)
        {
            var end = Math.Min(to, Frame.Active(step));
            if (end > from) Step<S>(step, from, end);
        }

        Hidden.End(Frame, from, to);
    }

    private readonly void Step<S>(int step, int from, int end) where S : struct, ISimd<S, T>
    {
        long n = Frame.Hidden, width = 3 * n, at = Frame.Starts[step] + (long)from, whole = n - (n % S.Count);
        var states = Hidden.Rows + (from * n);
        for (var row = from; row < end; row++)
        {
            var dh = Hidden.Arrived<S>(Frame, OutputGradient, step, row);
            Mixed<S, AllLanes>(dh, at + (row - from), 0, whole);
            if (whole < n) Mixed<S, FirstLanes>(dh, at + (row - from), whole, n);
        }

        T* gates = GateGradients + (at * width), resets = ResetGradients + (at * n);
        if (!ResetAfter)
        {
            Candidate.Multiply(end - from, gates + (2 * n), width, false, resets, n);
            for (var row = from; row < end; row++)
            {
                var dh = Hidden.Rows + (row * n);
                Reset<S, AllLanes>(dh, at + (row - from), 0, whole);
                if (whole < n) Reset<S, FirstLanes>(dh, at + (row - from), whole, n);
            }
        }

        Both.Multiply(end - from, gates, width, true, states, n);
        if (ResetAfter) Candidate.Multiply(end - from, resets, n, true, states, n);
    }

    /// <summary>From dh: the gradients of z and of the candidate, with those of r and of the candidate's product where that was reset; what the mixture
    /// sends straight to the state before stays in dh.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Mixed<S, L>(T* dh, long at, long from, long to) where S : struct, ISimd<S, T> where L : struct, ILaneCount
    {
        long n = Frame.Hidden;
        T* gates = Gates + (at * 3 * n), gradients = GateGradients + (at * 3 * n), states = States + (at * n);
        T* products = Resets + (at * n), resets = ResetGradients + (at * n);
        var one = S.Create(1);
        for (var j = from; j < to; j += S.Count)
        {
            var left = to - j;
            var upstream = Lanes.Load<T, S, L>(dh + j, left);
            var z = Lanes.Load<T, S, L>(gates + n + j, left);
            var candidate = Lanes.Load<T, S, L>(gates + (2 * n) + j, left);
            var state = Lanes.Load<T, S, L>(states + j, left);
            var slope = one - (candidate * candidate);
            if (ResetAfter)
            {
                Lanes.Store<T, S, L>(upstream * (state - candidate) * (z * (one - z)), gradients + n + j, left);
                var given = upstream * (one - z) * slope;
                Lanes.Store<T, S, L>(given, gradients + (2 * n) + j, left);
                var r = Lanes.Load<T, S, L>(gates + j, left);
                Lanes.Store<T, S, L>(given * r, resets + j, left);
                Lanes.Store<T, S, L>(given * Lanes.Load<T, S, L>(products + j, left) * (r * (one - r)), gradients + j, left);
                Lanes.Store<T, S, L>(upstream * z, dh + j, left);
            }
            else
            {
                Lanes.Store<T, S, L>(upstream * (candidate - state) * (z * (one - z)), gradients + n + j, left);
                Lanes.Store<T, S, L>(upstream * z * slope, gradients + (2 * n) + j, left);
                Lanes.Store<T, S, L>(upstream * (one - z), dh + j, left);
            }
        }
    }

    /// <summary>From d, the gradient of r h: dr = d h r (1 - r), dh += d r.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Reset<S, L>(T* dh, long at, long from, long to) where S : struct, ISimd<S, T> where L : struct, ILaneCount
    {
        long n = Frame.Hidden;
        T* gates = Gates + (at * 3 * n), gradients = GateGradients + (at * 3 * n), states = States + (at * n), resets = ResetGradients + (at * n);
        var one = S.Create(1);
        for (var j = from; j < to; j += S.Count)
        {
            var left = to - j;
            var d = Lanes.Load<T, S, L>(resets + j, left);
            var r = Lanes.Load<T, S, L>(gates + j, left);
            Lanes.Store<T, S, L>(d * Lanes.Load<T, S, L>(states + j, left) * (r * (one - r)), gradients + j, left);
            Lanes.Store<T, S, L>(S.Fma(d, r, Lanes.Load<T, S, L>(dh + j, left)), dh + j, left);
        }
    }
}
