namespace DL.Core.Ops;

/// <summary>Sequences [N, T, D] that grow along T. A value: appending gives a new one and leaves this one as it is.</summary>
/// <remarks>One example's steps lie in a buffer with room to spare, which values share: the one that holds the last step written appends in place, any other one copies.
/// So a token at a time costs the token, not the sequence.</remarks>
internal sealed class GrowingSteps
{
    private const int FirstCapacity = 64;

    private readonly Buffer? _buffer;

    private GrowingSteps(Tensor steps, Buffer? buffer)
    {
        Steps = steps;
        _buffer = buffer;
    }

    /// <summary>The steps so far.</summary>
    public Tensor Steps { get; }

    /// <summary>A sequence of the given steps.</summary>
    public static GrowingSteps Of(Tensor steps) =>
        steps.Shape[0] == 1 ? InBuffer(steps.ZerosOf(new Shape(1, 0, steps.Shape[2])), steps) : new(steps.To(steps.ElementType), null);

    /// <summary>These steps and then more.</summary>
    public GrowingSteps Append(Tensor more)
    {
        var (n, time, features) = (Steps.Shape[0], Steps.Shape[1], Steps.Shape[2]);
        if (more.Shape.Rank != 3 || more.Shape[0] != n || more.Shape[2] != features)
            throw new ShapeException("KeyValueCache.Append", $"[{n}; time; {features}]", $"{more.Shape}");
        if (n != 1) return new(Concat.Forward(1, [Steps, more.To(more.ElementType)]), null);
        if (_buffer is null || !_buffer.Claim(time, more.Shape[1])) return InBuffer(Steps, more);
        _buffer.Write(time, more);
        return new(_buffer.First(time + more.Shape[1], features), _buffer);
    }

    private static GrowingSteps InBuffer(Tensor before, Tensor more)
    {
        var (time, features) = (before.Shape[1] + more.Shape[1], more.Shape[2]);
        var buffer = new Buffer(more.ElementType, Math.Max(FirstCapacity, 2 * time), features);
        buffer.Claim(0, time);
        buffer.Write(0, before);
        buffer.Write(before.Shape[1], more);
        return new(buffer.First(time, features), buffer);
    }

    /// <summary>Room for steps, of which the first ones are written.</summary>
    private sealed class Buffer(ElementType type, int capacity, int features)
    {
        // What is not written is never read.
        private readonly Tensor _rows =
            type == ElementType.Float32 ? Tensor<float>.OnHeap(new Shape(capacity, features)) : Tensor<double>.OnHeap(new Shape(capacity, features));
        private readonly Lock _lock = new();
        private int _written;

        /// <summary>Takes the places after the given number of steps, if these are all that is written and there is room.</summary>
        public bool Claim(int after, int count)
        {
            lock (_lock)
            {
                if (_written != after || count > capacity - after) return false;
                _written += count;
                return true;
            }
        }

        public void Write(int after, Tensor steps)
        {
            if (_rows is Tensor<float> single) Write(single, after, steps);
            else Write(_rows.As<double>("KeyValueCache.Append"), after, steps);
        }

        public Tensor First(int count, int width)
        {
            var shape = new Shape(1, count, width);
            return _rows is Tensor<float> single ? single.First(shape) : _rows.As<double>("KeyValueCache").First(shape);
        }

        private void Write<T>(Tensor<T> rows, int after, Tensor steps) where T : unmanaged =>
            steps.As<T>("KeyValueCache.Append").Span.CopyTo(rows.Write()[(after * features)..]);
    }
}
