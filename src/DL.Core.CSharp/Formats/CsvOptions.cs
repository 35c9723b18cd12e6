namespace DL.Core.Formats;

/// <summary>Whether the first line of a text table holds names.</summary>
public enum Header
{
    /// <summary>It does if none of its fields is a number; a line of numbers and words mixed is an error, since either guess could lose data.</summary>
    Detect,

    /// <summary>The first line holds the names.</summary>
    Present,

    /// <summary>The first line is data; the columns are named column1, column2, ...</summary>
    Absent,
}

/// <summary>How a text table is written.</summary>
public sealed record CsvOptions
{
    /// <summary>A comma between fields, the header detected, every value finite.</summary>
    public static CsvOptions Default { get; } = new();

    /// <summary>Whether the first line holds names.</summary>
    public Header Header { get; init; } = Header.Detect;

    /// <summary>The character between fields.</summary>
    /// <exception cref="InvalidArgumentException">A quote, a line break, or a character that numbers are written with.</exception>
    public char Delimiter
    {
        get;
        init => field = value is '"' or '\r' or '\n' or '.' or '+' or '-' || char.IsAsciiLetterOrDigit(value)
            ? throw new InvalidArgumentException("CsvOptions.Delimiter", "a character that is no part of a number, a quote or a line break", $"'{value}'")
            : value;
    } = ',';

    /// <summary>True lets NaN and infinities through; false, the default, makes them an error named by row.</summary>
    public bool AllowNonFinite { get; init; }
}
