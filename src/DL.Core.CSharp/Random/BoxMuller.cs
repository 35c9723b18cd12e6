using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DL.Core.Kernels;

namespace DL.Core.Random;

/// <summary>Pairs of normal numbers from pairs of uniform ones: <c>sqrt(-2 log u) (cos 2 pi v, sin 2 pi v)</c>.</summary>
internal static unsafe class BoxMuller
{
    private const int Group = 32;
    private const int Half = Group / 2;

    /// <summary>Fills memory from the words of whole groups; a word, or two in float64, for each number.</summary>
    public static void Fill<T>(uint* words, T* x, int count) where T : unmanaged
    {
        if (Vector512.IsHardwareAccelerated) Fill<T, Simd512<T>>(words, x, count);
        else if (Vector256.IsHardwareAccelerated) Fill<T, Simd256<T>>(words, x, count);
        else Fill<T, Simd128<T>>(words, x, count);
    }

    /// <summary>The same at one width.</summary>
    public static void Fill<T, S>(uint* words, T* x, int count)
        where T : unmanaged
        where S : struct, ISimd<S, T>
    {
        var uniforms = stackalloc T[Group];
        var normals = stackalloc T[Group];
        for (var start = 0; start < count; start += Group, words += Group * sizeof(T) / sizeof(uint))
        {
            Uniforms(words, uniforms);
            Transform<T, S>(uniforms, normals);
            var length = Math.Min(Group, count - start);
            new ReadOnlySpan<T>(normals, length).CopyTo(new Span<T>(x + start, length));
        }
    }

    // The first half lies in (0, 1], for the logarithm, and reaches as near to 0 as the bits allow; the second lies in [0, 1).
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Uniforms<T>(uint* words, T* uniforms) where T : unmanaged
    {
        if (typeof(T) == typeof(float))
        {
            var u = (float*)uniforms;
            for (var i = 0; i < Half; i++) u[i] = ((int)(words[i] >> 1) * (1f / (1u << 31))) + (0.5f / (1u << 31));
            for (var i = Half; i < Group; i++) u[i] = (int)(words[i] >> 8) * (1f / (1 << 24));
            return;
        }

        var pairs = (ulong*)words;
        var w = (double*)uniforms;
        for (var i = 0; i < Half; i++) w[i] = ((long)(pairs[i] >> 11) + 0.5) * (1.0 / (1L << 53));
        for (var i = Half; i < Group; i++) w[i] = (long)(pairs[i] >> 11) * (1.0 / (1L << 53));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Transform<T, S>(T* uniforms, T* normals)
        where T : unmanaged
        where S : struct, ISimd<S, T>
    {
        for (var i = 0; i < Half; i += S.Count)
        {
            var radius = S.Sqrt(MathVector.Log<T, S>(S.Load(uniforms + i)) * S.Create(-2));
            var cosine = MathVector.CosTurns<T, S>(S.Load(uniforms + Half + i), out var sine);
            (radius * cosine).Store(normals + i);
            (radius * sine).Store(normals + Half + i);
        }
    }
}
