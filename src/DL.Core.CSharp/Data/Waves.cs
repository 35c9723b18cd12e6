using System.Buffers.Binary;
using DL.Core.Formats;
using static System.FormattableString;

namespace DL.Core.Data;

/// <summary>How the samples of a WAV file are written.</summary>
public enum WaveEncoding
{
    /// <summary>Whole numbers of 16 bits: what is beyond [-1, 1) is clipped.</summary>
    Pcm16,

    /// <summary>IEEE single precision: every bit is kept.</summary>
    Float32,
}

/// <summary>Reads and writes sounds as WAV: whole numbers of 8, 16, 24 or 32 bits or IEEE single precision, any number of channels.</summary>
/// <remarks>Microsoft, IBM, Multimedia programming interface and data specifications 1.0, 1991, and WAVE_FORMAT_EXTENSIBLE.</remarks>
public static class Waves
{
    private const int HeaderLength = 44;
    private const ushort Pcm = 1, Float = 3;

    /// <summary>Reads a sound from a file, plain or gzip.</summary>
    /// <param name="path">The file.</param>
    /// <param name="limits">How much may be read, <see cref="ReadLimits.Default"/> if null; MaxElements bounds the samples.</param>
    /// <exception cref="DataFormatException">The file cannot be read, is no WAV file of these encodings, is cut short or goes on after its end, or a sample is not finite.</exception>
    /// <exception cref="InvalidArgumentException">The path is empty.</exception>
    public static Wave Read(string path, ReadLimits? limits = null) => WaveReader.Read(FileBytes.Read(path, limits), path, limits ?? ReadLimits.Default);

    /// <summary>Reads a sound from a stream, to its end; the stream stays open.</summary>
    /// <param name="stream">The WAV data or its gzip form.</param>
    /// <param name="limits">How much may be read, <see cref="ReadLimits.Default"/> if null; MaxElements bounds the samples.</param>
    /// <param name="source">What errors call the stream.</param>
    /// <exception cref="DataFormatException">It is no WAV data of these encodings, is cut short or goes on after its end, or a sample is not finite.</exception>
    /// <exception cref="InvalidArgumentException">The stream cannot be read.</exception>
    public static Wave Read(Stream stream, ReadLimits? limits = null, string source = "stream") =>
        WaveReader.Read(FileBytes.Read(stream, limits, source), source, limits ?? ReadLimits.Default);

    /// <summary>A sound as the bytes of a WAV file.</summary>
    /// <param name="wave">The sound.</param>
    /// <param name="encoding">How its samples are written.</param>
    /// <exception cref="InvalidArgumentException">A sample is not finite, or there are more bytes than the format can tell.</exception>
    public static byte[] Encode(Wave wave, WaveEncoding encoding = WaveEncoding.Pcm16)
    {
        var width = encoding == WaveEncoding.Pcm16 ? 2 : 4;
        if ((long)wave.Samples.Length * width > Array.MaxLength - HeaderLength)
            throw new InvalidArgumentException("Waves.Encode", Invariant($"at most {(Array.MaxLength - HeaderLength) / width} samples"), Invariant($"{wave.Samples.Length}"));
        var wrong = Array.FindIndex(wave.Samples, sample => !float.IsFinite(sample));
        if (wrong >= 0) throw new InvalidArgumentException(Invariant($"Waves.Encode, sample {wrong}"), "a finite number", Invariant($"{wave.Samples[wrong]}"));
        var bytes = new byte[HeaderLength + wave.Samples.Length * width];
        WriteHeader(bytes, wave, width, encoding == WaveEncoding.Pcm16 ? Pcm : Float);
        for (var i = 0; i < wave.Samples.Length; i++)
        {
            var to = bytes.AsSpan(HeaderLength + i * width);
            if (encoding == WaveEncoding.Float32) BinaryPrimitives.WriteSingleLittleEndian(to, wave.Samples[i]);
            else BinaryPrimitives.WriteInt16LittleEndian(to, (short)Math.Clamp(Math.Round(wave.Samples[i] * 32768.0), short.MinValue, short.MaxValue));
        }

        return bytes;
    }

    /// <summary>Writes a sound to a WAV file, whole or not at all; a file of that name is replaced.</summary>
    /// <param name="path">The file.</param>
    /// <param name="wave">The sound.</param>
    /// <param name="encoding">How its samples are written.</param>
    /// <exception cref="InvalidArgumentException">As <see cref="Encode"/>, or the file cannot be written: nothing is changed.</exception>
    public static void Save(string path, Wave wave, WaveEncoding encoding = WaveEncoding.Pcm16) => WholeFile.Write(path, Encode(wave, encoding));

    private static void WriteHeader(Span<byte> to, Wave wave, int width, ushort format)
    {
        "RIFF"u8.CopyTo(to);
        BinaryPrimitives.WriteInt32LittleEndian(to[4..], to.Length - 8);
        "WAVEfmt "u8.CopyTo(to[8..]);
        BinaryPrimitives.WriteInt32LittleEndian(to[16..], 16);
        BinaryPrimitives.WriteUInt16LittleEndian(to[20..], format);
        BinaryPrimitives.WriteUInt16LittleEndian(to[22..], (ushort)wave.Channels);
        BinaryPrimitives.WriteInt32LittleEndian(to[24..], wave.Rate);
        BinaryPrimitives.WriteUInt32LittleEndian(to[28..], (uint)((ulong)wave.Rate * (ulong)wave.Channels * (ulong)width));
        BinaryPrimitives.WriteUInt16LittleEndian(to[32..], (ushort)(wave.Channels * width));
        BinaryPrimitives.WriteUInt16LittleEndian(to[34..], (ushort)(8 * width));
        "data"u8.CopyTo(to[36..]);
        BinaryPrimitives.WriteInt32LittleEndian(to[40..], to.Length - HeaderLength);
    }
}
