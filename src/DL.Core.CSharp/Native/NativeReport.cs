using System.Globalization;
using System.Text;

namespace DL.Core;

/// <summary>One place an engine was looked for, and what came of it.</summary>
/// <param name="Name">The library or the engine.</param>
/// <param name="Outcome">What was found, or why it was not used.</param>
public sealed record NativeAttempt(string Name, string Outcome);

/// <summary>What computes underneath in this process.</summary>
/// <param name="Engine">The engine of the matrix product: <c>managed</c>, <c>mkl</c>, <c>mathnet</c> or <c>cblas</c>.</param>
/// <param name="Version">The version the engine gives of itself.</param>
/// <param name="Library">The native library it was loaded from; empty for the managed engine.</param>
/// <param name="Threads">The number of threads work is cut over.</param>
/// <param name="VectorBits">The width of the vectors of the managed kernels, in bits.</param>
/// <param name="Denormals">How denormal numbers are flushed to zero during training, or why they are not.</param>
/// <param name="Tried">Every engine looked for, in order.</param>
public sealed record NativeReport(
    string Engine,
    string Version,
    string Library,
    int Threads,
    int VectorBits,
    string Denormals,
    IReadOnlyList<NativeAttempt> Tried)
{
    /// <summary>The report as lines of text.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"engine     {Engine} {Version}");
        if (Library.Length > 0)
            text.AppendLine(CultureInfo.InvariantCulture, $"library    {Library}");
        text.AppendLine(CultureInfo.InvariantCulture, $"threads    {Threads}");
        text.AppendLine(CultureInfo.InvariantCulture, $"vectors    {VectorBits} bits");
        text.AppendLine(CultureInfo.InvariantCulture, $"denormals  {Denormals}");
        foreach (var (name, outcome) in Tried)
            text.AppendLine(CultureInfo.InvariantCulture, $"tried      {name}: {outcome}");
        return text.ToString().TrimEnd();
    }
}
