namespace DL.Core.Data;

/// <summary>Text as ids of tokens, and back.</summary>
/// <remarks>A tokenizer does not change once made, so that any number of threads may use it.</remarks>
public interface ITokenizer
{
    /// <summary>The number of tokens; ids go from 0 to one below it.</summary>
    int Count { get; }

    /// <summary>Which special tokens there are: they have the first ids, and no text gives them but what the tokenizer does not know.</summary>
    SpecialTokens Special { get; }

    /// <summary>The id of a special token.</summary>
    /// <param name="special">One special token.</param>
    /// <exception cref="InvalidArgumentException">The tokenizer does not have it.</exception>
    int IdOf(SpecialTokens special);

    /// <summary>The ids of a text.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="InvalidArgumentException">Half a surrogate pair is in the text, or something that the tokenizer does not know.</exception>
    int[] Encode(string text);

    /// <summary>The text of ids; special ones leave nothing.</summary>
    /// <param name="ids">The ids.</param>
    /// <exception cref="InvalidArgumentException">There is no such id; the message names its position.</exception>
    string Decode(ReadOnlySpan<int> ids);
}
