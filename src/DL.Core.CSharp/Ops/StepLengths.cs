namespace DL.Core.Ops;

/// <summary>The numbers of valid steps of the examples of a batch of sequences [N; T; ..]; what lies behind them is padding.</summary>
internal static class StepLengths
{
    /// <summary>Fails unless there is a length from 0 to T for every example, or none at all.</summary>
    public static void Check(Shape shape, int[]? lengths, string where)
    {
        if (lengths is null) return;
        if (shape.Rank < 2) throw new ShapeException(where, "[examples; steps; ..], as there are lengths", $"{shape}");
        if (lengths.Length != shape[0]) throw new ShapeException($"{where}, lengths", $"{shape[0]} lengths, one for each example", $"{lengths.Length}");
        for (var i = 0; i < lengths.Length; i++)
            if ((uint)lengths[i] > (uint)shape[1])
                throw new InvalidArgumentException($"{where}, lengths[{i}]", $"a length from 0 to {shape[1]}", $"{lengths[i]}");
    }
}
