using System.Numerics;

namespace DL.Core.Losses;

/// <summary>Lifts an elementwise loss, whose term is a struct per element type, to tensors.</summary>
internal static class PairLossTensors
{
    public static (double Value, Tensor Gradient) Evaluate<TSingle, TDouble>(
        string where, TSingle single, TDouble wide, Tensor prediction, Tensor target, Reduction reduction)
        where TSingle : unmanaged, IPairTerm<float>
        where TDouble : unmanaged, IPairTerm<double>
    {
        target.Expect(prediction.Shape, where);
        Reductions.CheckSingle(reduction, where, "PerElement and Backward");
        return prediction.IsDouble(where)
            ? Evaluate<double, TDouble>(where, wide, prediction, target, reduction)
            : Evaluate<float, TSingle>(where, single, prediction, target, reduction);
    }

    public static double Forward<TSingle, TDouble>(string where, TSingle single, TDouble wide, Tensor prediction, Tensor target, Reduction reduction)
        where TSingle : unmanaged, IPairTerm<float>
        where TDouble : unmanaged, IPairTerm<double>
    {
        target.Expect(prediction.Shape, where);
        return prediction.IsDouble(where)
            ? PairLoss.Evaluate(where, wide, prediction.As<double>(where).Span, target.As<double>(where).Span, reduction, [], false)
            : PairLoss.Evaluate(where, single, prediction.As<float>(where).Span, target.As<float>(where).Span, reduction, [], false);
    }

    public static Tensor PerElement<TSingle, TDouble>(string where, TSingle single, TDouble wide, Tensor prediction, Tensor target)
        where TSingle : unmanaged, IPairTerm<float>
        where TDouble : unmanaged, IPairTerm<double> =>
        Apply.Binary(
            where, prediction, target,
            (p, t, y) => PairLoss.PerElement(where, single, p, t, y),
            (p, t, y) => PairLoss.PerElement(where, wide, p, t, y));

    public static Tensor Backward<TSingle, TDouble>(string where, TSingle single, TDouble wide, Tensor dy, Tensor prediction, Tensor target)
        where TSingle : unmanaged, IPairTerm<float>
        where TDouble : unmanaged, IPairTerm<double>
    {
        target.Expect(prediction.Shape, where);
        dy.Expect(prediction.Shape, where);
        return prediction.IsDouble(where)
            ? Backward<double, TDouble>(where, wide, dy, prediction, target)
            : Backward<float, TSingle>(where, single, dy, prediction, target);
    }

    private static (double, Tensor) Evaluate<T, TTerm>(string where, TTerm term, Tensor prediction, Tensor target, Reduction reduction)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TTerm : unmanaged, IPairTerm<T>
    {
        var p = prediction.As<T>(where);
        var t = target.As<T>(where);
        var gradient = p.Like();
        return (PairLoss.Evaluate(where, term, p.Span, t.Span, reduction, gradient.Write(), true), gradient);
    }

    private static Tensor<T> Backward<T, TTerm>(string where, TTerm term, Tensor dy, Tensor prediction, Tensor target)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TTerm : unmanaged, IPairTerm<T>
    {
        var p = prediction.As<T>(where);
        var (t, upstream) = (target.As<T>(where), dy.As<T>(where));
        var dx = p.Like();
        PairLoss.Backward(where, term, upstream.Span, p.Span, t.Span, dx.Write());
        return dx;
    }
}
