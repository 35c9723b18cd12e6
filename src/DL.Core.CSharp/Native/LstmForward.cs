using System.Numerics;
using System.Runtime.CompilerServices;

namespace DL.Core.Kernels;

/// <summary>The steps of an LSTM, each a product with the recurrent weights and one pass over the gates while they lie in the nearest caches.</summary>
internal unsafe struct LstmForward<T> : IRecurrentSteps<T> where T : unmanaged, INumber<T>
{
    public RecurrentFrame Frame;
    public RecurrentProduct<T> Recurrent;
    public RecurrentStates<T> Hidden;
    public RecurrentStates<T> Cell;
    public T* FirstHidden;
    public T* FirstCell;

    /// <summary>[rows; 4 hidden]: the input's share of the gates i, f, g, o, overwritten by the gates.</summary>
    public T* Gates;

    /// <summary>[4 hidden].</summary>
    public T* Bias;

    /// <summary>[rows; hidden], the tangents of the cells, or null where nobody asks for them.</summary>
    public T* Tangents;

    /// <summary>[batch; time; hidden].</summary>
    public T* Output;

    /// <summary>Runs all steps.</summary>
    public readonly void Run() => RecurrentParts.Run<T, LstmForward<T>>(this, Frame, Recurrent.N);

    /// <inheritdoc/>
    public readonly void Rows<S>(int from, int to) where S : struct, ISimd<S, T>
    {
        Hidden.Begin(Frame, from, to, FirstHidden);
        Cell.Begin(Frame, from, to, FirstCell);
        RecurrentPacking.ClearPadding(Frame, from, to, Output, Frame.Hidden);
        for (var step = 0; step < Frame.Steps; step++)
        {
            var end = Math.Min(to, Frame.Active(step));
            if (end <= from) break;
            var gates = Gates + ((Frame.Starts[step] + (long)from) * Recurrent.N);
            Recurrent.Multiply(end - from, Hidden.Before(Frame, step) + ((long)from * Frame.Hidden), Frame.Hidden, true, gates, Recurrent.N);
            for (var row = from; row < end; row++, gates += Recurrent.N) Row<S>(gates, step, row);
        }
    }

    private readonly void Row<S>(T* gates, int step, int row) where S : struct, ISimd<S, T>
    {
        long n = Frame.Hidden, whole = n - (n % S.Count);
        RecurrentGates.Sigmoid<T, S>(gates, Bias, 2 * n);
        RecurrentGates.Tanh<T, S>(gates + (2 * n), Bias + (2 * n), gates + (2 * n), n);
        RecurrentGates.Sigmoid<T, S>(gates + (3 * n), Bias + (3 * n), n);

        var cell = Cell.Before(Frame, step) + (row * n);
        var next = Cell.After(Frame, step, row);
        Remember<S, AllLanes>(gates, n, 0, whole, cell, next);
        if (whole < n) Remember<S, FirstLanes>(gates, n, whole, n, cell, next);

        var output = Frame.Place(Output, row, step);
        var hidden = Hidden.After(Frame, step, row);
        var tangent = Tangents is null ? output : Tangents + ((Frame.Starts[step] + (long)row) * n);
        RecurrentGates.Tanh<T, S>(next, tangent, n);
        Tell<S, AllLanes>(gates + (3 * n), tangent, 0, whole, output, hidden);
        if (whole < n) Tell<S, FirstLanes>(gates + (3 * n), tangent, whole, n, output, hidden);
    }

    /// <summary>c' = f c + i g.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Remember<S, L>(T* gates, long n, long from, long to, T* cell, T* next) where S : struct, ISimd<S, T> where L : struct, ILaneCount
    {
        for (var j = from; j < to; j += S.Count)
        {
            var kept = Lanes.Load<T, S, L>(gates + n + j, to - j) * Lanes.Load<T, S, L>(cell + j, to - j);
            var i = Lanes.Load<T, S, L>(gates + j, to - j);
            var g = Lanes.Load<T, S, L>(gates + (2 * n) + j, to - j);
            Lanes.Store<T, S, L>(S.Fma(i, g, kept), next + j, to - j);
        }
    }

    /// <summary>h = o tanh c, written to two places; the tangent may lie at the first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tell<S, L>(T* gate, T* tangent, long from, long to, T* output, T* hidden) where S : struct, ISimd<S, T> where L : struct, ILaneCount
    {
        for (var j = from; j < to; j += S.Count)
        {
            var h = Lanes.Load<T, S, L>(gate + j, to - j) * Lanes.Load<T, S, L>(tangent + j, to - j);
            Lanes.Store<T, S, L>(h, output + j, to - j);
            Lanes.Store<T, S, L>(h, hidden + j, to - j);
        }
    }
}
