using static System.FormattableString;

namespace DL.Core.Data;

/// <summary>Lines of text with a class each.</summary>
/// <param name="Lines">The lines, [n].</param>
/// <param name="Labels">The class ids, [n].</param>
public sealed record LabelledLines(string[] Lines, int[] Labels);

/// <summary>Who says this line? The lines of the speakers of a play who have most of them, to be told apart.</summary>
/// <param name="Speakers">The speakers by class id, the one of most lines first.</param>
/// <param name="Train">The lines to learn from.</param>
/// <param name="Test">The lines held out; none of them is word for word among those to learn from.</param>
public sealed record SpeakerTask(IReadOnlyList<string> Speakers, LabelledLines Train, LabelledLines Test)
{
    /// <summary>The share of test lines that is right if every line is given to the speaker of most training lines: what a classifier has to beat.</summary>
    public double MajorityAccuracy
    {
        get
        {
            var majority = Train.Labels.CountBy(label => label).OrderBy(pair => pair.Key).MaxBy(pair => pair.Value).Key;
            return Test.Labels.Count(label => label == majority) / (double)Test.Labels.Length;
        }
    }

    /// <summary>Takes the speakers of most lines, of equal ones those who come first, and splits their lines by seed.</summary>
    /// <remarks>Distinct lines are split, and a line that is said twice goes with both to one side: the share held out is that of the distinct lines.</remarks>
    /// <param name="lines">The lines of a play, as of <see cref="Play.Lines"/>.</param>
    /// <param name="speakers">How many speakers, from 2 to as many as there are.</param>
    /// <param name="heldOut">The share held out, in (0, 1).</param>
    /// <param name="seed">The seed of the split.</param>
    /// <returns>Both parts in the order of the play.</returns>
    /// <exception cref="InvalidArgumentException">A number is out of range, or a part would stay empty.</exception>
    public static SpeakerTask Of(IReadOnlyList<SpokenLine> lines, int speakers, double heldOut, ulong seed)
    {
        // Stable: speakers of as many lines keep the order they come in.
        string[] ranked = [.. lines.GroupBy(line => line.Speaker).OrderByDescending(group => group.Count()).Select(group => group.Key)];
        if (speakers < 2 || speakers > ranked.Length)
            throw new InvalidArgumentException("SpeakerTask.Of, speakers", Invariant($"from 2 to the {ranked.Length} there are"), Invariant($"{speakers}"));
        if (!(heldOut > 0 && heldOut < 1)) throw new InvalidArgumentException("SpeakerTask.Of, heldOut", "a share above 0 and below 1", Invariant($"{heldOut}"));
        var chosen = ranked[..speakers];
        SpokenLine[] kept = [.. lines.Where(line => chosen.Contains(line.Speaker))];
        string[] distinct = [.. kept.Select(line => line.Line).Distinct()];
        var test = Split.Shuffled(distinct.Length, heldOut, seed).Test.Select(i => distinct[i]).ToHashSet();
        return new(chosen, Part(kept, chosen, line => !test.Contains(line)), Part(kept, chosen, test.Contains));
    }

    private static LabelledLines Part(SpokenLine[] lines, string[] speakers, Func<string, bool> belongs)
    {
        SpokenLine[] part = [.. lines.Where(line => belongs(line.Line))];
        return new(Array.ConvertAll(part, line => line.Line), Array.ConvertAll(part, line => Array.IndexOf(speakers, line.Speaker)));
    }
}
