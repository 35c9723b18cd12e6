namespace DL.Core.Random;

/// <summary>Names one draw of random numbers: the same key gives the same numbers, whatever was drawn before and on however many threads.</summary>
/// <remarks>The seed is the key of <see cref="Philox"/>; position and step are words 2 and 3 of its counter, and words 0 and 1 count the blocks
/// inside the draw. A position is a place in a network, a step a time the network was run.</remarks>
/// <param name="Seed">The seed of an experiment.</param>
/// <param name="Position">The place that draws.</param>
/// <param name="Step">How many times the place has drawn before.</param>
public readonly record struct Key(ulong Seed, uint Position, uint Step)
{
    /// <summary>The key for the same place one step later.</summary>
    public Key Next => this with { Step = unchecked(Step + 1) };

    /// <summary>The high half of the counter.</summary>
    internal ulong Stream => Position | ((ulong)Step << 32);

    /// <summary>The key n places on; <c>Skip(a).Skip(b) = Skip(a + b)</c>.</summary>
    /// <param name="n">The number of places; they wrap around after 2^32.</param>
    public Key Skip(int n) => this with { Position = unchecked(Position + (uint)n) };
}
