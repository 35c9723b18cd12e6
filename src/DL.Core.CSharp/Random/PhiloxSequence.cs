using static System.FormattableString;

namespace DL.Core.Random;

/// <summary>The words of one Philox stream, one after the other: blocks (key, 0, stream), (key, 1, stream), ...</summary>
/// <remarks>A small value for code that needs a varying number of draws, such as rejection sampling. Copying it copies its place.</remarks>
/// <param name="key">The seed.</param>
/// <param name="stream">The high half of the counter; different streams never overlap.</param>
public struct PhiloxSequence(ulong key, ulong stream)
{
    private ulong _block;
    private uint _x0, _x1, _x2, _x3;
    private int _left;

    /// <summary>The next 32 random bits.</summary>
    public uint Next()
    {
        if (_left == 0)
        {
            Philox.Block(key, _block++, stream, out _x0, out _x1, out _x2, out _x3);
            _left = 4;
        }
        return _left-- switch { 4 => _x0, 3 => _x1, 2 => _x2, _ => _x3 };
    }

    /// <summary>A uniform integer in [0, bound), every value exactly equally likely.</summary>
    /// <remarks>D. Lemire, "Fast random integer generation in an interval" (2019): one product, and rejection of the 2^32 mod bound
    /// words that would make some values likelier than others.</remarks>
    /// <param name="bound">The number of values, at least 1.</param>
    /// <exception cref="InvalidArgumentException">The bound is below 1.</exception>
    public int Below(int bound)
    {
        if (bound < 1)
            throw new InvalidArgumentException("PhiloxSequence.Below, bound", "at least 1", Invariant($"{bound}"));
        var n = (uint)bound;
        var product = (ulong)Next() * n;
        if ((uint)product < n)
        {
            var rejected = (0u - n) % n;
            while ((uint)product < rejected)
                product = (ulong)Next() * n;
        }
        return (int)(product >> 32);
    }
}
