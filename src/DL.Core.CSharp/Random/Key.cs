namespace DL.Core.Random;

/// <summary>Names one draw of random numbers: the same key gives the same numbers, whatever was drawn before and on however many threads.</summary>
/// <remarks>The seed is the key of <see cref="Philox"/>; position and step are words 2 and 3 of its counter, and words 0 and 1 count the blocks
/// inside the draw. A position is a place in a network, a step a time the network was run.</remarks>
/// <param name="Seed">The seed of an experiment.</param>
/// <param name="Position">The place that draws.</param>
/// <param name="Step">How many times the place has drawn before.</param>
public readonly record struct Key(ulong Seed, uint Position, uint Step)
{
    /// <summary>Keeps keys of elements apart from what is drawn with the same key: "ELEMENTS" in ASCII.</summary>
    private const ulong ElementDomain = 0x454C_454D_454E_5453;

    /// <summary>The key for the same place one step later.</summary>
    public Key Next => this with { Step = unchecked(Step + 1) };

    /// <summary>The high half of the counter.</summary>
    internal ulong Stream => Position | ((ulong)Step << 32);

    /// <summary>The key n places on; <c>Skip(a).Skip(b) = Skip(a + b)</c>.</summary>
    /// <param name="n">The number of places; they wrap around after 2^32.</param>
    public Key Skip(int n) => this with { Position = unchecked(Position + (uint)n) };

    /// <summary>The key of element number <paramref name="index"/>: 128 bits of <see cref="Philox"/>, so that the draws of different elements,
    /// and those of this key itself, have nothing to do with each other.</summary>
    /// <remarks>Indices nest: <c>key.At(epoch).At(example)</c>.</remarks>
    /// <param name="index">The number of the element.</param>
    public Key At(ulong index)
    {
        Philox.Block(Seed ^ ElementDomain, index, Stream, out var x0, out var x1, out var x2, out var x3);
        return new(x0 | ((ulong)x1 << 32), x2, x3);
    }

    /// <summary>The three numbers. What the compiler would write shows <see cref="Next"/> too, and so never ends.</summary>
    public override string ToString() => FormattableString.Invariant($"Key({Seed}, {Position}, {Step})");
}
