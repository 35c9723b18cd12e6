using System.Runtime.CompilerServices;
namespace DL.Core.Ops;

/// <summary>Ids in their places, and which of these are valid.</summary>
internal readonly ref struct EmbeddingPlaces
{
    private readonly Shape _shape;

    /// <summary>Ids of a shape; the lengths have been checked against it.</summary>
    public EmbeddingPlaces(ReadOnlySpan<int> ids, Shape shape, int[]? lengths)
    {
        Ids = ids;
        _shape = shape;
        Lengths = lengths;
        Runs = lengths?.Length ?? 1;
        PerRun = Runs == 0 ? 0 : ids.Length / Runs;
        PerStep = lengths is null || shape[1] == 0 ? 0 : PerRun / shape[1];
    }

    /// <summary>The ids, row-major.</summary>
    public ReadOnlySpan<int> Ids { get; }

    /// <summary>The valid steps of each run, or null where all are valid.</summary>
    public ReadOnlySpan<int> Lengths { get; }

    /// <summary>Stretches of places of which the first ones are valid: the examples, or all as one.</summary>
    public int Runs { get; }

    /// <summary>Places in a run.</summary>
    public int PerRun { get; }

    /// <summary>Places in a step; of use only where there are lengths.</summary>
    public int PerStep { get; }

    /// <summary>The first place of a run.</summary>
    public int Start(int run) => run * PerRun;

    /// <summary>The place behind the last valid one of a run.</summary>
    public int End(int run) => Start(run) + (Lengths.IsEmpty ? PerRun : Lengths[run] * PerStep);

    /// <summary>Fails unless every valid id is from 0 to <paramref name="count"/> - 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Check(int count, string where)
    {
        for (var run = 0; run < Runs; run++)
        {
            var end = End(run);
            for (var place = Start(run); place < end; place++)
                if ((uint)Ids[place] >= (uint)count) throw OutOfRange(place, count, where);
        }
    }

    private InvalidArgumentException OutOfRange(int place, int count, string where)
    {
        var index = new int[_shape.Rank];
        var rest = place;
        for (var axis = index.Length - 1; axis >= 0; axis--)
        {
            index[axis] = rest % _shape[axis];
            rest /= _shape[axis];
        }

        var expected = count == 0 ? "no id, as the table has no rows" : $"an id from 0 to {count - 1}";
        return new InvalidArgumentException($"{where}, ids[{string.Join(", ", index)}]", expected, $"{Ids[place]}");
    }
}
