using System.Globalization;
using System.Numerics;

namespace DL.Core.Losses;

/// <summary>What losses over classes ask of ids and of the weights of classes.</summary>
internal static class ClassTargets
{
    /// <summary>Fails unless every id is a class or the ignored one; the message names the first that is not, and its position.</summary>
    public static void CheckIds(string where, ReadOnlySpan<int> ids, int classes, int? ignored = null)
    {
        for (var row = 0; row < ids.Length; row++)
        {
            if ((uint)ids[row] >= (uint)classes && ids[row] != ignored)
                throw new InvalidArgumentException(where, $"class ids from 0 to {classes - 1}", $"{ids[row]} at position {row}");
        }
    }

    /// <summary>Fails unless every weight is finite and at least 0.</summary>
    public static void CheckWeights<T>(string where, ReadOnlySpan<T> weights) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (var c = 0; c < weights.Length; c++)
        {
            if (!(weights[c] >= T.Zero && T.IsFinite(weights[c])))
                throw new InvalidArgumentException(where, "class weights finite and at least 0", $"{weights[c].ToString(null, CultureInfo.InvariantCulture)} for class {c}");
        }
    }
}
