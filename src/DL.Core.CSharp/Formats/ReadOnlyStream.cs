namespace DL.Core.Formats;

/// <summary>A forward-only stream: one method to write for each of ours.</summary>
internal abstract class ReadOnlyStream : Stream
{
    public abstract override int Read(Span<byte> buffer);

    public sealed override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public sealed override bool CanRead => true;

    public sealed override bool CanSeek => false;

    public sealed override bool CanWrite => false;

    public sealed override long Length => throw ForwardOnly();

    public sealed override long Position
    {
        get => throw ForwardOnly();
        set => throw ForwardOnly();
    }

    public sealed override void Flush()
    {
    }

    public sealed override long Seek(long offset, SeekOrigin origin) => throw ForwardOnly();

    public sealed override void SetLength(long value) => throw ForwardOnly();

    public sealed override void Write(byte[] buffer, int offset, int count) => throw ForwardOnly();

    // The contract of Stream asks for this exception where CanSeek and CanWrite are false.
    private static NotSupportedException ForwardOnly() => new("The stream is read forward only.");
}
