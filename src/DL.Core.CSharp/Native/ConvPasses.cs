namespace DL.Core.Kernels;

/// <summary>A stretch of the sum over taps and channels that one call of the micro-kernel takes: runs of neighbouring numbers, equally far apart.</summary>
/// <param name="Row">The image row the first run starts in, from the position.</param>
/// <param name="Offset">Elements from that row's first tap to the first number.</param>
/// <param name="Steps">Numbers in a run.</param>
/// <param name="Runs">Runs.</param>
/// <param name="RowJump">Image rows from the start of one run to that of the next.</param>
/// <param name="ColumnJump">Elements along the row from the start of one run to that of the next.</param>
/// <param name="First">The position of the first number among all that are summed.</param>
internal readonly record struct ConvPass(int Row, long Offset, int Steps, int Runs, int RowJump, long ColumnJump, long First)
{
    /// <summary>All numbers of the pass.</summary>
    public int Length => Steps * Runs;
}

/// <summary>Cuts the sum over taps and channels into passes.</summary>
internal static class ConvPasses
{
    // A strip of weights of so many steps stays in the first-level cache, as in a product.
    private const int StepLimit = 256;

    /// <summary>The passes of a group of channels that lie side by side in a pixel of <paramref name="channels"/>.</summary>
    public static ConvPass[] Of(ConvTap[] taps, int channels, int group)
    {
        var runs = Runs(taps, channels, group);
        var passes = new List<ConvPass>();
        var first = 0L;
        for (var i = 0; i < runs.Count;)
        {
            var run = runs[i];
            if (run.Length > StepLimit)
            {
                Pieces(run, first, passes);
                first += run.Length;
                i++;
                continue;
            }

            var (count, rowJump, columnJump) = Alike(runs, i);
            passes.Add(new(run.Row, run.Offset, run.Length, count, rowJump, columnJump, first));
            first += (long)run.Length * count;
            i += count;
        }

        return [.. passes];
    }

    // Neighbouring taps of a row read neighbouring pixels, so with all channels of them they are one run.
    private static List<(int Row, long Offset, int Length)> Runs(ConvTap[] taps, int channels, int group)
    {
        var runs = new List<(int Row, long Offset, int Length)>();
        foreach (var tap in taps)
        {
            var offset = (long)tap.Column * channels;
            if (runs.Count > 0 && group == channels && runs[^1].Row == tap.Row && runs[^1].Offset + runs[^1].Length == offset)
                runs[^1] = runs[^1] with { Length = runs[^1].Length + group };
            else
                runs.Add((tap.Row, offset, group));
        }

        return runs;
    }

    private static (int Count, int RowJump, long ColumnJump) Alike(List<(int Row, long Offset, int Length)> runs, int i)
    {
        var (count, rowJump, columnJump) = (1, 0, 0L);
        for (var next = i + 1; next < runs.Count && (count + 1) * runs[i].Length <= StepLimit && runs[next].Length == runs[i].Length; next++)
        {
            var jump = (runs[next].Row - runs[next - 1].Row, runs[next].Offset - runs[next - 1].Offset);
            if (count == 1) (rowJump, columnJump) = jump;
            else if (jump != (rowJump, columnJump)) break;
            count++;
        }

        return (count, rowJump, columnJump);
    }

    private static void Pieces((int Row, long Offset, int Length) run, long first, List<ConvPass> passes)
    {
        var size = (int)GemmBlocks.Steps(run.Length);
        for (var from = 0; from < run.Length; from += size)
            passes.Add(new(run.Row, run.Offset + from, Math.Min(size, run.Length - from), 1, 0, 0, first + from));
    }
}
