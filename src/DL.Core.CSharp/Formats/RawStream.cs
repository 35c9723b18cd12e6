using static System.FormattableString;

namespace DL.Core.Formats;

/// <summary>The caller's stream behind one buffer that can be looked into and stepped back in; its own failures become format errors.</summary>
internal sealed class RawStream(Stream inner, string source) : ReadOnlyStream
{
    private byte[] _buffer = new byte[1 << 16];
    private int _position, _end;

    /// <summary>The bytes taken out so far.</summary>
    public long Consumed { get; private set; }

    public string Where => Invariant($"{source}, byte {Consumed}");

    /// <summary>The next bytes, at least <paramref name="count"/> of them unless the stream ends before.</summary>
    public ReadOnlySpan<byte> Peek(int count)
    {
        if (_end - _position < count)
        {
            MakeRoom(count);
            while (_end - _position < count && Fill() > 0)
            {
            }
        }
        return _buffer.AsSpan(_position, _end - _position);
    }

    public void Skip(int count) => Move(count);

    /// <summary>Gives back the last bytes of the latest <see cref="Read(Span{byte})"/>; they still lie before the position, since a read
    /// refills an empty buffer only before it copies.</summary>
    public void StepBack(int count) => Move(-count);

    public override int Read(Span<byte> buffer)
    {
        if (_position == _end && !buffer.IsEmpty)
        {
            var kept = (_position, _end);
            (_position, _end) = (0, 0);
            if (Fill() == 0)
                (_position, _end) = kept;
        }
        var count = Math.Min(buffer.Length, _end - _position);
        _buffer.AsSpan(_position, count).CopyTo(buffer);
        Move(count);
        return count;
    }

    /// <summary>As <see cref="Read(Span{byte})"/>, but what is larger than the buffer is read past it; there is no stepping back then.</summary>
    public int ReadThrough(Span<byte> buffer)
    {
        if (_position != _end || buffer.Length < _buffer.Length) return Read(buffer);
        var count = Fill(buffer);
        Consumed += count;
        return count;
    }

    private void Move(int count)
    {
        _position += count;
        Consumed += count;
    }

    private void MakeRoom(int count)
    {
        var target = count > _buffer.Length ? new byte[count] : _buffer;
        _buffer.AsSpan(_position, _end - _position).CopyTo(target);
        (_buffer, _position, _end) = (target, 0, _end - _position);
    }

    private int Fill()
    {
        var count = Fill(_buffer.AsSpan(_end));
        _end += count;
        return count;
    }

    private int Fill(Span<byte> target)
    {
        try
        {
            return inner.Read(target);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ObjectDisposedException)
        {
            throw new DataFormatException(Where, "a stream that can be read to its end", e.Message.TrimEnd('.'), inner: e);
        }
    }
}
