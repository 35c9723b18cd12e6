namespace DL.Models

open DL

/// <summary>The sizes of a GPT.</summary>
type GptSettings =
    {
        /// <summary>The number of ids.</summary>
        Vocabulary: int
        /// <summary>The most steps of a sequence.</summary>
        Positions: int
        /// <summary>The numbers of a step.</summary>
        Features: int
        /// <summary>The number of blocks.</summary>
        Blocks: int
        /// <summary>The heads of attention, which divide the features.</summary>
        Heads: int
        /// <summary>The probability to drop a number that a part adds.</summary>
        Dropout: float
        /// <summary>Whether scores come from the embedding's own vectors.</summary>
        Tied: bool
    }

/// <summary>A causal language model: A. Radford et al., Language models are unsupervised multitask learners, 2019.</summary>
[<RequireQualifiedAccess>]
module Gpt =
    /// <summary>The sizes of GPT-2 small: 12 blocks of 768 features and 12 heads over 50257 ids and 1024 positions; 124,439,808 parameters.</summary>
    let gpt2: GptSettings =
        { Vocabulary = 50257
          Positions = 1024
          Features = 768
          Blocks = 12
          Heads = 12
          Dropout = 0.0
          Tied = true }

    // The variance of GPT-2's initial weights.
    let private variance = 0.02 * 0.02

    let private blocks (s: GptSettings) =
        { Transformer.paper with
            Features = s.Features
            Heads = s.Heads
            Inner = 4 * s.Features
            Blocks = s.Blocks
            Dropout = s.Dropout
            Activation = gelu
            PreNorm = true }

    /// <summary>From ids to the scores of the next id at every step: learned positions, blocks normalized before each part, GELU.</summary>
    /// <param name="s">The sizes.</param>
    let network (s: GptSettings) : Layer<Tokens, Seq> =
        let dropped: Layer<Seq, Seq> = if s.Dropout = 0.0 then identity else dropout s.Dropout
        let block = Transformer.causalBlock (blocks s)
        let body = learnedPositionsWith variance s.Positions --> dropped --> repeat s.Blocks block --> layerNorm
        let vectors = Initializer.gaussian 0.0 variance

        if s.Tied then
            tiedEmbedding vectors s.Vocabulary s.Features body
        else
            embeddingWith vectors s.Vocabulary s.Features
            --> body
            --> perToken (denseWith { Bias = false; Weights = vectors } s.Vocabulary)
