using System.Runtime.CompilerServices;

namespace DL.Core.Kernels;

/// <summary>What the cells of recurrent nets have in common.</summary>
internal static unsafe class RecurrentGates
{
    /// <summary>z = sigmoid(z + bias).</summary>
    public static void Sigmoid<T, S>(T* z, T* bias, long n) where T : unmanaged where S : struct, ISimd<S, T>
    {
        var whole = n - (n % S.Count);
        Sigmoids<T, S, AllLanes>(z, bias, whole);
        if (whole < n) Sigmoids<T, S, FirstLanes>(z + whole, bias + whole, n - whole);
    }

    /// <summary>y = tanh(z + bias); y may be z.</summary>
    public static void Tanh<T, S>(T* z, T* bias, T* y, long n) where T : unmanaged where S : struct, ISimd<S, T>
    {
        var whole = n - (n % S.Count);
        Tanhs<T, S, AllLanes>(z, bias, y, whole);
        if (whole < n) Tanhs<T, S, FirstLanes>(z + whole, bias + whole, y + whole, n - whole);
    }

    /// <summary>y = tanh z; y may be z.</summary>
    public static void Tanh<T, S>(T* z, T* y, long n) where T : unmanaged where S : struct, ISimd<S, T>
    {
        var whole = n - (n % S.Count);
        Tanhs<T, S, AllLanes>(z, y, whole);
        if (whole < n) Tanhs<T, S, FirstLanes>(z + whole, y + whole, n - whole);
    }

    /// <summary>y += x.</summary>
    public static void Add<T, S>(T* x, T* y, long n) where T : unmanaged where S : struct, ISimd<S, T>
    {
        var whole = n - (n % S.Count);
        Sums<T, S, AllLanes>(x, y, whole);
        if (whole < n) Sums<T, S, FirstLanes>(x + whole, y + whole, n - whole);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Sigmoids<T, S, L>(T* z, T* bias, long n) where T : unmanaged where S : struct, ISimd<S, T> where L : struct, ILaneCount
    {
        for (var j = 0L; j < n; j += S.Count)
            Lanes.Store<T, S, L>(MathVector.Sigmoid<T, S>(Lanes.Load<T, S, L>(z + j, n - j) + Lanes.Load<T, S, L>(bias + j, n - j)), z + j, n - j);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tanhs<T, S, L>(T* z, T* bias, T* y, long n) where T : unmanaged where S : struct, ISimd<S, T> where L : struct, ILaneCount
    {
        for (var j = 0L; j < n; j += S.Count)
            Lanes.Store<T, S, L>(MathVector.Tanh<T, S>(Lanes.Load<T, S, L>(z + j, n - j) + Lanes.Load<T, S, L>(bias + j, n - j)), y + j, n - j);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tanhs<T, S, L>(T* z, T* y, long n) where T : unmanaged where S : struct, ISimd<S, T> where L : struct, ILaneCount
    {
        for (var j = 0L; j < n; j += S.Count)
            Lanes.Store<T, S, L>(MathVector.Tanh<T, S>(Lanes.Load<T, S, L>(z + j, n - j)), y + j, n - j);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Sums<T, S, L>(T* x, T* y, long n) where T : unmanaged where S : struct, ISimd<S, T> where L : struct, ILaneCount
    {
        for (var j = 0L; j < n; j += S.Count)
            Lanes.Store<T, S, L>(Lanes.Load<T, S, L>(x + j, n - j) + Lanes.Load<T, S, L>(y + j, n - j), y + j, n - j);
    }
}
