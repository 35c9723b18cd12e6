namespace DL.Core;

/// <summary>Which rows of a gradient [V; ..] may be other than zero, so that clearing it and stepping along it cost as much as was touched.</summary>
/// <remarks>The gradient beside it is dense memory all the same: whoever does not ask for its rows reads the right numbers.</remarks>
internal sealed class RowGradient
{
    private int[] _rows = [];
    private int _count;

    /// <summary>Whether every row may be other than zero.</summary>
    public bool Whole { get; private set; }

    /// <summary>The touched rows, distinct and ascending, unless the gradient is <see cref="Whole"/>.</summary>
    public ReadOnlySpan<int> Touched => _rows.AsSpan(0, _count);

    /// <summary>From now on every row may be other than zero.</summary>
    public void Spread()
    {
        Whole = true;
        _count = 0;
    }

    /// <summary>Names the rows about to be touched: the span is to be filled with distinct rows, ascending.</summary>
    public Span<int> Touch(int count)
    {
        if (_rows.Length < count) _rows = new int[Math.Max(count, 2 * _rows.Length)];
        Whole = false;
        _count = count;
        return _rows.AsSpan(0, count);
    }

    /// <summary>Sets to zero what has been touched.</summary>
    public void Clear<T>(Tensor<T> gradient) where T : unmanaged
    {
        var elements = gradient.Write();
        if (Whole) elements.Clear();
        else
        {
            var width = _count == 0 ? 0 : elements.Length / gradient.Shape[0];
            foreach (var row in Touched) elements.Slice(row * width, width).Clear();
        }
    }
}
