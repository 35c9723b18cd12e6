namespace DL.Core;

/// <summary>The flat buffers cut into what an optimizer takes in one pass.</summary>
internal sealed partial class ParameterStore
{
    private ParameterPart[]? _byRows;
    private bool[] _touched = [];

    /// <summary>The flat buffers cut where the factor of the learning rate changes; parameters of factor 0 are in no part.</summary>
    public ParameterPart[] Parts(Arena arena, double[] factors) => Cut(arena, factors, new bool[Homes.Length]);

    /// <summary>The parts for the gradients collected last: a parameter of which only some rows have a gradient is a part of its own, in its own shape.</summary>
    /// <remarks>An optimizer moves every element by itself, so that a cut changes no bit. The parts are made anew only when other parameters are touched by rows.</remarks>
    public ParameterPart[] PartsByRows(Arena arena, double[] factors)
    {
        if (_byRows is not null && !HaveChanged()) return _byRows;
        _touched = Array.ConvertAll(Homes, IsTouchedByRows);
        return _byRows = Cut(arena, factors, _touched);
    }

    private static bool IsTouchedByRows(Tensor gradient) => gradient.Rows is { Whole: false };

    private bool HaveChanged()
    {
        for (var i = 0; i < Homes.Length; i++)
            if (IsTouchedByRows(Homes[i]) != _touched[i]) return true;
        return false;
    }

    private ParameterPart[] Cut(Arena arena, double[] factors, bool[] alone)
    {
        var parts = new List<ParameterPart>();
        for (var from = 0; from < factors.Length;)
        {
            var to = from + 1;
            while (!alone[from] && to < factors.Length && !alone[to] && factors[to] == factors[from]) to++;
            if (factors[from] != 0) parts.Add(alone[from] ? Alone(arena, from, factors[from]) : Part(arena, from, to, factors[from]));
            from = to;
        }

        return [.. parts];
    }

    private ParameterPart Alone(Arena arena, int parameter, double factor)
    {
        Tensor Own(Tensor flat) => View(arena, flat, _offsets[parameter], Views[parameter].Shape, -1);
        return new ParameterPart(Views[parameter], Homes[parameter], Array.ConvertAll(Moments, Own), factor);
    }

    private ParameterPart Part(Arena arena, int from, int to, double factor)
    {
        var start = _offsets[from];
        var end = to < _offsets.Length ? _offsets[to] : Weights.Count;
        Tensor Run(Tensor flat) => View(arena, flat, start, new Shape(end - start), -1);
        return new ParameterPart(Run(Weights), Run(Gradients), Array.ConvertAll(Moments, Run), factor);
    }
}
