namespace DL.Core.Ops;

/// <summary>What the recurrent operations ask of their arguments.</summary>
internal static class RecurrentArguments
{
    /// <summary>The extents of a pass, after a look at its matrices.</summary>
    public static RecurrentShape Extents(string name, int gates, Tensor x, Tensor weight, Tensor recurrent, int[]? lengths)
    {
        if (x.Shape.Rank != 3) throw new ShapeException($"{name} x", "shape [batch; time; inputs]", $"{x.Shape}");
        if (recurrent.Shape.Rank != 2 || recurrent.Shape[1] != (long)gates * recurrent.Shape[0])
            throw new ShapeException($"{name} recurrent", gates == 1 ? "shape [hidden; hidden]" : $"shape [hidden; {gates} hidden]", $"{recurrent.Shape}");
        weight.Expect(new Shape(x.Shape[2], recurrent.Shape[1]), $"{name} weight");
        SameType(x, weight, $"{name} weight");
        SameType(x, recurrent, $"{name} recurrent");
        RecurrentShape.CheckLengths(lengths, x.Shape[0], x.Shape[1], $"{name} lengths");
        return new RecurrentShape(x.Shape[0], x.Shape[1], x.Shape[2], recurrent.Shape[0], lengths);
    }

    /// <summary>Fails unless an argument that may be left out is [width] and of x's element type.</summary>
    public static void Bias(string where, Tensor x, Tensor? bias, int width)
    {
        if (bias is null) return;
        bias.Expect(new Shape(width), where);
        SameType(x, bias, where);
    }

    /// <summary>Fails unless a state or its gradient, which may be left out, is [batch; hidden] and of x's element type.</summary>
    public static void State(string where, Tensor x, Tensor? state, RecurrentShape shape)
    {
        if (state is null) return;
        state.Expect(new Shape(shape.Batch, shape.Hidden), where);
        SameType(x, state, where);
    }

    /// <summary>Fails unless the gradient of the output, which may be left out, is [batch; time; hidden] and of x's element type.</summary>
    public static void Output(string where, Tensor x, Tensor? output, RecurrentShape shape)
    {
        if (output is null) return;
        output.Expect(new Shape(shape.Batch, shape.Time, shape.Hidden), where);
        SameType(x, output, where);
    }

    /// <summary>The elements of an argument, none where it was left out.</summary>
    public static ReadOnlySpan<T> Elements<T>(Tensor? tensor) where T : unmanaged => tensor is null ? default : ((Tensor<T>)tensor).Span;

    /// <summary>Fails unless a span has so many elements.</summary>
    public static void Length(long expected, int got, string where)
    {
        if (expected != got) throw new ShapeException(where, $"{expected} elements", $"{got}");
    }

    /// <summary>Fails unless a span that may be empty has so many elements.</summary>
    public static void Optional(long expected, int got, string where)
    {
        if (got != 0) Length(expected, got, where);
    }

    /// <summary>A number of elements that one tensor can hold.</summary>
    public static int Count(long elements) => new Shape((int)Math.Min(int.MaxValue, elements)).Count;

    private static void SameType(Tensor x, Tensor other, string where)
    {
        if (x.IsDouble(where)) other.As<double>(where);
        else other.As<float>(where);
    }
}
