using System.Text.Json;
using System.Text.Unicode;
using static System.FormattableString;

namespace DL.Core.Formats;

/// <summary>One tensor as a header announces it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Format">How its numbers lie in the data.</param>
/// <param name="Shape">Its shape.</param>
/// <param name="Begin">Where its bytes begin in the data.</param>
/// <param name="End">Where they end.</param>
internal sealed record SafetensorsEntry(string Name, NumberFormat Format, Shape Shape, long Begin, long End);

/// <summary>The JSON header of a safetensors file, read strictly: what the format does not name is an error.</summary>
internal sealed class SafetensorsHeader
{
    public const string MetadataName = "__metadata__";
    private const int MaxDepth = 8;
    private readonly string _where;
    private readonly ReadLimits _limits;

    private SafetensorsHeader(string where, ReadLimits limits) => (_where, _limits) = (where, limits);

    /// <summary>The tensors in the order of their data.</summary>
    public List<SafetensorsEntry> Entries { get; private set; } = [];

    public OrderedDictionary<string, string> Metadata { get; } = new(StringComparer.Ordinal);

    /// <summary>Where the text of the checksum begins in the header, inside its quotes, or -1.</summary>
    public int ChecksumAt { get; private set; } = -1;

    /// <summary>Parses a header.</summary>
    /// <exception cref="DataFormatException">It is not one, or its tensors overlap or leave holes.</exception>
    public static SafetensorsHeader Parse(ReadOnlySpan<byte> bytes, string where, ReadLimits limits)
    {
        var header = new SafetensorsHeader(where, limits);
        if (bytes.IsEmpty || bytes[0] != (byte)'{')
            throw header.Wrong("a JSON object, from its first byte on", bytes.IsEmpty ? "nothing" : Invariant($"byte {bytes[0]:x2}"));
        if (!Utf8.IsValid(bytes)) throw header.Wrong("UTF-8", "other bytes");
        try
        {
            var json = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = MaxDepth });
            json.Read();
            header.ReadAll(ref json);
            // Reading past the end checks that only white space follows.
            if (json.Read()) throw header.Wrong("the end of the header", $"{json.TokenType}");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new DataFormatException(where, "JSON", e.Message.TrimEnd('.'), inner: e);
        }
        header.Order();
        return header;
    }

    private void ReadAll(ref Utf8JsonReader json)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        while (NextName(ref json, "the header", names) is { } name)
        {
            if (name == MetadataName) ReadMetadata(ref json);
            else Entries.Add(ReadEntry(ref json, name));
        }
    }

    /// <summary>The next name of an object, its value being read next, or null at its end.</summary>
    private string? NextName(ref Utf8JsonReader json, string what, HashSet<string> names)
    {
        json.Read();
        if (json.TokenType == JsonTokenType.EndObject) return null;
        var name = json.GetString()!;
        return names.Add(name) ? name : throw Wrong($"every name of {what} once", $"{Shown(name)} again");
    }

    private void ReadMetadata(ref Utf8JsonReader json)
    {
        Open(ref json, JsonTokenType.StartObject, MetadataName);
        var names = new HashSet<string>(StringComparer.Ordinal);
        while (NextName(ref json, MetadataName, names) is { } name)
        {
            Open(ref json, JsonTokenType.String, $"{MetadataName}, {Shown(name)}");
            if (name == Safetensors.ChecksumName) ChecksumAt = (int)json.TokenStartIndex + 1;
            Metadata.Add(name, json.GetString()!);
        }
    }

    private SafetensorsEntry ReadEntry(ref Utf8JsonReader json, string name)
    {
        Open(ref json, JsonTokenType.StartObject, Shown(name));
        NumberFormat? format = null;
        List<long>? shape = null, offsets = null;
        var names = new HashSet<string>(StringComparer.Ordinal);
        while (NextName(ref json, Shown(name), names) is { } key)
        {
            if (key == "dtype") format = ReadFormat(ref json, name);
            else if (key == "shape") shape = ReadNumbers(ref json, name, key, _limits.MaxDimensions);
            else if (key == "data_offsets") offsets = ReadNumbers(ref json, name, key, 2);
            else throw Wrong($"dtype, shape and data_offsets of {Shown(name)}", Shown(key));
        }
        if (format is null || shape is null || offsets is null || offsets.Count != 2)
            throw Wrong($"dtype, shape and two data_offsets of {Shown(name)}", "less");
        return Checked(name, format.Value, shape, offsets[0], offsets[1]);
    }

    private SafetensorsEntry Checked(string name, NumberFormat format, List<long> extents, long begin, long end)
    {
        var count = extents.Contains(0) ? 0L : 1L;
        foreach (var extent in extents)
        {
            if (extent > int.MaxValue || (count > 0 && extent > _limits.MaxElements / count))
                throw Wrong(Invariant($"at most {_limits.MaxElements} elements in {Shown(name)}"), string.Join(" x ", extents),
                    "Raise ReadLimits.MaxElements if you trust the source.");
            count *= extent;
        }
        if (count > Shape.MaxCount) throw Wrong(Invariant($"at most {Shape.MaxCount} elements in {Shown(name)}"), Invariant($"{count}"));
        var shape = new Shape([.. extents.Select(extent => (int)extent)]);
        if (end - begin != count * Numbers.SizeOf(format))
            throw Wrong(Invariant($"{count * Numbers.SizeOf(format)} bytes for {Shown(name)}, {format} {shape}"), Invariant($"offsets {begin} to {end}"));
        return new SafetensorsEntry(name, format, shape, begin, end);
    }

    private NumberFormat ReadFormat(ref Utf8JsonReader json, string name)
    {
        Open(ref json, JsonTokenType.String, $"dtype of {Shown(name)}");
        return json.GetString() switch
        {
            "F64" => NumberFormat.Double,
            "F32" => NumberFormat.Single,
            "F16" => NumberFormat.Half,
            "BF16" => NumberFormat.BFloat16,
            "I64" => NumberFormat.Int64,
            "I32" => NumberFormat.Int32,
            "I16" => NumberFormat.Int16,
            "I8" => NumberFormat.Int8,
            "U64" => NumberFormat.UInt64,
            "U32" => NumberFormat.UInt32,
            "U16" => NumberFormat.UInt16,
            "U8" => NumberFormat.UInt8,
            "BOOL" => NumberFormat.Bool,
            var other => throw Wrong($"a dtype of {Shown(name)} among F64, F32, F16, BF16, I64, I32, I16, I8, U64, U32, U16, U8 and BOOL", Shown(other!)),
        };
    }

    private List<long> ReadNumbers(ref Utf8JsonReader json, string name, string key, int most)
    {
        Open(ref json, JsonTokenType.StartArray, $"{key} of {Shown(name)}");
        var numbers = new List<long>();
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            if (json.TokenType != JsonTokenType.Number || !json.TryGetInt64(out var number) || number < 0)
                throw Wrong($"whole numbers from 0 in {key} of {Shown(name)}", $"{json.TokenType}");
            if (numbers.Count == most) throw Wrong(Invariant($"at most {most} numbers in {key} of {Shown(name)}"), "more");
            numbers.Add(number);
        }
        return numbers;
    }

    private void Open(ref Utf8JsonReader json, JsonTokenType type, string what)
    {
        json.Read();
        if (json.TokenType != type) throw Wrong($"{what} to be {type}", $"{json.TokenType}");
    }

    /// <summary>The tensors must cover the data from its first byte to its last, each byte once.</summary>
    private void Order()
    {
        Entries = [.. Entries.OrderBy(e => e.Begin).ThenBy(e => e.End)];
        var at = 0L;
        foreach (var entry in Entries)
        {
            if (entry.Begin != at)
                throw Wrong(Invariant($"{Shown(entry.Name)} to begin at byte {at} of the data, where the one before ends"), Invariant($"{entry.Begin}"));
            at = entry.End;
        }
    }

    private DataFormatException Wrong(string expected, string got, string? mend = null) => new(_where, expected, got, mend);

    private static string Shown(string name) => name.Length <= 80 ? $"'{name}'" : $"'{name[..80]}...'";
}
