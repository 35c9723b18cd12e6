namespace DL.Core.Data;

/// <summary>A line of a play and who speaks it.</summary>
/// <param name="Speaker">The name of the speaker.</param>
/// <param name="Line">The line.</param>
public sealed record SpokenLine(string Speaker, string Line);

/// <summary>Plays in the form of Tiny Shakespeare: speeches with empty lines between, each headed by the speaker's name and a colon.</summary>
public static class Play
{
    /// <summary>The lines of a play with their speakers, in their order.</summary>
    /// <remarks>A name is the first line after an empty one, or of all, if it ends in a colon. A speech without a name goes on with the speaker before;
    /// what comes before the first name, as where a text was cut, is left out. White space around a line is dropped, and lines of nothing else are empty.</remarks>
    /// <param name="text">The text.</param>
    /// <exception cref="DataFormatException">No speaker is named anywhere.</exception>
    public static IReadOnlyList<SpokenLine> Lines(string text)
    {
        var (spoken, heading, speaker) = (new List<SpokenLine>(), true, default(string));
        foreach (var raw in text.Split('\n'))
        {
            var line = raw.Trim();
            if (line.Length == 0)
            {
                heading = true;
                continue;
            }

            if (heading && line.Length > 1 && line.EndsWith(':')) speaker = line[..^1];
            else if (speaker is not null) spoken.Add(new(speaker, line));
            heading = false;
        }

        return speaker is not null
            ? spoken
            : throw new DataFormatException("Play.Lines, text", "speeches headed by a name and a colon", "no name", "An empty line comes before each name.");
    }
}
