using System.Numerics;
using System.Runtime.CompilerServices;

namespace DL.Core.Kernels;

/// <summary>The steps of an LSTM from the last to the first: one pass over the gates, then a product with the recurrent weights transposed.</summary>
internal unsafe struct LstmBackward<T> : IRecurrentSteps<T> where T : unmanaged, INumber<T>
{
    public RecurrentFrame Frame;
    public RecurrentProduct<T> Recurrent;
    public RecurrentStateGradient<T> Hidden;
    public RecurrentStateGradient<T> Cell;

    /// <summary>[rows; 4 hidden].</summary>
    public T* Gates;

    /// <summary>[rows; hidden], the cells before each step.</summary>
    public T* Cells;

    /// <summary>[rows; hidden].</summary>
    public T* Tangents;

    /// <summary>[batch; time; hidden], or null for none.</summary>
    public T* OutputGradient;

    /// <summary>[rows; 4 hidden], the gradients of the gates before their activations.</summary>
    public T* GateGradients;

    /// <summary>Runs all steps.</summary>
    public readonly void Run() => RecurrentParts.Run<T, LstmBackward<T>>(this, Frame, Recurrent.K);

    /// <inheritdoc/>
    public readonly void Rows<S>(int from, int to) where S : struct, ISimd<S, T>
    {
        Hidden.Begin(Frame, from, to);
        Cell.Begin(Frame, from, to);
        for (var step = Frame.Steps - 1; step >= 0; step--)
        {
            var end = Math.Min(to, Frame.Active(step));
            if (end <= from) continue;
            for (var row = from; row < end; row++) Row<S>(step, row);
            var gradients = GateGradients + ((Frame.Starts[step] + (long)from) * Recurrent.K);
            Recurrent.Multiply(end - from, gradients, Recurrent.K, false, Hidden.Rows + ((long)from * Frame.Hidden), Frame.Hidden);
        }

        Hidden.End(Frame, from, to);
        Cell.End(Frame, from, to);
    }

    private readonly void Row<S>(int step, int row) where S : struct, ISimd<S, T>
    {
        long n = Frame.Hidden, whole = n - (n % S.Count), at = Frame.Starts[step] + (long)row;
        var dh = Hidden.Arrived<S>(Frame, OutputGradient, step, row);
        Gradient<S, AllLanes>(dh, at, row, 0, whole);
        if (whole < n) Gradient<S, FirstLanes>(dh, at, row, whole, n);
    }

    /// <summary>From dh and dc: do = dh tanh c o (1 - o), dc += dh o (1 - tanh² c), di = dc g i (1 - i), df = dc c f (1 - f), dg = dc i (1 - g²), and dc f for
    /// the step before.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Gradient<S, L>(T* dh, long at, int row, long from, long to) where S : struct, ISimd<S, T> where L : struct, ILaneCount
    {
        long n = Frame.Hidden;
        T* gates = Gates + (at * 4 * n), gradients = GateGradients + (at * 4 * n), cells = Cells + (at * n), tangents = Tangents + (at * n);
        var dc = Cell.Rows + (row * n);
        var one = S.Create(1);
        for (var j = from; j < to; j += S.Count)
        {
            var left = to - j;
            var upstream = Lanes.Load<T, S, L>(dh + j, left);
            var tangent = Lanes.Load<T, S, L>(tangents + j, left);
            var o = Lanes.Load<T, S, L>(gates + (3 * n) + j, left);
            Lanes.Store<T, S, L>(upstream * tangent * (o * (one - o)), gradients + (3 * n) + j, left);

            var carried = S.Fma(upstream * o, one - (tangent * tangent), Lanes.Load<T, S, L>(dc + j, left));
            var i = Lanes.Load<T, S, L>(gates + j, left);
            var g = Lanes.Load<T, S, L>(gates + (2 * n) + j, left);
            Lanes.Store<T, S, L>(carried * g * (i * (one - i)), gradients + j, left);
            Lanes.Store<T, S, L>(carried * i * (one - (g * g)), gradients + (2 * n) + j, left);

            var f = Lanes.Load<T, S, L>(gates + n + j, left);
            Lanes.Store<T, S, L>(carried * Lanes.Load<T, S, L>(cells + j, left) * (f * (one - f)), gradients + n + j, left);
            Lanes.Store<T, S, L>(carried * f, dc + j, left);
        }
    }
}
