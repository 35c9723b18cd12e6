using System.Text;
using System.Text.Json;
using static System.FormattableString;

namespace DL.Core.Data;

/// <summary>One object of a JSON text with exactly the properties asked for: anything else is a format error that says where.</summary>
internal sealed class JsonFields
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly JsonElement _fields;
    private readonly string _where;

    private JsonFields(JsonElement fields, string where)
    {
        (_fields, _where) = (fields, where);
        if (fields.ValueKind != JsonValueKind.Object) throw new DataFormatException(where, "an object", Name(fields));
    }

    /// <summary>Reads a whole JSON text, which must be one object, under strict rules: no comments, no trailing commas, no property twice.</summary>
    public static T Read<T>(ReadOnlyMemory<byte> utf8, string source, Func<JsonFields, T> read)
    {
        try
        {
            using var document = JsonDocument.Parse(utf8, new JsonDocumentOptions { MaxDepth = 8, AllowDuplicateProperties = false });
            return read(new(document.RootElement, source));
        }
        catch (JsonException e)
        {
            throw new DataFormatException(Invariant($"{source}, line {(e.LineNumber ?? 0) + 1}"), "JSON", e.Message.TrimEnd('.'), inner: e);
        }
        catch (InvalidOperationException e)
        {
            throw new DataFormatException(source, "texts in Unicode", "one that holds half a character", inner: e);
        }
        catch (InvalidArgumentException e)
        {
            throw new DataFormatException(Invariant($"{source}, {e.Where}"), e.Expected, e.Got, inner: e);
        }
    }

    /// <summary>A text as the bytes that are read.</summary>
    public static byte[] Bytes(string json, string source)
    {
        try
        {
            return Strict.GetBytes(json);
        }
        catch (EncoderFallbackException e)
        {
            throw new DataFormatException(Invariant($"{source}, character {e.Index}"), "Unicode", "half a surrogate pair", inner: e);
        }
    }

    /// <summary>Fails unless the object has exactly these properties.</summary>
    public JsonFields Only(params string[] names)
    {
        foreach (var property in _fields.EnumerateObject())
            if (!names.Contains(property.Name)) throw new DataFormatException(_where, $"the properties {string.Join(", ", names)}", $"'{property.Name}'");
        return this;
    }

    public string Text(string name) => Get(name, JsonValueKind.String).GetString()!;

    public bool Flag(string name) => Get(name, JsonValueKind.True, JsonValueKind.False).GetBoolean();

    public int Integer(string name) => Integer(Get(name, JsonValueKind.Number), name);

    public string[] Texts(string name) => [.. Get(name, JsonValueKind.Array).EnumerateArray().Select((item, i) =>
        item.ValueKind == JsonValueKind.String ? item.GetString()! : throw new DataFormatException(Invariant($"{_where}, {name}[{i}]"), "a text", Name(item)))];

    public (int, int)[] Pairs(string name) => [.. Get(name, JsonValueKind.Array).EnumerateArray().Select((item, i) =>
        item.ValueKind == JsonValueKind.Array && item.GetArrayLength() == 2
            ? (Integer(item[0], Invariant($"{name}[{i}]")), Integer(item[1], Invariant($"{name}[{i}]")))
            : throw new DataFormatException(Invariant($"{_where}, {name}[{i}]"), "two whole numbers", Name(item)))];

    private static string Name(JsonElement value) => value.ValueKind.ToString().ToLowerInvariant();

    private int Integer(JsonElement value, string name) => value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number)
        ? number
        : throw new DataFormatException($"{_where}, {name}", "a whole number below 2^31", Name(value));

    private JsonElement Get(string name, params JsonValueKind[] kinds)
    {
        if (!_fields.TryGetProperty(name, out var value)) throw new DataFormatException(_where, $"a property '{name}'", "none");
        return kinds.Contains(value.ValueKind) ? value : throw new DataFormatException($"{_where}, {name}", string.Join(" or ", kinds).ToLowerInvariant(), Name(value));
    }
}
