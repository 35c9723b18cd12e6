using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using DL.Core.Formats;

namespace DL.Core.Data;

public sealed partial class Vocabulary
{
    private static readonly JsonWriterOptions Written = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The vocabulary as JSON, <c>{"special": ["&lt;pad&gt;", ...], "tokens": [...]}</c>; the special tokens are not among the tokens again.</summary>
    /// <exception cref="InvalidArgumentException">Half a surrogate pair is in a token.</exception>
    public string ToJson() => Json(writer => Write(writer, withTokens: true));

    /// <summary>The vocabulary of a JSON text that <see cref="ToJson"/> gave.</summary>
    /// <param name="json">The text.</param>
    /// <param name="source">What errors call it.</param>
    /// <exception cref="DataFormatException">It is not of that form, or a token is there twice.</exception>
    public static Vocabulary FromJson(string json, string source = "json") =>
        JsonFields.Read(JsonFields.Bytes(json, source), source, fields => Of(fields.Only("special", "tokens")));

    /// <summary>Writes the vocabulary to a JSON file, whole or not at all; a file of that name is replaced.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidArgumentException">The file cannot be written, or half a surrogate pair is in a token.</exception>
    public void Save(string path) => WholeFile.Write(path, Encoding.UTF8.GetBytes(ToJson()));

    /// <summary>Reads a vocabulary from a JSON file, plain or gzip.</summary>
    /// <param name="path">The file.</param>
    /// <param name="limits">How much may be read, <see cref="ReadLimits.Default"/> if null.</param>
    /// <exception cref="DataFormatException">The file cannot be read, or is no vocabulary.</exception>
    /// <exception cref="InvalidArgumentException">The path is empty.</exception>
    public static Vocabulary Read(string path, ReadLimits? limits = null) =>
        JsonFields.Read(FileBytes.Read(path, limits), path, fields => Of(fields.Only("special", "tokens")));

    internal static Vocabulary Of(JsonFields fields) => Of(fields.Texts("tokens"), SpecialOf(fields));

    internal static SpecialTokens SpecialOf(JsonFields fields)
    {
        var (special, names) = (SpecialTokens.None, fields.Texts("special"));
        foreach (var name in names)
        {
            var at = Array.FindIndex(Names, known => known.Token == name);
            // In their order and each once, so that every vocabulary has one form.
            if (at < 0 || special >= Names[at].Kind)
                throw new InvalidArgumentException("special", "some of <pad>, <bos>, <eos>, <unk> and <mask>, in this order", $"'{string.Join("', '", names)}'");
            special |= Names[at].Kind;
        }

        return special;
    }

    internal static string Json(Action<Utf8JsonWriter> write)
    {
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes, Written))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
    }

    internal void Write(Utf8JsonWriter writer, bool withTokens)
    {
        writer.WriteStartArray("special");
        foreach (var token in _tokens.AsSpan(0, SpecialCount)) writer.WriteStringValue(token);
        writer.WriteEndArray();
        if (!withTokens) return;
        writer.WriteStartArray("tokens");
        for (var id = SpecialCount; id < Count; id++)
        {
            TextPieces.Check(_tokens[id], $"Vocabulary.ToJson, token {id}");
            writer.WriteStringValue(_tokens[id]);
        }

        writer.WriteEndArray();
    }
}
