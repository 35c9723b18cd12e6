namespace DL.Core;

/// <summary>Lifts span kernels that take a setting, such as a slope, to tensors without a closure.</summary>
internal static class ApplyWith
{
    public delegate void Kernel1<T, TSetting>(ReadOnlySpan<T> x, TSetting setting, Span<T> y) where T : unmanaged;

    public delegate void Kernel2<T, TSetting>(ReadOnlySpan<T> a, ReadOnlySpan<T> b, TSetting setting, Span<T> y) where T : unmanaged;

    /// <summary>y of x's shape from x.</summary>
    public static Tensor Unary<TSetting>(string where, Tensor x, TSetting setting, Kernel1<float, TSetting> single, Kernel1<double, TSetting> wide) =>
        x.IsDouble(where) ? Run(x.As<double>(where), setting, wide) : Run(x.As<float>(where), setting, single);

    /// <summary>y of a's shape from a and b, which must agree in shape and element type.</summary>
    public static Tensor Binary<TSetting>(
        string where, Tensor a, Tensor b, TSetting setting, Kernel2<float, TSetting> single, Kernel2<double, TSetting> wide)
    {
        b.Expect(a.Shape, where);
        return a.IsDouble(where)
            ? Run(a.As<double>(where), b.As<double>(where), setting, wide)
            : Run(a.As<float>(where), b.As<float>(where), setting, single);
    }

    /// <summary>Fails unless a setting is a finite number.</summary>
    public static void Finite(double setting, string where)
    {
        if (!double.IsFinite(setting))
            throw new InvalidArgumentException(where, "a finite number", setting.ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    private static Tensor<T> Run<T, TSetting>(Tensor<T> x, TSetting setting, Kernel1<T, TSetting> kernel) where T : unmanaged
    {
        var y = x.Like();
        kernel(x.Span, setting, y.Write());
        return y;
    }

    private static Tensor<T> Run<T, TSetting>(Tensor<T> a, Tensor<T> b, TSetting setting, Kernel2<T, TSetting> kernel) where T : unmanaged
    {
        var y = a.Like();
        kernel(a.Span, b.Span, setting, y.Write());
        return y;
    }
}
