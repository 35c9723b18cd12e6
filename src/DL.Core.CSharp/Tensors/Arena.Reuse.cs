namespace DL.Core;

/// <summary>Blocks that are taken back one by one: a prediction needs no value longer than the layer that reads it, so that all of it stays in the caches.</summary>
internal sealed unsafe partial class Arena
{
    // Smaller blocks are not worth the bookkeeping.
    private const nuint LeastReused = 1 << 12;

    private readonly Dictionary<nint, nuint> _lent = [];
    private readonly List<(nint Start, nuint Length)> _returned = [];

    /// <summary>Whether blocks that are returned are handed out again before the next <see cref="Reset"/>, which ends it.</summary>
    public bool Reusing { get; set; }

    /// <summary>The bytes this arena holds for its steps.</summary>
    public long Held => (long)_total;

    /// <summary>Takes a block back; what is no block in use is left alone.</summary>
    public void Return(void* start)
    {
        if (_lent.Remove((nint)start, out var length)) _returned.Add(((nint)start, length));
    }

    // The block returned last is the likeliest to lie in the caches; one far too large is left for others.
    private byte* Lend(nuint need)
    {
        for (var i = _returned.Count - 1; i >= 0; i--)
        {
            var (start, length) = _returned[i];
            if (length < need || length > 4 * need) continue;
            _returned.RemoveAt(i);
            _lent.Add(start, length);
            return (byte*)start;
        }

        var fresh = Fresh(need);
        _lent.Add((nint)fresh, need);
        return fresh;
    }

    private void ForgetReturned()
    {
        Reusing = false;
        _lent.Clear();
        _returned.Clear();
    }
}
