namespace DL.Core;

/// <summary>The root of every exception the library throws on its own account: what went wrong, where, what was expected and what came.</summary>
/// <remarks>The message always reads <c>where: expected ..., got ...</c>, followed by a mend where one is known.</remarks>
public abstract class DLException : Exception
{
    private protected DLException(string where, string expected, string got, string? mend, Exception? inner)
        : base($"{where}: expected {expected}, got {got}." + (mend is null ? "" : " " + mend), inner)
    {
        Where = where;
        Expected = expected;
        Got = got;
        Mend = mend ?? "";
    }

    /// <summary>The operation, layer path, file or argument the fault was found at.</summary>
    public string Where { get; }

    /// <summary>What would have been right.</summary>
    public string Expected { get; }

    /// <summary>What came instead.</summary>
    public string Got { get; }

    /// <summary>The smallest change that mends it, or the empty string.</summary>
    public string Mend { get; }
}

/// <summary>Two shapes do not fit each other, or a shape does not fit an operation.</summary>
/// <param name="where">The operation or the path of the layer.</param>
/// <param name="expected">The shape that would fit.</param>
/// <param name="got">The shape that came.</param>
/// <param name="mend">The smallest change that mends it, if one is known.</param>
public sealed class ShapeException(string where, string expected, string got, string? mend = null)
    : DLException(where, expected, got, mend, null);

/// <summary>An argument lies outside the values an operation is defined for.</summary>
/// <param name="where">The operation and the argument.</param>
/// <param name="expected">The values that are allowed.</param>
/// <param name="got">The value that came.</param>
/// <param name="mend">The smallest change that mends it, if one is known.</param>
public sealed class InvalidArgumentException(string where, string expected, string got, string? mend = null)
    : DLException(where, expected, got, mend, null);

/// <summary>Data read from a stream, file or text is not in the format it claims to be in.</summary>
/// <param name="where">The source, with line, row or byte offset.</param>
/// <param name="expected">What the format asks for.</param>
/// <param name="got">What was read.</param>
/// <param name="mend">The smallest change that mends it, if one is known.</param>
/// <param name="inner">The exception of the decoder underneath, if any.</param>
public sealed class DataFormatException(string where, string expected, string got, string? mend = null, Exception? inner = null)
    : DLException(where, expected, got, mend, inner);

/// <summary>A native library was asked for by name and cannot do the work.</summary>
/// <param name="where">The library.</param>
/// <param name="expected">What it was to offer.</param>
/// <param name="got">What was found.</param>
/// <param name="mend">The smallest change that mends it, if one is known.</param>
/// <param name="inner">The loader's exception, if any.</param>
public sealed class NativeException(string where, string expected, string got, string? mend = null, Exception? inner = null)
    : DLException(where, expected, got, mend, inner);
