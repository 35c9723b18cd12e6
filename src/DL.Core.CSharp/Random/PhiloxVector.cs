using System.Runtime.CompilerServices;
using DL.Core.Kernels;

namespace DL.Core.Random;

/// <summary>The words of a Philox stream, several blocks at a time: the same bits, in the same order, as <see cref="Philox.Block"/> gives.</summary>
internal static unsafe class PhiloxVector
{
    private const ulong Multiplier0 = 0xD2511F53, Multiplier1 = 0xCD9E8D57;
    private const uint Weyl0 = 0x9E3779B9, Weyl1 = 0xBB67AE85;
    private const int Rounds = 10;

    /// <summary>Fills memory with the words of whole blocks.</summary>
    /// <param name="key">The draw.</param>
    /// <param name="block">The number of the first block.</param>
    /// <param name="blocks">How many blocks; each is four words.</param>
    /// <param name="words">The destination.</param>
    public static void Fill(Key key, ulong block, int blocks, uint* words)
    {
        if (Wide512.IsSupported) Fill<Wide512>(key, block, blocks, words);
        else if (Wide256.IsSupported) Fill<Wide256>(key, block, blocks, words);
        else if (Wide128.IsSupported) Fill<Wide128>(key, block, blocks, words);
        else FillScalar(key, block, blocks, words);
    }

    /// <summary>The same at one width.</summary>
    public static void Fill<S>(Key key, ulong block, int blocks, uint* words) where S : struct, IWideLanes<S>
    {
        var whole = blocks - (blocks % S.Count);
        Whole<S>(key, block, whole, (ulong*)words);
        FillScalar(key, block + (ulong)whole, blocks - whole, words + (4 * whole));
    }

    /// <summary>The same block by block.</summary>
    public static void FillScalar(Key key, ulong block, int blocks, uint* words)
    {
        for (var i = 0; i < blocks; i++, words += 4)
            Philox.Block(key.Seed, block + (ulong)i, key.Stream, out words[0], out words[1], out words[2], out words[3]);
    }

    // Counter words live in the low halves of 64-bit lanes; what gathers in the high halves is never read by a product and is masked at the end.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Whole<S>(Key key, ulong block, int blocks, ulong* pairs) where S : struct, IWideLanes<S>
    {
        S m0 = S.Create(Multiplier0), m1 = S.Create(Multiplier1), low = S.Create(uint.MaxValue);
        for (var i = 0; i < blocks; i += S.Count, pairs += 2 * S.Count)
        {
            var c0 = S.Create(block + (ulong)i) + S.Iota;
            var c1 = S.High(c0);
            S c2 = S.Create(key.Position), c3 = S.Create(key.Step);
            uint k0 = (uint)key.Seed, k1 = (uint)(key.Seed >> 32);
            for (var round = 0; round < Rounds; round++)
            {
                S p0 = S.Product(c0, m0), p1 = S.Product(c2, m1);
                c0 = S.High(p1) ^ c1 ^ S.Create(k0);
                c1 = p1;
                c2 = S.High(p0) ^ c3 ^ S.Create(k1);
                c3 = p0;
                k0 = unchecked(k0 + Weyl0);
                k1 = unchecked(k1 + Weyl1);
            }

            S.Interleave((c0 & low) | S.Raise(c1), (c2 & low) | S.Raise(c3), pairs);
        }
    }
}
