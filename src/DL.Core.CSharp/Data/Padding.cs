using static System.FormattableString;

namespace DL.Core.Data;

/// <summary>Rows of tokens of different lengths, filled up to one.</summary>
/// <param name="Ids">Row-major [Rows, Length].</param>
/// <param name="Lengths">The tokens of each row that are no padding, [Rows].</param>
/// <param name="Rows">The number of rows.</param>
/// <param name="Length">The common length.</param>
public sealed record PaddedTokens(int[] Ids, int[] Lengths, int Rows, int Length);

/// <summary>Brings rows of tokens to one length.</summary>
public static class Padding
{
    /// <summary>Fills rows up at their end.</summary>
    /// <param name="sequences">The rows; there may be none, and rows may be empty.</param>
    /// <param name="padding">What fills them up, such as the id of <c>&lt;pad&gt;</c>.</param>
    /// <param name="length">The common length; the longest row's if null.</param>
    /// <exception cref="InvalidArgumentException">The length is negative, or a row is longer; the message names the row.</exception>
    /// <exception cref="ShapeException">There are more tokens than an array can hold.</exception>
    public static PaddedTokens Right(int[][] sequences, int padding = 0, int? length = null)
    {
        var common = length ?? sequences.Select(sequence => sequence.Length).DefaultIfEmpty().Max();
        if (common < 0) throw new InvalidArgumentException("Padding.Right, length", "at least 0", Invariant($"{common}"));
        var longer = Array.FindIndex(sequences, sequence => sequence.Length > common);
        if (longer >= 0)
            throw new InvalidArgumentException(Invariant($"Padding.Right, sequences[{longer}]"), Invariant($"at most {common} tokens"),
                Invariant($"{sequences[longer].Length}"), "Cut the rows, or raise the length.");
        CheckSize(sequences.Length, common, "Padding.Right");
        var ids = new int[sequences.Length * common];
        Array.Fill(ids, padding);
        for (var row = 0; row < sequences.Length; row++) sequences[row].CopyTo(ids, row * common);
        return new(ids, Array.ConvertAll(sequences, sequence => sequence.Length), sequences.Length, common);
    }

    internal static void CheckSize(int rows, int length, string where)
    {
        if ((long)rows * length > Array.MaxLength)
            throw new ShapeException(where, Invariant($"at most {Array.MaxLength} tokens"), Invariant($"{rows} x {length}"));
    }
}
