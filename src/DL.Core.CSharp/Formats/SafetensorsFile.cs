using static System.FormattableString;

namespace DL.Core.Formats;

/// <summary>What a safetensors file holds: named tensors and named texts.</summary>
public sealed class SafetensorsFile
{
    internal SafetensorsFile(OrderedDictionary<string, Tensor> tensors, OrderedDictionary<string, string> metadata, bool isChecked)
    {
        (Tensors, Metadata, IsChecked) = (tensors, metadata, isChecked);
    }

    /// <summary>The tensors by name, in the order of their data.</summary>
    public IReadOnlyDictionary<string, Tensor> Tensors { get; }

    /// <summary>The texts by name, without those of the checksum.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>True if the file held a checksum, which has been verified then; files of other writers hold none.</summary>
    public bool IsChecked { get; }

    /// <summary>One tensor.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="InvalidArgumentException">There is none of that name.</exception>
    public Tensor this[string name] => Tensors.TryGetValue(name, out var tensor)
        ? tensor
        : throw new InvalidArgumentException("SafetensorsFile", Invariant($"one of {Tensors.Count} names: {string.Join(", ", Tensors.Keys.Take(20))}"), $"'{name}'");
}
