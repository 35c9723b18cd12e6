using DL.Core.Random;
using static System.FormattableString;

namespace DL.Core.Augmentation;

/// <summary>Small changes of a text that keep its class: each a pure function of the words and a key.</summary>
/// <remarks>J. Wei, K. Zou, EDA: Easy data augmentation techniques for boosting performance on text classification tasks, 2019.</remarks>
public static class TextAugmentation
{
    /// <summary>Replaces words by synonyms: up to n of the places whose word the table knows, each place equally likely, each by one of its synonyms.</summary>
    /// <param name="words">The words.</param>
    /// <param name="synonyms">The synonyms of words, such as from a thesaurus.</param>
    /// <param name="n">How many places, at least 0; all there are, if there are fewer.</param>
    /// <param name="key">The draw.</param>
    /// <returns>As many words.</returns>
    /// <exception cref="InvalidArgumentException">n is negative.</exception>
    public static string[] ReplaceSynonyms(IReadOnlyList<string> words, IReadOnlyDictionary<string, string[]> synonyms, int n, Key key)
    {
        CheckCount(n, "ReplaceSynonyms");
        string[] changed = [.. words];
        var known = Known(words, synonyms);
        var draws = Draws(key);
        for (var i = 0; i < Math.Min(n, known.Count); i++)
        {
            // The first places of a shuffle.
            var j = i + draws.Below(known.Count - i);
            (known[i], known[j]) = (known[j], known[i]);
            changed[known[i]] = OneOf(synonyms[words[known[i]]], ref draws);
        }

        return changed;
    }

    /// <summary>Inserts n times a synonym of a random word of the text at a random place.</summary>
    /// <param name="words">The words.</param>
    /// <param name="synonyms">The synonyms of words, such as from a thesaurus.</param>
    /// <param name="n">How many, at least 0.</param>
    /// <param name="key">The draw.</param>
    /// <returns>n words more, or the words as they are if the table knows none of them.</returns>
    /// <exception cref="InvalidArgumentException">n is negative.</exception>
    public static string[] Insert(IReadOnlyList<string> words, IReadOnlyDictionary<string, string[]> synonyms, int n, Key key)
    {
        CheckCount(n, "Insert");
        List<string> changed = [.. words];
        var known = Known(words, synonyms);
        var draws = Draws(key);
        for (var i = 0; i < n && known.Count > 0; i++)
        {
            var synonym = OneOf(synonyms[words[known[draws.Below(known.Count)]]], ref draws);
            changed.Insert(draws.Below(changed.Count + 1), synonym);
        }

        return [.. changed];
    }

    /// <summary>Exchanges n times the words at two different random places.</summary>
    /// <param name="words">The words.</param>
    /// <param name="n">How many times, at least 0.</param>
    /// <param name="key">The draw.</param>
    /// <returns>The same words in another order.</returns>
    /// <exception cref="InvalidArgumentException">n is negative.</exception>
    public static string[] Swap(IReadOnlyList<string> words, int n, Key key)
    {
        CheckCount(n, "Swap");
        string[] changed = [.. words];
        var draws = Draws(key);
        for (var i = 0; i < n && changed.Length > 1; i++)
        {
            var first = draws.Below(changed.Length);
            var second = (first + 1 + draws.Below(changed.Length - 1)) % changed.Length;
            (changed[first], changed[second]) = (changed[second], changed[first]);
        }

        return changed;
    }

    /// <summary>Leaves each word out with a probability; if none would be left, one random word stays.</summary>
    /// <param name="words">The words.</param>
    /// <param name="probability">From 0, none is left out, to 1.</param>
    /// <param name="key">The draw.</param>
    /// <returns>Some of the words in their order, at least one if there is one.</returns>
    /// <exception cref="InvalidArgumentException">The probability is out of range.</exception>
    public static string[] Delete(IReadOnlyList<string> words, double probability, Key key)
    {
        Images.CheckShare(probability, "TextAugmentation.Delete, probability");
        var shares = Images.Uniform(key.At(0), words.Count);
        string[] kept = [.. words.Where((_, i) => shares[i] >= probability)];
        var draws = Draws(key);
        return kept.Length > 0 || words.Count == 0 ? kept : [words[draws.Below(words.Count)]];
    }

    private static PhiloxSequence Draws(Key key) => new(key.Seed, key.Stream);

    private static List<int> Known(IReadOnlyList<string> words, IReadOnlyDictionary<string, string[]> synonyms) =>
        [.. Enumerable.Range(0, words.Count).Where(i => synonyms.TryGetValue(words[i], out var found) && found is { Length: > 0 })];

    private static string OneOf(string[] synonyms, ref PhiloxSequence draws) => synonyms[draws.Below(synonyms.Length)];

    private static void CheckCount(int n, string where)
    {
        if (n < 0) throw new InvalidArgumentException($"TextAugmentation.{where}, n", "at least 0", Invariant($"{n}"));
    }
}
