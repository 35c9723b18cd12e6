namespace DL.Core.Ops;

/// <summary>The keys and values of the steps that attention has seen, for decoding one step after the other. A value: appending gives a new one.</summary>
/// <remarks>A step that is appended costs that step, and a few before it where another one was appended to the same cache: as many caches as one likes may
/// continue one.</remarks>
public sealed class KeyValueCache
{
    private readonly SettledSteps _keys;
    private readonly SettledSteps _values;

    private KeyValueCache(SettledSteps keys, SettledSteps values)
    {
        _keys = keys;
        _values = values;
    }

    /// <summary>The number of steps.</summary>
    public int Count => _keys.Count;

    /// <summary>The keys, [N, <see cref="Count"/>, features], put together at every call.</summary>
    public Tensor Keys => _keys.All;

    /// <summary>The values, [N, <see cref="Count"/>, features], put together at every call.</summary>
    public Tensor Values => _values.All;

    /// <summary>The keys and values of all but the last steps, which are few; both where they lie.</summary>
    internal (Tensor Keys, Tensor Values) Settled => (_keys.Settled, _values.Settled);

    /// <inheritdoc cref="Settled"/>
    internal (Tensor Keys, Tensor Values) Recent => (_keys.Recent, _values.Recent);

    /// <summary>A cache of the given keys and values, which are copied.</summary>
    /// <param name="keys">[N, T, features].</param>
    /// <param name="values">[N, T, features], the features of their own.</param>
    /// <exception cref="ShapeException">They are not of as many examples and steps.</exception>
    public static KeyValueCache Of(Tensor keys, Tensor values)
    {
        Check("KeyValueCache.Of", keys, values);
        return new(SettledSteps.Of(keys), SettledSteps.Of(values));
    }

    /// <summary>This cache with the keys and values of more steps.</summary>
    /// <param name="keys">[N, T, features].</param>
    /// <param name="values">[N, T, features].</param>
    /// <exception cref="ShapeException">They are not of as many examples and steps, or do not fit what is there.</exception>
    public KeyValueCache Append(Tensor keys, Tensor values)
    {
        Check("KeyValueCache.Append", keys, values);
        return new(_keys.Append(keys), _values.Append(values));
    }

    private static void Check(string where, Tensor keys, Tensor values)
    {
        if (keys.Shape.Rank != 3) throw new ShapeException($"{where}, keys", "[N; time; features]", $"{keys.Shape}");
        if (values.Shape.Rank != 3 || values.Shape[0] != keys.Shape[0] || values.Shape[1] != keys.Shape[1])
            throw new ShapeException($"{where}, values", $"[{keys.Shape[0]}; {keys.Shape[1]}; features]", $"{values.Shape}");
    }
}
