using System.Numerics;
using System.Runtime.CompilerServices;
using DL.Core.Kernels;

namespace DL.Core;

/// <summary>Gradients that are read or written as a whole: sums over the parts of a batch, and what a penalty adds to.</summary>
internal sealed partial class ParameterStore
{
    private Tensor? _sum;

    /// <summary>Starts a sum of gradients at zero.</summary>
    public void BeginSum(Arena arena)
    {
        _sum ??= Keep(arena, Weights.ElementType, Weights.Shape);
        if (_sum is Tensor<double> wide) wide.Write().Clear();
        else _sum.As<float>("Gradients").Write().Clear();
    }

    /// <summary>Adds the gradients collected last.</summary>
    public void AddToSum()
    {
        Settle();
        if (_sum is Tensor<double> wide) Add(wide, Gradients.As<double>("Gradients"));
        else Add(_sum!.As<float>("Gradients"), Gradients.As<float>("Gradients"));
    }

    /// <summary>Makes the sum the gradients of the step.</summary>
    public void TakeSum()
    {
        foreach (var gradient in Homes)
        {
            gradient.Forget();
            gradient.Rows!.Spread();
        }

        Copy(_sum!, Gradients);
    }

    /// <summary>The gradient of a parameter, all of which may be changed.</summary>
    public Tensor Whole(int parameter)
    {
        var gradient = Homes[parameter];
        gradient.Settle();
        gradient.Rows!.Spread();
        return gradient;
    }

    private static void Add<T>(Tensor<T> sum, Tensor<T> gradients) where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Elementwise.Map(sum.Span, gradients.Span, sum.Write(), default(Plus<T>));

    private readonly struct Plus<T> : IBinary<T> where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S a, S b) where S : struct, ISimd<S, T> => a + b;
    }
}
