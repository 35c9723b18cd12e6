using DL.Core.Formats;
using static System.FormattableString;

namespace DL.Core.Data;

/// <summary>Small real data sets that come with the library, unchanged from their sources; ATTRIBUTION.md beside them names source and licence.</summary>
/// <remarks>Each call reads the set anew, so the arrays are the caller's own.</remarks>
public static class Datasets
{
    private const string Uci = "UCI Machine Learning Repository; CC BY 4.0.";
    private const int DigitSide = 8;

    /// <summary>1797 handwritten digits, 8 x 8 pixels from 0 to 16, 10 classes.</summary>
    public static Dataset Digits()
    {
        var table = Read("digits.csv.gz", Header.Absent);
        string[] pixels = [.. Enumerable.Range(0, DigitSide * DigitSide).Select(i => Invariant($"pixel_{i / DigitSide}_{i % DigitSide}"))];
        var named = new Table([.. pixels, "digit"], table.Values);
        return Dataset.FromTable(named, "digit", Numbered(10), "digits")
            .Describe("Optical recognition of handwritten digits, test part: E. Alpaydin, C. Kaynak, 1998. " + Uci, [DigitSide, DigitSide]);
    }

    /// <summary>150 iris flowers, 4 lengths in cm, 3 species.</summary>
    public static Dataset Iris() => Dataset.FromTable(Read("iris.csv"), "species", ["setosa", "versicolor", "virginica"], "iris")
        .Describe("Iris: R. A. Fisher, 1936. " + Uci);

    /// <summary>178 wines, 13 chemical measures, 3 cultivars.</summary>
    public static Dataset Wine() => Dataset.FromTable(Read("wine.csv"), "cultivar", Numbered(3), "wine")
        .Describe("Wine recognition: S. Aeberhard, M. Forina, 1991. " + Uci);

    /// <summary>569 tumours, 30 measures of cell nuclei, malignant (0) or benign (1).</summary>
    public static Dataset BreastCancer() => Dataset.FromTable(Read("breast_cancer.csv"), "benign", ["malignant", "benign"], "breast_cancer")
        .Describe("Breast cancer Wisconsin (diagnostic): W. Wolberg, O. Mangasarian, N. Street, W. Street, 1993. " + Uci);

    /// <summary>442 patients, 10 measures in their own units, and the progression of diabetes after a year: a number to predict.</summary>
    public static Dataset Diabetes() => Dataset.RegressionFromTable(Read("diabetes.csv"), "progression", "diabetes")
        .Describe("Diabetes progression: B. Efron, T. Hastie, I. Johnstone, R. Tibshirani, Least angle regression, 2004; public.");

    private static string[] Numbered(int classes) => [.. Enumerable.Range(0, classes).Select(c => Invariant($"{c}"))];

    private static Table Read(string resource, Header header = Header.Present)
    {
        using var stream = typeof(Datasets).Assembly.GetManifestResourceStream(resource)
            ?? throw new DataFormatException(resource, "an embedded resource of the assembly", "none");
        return Csv.Read(stream, new CsvOptions { Header = header }, source: resource);
    }
}
