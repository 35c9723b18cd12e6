using static System.FormattableString;

namespace DL.Core.Metrics;

/// <summary>n tokens in a row; equal to another of the same tokens.</summary>
/// <typeparam name="T">The tokens: ids, words or anything else that knows what equals it.</typeparam>
public sealed class NGram<T> : IEquatable<NGram<T>> where T : IEquatable<T>
{
    private readonly T[] _tokens;
    private readonly int _hash;

    /// <summary>The n-gram of the given tokens.</summary>
    /// <param name="tokens">[n]; copied.</param>
    public NGram(ReadOnlySpan<T> tokens)
    {
        _tokens = tokens.ToArray();
        var hash = new HashCode();
        foreach (var token in _tokens) hash.Add(token);
        _hash = hash.ToHashCode();
    }

    /// <summary>The tokens, [n].</summary>
    public IReadOnlyList<T> Tokens => _tokens;

    /// <inheritdoc/>
    public bool Equals(NGram<T>? other) => other is not null && other._hash == _hash && _tokens.AsSpan().SequenceEqual(other._tokens);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as NGram<T>);

    /// <inheritdoc/>
    public override int GetHashCode() => _hash;

    /// <summary>The tokens with spaces between.</summary>
    public override string ToString() => string.Join(' ', _tokens);
}

/// <summary>Counts of n-grams.</summary>
public static class NGrams
{
    /// <summary>How often every n-gram is in the tokens; the counts sum to <c>max(0, length - n + 1)</c>.</summary>
    /// <typeparam name="T">The tokens.</typeparam>
    /// <param name="tokens">The tokens; fewer than n hold no n-gram.</param>
    /// <param name="n">The length of the n-grams, at least 1.</param>
    /// <exception cref="InvalidArgumentException">n is below 1.</exception>
    public static IReadOnlyDictionary<NGram<T>, int> Count<T>(ReadOnlySpan<T> tokens, int n) where T : IEquatable<T>
    {
        if (n < 1) throw new InvalidArgumentException("NGrams.Count, n", "at least 1", Invariant($"{n}"));
        var counts = new Dictionary<NGram<T>, int>();
        for (var i = 0; i <= tokens.Length - n; i++)
        {
            var gram = new NGram<T>(tokens.Slice(i, n));
            counts[gram] = counts.GetValueOrDefault(gram) + 1;
        }

        return counts;
    }
}
