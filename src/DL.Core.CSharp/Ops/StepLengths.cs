namespace DL.Core.Ops;

/// <summary>The numbers of valid steps of the examples of a batch of sequences [N; T; ..]; what lies behind them is padding.</summary>
internal static class StepLengths
{
    /// <summary>Fails unless there is a length from 0 to T for every example, or none at all.</summary>
    public static void Check(Shape shape, int[]? lengths, string where)
    {
        if (lengths is null) return;
        if (shape.Rank < 2) throw new ShapeException(where, "[examples; steps; ..], as there are lengths", $"{shape}");
        Check(lengths, shape[0], shape[1], $"{where}, lengths");
    }

    /// <summary>Fails unless there is a length from 0 to T for every example; the argument is named with the place of the first that is not.</summary>
    public static void Check(ReadOnlySpan<int> lengths, int examples, int steps, string argument)
    {
        if (lengths.Length != examples) throw new ShapeException(argument, $"{examples} lengths, one for each example", $"{lengths.Length}");
        for (var i = 0; i < lengths.Length; i++)
            if ((uint)lengths[i] > (uint)steps)
                throw new InvalidArgumentException($"{argument}[{i}]", $"a length from 0 to {steps}", $"{lengths[i]}");
    }
}
