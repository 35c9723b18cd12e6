using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DL.Core.Kernels;

namespace DL.Core.Losses;

/// <summary>Distances of embeddings, rows of equal width, in float64 whatever the element type: squares neither overflow nor vanish.</summary>
internal static unsafe class EmbeddingRows
{
    private const long Lanes = 4;

    /// <summary>The Euclidean distance of two rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static double Distance<T>(T* a, T* b, long width) where T : unmanaged
    {
        Vector256<double> even = default, odd = default;
        var i = 0L;
        for (; i + (2 * Lanes) <= width; i += 2 * Lanes)
        {
            Vector256<double> d0 = Load(a + i) - Load(b + i), d1 = Load(a + i + Lanes) - Load(b + i + Lanes);
            even += d0 * d0;
            odd += d1 * d1;
        }

        var sum = Vector256.Sum(even + odd);
        for (; i < width; i++)
        {
            var d = Reduce.Wide(a[i]) - Reduce.Wide(b[i]);
            sum += d * d;
        }

        // Squares of what float64 holds may do both.
        return typeof(T) == typeof(float) || sum is > 1e-280 and < double.PositiveInfinity ? Math.Sqrt(sum) : Scaled(a, b, width);
    }

    /// <summary>The distance as that of rows divided by their largest difference.</summary>
    private static double Scaled<T>(T* a, T* b, long width) where T : unmanaged
    {
        var largest = 0.0;
        for (var i = 0L; i < width; i++) largest = Math.Max(largest, Math.Abs(Reduce.Wide(a[i]) - Reduce.Wide(b[i])));
        if (!(largest > 0 && double.IsFinite(largest))) return largest;
        var sum = 0.0;
        for (var i = 0L; i < width; i++)
        {
            var d = (Reduce.Wide(a[i]) - Reduce.Wide(b[i])) / largest;
            sum += d * d;
        }

        return largest * Math.Sqrt(sum);
    }

    /// <summary>result = scale (a - b).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Along<T>(T* a, T* b, double scale, T* result, long width) where T : unmanaged
    {
        var factor = Vector256.Create(scale);
        var i = 0L;
        for (; i + Lanes <= width; i += Lanes) Store(factor * (Load(a + i) - Load(b + i)), result + i);
        for (; i < width; i++) result[i] = Reduce.Narrow<T>(scale * (Reduce.Wide(a[i]) - Reduce.Wide(b[i])));
    }

    /// <summary>result = -a - b.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Against<T, S>(T* a, T* b, T* result, long width)
        where T : unmanaged
        where S : struct, ISimd<S, T>
    {
        var i = 0L;
        for (; i + S.Count <= width; i += S.Count) (-S.Load(a + i) - S.Load(b + i)).Store(result + i);
        if (i < width) (-S.Load(a + i, width - i) - S.Load(b + i, width - i)).Store(result + i, width - i);
    }

    /// <summary>Fails unless embeddings [N, D] are of one shape.</summary>
    public static void CheckShapes(string where, Tensor first, params ReadOnlySpan<Tensor> others)
    {
        if (first.Shape.Rank != 2 || first.Shape.Last == 0) throw new ShapeException(where, "embeddings [N, D] of at least one feature", $"{first.Shape}");
        foreach (var other in others) other.Expect(first.Shape, where);
    }

    /// <summary>Fails unless a margin is a finite number above 0.</summary>
    public static void CheckMargin(string where, double margin)
    {
        if (!(margin > 0 && double.IsFinite(margin)))
            throw new InvalidArgumentException($"{where}, margin", "a finite number above 0", margin.ToString(CultureInfo.InvariantCulture));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<double> Load<T>(T* source) where T : unmanaged =>
        typeof(T) == typeof(float)
            ? Vector256.WidenLower(Vector128.Load((float*)source).ToVector256Unsafe())
            : Vector256.Load((double*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<T>(Vector256<double> numbers, T* destination) where T : unmanaged
    {
        if (typeof(T) == typeof(float)) Vector256.Narrow(numbers, numbers).GetLower().Store((float*)destination);
        else numbers.Store((double*)destination);
    }
}
