using System.Globalization;
using static System.FormattableString;

namespace DL.Core.Formats;

/// <summary>Reads tables of numbers from comma-separated text (RFC 4180), plain or gzip.</summary>
/// <remarks>
/// Numbers are written with a point whatever the user's culture. Empty lines at the end are skipped, elsewhere they are an error, as is an
/// empty field: nothing is guessed. Errors name the source, the line and the column, both from 1.
/// </remarks>
public static class Csv
{
    /// <summary>Reads a table from a file.</summary>
    /// <param name="path">The file; errors name it.</param>
    /// <param name="options">How the table is written, <see cref="CsvOptions.Default"/> if null.</param>
    /// <param name="limits">How much may be read, <see cref="ReadLimits.Default"/> if null.</param>
    /// <returns>A table with at least one row.</returns>
    /// <exception cref="DataFormatException">There is no such file, it cannot be read, or it is not a table of numbers within the limits.</exception>
    /// <exception cref="InvalidArgumentException">The path is empty.</exception>
    public static Table Read(string path, CsvOptions? options = null, ReadLimits? limits = null) =>
        DataSource.FromFile(path, stream => Read(stream, options, limits, path));

    /// <summary>Reads a table from a stream, to its end; the stream stays open.</summary>
    /// <param name="stream">The text or its gzip form.</param>
    /// <param name="options">How the table is written, <see cref="CsvOptions.Default"/> if null.</param>
    /// <param name="limits">How much may be read, <see cref="ReadLimits.Default"/> if null.</param>
    /// <param name="source">What errors call the stream.</param>
    /// <returns>A table with at least one row.</returns>
    /// <exception cref="DataFormatException">It is not a table of numbers within the limits.</exception>
    /// <exception cref="InvalidArgumentException">The stream cannot be read.</exception>
    public static Table Read(Stream stream, CsvOptions? options = null, ReadLimits? limits = null, string source = "stream")
    {
        options ??= CsvOptions.Default;
        limits ??= ReadLimits.Default;
        var records = new CsvRecords(DataSource.Over(stream, limits, source), options.Delimiter, limits.MaxLineLength);
        if (!records.Next() || records.IsBlank)
            throw new DataFormatException(Invariant($"{source}, line 1"), "a header or a row of numbers", "nothing");
        var hasHeader = IsHeader(records, options.Header);
        var names = hasHeader ? HeaderNames(records) : DefaultNames(records.FieldCount);
        var values = new List<double>();
        if (!hasHeader)
            AddRow(records, names, values, options, limits);
        AddRows(records, names, values, options, limits);
        if (values.Count == 0)
            throw new DataFormatException(Invariant($"{source}, line {records.Line}"), "at least one row of numbers", "none after the header");
        return new Table(names, [.. values]);
    }

    private static void AddRows(CsvRecords records, string[] names, List<double> values, CsvOptions options, ReadLimits limits)
    {
        var blankLine = 0;
        while (records.Next())
        {
            if (records.IsBlank)
            {
                blankLine = blankLine == 0 ? records.Line : blankLine;
                continue;
            }
            if (blankLine != 0)
                throw new DataFormatException(records.At(blankLine, 1), Invariant($"{names.Length} fields"), "an empty line between rows");
            AddRow(records, names, values, options, limits);
        }
    }

    private static void AddRow(CsvRecords records, string[] names, List<double> values, CsvOptions options, ReadLimits limits)
    {
        if (records.FieldCount != names.Length)
            throw new DataFormatException(records.At(records.Line, Math.Min(records.FieldCount, names.Length) + 1),
                Invariant($"{names.Length} fields"), Invariant($"{records.FieldCount}"), "Every row must be as long as the first line; is CsvOptions.Delimiter right?");
        var most = Math.Min(limits.MaxElements, Array.MaxLength);
        if (values.Count + names.Length > most)
            throw new DataFormatException(records.At(records.Line, 1), Invariant($"at most {most} values"), "more", "Raise ReadLimits.MaxElements if you trust the source.");
        for (var c = 0; c < names.Length; c++)
        {
            if (!TryParse(records.Field(c), out var value))
                throw NotANumber(records, c, names);
            if (!double.IsFinite(value) && !options.AllowNonFinite)
                throw new DataFormatException(Where(records, c, names), "a finite number",
                    Show(records.Field(c)) + Invariant($" in row {values.Count / names.Length + 1}"), "Mend the row, or set CsvOptions.AllowNonFinite.");
            values.Add(value);
        }
    }

    private static bool IsHeader(CsvRecords records, Header header)
    {
        if (header != Header.Detect)
            return header == Header.Present;
        var numbers = 0;
        var word = -1;
        for (var c = 0; c < records.FieldCount; c++)
        {
            if (TryParse(records.Field(c), out _))
                numbers++;
            else
                word = word < 0 ? c : word;
        }
        if (numbers > 0 && word >= 0)
            throw new DataFormatException(records.At(records.Line, word + 1), "a first line of names alone or of numbers alone",
                $"{Show(records.Field(word))} beside numbers", "Set CsvOptions.Header to Present or Absent.");
        return numbers == 0;
    }

    private static string[] HeaderNames(CsvRecords records)
    {
        var names = new string[records.FieldCount];
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var c = 0; c < names.Length; c++)
        {
            names[c] = records.Field(c).Trim().ToString();
            if (!seen.Add(names[c]))
                throw new DataFormatException(records.At(records.Line, c + 1), "distinct column names", $"{Show(names[c])} again");
        }
        return names;
    }

    private static string[] DefaultNames(int count) => [.. Enumerable.Range(1, count).Select(c => Invariant($"column{c}"))];

    /// <summary>The base library's parser knows NaN and Infinity; the short forms are what other tools write.</summary>
    private static bool TryParse(ReadOnlySpan<char> text, out double value)
    {
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value))
            return true;
        var word = text.Trim();
        var negative = word.StartsWith("-");
        if (!word.TrimStart("+-").Equals("inf", StringComparison.OrdinalIgnoreCase) || word.Length > 4)
            return false;
        value = negative ? double.NegativeInfinity : double.PositiveInfinity;
        return true;
    }

    private static DataFormatException NotANumber(CsvRecords records, int column, string[] names)
    {
        var field = records.Field(column);
        var mend = field.Contains(',') ? "Numbers are written with a point." : null;
        return new DataFormatException(Where(records, column, names), "a number", field.IsWhiteSpace() ? "an empty field" : Show(field), mend);
    }

    private static string Where(CsvRecords records, int column, string[] names) => $"{records.At(records.Line, column + 1)} ({names[column]})";

    private static string Show(ReadOnlySpan<char> field) => field.Length <= 40 ? $"'{field}'" : $"'{field[..40]}...'";
}
