namespace DL.Core.Data;

/// <summary>Tokens that stand for no text; those a vocabulary has come first in it, in this order.</summary>
[Flags]
public enum SpecialTokens
{
    /// <summary>No special tokens.</summary>
    None = 0,

    /// <summary><c>&lt;pad&gt;</c>: fills a row up to the common length.</summary>
    Padding = 1,

    /// <summary><c>&lt;bos&gt;</c>: the beginning of a sequence.</summary>
    Begin = 2,

    /// <summary><c>&lt;eos&gt;</c>: the end of a sequence.</summary>
    End = 4,

    /// <summary><c>&lt;unk&gt;</c>: stands for every token that is not in the vocabulary.</summary>
    Unknown = 8,

    /// <summary><c>&lt;mask&gt;</c>: hides a token that is to be guessed.</summary>
    Mask = 16,

    /// <summary>All of them.</summary>
    All = Padding | Begin | End | Unknown | Mask,
}
