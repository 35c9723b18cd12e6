using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DL.Core.Kernels;

/// <summary>What the matrix kernels ask of a vector of <typeparamref name="T"/>, so that one source serves every width and precision.</summary>
internal unsafe interface IGemmVector<V, T>
    where V : struct, IGemmVector<V, T>
    where T : unmanaged
{
    static abstract int Count { get; }

    /// <summary>The most rows of a tile two vectors wide whose sums stay in the registers of this width.</summary>
    static abstract int TileRows { get; }

    static abstract V Load(T* source);

    /// <summary>Reads the lanes the mask names and gives zero in the others, whose memory is not touched.</summary>
    static abstract V Load(T* source, V mask);

    static abstract V Broadcast(T* source);

    static abstract V MultiplyAdd(V a, V b, V c);

    static abstract V Add(V a, V b);

    static abstract T Sum(V a);

    /// <summary>All bits set in the first <paramref name="count"/> lanes.</summary>
    static abstract V Mask(int count);

    static abstract void Store(V value, T* target);

    static abstract void Store(V value, T* target, V mask);
}

/// <summary>512 bits: 16 float or 8 double.</summary>
internal readonly unsafe struct Gemm512<T>(Vector512<T> value) : IGemmVector<Gemm512<T>, T>
    where T : unmanaged
{
    private readonly Vector512<T> value = value;

    public static int Count => Vector512<T>.Count;

    public static int TileRows => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Gemm512<T> Load(T* source) => new(Vector512.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Gemm512<T> Load(T* source, Gemm512<T> mask) => typeof(T) == typeof(float)
        ? new(Avx512F.MaskLoad((float*)source, mask.value.AsSingle(), Vector512<float>.Zero).As<float, T>())
        : new(Avx512F.MaskLoad((double*)source, mask.value.AsDouble(), Vector512<double>.Zero).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Gemm512<T> Broadcast(T* source) => new(Vector512.Create(*source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Gemm512<T> MultiplyAdd(Gemm512<T> a, Gemm512<T> b, Gemm512<T> c) => typeof(T) == typeof(float)
        ? new(Vector512.FusedMultiplyAdd(a.value.AsSingle(), b.value.AsSingle(), c.value.AsSingle()).As<float, T>())
        : new(Vector512.FusedMultiplyAdd(a.value.AsDouble(), b.value.AsDouble(), c.value.AsDouble()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Gemm512<T> Add(Gemm512<T> a, Gemm512<T> b) => new(a.value + b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sum(Gemm512<T> a) => Vector512.Sum(a.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Gemm512<T> Mask(int count) => typeof(T) == typeof(float)
        ? new(Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(count)).As<int, T>())
        : new(Vector512.LessThan(Vector512<long>.Indices, Vector512.Create((long)count)).As<long, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Gemm512<T> value, T* target) => value.value.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Gemm512<T> value, T* target, Gemm512<T> mask)
    {
        if (typeof(T) == typeof(float))
            Avx512F.MaskStore((float*)target, mask.value.AsSingle(), value.value.AsSingle());
        else
            Avx512F.MaskStore((double*)target, mask.value.AsDouble(), value.value.AsDouble());
    }
}

/// <summary>256 bits: 8 float or 4 double; where the processor has none, the same lanes in pieces.</summary>
internal readonly unsafe struct Gemm256<T>(Vector256<T> value) : IGemmVector<Gemm256<T>, T>
    where T : unmanaged
{
    private readonly Vector256<T> value = value;

    public static int Count => Vector256<T>.Count;

    public static int TileRows => 6;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Gemm256<T> Load(T* source) => new(Vector256.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Gemm256<T> Load(T* source, Gemm256<T> mask)
    {
        if (!Avx.IsSupported)
            return LoadLanes(source, mask);
        return typeof(T) == typeof(float)
            ? new(Avx.MaskLoad((float*)source, mask.value.AsSingle()).As<float, T>())
            : new(Avx.MaskLoad((double*)source, mask.value.AsDouble()).As<double, T>());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Gemm256<T> Broadcast(T* source) => new(Vector256.Create(*source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Gemm256<T> MultiplyAdd(Gemm256<T> a, Gemm256<T> b, Gemm256<T> c) => typeof(T) == typeof(float)
        ? new(Vector256.FusedMultiplyAdd(a.value.AsSingle(), b.value.AsSingle(), c.value.AsSingle()).As<float, T>())
        : new(Vector256.FusedMultiplyAdd(a.value.AsDouble(), b.value.AsDouble(), c.value.AsDouble()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Gemm256<T> Add(Gemm256<T> a, Gemm256<T> b) => new(a.value + b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sum(Gemm256<T> a) => Vector256.Sum(a.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Gemm256<T> Mask(int count) => typeof(T) == typeof(float)
        ? new(Vector256.LessThan(Vector256<int>.Indices, Vector256.Create(count)).As<int, T>())
        : new(Vector256.LessThan(Vector256<long>.Indices, Vector256.Create((long)count)).As<long, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Gemm256<T> value, T* target) => value.value.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Gemm256<T> value, T* target, Gemm256<T> mask)
    {
        if (!Avx.IsSupported)
            StoreLanes(value, target, mask);
        else if (typeof(T) == typeof(float))
            Avx.MaskStore((float*)target, mask.value.AsSingle(), value.value.AsSingle());
        else
            Avx.MaskStore((double*)target, mask.value.AsDouble(), value.value.AsDouble());
    }

    private static Gemm256<T> LoadLanes(T* source, Gemm256<T> mask)
    {
        var lanes = stackalloc T[Vector256<T>.Count];
        var named = Vector256.ExtractMostSignificantBits(mask.value);
        for (var i = 0; i < Vector256<T>.Count; i++)
            lanes[i] = (named >> i & 1) != 0 ? source[i] : default;
        return Load(lanes);
    }

    private static void StoreLanes(Gemm256<T> value, T* target, Gemm256<T> mask)
    {
        var named = Vector256.ExtractMostSignificantBits(mask.value);
        for (var i = 0; i < Vector256<T>.Count; i++)
            if ((named >> i & 1) != 0)
                target[i] = value.value[i];
    }
}
