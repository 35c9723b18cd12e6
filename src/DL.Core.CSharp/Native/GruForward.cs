using System.Numerics;
using System.Runtime.CompilerServices;

namespace DL.Core.Kernels;

/// <summary>The steps of a gated recurrent unit, its state reset before or after the product of the candidate.</summary>
internal unsafe struct GruForward<T> : IRecurrentSteps<T> where T : unmanaged, INumber<T>
{
    public RecurrentFrame Frame;

    /// <summary>Whether the product with the state is reset, and not the state.</summary>
    public bool ResetAfter;

    /// <summary>The recurrent weights of the gates r and z.</summary>
    public RecurrentProduct<T> Both;

    /// <summary>Those of the candidate.</summary>
    public RecurrentProduct<T> Candidate;
    public RecurrentStates<T> Hidden;
    public T* FirstHidden;

    /// <summary>[rows; 3 hidden]: the input's share of r, z and the candidate, overwritten by them.</summary>
    public T* Gates;

    /// <summary>[4 hidden]: of r, z, the candidate, and of the candidate's product when that is reset.</summary>
    public T* Bias;

    /// <summary>[rows; hidden], or [batch; hidden] where nothing is kept: r h, or the candidate's product.</summary>
    public T* Resets;

    /// <summary>[batch; time; hidden].</summary>
    public T* Output;

    /// <summary>Runs all steps.</summary>
    public readonly void Run() => RecurrentParts.Run<T, GruForward<T>>(this, Frame, 3L * Frame.Hidden);

    /// <inheritdoc/>
    public readonly void Rows<S>(int from, int to) where S : struct, ISimd<S, T>
    {
        Hidden.Begin(Frame, from, to, FirstHidden);
        RecurrentPacking.ClearPadding(Frame, from, to, Output, Frame.Hidden);
        for (var step = 0; step < Frame.Steps; step++)
        {
            var end = Math.Min(to, Frame.Active(step));
            if (end <= from) break;
            Step<S>(step, from, end);
        }
    }

    private readonly void Step<S>(int step, int from, int end) where S : struct, ISimd<S, T>
    {
        long n = Frame.Hidden, width = 3 * n;
        var gates = Gates + ((Frame.Starts[step] + (long)from) * width);
        var resets = Resets + ((from + (Hidden.Keep ? Frame.Starts[step] : 0L)) * n);
        var states = Hidden.Before(Frame, step) + (from * n);
        Both.Multiply(end - from, states, n, true, gates, width);
        if (ResetAfter) Candidate.Multiply(end - from, states, n, false, resets, n);
        for (var row = 0L; row < end - from; row++)
            Reset<S>(gates + (row * width), states + (row * n), resets + (row * n), n);
        if (!ResetAfter) Candidate.Multiply(end - from, resets, n, true, gates + (2 * n), width);
        for (var row = 0; row < end - from; row++)
            Mix<S>(gates + (row * width), states + (row * n), n, Frame.Place(Output, from + row, step), Hidden.After(Frame, step, from + row));
    }

    private readonly void Reset<S>(T* gates, T* state, T* reset, long n) where S : struct, ISimd<S, T>
    {
        var whole = n - (n % S.Count);
        RecurrentGates.Sigmoid<T, S>(gates, Bias, 2 * n);
        if (ResetAfter)
        {
            RecurrentGates.Add<T, S>(Bias + (3 * n), reset, n);
            ResetProduct<S, AllLanes>(gates, reset, gates + (2 * n), 0, whole);
            if (whole < n) ResetProduct<S, FirstLanes>(gates, reset, gates + (2 * n), whole, n);
        }
        else
        {
            ResetState<S, AllLanes>(gates, state, reset, 0, whole);
            if (whole < n) ResetState<S, FirstLanes>(gates, state, reset, whole, n);
        }
    }

    private readonly void Mix<S>(T* gates, T* state, long n, T* output, T* next) where S : struct, ISimd<S, T>
    {
        var whole = n - (n % S.Count);
        T* update = gates + n, candidate = gates + (2 * n);
        RecurrentGates.Tanh<T, S>(candidate, Bias + (2 * n), candidate, n);
        T* kept = ResetAfter ? state : candidate, left = ResetAfter ? candidate : state;
        Mix<S, AllLanes>(update, kept, left, 0, whole, output, next);
        if (whole < n) Mix<S, FirstLanes>(update, kept, left, whole, n, output, next);
    }

    /// <summary>a += r u.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ResetProduct<S, L>(T* gate, T* product, T* candidate, long from, long to) where S : struct, ISimd<S, T> where L : struct, ILaneCount
    {
        for (var j = from; j < to; j += S.Count)
        {
            var sum = S.Fma(
                Lanes.Load<T, S, L>(gate + j, to - j),
                Lanes.Load<T, S, L>(product + j, to - j),
                Lanes.Load<T, S, L>(candidate + j, to - j));
            Lanes.Store<T, S, L>(sum, candidate + j, to - j);
        }
    }

    /// <summary>r h.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ResetState<S, L>(T* gate, T* state, T* reset, long from, long to) where S : struct, ISimd<S, T> where L : struct, ILaneCount
    {
        for (var j = from; j < to; j += S.Count)
            Lanes.Store<T, S, L>(
                Lanes.Load<T, S, L>(gate + j, to - j) * Lanes.Load<T, S, L>(state + j, to - j), reset + j, to - j);
    }

    /// <summary>z a + (1 - z) b, exactly a or b where z is 1 or 0; written to two places.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Mix<S, L>(T* gate, T* a, T* b, long from, long to, T* output, T* next) where S : struct, ISimd<S, T> where L : struct, ILaneCount
    {
        var one = S.Create(1);
        for (var j = from; j < to; j += S.Count)
        {
            var z = Lanes.Load<T, S, L>(gate + j, to - j);
            var rest = (one - z) * Lanes.Load<T, S, L>(b + j, to - j);
            var mixed = S.Fma(z, Lanes.Load<T, S, L>(a + j, to - j), rest);
            Lanes.Store<T, S, L>(mixed, output + j, to - j);
            Lanes.Store<T, S, L>(mixed, next + j, to - j);
        }
    }
}
