using System.Globalization;

namespace DL.Core.Losses;

/// <summary>What both focal losses ask of their settings.</summary>
internal static class FocalSettings
{
    public static void Check(string where, double gamma)
    {
        if (!(gamma >= 0 && double.IsFinite(gamma)))
            throw new InvalidArgumentException($"{where}, gamma", "a finite number of at least 0", gamma.ToString(CultureInfo.InvariantCulture));
    }
}
