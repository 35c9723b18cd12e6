using System.Globalization;
using System.Runtime.CompilerServices;

namespace DL.Core.Optimizers;

/// <summary>Checks of optimizer settings and arguments, made before anything moves.</summary>
internal static class Check
{
    public static void AtLeastZero(double value, string where, string name)
    {
        if (!(value >= 0 && double.IsFinite(value))) throw Bad(where, $"a finite {name} of at least 0", value);
    }

    public static void Positive(double value, string where, string name)
    {
        if (!(value > 0 && double.IsFinite(value))) throw Bad(where, $"a positive finite {name}", value);
    }

    public static void Beta(double value, string where, string name)
    {
        if (!(value is >= 0 and < 1)) throw Bad(where, $"a {name} from 0 to below 1", value);
    }

    public static void Step(int t, string where)
    {
        if (t < 1) throw new InvalidArgumentException(where, "a step number t of at least 1", $"{t}");
    }

    public static void SameLengths(int expected, string where, params ReadOnlySpan<int> lengths)
    {
        foreach (var length in lengths) Apply.SameLength(expected, length, where);
    }

    /// <summary>Fails unless rows of a matrix are distinct, ascending and in it.</summary>
    public static void Rows(ReadOnlySpan<int> rows, int width, int elements, string where)
    {
        if (width < 1 || elements % width != 0) throw new ShapeException(where, $"whole rows of width {width}, at least 1", $"{elements} weights");
        var count = elements / width;
        for (var i = 0; i < rows.Length; i++)
        {
            if ((uint)rows[i] >= (uint)count) throw new InvalidArgumentException($"{where}, rows[{i}]", $"a row from 0 to {count - 1}", $"{rows[i]}");
            if (i > 0 && rows[i] <= rows[i - 1])
                throw new InvalidArgumentException($"{where}, rows[{i}]", $"distinct rows, ascending, so one after {rows[i - 1]}", $"{rows[i]}");
        }
    }

    /// <summary>Whether the weights are of float64, when all tensors have their shape.</summary>
    public static bool IsDouble(string where, Tensor weights, params ReadOnlySpan<Tensor> others)
    {
        foreach (var other in others)
        {
            other.Expect(weights.Shape, where);
            if (other.ElementType != weights.ElementType)
                throw new InvalidArgumentException(where, $"elements of type {weights.ElementType} as in the weights", $"{other.ElementType}");
        }

        return weights.IsDouble(where);
    }

    /// <summary>The elements of a tensor that is updated in place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Span<T> InPlace<T>(this Tensor tensor, string where) where T : unmanaged => tensor.As<T>(where).Change();

    private static InvalidArgumentException Bad(string where, string expected, double value) =>
        new(where, expected, value.ToString(CultureInfo.InvariantCulture));
}
