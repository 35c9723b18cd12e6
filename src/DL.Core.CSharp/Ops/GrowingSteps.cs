namespace DL.Core.Ops;

/// <summary>Sequences [N, T, D] that grow along T. A value: appending gives a new one and leaves this one as it is.</summary>
/// <remarks>One example's steps lie in a buffer with room to spare, which values share: the one that holds the last step written appends in place, any other one copies.
/// So a token at a time costs the token, not the sequence.</remarks>
internal sealed class GrowingSteps
{
    private readonly Buffer? _buffer;
    private readonly int _room;

    private GrowingSteps(Tensor steps, Buffer? buffer, int room)
    {
        Steps = steps;
        _buffer = buffer;
        _room = room;
    }

    /// <summary>The steps so far.</summary>
    public Tensor Steps { get; }

    /// <summary>A sequence of the given steps, which are copied.</summary>
    /// <param name="steps">[N, T, D].</param>
    /// <param name="room">The fewest steps that there is room for.</param>
    public static GrowingSteps Of(Tensor steps, int room) =>
        steps.Shape[0] == 1 && steps.Shape[1] > 0
            ? InBuffer(steps.ZerosOf(new Shape(1, 0, steps.Shape[2])), steps, Math.Max(room, steps.Shape[1]), room)
            : new(steps.To(steps.ElementType), null, room);

    /// <summary>These steps and then more.</summary>
    public GrowingSteps Append(Tensor more)
    {
        var (n, time, features) = (Steps.Shape[0], Steps.Shape[1], Steps.Shape[2]);
        if (more.Shape.Rank != 3 || more.Shape[0] != n || more.Shape[2] != features)
            throw new ShapeException("KeyValueCache.Append", $"[{n}; time; {features}]", $"{more.Shape}");
        if (n != 1) return new(Concat.Forward(1, [Steps, more.To(more.ElementType)]), null, _room);
        var needed = time + more.Shape[1];
        if (_buffer is null || !_buffer.Claim(time, more.Shape[1]))
            return InBuffer(Steps, more, needed <= _room ? _room : 2 * needed, _room);
        _buffer.Write(time, more);
        return new(_buffer.First(needed, features), _buffer, _room);
    }

    private static GrowingSteps InBuffer(Tensor before, Tensor more, int capacity, int room)
    {
        var (time, features) = (before.Shape[1] + more.Shape[1], more.Shape[2]);
        var buffer = new Buffer(more.ElementType, capacity, features);
        buffer.Claim(0, time);
        buffer.Write(0, before);
        buffer.Write(before.Shape[1], more);
        return new(buffer.First(time, features), buffer, room);
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
