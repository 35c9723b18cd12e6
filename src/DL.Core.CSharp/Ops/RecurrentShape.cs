using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>The extents of a recurrent pass, and how many steps each example has.</summary>
/// <remarks>Positions from an example's length on are padding: nothing is read there, the output is 0 there, and the state stays as it was.</remarks>
public sealed unsafe class RecurrentShape
{
    private readonly int[] _order;
    private readonly int[] _starts;
    private readonly int[] _lengths;

    /// <summary>The extents of a pass.</summary>
    /// <param name="batch">The number of examples, N.</param>
    /// <param name="time">The number of steps, T.</param>
    /// <param name="inputs">The width of the input, D.</param>
    /// <param name="hidden">The width of the state, H.</param>
    /// <param name="lengths">The steps of each example, from 0 to <paramref name="time"/>; null if all have all.</param>
    /// <exception cref="ShapeException">An extent is negative, or there is not one length for each example.</exception>
    /// <exception cref="InvalidArgumentException">A length lies outside the sequence.</exception>
    public RecurrentShape(int batch, int time, int inputs, int hidden, int[]? lengths = null)
    {
        _ = new Shape(batch, time, Math.Max(1, Math.Max(inputs, hidden)));
        _ = new Shape(inputs, hidden);
        if (lengths is not null) StepLengths.Check(lengths, batch, time, "Recurrent lengths");
        (Batch, Time, Inputs, Hidden) = (batch, time, inputs, hidden);
        _lengths = new int[batch];
        if (lengths is null) Array.Fill(_lengths, time);
        else lengths.CopyTo(_lengths, 0);
        _starts = Started(_lengths, time);
        _order = LongestFirst(_lengths, _starts);
    }

    /// <summary>The number of examples.</summary>
    public int Batch { get; }

    /// <summary>The number of steps.</summary>
    public int Time { get; }

    /// <summary>The width of the input.</summary>
    public int Inputs { get; }

    /// <summary>The width of the state.</summary>
    public int Hidden { get; }

    /// <summary>The steps of all examples together, without padding.</summary>
    public int Rows => _starts[Time];

    /// <summary>The steps of each example.</summary>
    public ReadOnlySpan<int> Lengths => _lengths;

    /// <summary>The example of each row, the longest first.</summary>
    internal int[] Order => _order;

    /// <summary>The first packed row of each step, and the number of all.</summary>
    internal int[] Starts => _starts;

    /// <summary>The steps of each example, to be pinned.</summary>
    internal int[] Steps => _lengths;

    /// <summary>What the kernels read of it, over the arrays pinned.</summary>
    internal RecurrentFrame Frame(int* order, int* starts, int* lengths) =>
        new() { Batch = Batch, Time = Time, Hidden = Hidden, Order = order, Starts = starts, Lengths = lengths };

    private static int[] Started(int[] lengths, int time)
    {
        var starts = new int[time + 1];
        foreach (var length in lengths)
            if (length > 0) starts[length]++;
        // From the number of examples that end at a step to the number that still run there, then to their sums.
        for (var step = time - 1; step > 0; step--) starts[step] += starts[step + 1];
        for (var step = 1; step <= time; step++) starts[step] += starts[step - 1];
        return starts;
    }

    // Examples of one length stay in their order.
    private static int[] LongestFirst(int[] lengths, int[] starts)
    {
        var time = starts.Length - 1;
        var next = new int[time + 1];
        for (var length = time - 1; length >= 0; length--) next[length] = starts[length + 1] - starts[length];
        var order = new int[lengths.Length];
        for (var n = 0; n < lengths.Length; n++) order[next[lengths[n]]++] = n;
        return order;
    }
}
