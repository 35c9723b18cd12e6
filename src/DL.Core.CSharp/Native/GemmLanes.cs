using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DL.Core.Kernels;

/// <summary>How wide the vectors are a product is cut for, as a type, so that one source serves every width and precision.</summary>
internal interface IGemmWidth
{
    /// <summary>The numbers in a vector.</summary>
    static abstract int Count { get; }

    /// <summary>The most rows of a tile two vectors wide whose sums stay in the registers of this width.</summary>
    static abstract int TileRows { get; }
}

/// <summary>What the matrix kernels ask of a vector <typeparamref name="L"/> of <typeparamref name="T"/>, on the vector as the processor knows it.</summary>
/// <remarks>In a structure of its own a vector costs the compiler's output a move for every second multiply-add of a tile: the sum is no longer
/// seen to be overwritten in place.</remarks>
internal unsafe interface IGemmLanes<L, T> : IGemmWidth
    where L : struct
    where T : unmanaged
{
    static abstract L Load(T* source);

    /// <summary>Reads the lanes the mask names and gives zero in the others, whose memory is not touched.</summary>
    static abstract L Load(T* source, L mask);

    static abstract L Broadcast(T* source);

    static abstract L MultiplyAdd(L a, L b, L c);

    static abstract L Add(L a, L b);

    static abstract T Sum(L a);

    /// <summary>All bits set in the first <paramref name="count"/> lanes.</summary>
    static abstract L Mask(int count);

    static abstract void Store(L value, T* target);

    static abstract void Store(L value, T* target, L mask);
}

/// <summary>512 bits: 16 float or 8 double.</summary>
internal readonly unsafe struct Lanes512<T> : IGemmLanes<Vector512<T>, T>
    where T : unmanaged
{
    public static int Count => Vector512<T>.Count;

    public static int TileRows => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Load(T* source) => Vector512.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Load(T* source, Vector512<T> mask) => typeof(T) == typeof(float)
        ? Avx512F.MaskLoad((float*)source, mask.AsSingle(), Vector512<float>.Zero).As<float, T>()
        : Avx512F.MaskLoad((double*)source, mask.AsDouble(), Vector512<double>.Zero).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Broadcast(T* source) => Vector512.Create(*source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> MultiplyAdd(Vector512<T> a, Vector512<T> b, Vector512<T> c) => typeof(T) == typeof(float)
        ? Vector512.FusedMultiplyAdd(a.AsSingle(), b.AsSingle(), c.AsSingle()).As<float, T>()
        : Vector512.FusedMultiplyAdd(a.AsDouble(), b.AsDouble(), c.AsDouble()).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Add(Vector512<T> a, Vector512<T> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sum(Vector512<T> a) => Vector512.Sum(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Mask(int count) => typeof(T) == typeof(float)
        ? Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(count)).As<int, T>()
        : Vector512.LessThan(Vector512<long>.Indices, Vector512.Create((long)count)).As<long, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<T> value, T* target) => value.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<T> value, T* target, Vector512<T> mask)
    {
        if (typeof(T) == typeof(float))
            Avx512F.MaskStore((float*)target, mask.AsSingle(), value.AsSingle());
        else
            Avx512F.MaskStore((double*)target, mask.AsDouble(), value.AsDouble());
    }
}

/// <summary>256 bits: 8 float or 4 double; where the processor has none, the same lanes in pieces.</summary>
internal readonly unsafe struct Lanes256<T> : IGemmLanes<Vector256<T>, T>
    where T : unmanaged
{
    public static int Count => Vector256<T>.Count;

    public static int TileRows => 6;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Load(T* source) => Vector256.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Load(T* source, Vector256<T> mask)
    {
        if (!Avx.IsSupported)
            return LoadLanes(source, mask);
        return typeof(T) == typeof(float)
            ? Avx.MaskLoad((float*)source, mask.AsSingle()).As<float, T>()
            : Avx.MaskLoad((double*)source, mask.AsDouble()).As<double, T>();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Broadcast(T* source) => Vector256.Create(*source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> MultiplyAdd(Vector256<T> a, Vector256<T> b, Vector256<T> c) => typeof(T) == typeof(float)
        ? Vector256.FusedMultiplyAdd(a.AsSingle(), b.AsSingle(), c.AsSingle()).As<float, T>()
        : Vector256.FusedMultiplyAdd(a.AsDouble(), b.AsDouble(), c.AsDouble()).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Add(Vector256<T> a, Vector256<T> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sum(Vector256<T> a) => Vector256.Sum(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Mask(int count) => typeof(T) == typeof(float)
        ? Vector256.LessThan(Vector256<int>.Indices, Vector256.Create(count)).As<int, T>()
        : Vector256.LessThan(Vector256<long>.Indices, Vector256.Create((long)count)).As<long, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<T> value, T* target) => value.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<T> value, T* target, Vector256<T> mask)
    {
        if (!Avx.IsSupported)
            StoreLanes(value, target, mask);
        else if (typeof(T) == typeof(float))
            Avx.MaskStore((float*)target, mask.AsSingle(), value.AsSingle());
        else
            Avx.MaskStore((double*)target, mask.AsDouble(), value.AsDouble());
    }

    private static Vector256<T> LoadLanes(T* source, Vector256<T> mask)
    {
        var lanes = stackalloc T[Vector256<T>.Count];
        var named = Vector256.ExtractMostSignificantBits(mask);
        for (var i = 0; i < Vector256<T>.Count; i++)
            lanes[i] = (named >> i & 1) != 0 ? source[i] : default;
        return Load(lanes);
    }

    private static void StoreLanes(Vector256<T> value, T* target, Vector256<T> mask)
    {
        var named = Vector256.ExtractMostSignificantBits(mask);
        for (var i = 0; i < Vector256<T>.Count; i++)
            if ((named >> i & 1) != 0)
                target[i] = value[i];
    }
}
