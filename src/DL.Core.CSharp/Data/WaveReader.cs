using System.Buffers.Binary;
using DL.Core.Formats;
using static System.FormattableString;

namespace DL.Core.Data;

/// <summary>Reads the chunks of a WAV file: the form of the samples, then the samples; chunks of other names are passed over.</summary>
internal static class WaveReader
{
    private const ushort Pcm = 1, Float = 3, Extensible = 0xFFFE;

    private readonly record struct Form(ushort Encoding, int Channels, int Rate, int Bits)
    {
        public int Bytes => Bits / 8;
    }

    public static Wave Read(ReadOnlySpan<byte> file, string source, ReadLimits limits)
    {
        CheckFrame(file, source);
        Form? form = null;
        for (var at = 12; at < file.Length;)
        {
            var body = Chunk(file, at, source);
            if (Is(file, at, "fmt "u8))
                form = form is null ? FormOf(body, $"{source}, chunk 'fmt '") : throw new DataFormatException(Where(source, at), "one chunk 'fmt '", "another");
            if (Is(file, at, "data"u8))
            {
                var wave = Decode(body, form ?? throw new DataFormatException(Where(source, at), "a chunk 'fmt ' before the samples", "none"), source, limits);
                CheckRest(file, at + 8 + body.Length + body.Length % 2, source);
                return wave;
            }

            at += 8 + body.Length + body.Length % 2;
        }

        throw new DataFormatException(source, "a chunk 'data' of samples", "none");
    }

    private static string Where(string source, int at) => Invariant($"{source}, byte {at}");

    private static bool Is(ReadOnlySpan<byte> file, int at, ReadOnlySpan<byte> name) => file.Slice(at, 4).SequenceEqual(name);

    private static void CheckFrame(ReadOnlySpan<byte> file, string source)
    {
        if (file.Length < 12 || !Is(file, 0, "RIFF"u8) || !Is(file, 8, "WAVE"u8))
            throw new DataFormatException($"{source}, byte 0", "a WAV header: RIFF, a length, WAVE", file.IsEmpty ? "nothing" : Convert.ToHexStringLower(file[..Math.Min(12, file.Length)]));
        var told = BinaryPrimitives.ReadUInt32LittleEndian(file[4..]) + 8L;
        if (told != file.Length && told + told % 2 != file.Length)
            throw new DataFormatException($"{source}, byte 4", Invariant($"the {file.Length} bytes there are"), Invariant($"a length of {told}"), "The file was cut short, or something was added to it.");
    }

    /// <summary>Nothing but whole chunks may follow the samples.</summary>
    private static void CheckRest(ReadOnlySpan<byte> file, int at, string source)
    {
        while (at < file.Length)
        {
            var body = Chunk(file, at, source);
            if (Is(file, at, "data"u8)) throw new DataFormatException(Where(source, at), "one chunk 'data'", "another");
            at += 8 + body.Length + body.Length % 2;
        }
    }

    private static ReadOnlySpan<byte> Chunk(ReadOnlySpan<byte> file, int at, string source)
    {
        if (file.Length - at < 8) throw new DataFormatException(Where(source, at), "the name and length of a chunk", Invariant($"the last {file.Length - at} bytes"));
        var length = BinaryPrimitives.ReadUInt32LittleEndian(file[(at + 4)..]);
        return length <= file.Length - at - 8
            ? file.Slice(at + 8, (int)length)
            : throw new DataFormatException(Where(source, at + 4), Invariant($"a chunk of at most the {file.Length - at - 8} bytes that follow"), Invariant($"{length}"), "The file was cut short.");
    }

    private static Form FormOf(ReadOnlySpan<byte> body, string where)
    {
        if (body.Length < 16) throw new DataFormatException(where, "at least 16 bytes", Invariant($"{body.Length}"));
        var encoding = BinaryPrimitives.ReadUInt16LittleEndian(body);
        // The extended form tells the encoding in the first bytes of its identifier.
        if (encoding == Extensible && body.Length >= 26) encoding = BinaryPrimitives.ReadUInt16LittleEndian(body[24..]);
        var form = new Form(encoding, BinaryPrimitives.ReadUInt16LittleEndian(body[2..]), BinaryPrimitives.ReadInt32LittleEndian(body[4..]), BinaryPrimitives.ReadUInt16LittleEndian(body[14..]));
        if (form is not ({ Encoding: Pcm, Bits: 8 or 16 or 24 or 32 } or { Encoding: Float, Bits: 32 }))
            throw new DataFormatException(where, "whole numbers (1) of 8, 16, 24 or 32 bits, or floating point (3) of 32", Invariant($"encoding {form.Encoding} of {form.Bits} bits"));
        if (form.Channels < 1 || form.Rate < 1) throw new DataFormatException(where, "at least one channel and a rate from 1 to 2^31 - 1", Invariant($"{form.Channels} and {(uint)form.Rate}"));
        if (BinaryPrimitives.ReadUInt16LittleEndian(body[12..]) != (ushort)(form.Channels * form.Bytes))
            throw new DataFormatException(where, Invariant($"{form.Channels * form.Bytes} bytes for each moment"), Invariant($"{BinaryPrimitives.ReadUInt16LittleEndian(body[12..])}"));
        return form;
    }

    private static Wave Decode(ReadOnlySpan<byte> body, Form form, string source, ReadLimits limits)
    {
        if (body.Length % (form.Channels * form.Bytes) != 0)
            throw new DataFormatException($"{source}, chunk 'data'", Invariant($"moments of {form.Channels * form.Bytes} bytes"), Invariant($"{body.Length} bytes"));
        if (body.Length / form.Bytes > limits.MaxElements)
            throw new DataFormatException($"{source}, chunk 'data'", Invariant($"at most {limits.MaxElements} samples"), Invariant($"{body.Length / form.Bytes}"), "Raise ReadLimits.MaxElements if you trust the source.");
        var samples = new float[body.Length / form.Bytes];
        for (var i = 0; i < samples.Length; i++)
        {
            samples[i] = Sample(body.Slice(i * form.Bytes, form.Bytes), form);
            if (!float.IsFinite(samples[i])) throw new DataFormatException(Invariant($"{source}, sample {i}"), "a finite number", Invariant($"{samples[i]}"));
        }

        return new(samples, form.Channels, form.Rate);
    }

    // Eight bits are from 0 to 255 with silence at 128; all other whole numbers are signed.
    private static float Sample(ReadOnlySpan<byte> bytes, Form form) => (form.Encoding, form.Bits) switch
    {
        (Float, _) => BinaryPrimitives.ReadSingleLittleEndian(bytes),
        (_, 8) => (bytes[0] - 128) / 128f,
        (_, 16) => BinaryPrimitives.ReadInt16LittleEndian(bytes) / 32768f,
        (_, 24) => ((bytes[0] << 8 | bytes[1] << 16 | bytes[2] << 24) >> 8) / 8388608f,
        _ => (float)(BinaryPrimitives.ReadInt32LittleEndian(bytes) / 2147483648.0),
    };
}
