using DL.Core.Kernels;

namespace DL.Core;

/// <summary>Which rows of a gradient [V; ..] may be other than zero, so that clearing it and stepping along it cost as much as was touched.</summary>
/// <remarks><para>The rows are sums over rows of an upstream gradient, which are pending at first: an optimizer that moves by rows adds them up as it goes, and they are
/// written only for whoever else reads the gradient, by <see cref="Tensor.Settle"/>.</para>
/// <para>All memory outside the touched rows is zero, and all of it while they are pending.</para></remarks>
internal sealed class RowGradient
{
    private ulong[] _entries = [];
    private int[] _rows = [];
    private int _places;
    private int _count;

    /// <summary>Whether every row may be other than zero.</summary>
    public bool Whole { get; private set; }

    /// <summary>The upstream gradient that the rows are still to be summed from, or null.</summary>
    public Tensor? Upstream { get; private set; }

    /// <summary>From which rows of <see cref="Upstream"/> to which rows of the gradient, as <see cref="RowSums"/> reads it.</summary>
    public ReadOnlySpan<ulong> Entries => _entries.AsSpan(0, _places);

    /// <summary>The rows that have been written, distinct and ascending, unless the gradient is <see cref="Whole"/> or pending.</summary>
    public ReadOnlySpan<int> Touched => _rows.AsSpan(0, _count);

    /// <summary>From now on every row may be other than zero.</summary>
    public void Spread()
    {
        Whole = true;
        Upstream = null;
        _count = 0;
    }

    /// <summary>Sets to zero what has been written.</summary>
    public void Clear<T>(Tensor<T> gradient) where T : unmanaged
    {
        var elements = gradient.Write();
        if (Whole) elements.Clear();
        var width = _count == 0 ? 0 : elements.Length / gradient.Shape[0];
        foreach (var row in Touched) elements.Slice(row * width, width).Clear();
        Whole = false;
        _count = 0;
    }

    /// <summary>Names the sums that a cleared gradient is made of.</summary>
    public void Defer(ReadOnlySpan<ulong> entries, Tensor upstream)
    {
        if (_entries.Length < entries.Length) _entries = new ulong[Math.Max(entries.Length, 2 * _entries.Length)];
        entries.CopyTo(_entries);
        _places = entries.Length;
        Upstream = upstream;
    }

    /// <summary>Writes the sums.</summary>
    public void Write<T>(Tensor<T> gradient) where T : unmanaged
    {
        var width = gradient.Count == 0 ? 0 : gradient.Count / gradient.Shape[0];
        var upstream = Upstream!.As<T>("Gradients").Span;
        NameRows();
        Upstream = null;
        RowSums.Run(Entries, upstream, width, gradient.Write(), false);
    }

    private void NameRows()
    {
        if (_rows.Length < _places) _rows = new int[_entries.Length];
        _count = 0;
        foreach (var entry in Entries)
        {
            var row = RowSums.Target(entry);
            if (_count == 0 || _rows[_count - 1] != row) _rows[_count++] = row;
        }
    }
}
