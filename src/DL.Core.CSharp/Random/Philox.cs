using System.Runtime.CompilerServices;

namespace DL.Core.Random;

/// <summary>Philox4x32-10: 128 random bits as a pure function of a 64-bit key and a 128-bit counter.</summary>
/// <remarks>
/// Ten rounds of two 32x32 -> 64 bit products, from J. Salmon, M. Moraes, R. Dror and D. Shaw, "Parallel random numbers: as easy
/// as 1, 2, 3" (SC 2011). There is no state: any block can be computed at any time, in any order, with the same bits everywhere.
/// This is the scalar reference that vectorized forms are held against.
/// </remarks>
public static class Philox
{
    private const uint Multiplier0 = 0xD2511F53, Multiplier1 = 0xCD9E8D57;
    private const uint Weyl0 = 0x9E3779B9, Weyl1 = 0xBB67AE85;
    private const int Rounds = 10;

    /// <summary>The four 32-bit words at one counter.</summary>
    /// <param name="key">The seed: low half is key word 0, high half key word 1.</param>
    /// <param name="counterLow">Counter words 0 (low half) and 1 (high half).</param>
    /// <param name="counterHigh">Counter words 2 (low half) and 3 (high half): by custom the number of an independent stream.</param>
    /// <param name="x0">Output word 0.</param>
    /// <param name="x1">Output word 1.</param>
    /// <param name="x2">Output word 2.</param>
    /// <param name="x3">Output word 3.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Block(ulong key, ulong counterLow, ulong counterHigh, out uint x0, out uint x1, out uint x2, out uint x3)
    {
        uint c0 = (uint)counterLow, c1 = (uint)(counterLow >> 32);
        uint c2 = (uint)counterHigh, c3 = (uint)(counterHigh >> 32);
        uint k0 = (uint)key, k1 = (uint)(key >> 32);
        for (var round = 0; round < Rounds; round++)
        {
            var p0 = (ulong)Multiplier0 * c0;
            var p1 = (ulong)Multiplier1 * c2;
            c0 = (uint)(p1 >> 32) ^ c1 ^ k0;
            c1 = (uint)p1;
            c2 = (uint)(p0 >> 32) ^ c3 ^ k1;
            c3 = (uint)p0;
            k0 += Weyl0;
            k1 += Weyl1;
        }
        x0 = c0;
        x1 = c1;
        x2 = c2;
        x3 = c3;
    }
}
