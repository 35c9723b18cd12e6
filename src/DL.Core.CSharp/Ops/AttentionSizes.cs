using DL.Core.Kernels;
using static System.FormattableString;

namespace DL.Core.Ops;

/// <summary>The sizes of one attention, checked against its settings.</summary>
/// <param name="Batch">Examples.</param>
/// <param name="Queries">Queries of an example.</param>
/// <param name="Keys">Keys, and values, of an example.</param>
/// <param name="KeyWidth">The width of queries and keys, all heads together.</param>
/// <param name="ValueWidth">The width of values and outputs, all heads together.</param>
internal readonly record struct AttentionSizes(int Batch, int Queries, int Keys, int KeyWidth, int ValueWidth)
{
    /// <summary>The sizes of three tensors.</summary>
    public static AttentionSizes Of(Tensor q, Tensor k, Tensor v, AttentionSettings settings, string where)
    {
        Rank(q, "queries", where + " q");
        Rank(k, "keys", where + " k");
        Rank(v, "keys", where + " v");
        k.Expect(new Shape(q.Shape[0], k.Shape[1], q.Shape[2]), where + " k");
        v.Expect(new Shape(q.Shape[0], k.Shape[1], v.Shape[2]), where + " v");
        return new AttentionSizes(q.Shape[0], q.Shape[1], k.Shape[1], q.Shape[2], v.Shape[2]).Checked(settings, where);
    }

    /// <summary>The sizes of queries, keys and values side by side.</summary>
    public static AttentionSizes OfFused(Tensor qkv, AttentionSettings settings, string where)
    {
        if (qkv.Shape.Rank != 3 || qkv.Shape[2] % 3 != 0)
            throw new ShapeException(where + " qkv", "[N; positions; 3 width]: queries, keys and values side by side", $"{qkv.Shape}");
        var width = qkv.Shape[2] / 3;
        return new AttentionSizes(qkv.Shape[0], qkv.Shape[1], qkv.Shape[1], width, width).Checked(settings, where);
    }

    /// <summary>These sizes, after every check that needs no numbers.</summary>
    public AttentionSizes Checked(AttentionSettings settings, string where)
    {
        var heads = settings.Heads;
        if (heads < 1) throw new InvalidArgumentException(where + " Heads", "at least 1", Invariant($"{heads}"));
        Divides(heads, KeyWidth, where + " q");
        Divides(heads, ValueWidth, where + " v");
        if (settings.KeyLengths is { } there) StepLengths.Check(there, Batch, Keys, where + " KeyLengths");
        if (settings.QueryLengths is { } asking) StepLengths.Check(asking, Batch, Queries, where + " QueryLengths");
        if (settings.Scale is { } scale && !(double.IsFinite(scale) && scale > 0))
            throw new InvalidArgumentException(where + " Scale", "a finite number above 0", Invariant($"{scale}"));
        if (!(settings.Dropout >= 0 && settings.Dropout < 1))
            throw new InvalidArgumentException(where + " Dropout", "a probability from 0 to below 1", Invariant($"{settings.Dropout}"));
        if (settings.Visible is { } visible && visible.Shape != new Shape(Queries, Keys)) visible.Expect(new Shape(Batch, Queries, Keys), where + " Visible");
        return this;
    }

    /// <summary>The shape of what the way back needs.</summary>
    public Shape Statistics(AttentionSettings settings) => new(2, Batch, settings.Heads, Queries);

    /// <summary>A job of these sizes, without any numbers.</summary>
    public AttentionJob<T> Job<T>(AttentionSettings settings) where T : unmanaged
    {
        var (keyWidth, valueWidth) = (KeyWidth / settings.Heads, ValueWidth / settings.Heads);
        return new()
        {
            Batch = Batch,
            Heads = settings.Heads,
            Queries = Queries,
            Keys = Keys,
            KeyWidth = keyWidth,
            ValueWidth = valueWidth,
            QRow = KeyWidth,
            KRow = KeyWidth,
            VRow = ValueWidth,
            YRow = ValueWidth,
            Causal = settings.Causal,
            Offset = settings.Offset ?? Keys - Queries,
            Scale = settings.Scale ?? 1 / Math.Sqrt(keyWidth),
            Dropout = new()
            {
                Threshold = (uint)Math.Min(Math.Round(settings.Dropout * (1L << 32)), uint.MaxValue),
                Factor = 1 / (1 - settings.Dropout),
                Key = settings.Key,
            },
        };
    }

    /// <summary>Fails unless a tensor is a batch of rows.</summary>
    public static void Rank(Tensor x, string rows, string where)
    {
        if (x.Shape.Rank != 3) throw new ShapeException(where, $"[N; {rows}; width]", $"{x.Shape}");
    }

    private static void Divides(int heads, int width, string where)
    {
        if (width < 1 || width % heads != 0)
            throw new ShapeException(where, Invariant($"a width that {heads} heads divide"), Invariant($"{width}"), "Choose heads that divide the width.");
    }
}
