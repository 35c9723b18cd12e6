using System.Globalization;
using System.Numerics;
using DL.Core.Kernels;

namespace DL.Core.Losses;

/// <summary>The checked targets and settings of one cross entropy.</summary>
internal readonly unsafe ref struct CrossEntropyRequest<T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Logits under which a second thread costs more than it saves.</summary>
    private const long Grain = 8 * 1024;

    private readonly int _rows;
    private readonly int _classes;
    private readonly ReadOnlySpan<int> _ids;
    private readonly ReadOnlySpan<T> _distributions;
    private readonly ReadOnlySpan<T> _weights;
    private readonly double _smoothing;
    private readonly int? _ignored;

    /// <summary>A request for class ids.</summary>
    public CrossEntropyRequest(string where, int logits, ReadOnlySpan<int> ids, ReadOnlySpan<T> weights, double smoothing, int? ignored)
    {
        var classes = ids.Length == 0 ? 0 : logits / ids.Length;
        if ((long)classes * ids.Length != logits || (ids.Length > 0 && classes == 0))
            throw new ShapeException(where, $"whole rows of logits for {ids.Length} ids", $"{logits} logits");
        _rows = ids.Length;
        _classes = classes;
        _ids = ids;
        _weights = weights;
        _smoothing = smoothing;
        _ignored = ignored;
        CheckSettings(where);
        ClassTargets.CheckIds(where, ids, classes, ignored);
    }

    /// <summary>A request for distributions.</summary>
    public CrossEntropyRequest(
        string where, int logits, ReadOnlySpan<T> distributions, int classes, ReadOnlySpan<T> weights, double smoothing, int? ignored)
    {
        if (classes < 1 || logits % classes != 0) throw new ShapeException(where, $"whole rows of {classes} logits", $"{logits} logits");
        Apply.SameLength(logits, distributions.Length, where);
        if (ignored is not null) throw new InvalidArgumentException(where, "no ignored id with distributions", $"{ignored}");
        _rows = logits / classes;
        _classes = classes;
        _distributions = distributions;
        _weights = weights;
        _smoothing = smoothing;
        CheckSettings(where);
    }

    /// <summary>The reduced value, and the gradient where slopes are asked for.</summary>
    public double Evaluate(ReadOnlySpan<T> logits, Reduction reduction, Span<T> gradient, bool slopes)
    {
        Reductions.CheckSingle(reduction, "CrossEntropy", "PerExample and Backward");
        var factor = Reductions.Factor(reduction, TotalWeight());
        var values = (double*)Scratch.Left(_rows * (long)sizeof(double));
        fixed (T* g = gradient) Launch(logits, null, factor, values, slopes ? g : null);
        var sum = 0.0;
        for (var row = 0; row < _rows; row++) sum += values[row];
        // Nothing is left to be averaged: not 0 * NaN.
        return factor == 0 ? 0 : sum * factor;
    }

    /// <summary>The value of every row.</summary>
    public void PerExample(ReadOnlySpan<T> logits, Span<T> result)
    {
        var values = (double*)Scratch.Left(_rows * (long)sizeof(double));
        Launch(logits, null, 1, values, null);
        for (var row = 0; row < _rows; row++) result[row] = T.CreateTruncating(values[row]);
    }

    /// <summary>The gradient, with an upstream gradient for every row.</summary>
    public void Backward(ReadOnlySpan<T> dy, ReadOnlySpan<T> logits, Span<T> dx)
    {
        var values = (double*)Scratch.Left(_rows * (long)sizeof(double));
        fixed (T* upstream = dy, g = dx) Launch(logits, upstream, 1, values, g);
    }

    private void Launch(ReadOnlySpan<T> logits, T* upstream, double factor, double* values, T* gradient)
    {
        fixed (T* z = logits, q = _distributions, w = _weights)
        fixed (int* ids = _ids)
        {
            var job = new CrossEntropyJob<T>
            {
                Logits = z,
                Distributions = q,
                Weights = w,
                Ids = ids,
                Upstream = upstream,
                Gradient = gradient,
                Values = values,
                Classes = _classes,
                Smoothing = _smoothing,
                Factor = factor,
                Ignored = _ignored ?? 0,
                Ignores = _ignored.HasValue,
            };
            Workers.For(_rows, Math.Max(1, Grain / Math.Max(1, _classes)), &CrossEntropyJob<T>.Run, &job);
        }
    }

    private double TotalWeight()
    {
        if (_ids.IsEmpty) return _rows;
        var total = 0.0;
        foreach (var id in _ids)
        {
            if (id != _ignored) total += _weights.IsEmpty ? 1 : double.CreateTruncating(_weights[id]);
        }

        return total;
    }

    private void CheckSettings(string where)
    {
        if (!(_smoothing is >= 0 and <= 1))
            throw new InvalidArgumentException(where, "a smoothing from 0 to 1", _smoothing.ToString(CultureInfo.InvariantCulture));
        if (_weights.IsEmpty) return;
        if (_rows > 0) Apply.SameLength(_classes, _weights.Length, where);
        ClassTargets.CheckWeights(where, _weights);
    }
}
