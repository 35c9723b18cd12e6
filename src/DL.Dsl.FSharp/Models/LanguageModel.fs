namespace DL.Models

open DL

/// <summary>Recurrent language models: vectors of ids, recurrent layers, and the scores of the next id at every step.</summary>
/// <remarks>T. Mikolov et al., Recurrent neural network based language model, 2010; W. Zaremba et al., Recurrent neural network regularization, 2014.</remarks>
[<RequireQualifiedAccess>]
module LanguageModel =
    /// <summary>A language model over recurrent layers of your own.</summary>
    /// <param name="vocabulary">The number of ids.</param>
    /// <param name="features">The numbers of an id's vector.</param>
    /// <param name="body">What runs along the steps, seeing no later one.</param>
    let over (vocabulary: int) (features: int) (body: Layer<Seq, Seq>) : Layer<Tokens, Seq> =
        embedding vocabulary features --> body --> perToken (dense vocabulary)

    /// <summary>Plain recurrent layers: <c>v d + layers of h (d + h + 1) + v (h + 1)</c> parameters.</summary>
    /// <param name="vocabulary">The number of ids, v.</param>
    /// <param name="features">The numbers of an id's vector, d.</param>
    /// <param name="hidden">The size of the state, h.</param>
    /// <param name="layers">The number of layers.</param>
    let rnn (vocabulary: int) (features: int) (hidden: int) (layers: int) : Layer<Tokens, Seq> =
        over vocabulary features (repeat layers (rnn hidden))

    /// <summary>Long short-term memories: each layer has <c>4 h (d + h + 1)</c> parameters.</summary>
    /// <param name="vocabulary">The number of ids, v.</param>
    /// <param name="features">The numbers of an id's vector, d.</param>
    /// <param name="hidden">The size of the state, h.</param>
    /// <param name="layers">The number of layers.</param>
    let lstm (vocabulary: int) (features: int) (hidden: int) (layers: int) : Layer<Tokens, Seq> =
        over vocabulary features (repeat layers (lstm hidden))

    /// <summary>Gated recurrent units: each layer has <c>3 h (d + h + 1)</c> parameters.</summary>
    /// <param name="vocabulary">The number of ids, v.</param>
    /// <param name="features">The numbers of an id's vector, d.</param>
    /// <param name="hidden">The size of the state, h.</param>
    /// <param name="layers">The number of layers.</param>
    let gru (vocabulary: int) (features: int) (hidden: int) (layers: int) : Layer<Tokens, Seq> =
        over vocabulary features (repeat layers (gru hidden))
