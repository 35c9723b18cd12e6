using System.Text;
using static System.FormattableString;

namespace DL.Core.Metrics;

public sealed partial class ConfusionMatrix
{
    private const string Corner = "true \\ predicted", Undetermined = "-";

    /// <summary>A table: a line per true class with its counts and its recall, a last line with the precisions and the accuracy; <c>-</c> stands for 0/0.</summary>
    public override string ToString()
    {
        var rows = new List<string[]> { (string[])[Corner, .. ClassNames, "recall"] };
        for (var t = 0; t < Classes; t++)
            rows.Add([ClassNames[t], .. CountsOf(t), _true[t] == 0 ? Undetermined : Percent(Recall(t))]);
        rows.Add(["precision", .. Precisions(), Total == 0 ? Undetermined : Percent(Accuracy)]);
        var widths = Enumerable.Range(0, Classes + 2).Select(c => rows.Max(row => row[c].Length)).ToArray();
        var text = new StringBuilder();
        foreach (var row in rows)
        {
            text.Append(row[0].PadRight(widths[0]));
            for (var c = 1; c < row.Length; c++)
                text.Append("  ").Append(row[c].PadLeft(widths[c]));
            text.Append('\n');
        }
        return text.ToString(0, text.Length - 1);
    }

    private IEnumerable<string> CountsOf(int truth) => Enumerable.Range(0, Classes).Select(p => Invariant($"{_counts[truth, p]}"));

    private IEnumerable<string> Precisions() =>
        Enumerable.Range(0, Classes).Select(p => _predicted[p] == 0 ? Undetermined : Percent(Precision(p)));

    private static string Percent(double share) => Invariant($"{100 * share:0.0}%");
}
