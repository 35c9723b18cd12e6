using DL.Core.Random;
using static System.FormattableString;

namespace DL.Core.Data;

/// <summary>Random orders as pure functions of a seed: the same on every machine, in every version.</summary>
public static class Shuffle
{
    /// <summary>Keeps these draws apart from any other use of the same seed: "SHUFFLE" in ASCII, in the high half of the counter.</summary>
    private const ulong Domain = 0x5348_5546_464C_4500;

    /// <summary>A permutation of 0 to n - 1, each of the n! equally likely up to the seed's 64 bits (Fisher-Yates over Philox).</summary>
    /// <param name="n">How many, at least 0.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="stream">Which of the seed's independent orders, such as the epoch.</param>
    /// <returns>The permutation, [n].</returns>
    /// <exception cref="InvalidArgumentException">n is negative.</exception>
    public static int[] Permutation(int n, ulong seed, ulong stream)
    {
        if (n < 0)
            throw new InvalidArgumentException("Shuffle.Permutation, n", "at least 0", Invariant($"{n}"));
        var order = new int[n];
        for (var i = 0; i < n; i++)
            order[i] = i;
        var draws = new PhiloxSequence(seed, Domain ^ stream);
        for (var i = n - 1; i > 0; i--)
        {
            var j = draws.Below(i + 1);
            (order[i], order[j]) = (order[j], order[i]);
        }
        return order;
    }
}
