using System.Text;
using DL.Core.Formats;

namespace DL.Core.Data;

/// <summary>Tokenizers as JSON: the same tokenizer gives the same text, and what is read encodes as what was written.</summary>
public static class Tokenizers
{
    private const string Characters = "characters", Words = "words", BytePairs = "byte-pairs";
    private const int Version = 1;

    /// <summary>A tokenizer as JSON: an object of <c>tokenizer</c>, its kind, <c>version</c>, 1, <c>special</c>, and <c>tokens</c> or <c>merges</c>.</summary>
    /// <param name="tokenizer">A tokenizer of this library.</param>
    /// <exception cref="InvalidArgumentException">It is none of this library.</exception>
    public static string ToJson(ITokenizer tokenizer) => Vocabulary.Json(writer =>
    {
        writer.WriteString("tokenizer", KindOf(tokenizer));
        writer.WriteNumber("version", Version);
        switch (tokenizer)
        {
            case CharacterTokenizer characters:
                characters.Vocabulary.Write(writer, withTokens: true);
                break;
            case WordTokenizer words:
                writer.WriteBoolean("lowerCase", words.LowerCase);
                words.Vocabulary.Write(writer, withTokens: true);
                break;
            case BytePairTokenizer pairs:
                Vocabulary.Of([], pairs.Special).Write(writer, withTokens: false);
                writer.WriteStartArray("merges");
                foreach (var (left, right) in pairs.Merges)
                {
                    writer.WriteStartArray();
                    writer.WriteNumberValue(left);
                    writer.WriteNumberValue(right);
                    writer.WriteEndArray();
                }

                writer.WriteEndArray();
                break;
        }
    });

    /// <summary>The tokenizer of a JSON text that <see cref="ToJson"/> gave.</summary>
    /// <param name="json">The text.</param>
    /// <param name="source">What errors call it.</param>
    /// <exception cref="DataFormatException">It is not of that form.</exception>
    public static ITokenizer FromJson(string json, string source = "json") => Read(JsonFields.Bytes(json, source), source);

    /// <summary>Writes a tokenizer to a JSON file, whole or not at all; a file of that name is replaced.</summary>
    /// <param name="path">The file.</param>
    /// <param name="tokenizer">A tokenizer of this library.</param>
    /// <exception cref="InvalidArgumentException">The file cannot be written, or the tokenizer is none of this library.</exception>
    public static void Save(string path, ITokenizer tokenizer) => WholeFile.Write(path, Encoding.UTF8.GetBytes(ToJson(tokenizer)));

    /// <summary>Reads a tokenizer from a JSON file, plain or gzip.</summary>
    /// <param name="path">The file.</param>
    /// <param name="limits">How much may be read, <see cref="ReadLimits.Default"/> if null.</param>
    /// <exception cref="DataFormatException">The file cannot be read, or is no tokenizer.</exception>
    /// <exception cref="InvalidArgumentException">The path is empty.</exception>
    public static ITokenizer Read(string path, ReadLimits? limits = null) => Read(FileBytes.Read(path, limits), path);

    private static string KindOf(ITokenizer tokenizer) => tokenizer switch
    {
        CharacterTokenizer => Characters,
        WordTokenizer => Words,
        BytePairTokenizer => BytePairs,
        _ => throw new InvalidArgumentException("Tokenizers.ToJson", "a tokenizer of this library", tokenizer?.GetType().Name ?? "null"),
    };

    private static ITokenizer Read(byte[] utf8, string source) => JsonFields.Read<ITokenizer>(utf8, source, fields =>
    {
        if (fields.Integer("version") is var version && version != Version)
            throw new DataFormatException(source, $"version {Version}", $"{version}", "Read it with the version of the library that wrote it.");
        return fields.Text("tokenizer") switch
        {
            Characters => new CharacterTokenizer(Vocabulary.Of(fields.Only("tokenizer", "version", "special", "tokens"))),
            Words => new WordTokenizer(Vocabulary.Of(fields.Only("tokenizer", "version", "lowerCase", "special", "tokens")), fields.Flag("lowerCase")),
            BytePairs => new BytePairTokenizer(fields.Only("tokenizer", "version", "special", "merges").Pairs("merges"), Vocabulary.SpecialOf(fields)),
            var other => throw new DataFormatException(source, $"a tokenizer of kind {Characters}, {Words} or {BytePairs}", $"'{other}'"),
        };
    });
}
