using static System.FormattableString;

namespace DL.Core.Formats;

/// <summary>How much a reader may take in before it stops with a <see cref="DataFormatException"/>: what a hostile or broken file can cost is bounded by these.</summary>
/// <remarks>Every limit is checked before memory is asked for, and memory grows with what was read, never with what a header claims.</remarks>
public sealed record ReadLimits
{
    /// <summary>The limits used where none are given.</summary>
    public static ReadLimits Default { get; } = new();

    /// <summary>The most bytes read from the source after decompression (default 2^31).</summary>
    /// <exception cref="InvalidArgumentException">Set below 1.</exception>
    public long MaxBytes { get; init => field = AtLeastOne(value, nameof(MaxBytes)); } = 1L << 31;

    /// <summary>The most values in one table or array (default 2^27).</summary>
    /// <exception cref="InvalidArgumentException">Set below 1.</exception>
    public long MaxElements { get; init => field = AtLeastOne(value, nameof(MaxElements)); } = 1L << 27;

    /// <summary>The most characters in one record of a text format, line breaks inside quotes included (default 2^20).</summary>
    /// <exception cref="InvalidArgumentException">Set below 1.</exception>
    public int MaxLineLength { get; init => field = (int)AtLeastOne(value, nameof(MaxLineLength)); } = 1 << 20;

    /// <summary>The most axes of an array (default 8).</summary>
    /// <exception cref="InvalidArgumentException">Set below 1.</exception>
    public int MaxDimensions { get; init => field = (int)AtLeastOne(value, nameof(MaxDimensions)); } = 8;

    /// <summary>The most decompressed bytes per compressed byte, judged once <see cref="ExpansionGrace"/> bytes have come out (default 100).</summary>
    /// <remarks>Deflate can reach 1032; data worth learning from stays far below this.</remarks>
    /// <exception cref="InvalidArgumentException">Set below 1.</exception>
    public int MaxExpansion { get; init => field = (int)AtLeastOne(value, nameof(MaxExpansion)); } = 100;

    /// <summary>The decompressed bytes that are let through before <see cref="MaxExpansion"/> is judged: 2^24.</summary>
    public const long ExpansionGrace = 1L << 24;

    private static long AtLeastOne(long value, string name) =>
        value >= 1 ? value : throw new InvalidArgumentException($"ReadLimits.{name}", "at least 1", Invariant($"{value}"));
}
