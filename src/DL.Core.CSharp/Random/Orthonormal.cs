using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DL.Core.Random;

/// <summary>Orthonormal vectors by the modified Gram-Schmidt process: each is freed from those before it and scaled to length 1.</summary>
/// <remarks>That is the QR decomposition whose R has a positive diagonal. A vector that has lost most of its length is freed once more, which is
/// enough: W. Kahan and B. Parlett, in B. Parlett, The symmetric eigenvalue problem, 1980, section 6.9.</remarks>
internal static unsafe class Orthonormal
{
    // What is left of a vector keeps 15 digits of the 16 down to this share of its length.
    private const double Most = 0.1;

    // Vectors that are freed from one of those before them while it lies in the nearest cache, and they in the next.
    private const int Block = 32;

    /// <summary>Makes vectors that follow each other in memory orthonormal.</summary>
    public static void Make(Span<double> vectors, int length)
    {
        fixed (double* first = vectors)
        {
            var end = first + vectors.Length;
            for (var block = first; block < end; block += Block * (long)length)
                MakeBlock(first, block, block + Math.Min(Block * (long)length, end - block), length);
        }
    }

    private static void MakeBlock(double* first, double* block, double* end, int length)
    {
        var lengths = stackalloc double[Block];
        var i = 0;
        for (var vector = block; vector < end; vector += length) lengths[i++] = Math.Sqrt(Dot(vector, vector, length));
        for (var other = first; other < block; other += length)
            for (var vector = block; vector < end; vector += length) Free(vector, other, other + length, length);
        i = 0;
        for (var vector = block; vector < end; vector += length)
        {
            Free(vector, block, vector, length);
            if (Math.Sqrt(Dot(vector, vector, length)) < Most * lengths[i++]) Free(vector, first, vector, length);
            var left = Math.Sqrt(Dot(vector, vector, length));
            for (var j = 0; j < length; j++) vector[j] /= left;
        }
    }

    private static void Free(double* vector, double* other, double* end, int length)
    {
        for (; other < end; other += length) Subtract(vector, Dot(vector, other, length), other, length);
    }

    // The same lanes and no fused products on every machine, so that every machine draws the same bits.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double Dot(double* a, double* b, int length)
    {
        Vector256<double> first = default, second = default, third = default, fourth = default;
        var i = 0;
        for (; i + 16 <= length; i += 16)
        {
            first += Vector256.Load(a + i) * Vector256.Load(b + i);
            second += Vector256.Load(a + i + 4) * Vector256.Load(b + i + 4);
            third += Vector256.Load(a + i + 8) * Vector256.Load(b + i + 8);
            fourth += Vector256.Load(a + i + 12) * Vector256.Load(b + i + 12);
        }

        var sum = Vector256.Sum(first + second + (third + fourth));
        for (; i < length; i++) sum += a[i] * b[i];
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Subtract(double* vector, double share, double* other, int length)
    {
        var factor = Vector256.Create(share);
        var i = 0;
        for (; i + 4 <= length; i += 4) (Vector256.Load(vector + i) - (Vector256.Load(other + i) * factor)).Store(vector + i);
        for (; i < length; i++) vector[i] -= share * other[i];
    }
}
