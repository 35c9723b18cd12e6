using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace DL.Core.Kernels;

/// <summary>128 bits of unsigned 64-bit lanes.</summary>
[method: MethodImpl(MethodImplOptions.AggressiveInlining)]
internal readonly unsafe struct Wide128(Vector128<ulong> lanes) : IWideLanes<Wide128>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    private readonly Vector128<ulong> _lanes = lanes;

    public static bool IsSupported => Sse2.IsSupported || AdvSimd.IsSupported;

    public static int Count
    {
        [MethodImpl(Inline)]
        get => Vector128<ulong>.Count;
    }

    public static Wide128 Iota
    {
        [MethodImpl(Inline)]
        get => new(Vector128<ulong>.Indices);
    }

    [MethodImpl(Inline)]
    public static Wide128 Create(ulong value) => new(Vector128.Create(value));

    [MethodImpl(Inline)]
    public static Wide128 Product(Wide128 a, Wide128 b) => Sse2.IsSupported
        ? new(Sse2.Multiply(a._lanes.AsUInt32(), b._lanes.AsUInt32()))
        : new(AdvSimd.MultiplyWideningLower(AdvSimd.ExtractNarrowingLower(a._lanes), AdvSimd.ExtractNarrowingLower(b._lanes)));

    [MethodImpl(Inline)]
    public static Wide128 High(Wide128 a) => new(a._lanes >>> 32);

    [MethodImpl(Inline)]
    public static Wide128 Raise(Wide128 a) => new(a._lanes << 32);

    [MethodImpl(Inline)]
    public static Wide128 operator +(Wide128 a, Wide128 b) => new(a._lanes + b._lanes);

    [MethodImpl(Inline)]
    public static Wide128 Xor(Wide128 a, Wide128 b, Wide128 c) => new(a._lanes ^ b._lanes ^ c._lanes);

    [MethodImpl(Inline)]
    public static Wide128 operator &(Wide128 a, Wide128 b) => new(a._lanes & b._lanes);

    [MethodImpl(Inline)]
    public static Wide128 operator |(Wide128 a, Wide128 b) => new(a._lanes | b._lanes);

    [MethodImpl(Inline)]
    public static void Interleave(Wide128 a, Wide128 b, ulong* destination)
    {
        Vector128.Create(a._lanes.GetLower(), b._lanes.GetLower()).Store(destination);
        Vector128.Create(a._lanes.GetUpper(), b._lanes.GetUpper()).Store(destination + 2);
    }
}
