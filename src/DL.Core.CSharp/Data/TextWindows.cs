using DL.Core.Random;
using static System.FormattableString;

namespace DL.Core.Data;

/// <summary>Rows of tokens and, for each token, the one after it: what a language model learns from.</summary>
/// <param name="Inputs">Row-major [Rows, Length].</param>
/// <param name="Targets">Row-major [Rows, Length]: the inputs one token later.</param>
/// <param name="Rows">The number of rows.</param>
/// <param name="Length">The tokens of a row.</param>
public sealed record TokenBatch(int[] Inputs, int[] Targets, int Rows, int Length)
{
    /// <summary>Some of the rows, in their order.</summary>
    /// <param name="first">The first row.</param>
    /// <param name="count">How many.</param>
    /// <returns>A new batch with arrays of its own.</returns>
    /// <exception cref="InvalidArgumentException">There are no such rows.</exception>
    public TokenBatch Slice(int first, int count)
    {
        if (first < 0 || count < 0 || count > Rows - first)
            throw new InvalidArgumentException("TokenBatch.Slice", Invariant($"rows among the {Rows} there are"), Invariant($"{count} from row {first}"));
        var (from, to) = (first * Length, (first + count) * Length);
        return new(Inputs[from..to], Targets[from..to], count, Length);
    }
}

/// <summary>Windows over a long text, as examples of a next token.</summary>
public static class TextWindows
{
    /// <summary>Windows at random places, each place equally likely; a pure function of the key.</summary>
    /// <param name="ids">The text, at least one token longer than a window.</param>
    /// <param name="length">The tokens of a window, at least 1.</param>
    /// <param name="rows">The number of windows, at least 1.</param>
    /// <param name="key">The draw; count its step up from batch to batch.</param>
    /// <returns>The batch [rows, length].</returns>
    /// <exception cref="InvalidArgumentException">A size is below 1, or the text too short.</exception>
    /// <exception cref="ShapeException">rows * length is more than an array can hold.</exception>
    public static TokenBatch Random(ReadOnlySpan<int> ids, int length, int rows, Key key)
    {
        Check(ids.Length, length, "TextWindows.Random");
        if (rows < 1) throw new InvalidArgumentException("TextWindows.Random, rows", "at least 1", Invariant($"{rows}"));
        var starts = new int[rows];
        Draw.Integers(key, ids.Length - length, starts);
        return At(ids, length, starts);
    }

    /// <summary>Windows one after the other, for evaluation: every token but the first is a target once.</summary>
    /// <param name="ids">The text, at least one token longer than a window.</param>
    /// <param name="length">The tokens of a window, at least 1.</param>
    /// <returns>The batch [rows, length] with <c>rows = (ids.Length - 1) / length</c>, rounded down: what fills no whole window is left out.</returns>
    /// <exception cref="InvalidArgumentException">The length is below 1, or the text too short.</exception>
    public static TokenBatch Consecutive(ReadOnlySpan<int> ids, int length)
    {
        Check(ids.Length, length, "TextWindows.Consecutive");
        var starts = new int[(ids.Length - 1) / length];
        for (var row = 0; row < starts.Length; row++) starts[row] = row * length;
        return At(ids, length, starts);
    }

    private static TokenBatch At(ReadOnlySpan<int> ids, int length, int[] starts)
    {
        Padding.CheckSize(starts.Length, length, "TextWindows");
        var (inputs, targets) = (new int[starts.Length * length], new int[starts.Length * length]);
        for (var row = 0; row < starts.Length; row++)
        {
            ids.Slice(starts[row], length).CopyTo(inputs.AsSpan(row * length));
            ids.Slice(starts[row] + 1, length).CopyTo(targets.AsSpan(row * length));
        }

        return new(inputs, targets, starts.Length, length);
    }

    private static void Check(int tokens, int length, string where)
    {
        if (length < 1) throw new InvalidArgumentException($"{where}, length", "at least 1", Invariant($"{length}"));
        if (tokens <= length)
            throw new InvalidArgumentException($"{where}, ids", Invariant($"more than the {length} tokens of a window"), Invariant($"{tokens}"), "Take shorter windows.");
    }
}
