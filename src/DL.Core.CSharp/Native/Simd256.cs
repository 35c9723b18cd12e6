using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DL.Core.Kernels;

/// <summary>256 bits of lanes.</summary>
/// <typeparam name="T"><c>float</c> or <c>double</c>.</typeparam>
[method: MethodImpl(MethodImplOptions.AggressiveInlining)]
internal readonly unsafe struct Simd256<T>(Vector256<T> lanes) : ISimd<Simd256<T>, T>
    where T : unmanaged
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    private readonly Vector256<T> _lanes = lanes;

    public static int Count
    {
        [MethodImpl(Inline)]
        get => Vector256<T>.Count;
    }

    private static bool IsSingle
    {
        [MethodImpl(Inline)]
        get => typeof(T) == typeof(float);
    }

    [MethodImpl(Inline)]
    public static Simd256<T> Load(T* source) => new(Vector256.Load(source));

    [MethodImpl(Inline)]
    public static Simd256<T> Load(T* source, long lanes)
    {
        if (Avx.IsSupported)
            return IsSingle
                ? new(Avx.MaskLoad((float*)source, First(lanes)._lanes.AsSingle()).As<float, T>())
                : new(Avx.MaskLoad((double*)source, First(lanes)._lanes.AsDouble()).As<double, T>());
        var part = Vector256<T>.Zero;
        Lanes.Copy(source, (T*)&part, lanes);
        return new(part);
    }

    [MethodImpl(Inline)]
    public static Simd256<T> Create(double value) =>
        IsSingle ? new(Vector256.Create((float)value).As<float, T>()) : new(Vector256.Create(value).As<double, T>());

    [MethodImpl(Inline)]
    public static Simd256<T> Broadcast(T value) => new(Vector256.Create(value));

    [MethodImpl(Inline)]
    public void Store(T* destination) => _lanes.Store(destination);

    [MethodImpl(Inline)]
    public void Store(T* destination, long lanes)
    {
        if (!Avx.IsSupported)
        {
            var part = _lanes;
            Lanes.Copy((T*)&part, destination, lanes);
        }
        else if (IsSingle)
        {
            Avx.MaskStore((float*)destination, First(lanes)._lanes.AsSingle(), _lanes.AsSingle());
        }
        else
        {
            Avx.MaskStore((double*)destination, First(lanes)._lanes.AsDouble(), _lanes.AsDouble());
        }
    }

    [MethodImpl(Inline)]
    public static Simd256<T> First(long lanes) => IsSingle
        ? new(Vector256.GreaterThan(Vector256.Create((int)lanes), Vector256<int>.Indices).As<int, T>())
        : new(Vector256.GreaterThan(Vector256.Create(lanes), Vector256<long>.Indices).As<long, T>());

    [MethodImpl(Inline)]
    public static Simd256<T> operator +(Simd256<T> a, Simd256<T> b) => new(a._lanes + b._lanes);

    [MethodImpl(Inline)]
    public static Simd256<T> operator -(Simd256<T> a, Simd256<T> b) => new(a._lanes - b._lanes);

    [MethodImpl(Inline)]
    public static Simd256<T> operator *(Simd256<T> a, Simd256<T> b) => new(a._lanes * b._lanes);

    [MethodImpl(Inline)]
    public static Simd256<T> operator /(Simd256<T> a, Simd256<T> b) => new(a._lanes / b._lanes);

    [MethodImpl(Inline)]
    public static Simd256<T> operator -(Simd256<T> a) => new(-a._lanes);

    [MethodImpl(Inline)]
    public static Simd256<T> operator &(Simd256<T> a, Simd256<T> b) => new(a._lanes & b._lanes);

    [MethodImpl(Inline)]
    public static Simd256<T> Fma(Simd256<T> a, Simd256<T> b, Simd256<T> c) => IsSingle
        ? new(Vector256.FusedMultiplyAdd(a._lanes.AsSingle(), b._lanes.AsSingle(), c._lanes.AsSingle()).As<float, T>())
        : new(Vector256.FusedMultiplyAdd(a._lanes.AsDouble(), b._lanes.AsDouble(), c._lanes.AsDouble()).As<double, T>());

    // The instruction returns b where either is NaN, so only a NaN in a has to be put back; this is several times faster than the IEEE form.
    [MethodImpl(Inline)]
    public static Simd256<T> Max(Simd256<T> a, Simd256<T> b) =>
        new(Vector256.ConditionalSelect(Vector256.Equals(a._lanes, a._lanes), Vector256.MaxNative(a._lanes, b._lanes), a._lanes));

    [MethodImpl(Inline)]
    public static Simd256<T> Min(Simd256<T> a, Simd256<T> b) =>
        new(Vector256.ConditionalSelect(Vector256.Equals(a._lanes, a._lanes), Vector256.MinNative(a._lanes, b._lanes), a._lanes));

    // The machine's maximum gives its second argument when one is NaN, so the bound goes first.
    [MethodImpl(Inline)]
    public static Simd256<T> Clamp(Simd256<T> a, double low, double high) =>
        new(Vector256.MinNative(Create(high)._lanes, Vector256.MaxNative(Create(low)._lanes, a._lanes)));

    [MethodImpl(Inline)]
    public static Simd256<T> Lift(Simd256<T> a, double low) => new(Vector256.MaxNative(Create(low)._lanes, a._lanes));

    [MethodImpl(Inline)]
    public static Simd256<T> Cap(Simd256<T> a, double high) => new(Vector256.MinNative(Create(high)._lanes, a._lanes));

    [MethodImpl(Inline)]
    public static Simd256<T> Higher(Simd256<T> a, Simd256<T> b) => new(Vector256.MaxNative(a._lanes, b._lanes));

    [MethodImpl(Inline)]
    public static Simd256<T> Abs(Simd256<T> a) => new(Vector256.Abs(a._lanes));

    [MethodImpl(Inline)]
    public static Simd256<T> CopySign(Simd256<T> size, Simd256<T> sign) => new(Vector256.CopySign(size._lanes, sign._lanes));

    [MethodImpl(Inline)]
    public static Simd256<T> Sqrt(Simd256<T> a) => new(Vector256.Sqrt(a._lanes));

    [MethodImpl(Inline)]
    public static Simd256<T> Round(Simd256<T> a) => IsSingle
        ? new(Vector256.Round(a._lanes.AsSingle()).As<float, T>())
        : new(Vector256.Round(a._lanes.AsDouble()).As<double, T>());

    [MethodImpl(Inline)]
    public static Simd256<T> Greater(Simd256<T> a, Simd256<T> b) => new(Vector256.GreaterThan(a._lanes, b._lanes));

    [MethodImpl(Inline)]
    public static Simd256<T> Less(Simd256<T> a, Simd256<T> b) => new(Vector256.LessThan(a._lanes, b._lanes));

    [MethodImpl(Inline)]
    public static Simd256<T> AtLeast(uint* words, uint threshold)
    {
        if (IsSingle)
            return new(Vector256.GreaterThanOrEqual(Vector256.Load(words), Vector256.Create(threshold)).As<uint, T>());
        var half = Vector128.Load(words);
        var widened = Vector256.Create(Vector128.WidenLower(half), Vector128.WidenUpper(half));
        return new(Vector256.GreaterThanOrEqual(widened, Vector256.Create((ulong)threshold)).As<ulong, T>());
    }

    [MethodImpl(Inline)]
    public static uint Bits(Simd256<T> mask) => Vector256.ExtractMostSignificantBits(mask._lanes);

    [MethodImpl(Inline)]
    public static Simd256<T> Mask(uint bits)
    {
        if (IsSingle)
        {
            var lane = Vector256.Create(1, 2, 4, 8, 16, 32, 64, 128);
            return new(Vector256.Equals(Vector256.Create((int)bits) & lane, lane).As<int, T>());
        }

        var wide = Vector256.Create(1L, 2, 4, 8);
        return new(Vector256.Equals(Vector256.Create((long)bits) & wide, wide).As<long, T>());
    }

    [MethodImpl(Inline)]
    public static Simd256<T> Select(Simd256<T> mask, Simd256<T> a, Simd256<T> b) =>
        new(Vector256.ConditionalSelect(mask._lanes, a._lanes, b._lanes));

    // Two exact factors keep 2^n within the exponent range where one would leave it.
    [MethodImpl(Inline)]
    public static Simd256<T> Scale(Simd256<T> a, Simd256<T> n)
    {
        if (IsSingle)
        {
            var half = Vector256.Floor(n._lanes.AsSingle() * 0.5f);
            var rest = n._lanes.AsSingle() - half;
            return new((a._lanes.AsSingle() * PowerOfTwo(half) * PowerOfTwo(rest)).As<float, T>());
        }

        var wideHalf = Vector256.Floor(n._lanes.AsDouble() * 0.5);
        var wideRest = n._lanes.AsDouble() - wideHalf;
        return new((a._lanes.AsDouble() * PowerOfTwo(wideHalf) * PowerOfTwo(wideRest)).As<double, T>());
    }

    [MethodImpl(Inline)]
    public static Simd256<T> Exponent(Simd256<T> a, out Simd256<T> mantissa)
    {
        if (IsSingle)
        {
            var bits = a._lanes.AsInt32();
            mantissa = new(((bits & Vector256.Create(0x007F_FFFF)) | Vector256.Create(0x3F80_0000)).As<int, T>());
            return new(Vector256.ConvertToSingle((bits >> 23) - Vector256.Create(127)).As<float, T>());
        }

        var wide = a._lanes.AsInt64();
        mantissa = new(((wide & Vector256.Create(0x000F_FFFF_FFFF_FFFFL)) | Vector256.Create(0x3FF0_0000_0000_0000L)).As<long, T>());
        return new(Vector256.ConvertToDouble((wide >> 52) - Vector256.Create(1023L)).As<double, T>());
    }

    [MethodImpl(Inline)]
    public static T Sum(Simd256<T> a) => Vector256.Sum(a._lanes);

    [MethodImpl(Inline)]
    public static T MaxLane(Simd256<T> a)
    {
        var half = Vector128.Max(a._lanes.GetLower(), a._lanes.GetUpper());
        return Simd128<T>.MaxLane(new Simd128<T>(half));
    }

    [MethodImpl(Inline)]
    private static Vector256<float> PowerOfTwo(Vector256<float> n) =>
        ((Vector256.ConvertToInt32(n) + Vector256.Create(127)) << 23).AsSingle();

    [MethodImpl(Inline)]
    private static Vector256<double> PowerOfTwo(Vector256<double> n) =>
        ((Vector256.ConvertToInt64(n) + Vector256.Create(1023L)) << 52).AsDouble();
}
