namespace DL.Models

open DL

/// <summary>The settings of a stack of Transformer blocks.</summary>
type TransformerSettings =
    {
        /// <summary>The numbers of a step.</summary>
        Features: int
        /// <summary>The heads of attention, which divide the features.</summary>
        Heads: int
        /// <summary>The numbers of a step inside the feed-forward part.</summary>
        Inner: int
        /// <summary>The number of blocks.</summary>
        Blocks: int
        /// <summary>The probability to drop a weight of attention, a number inside the feed-forward part, and a number that a part adds.</summary>
        Dropout: float
        /// <summary>The activation of the feed-forward part.</summary>
        Activation: Layer<Vec, Vec>
        /// <summary>Whether each part normalizes what it takes; if not, what it has added to.</summary>
        PreNorm: bool
    }

/// <summary>Blocks of Transformers, and the Transformer: A. Vaswani et al., Attention is all you need, 2017.</summary>
[<RequireQualifiedAccess>]
module Transformer =
    /// <summary>The sizes of the paper's base model: 6 blocks of 512 features and 8 heads, 2048 inner ones, ReLU, normalized after each part, dropout 0.1.</summary>
    let paper: TransformerSettings =
        { Features = 512
          Heads = 8
          Inner = 2048
          Blocks = 6
          Dropout = 0.1
          Activation = relu
          PreNorm = false }

    let private dropped (s: TransformerSettings) : Layer<Seq, Seq> = if s.Dropout = 0.0 then identity else dropout s.Dropout

    let private sublayer (s: TransformerSettings) (f: Layer<Seq, Seq>) : Layer<Seq, Seq> =
        if s.PreNorm then
            residual (layerNorm --> f --> dropped s)
        else
            residual (f --> dropped s) --> layerNorm

    /// <summary>Two dense layers at every step, an activation between them.</summary>
    let feedForward (s: TransformerSettings) : Layer<Seq, Seq> =
        let between: Layer<Vec, Vec> = if s.Dropout = 0.0 then identity else dropout s.Dropout
        perToken (dense s.Inner --> s.Activation --> between --> dense s.Features)

    let private attention (s: TransformerSettings) causal : Layer<Seq, Seq> =
        selfAttentionWith { Attend.defaults with Causal = causal; Dropout = s.Dropout } s.Heads

    /// <summary>Self attention over all steps, then the feed-forward part; each is added to what it took.</summary>
    let encoderBlock (s: TransformerSettings) : Layer<Seq, Seq> = sublayer s (attention s false) --> sublayer s (feedForward s)

    /// <summary>As <c>encoderBlock</c>, where no step sees a later one.</summary>
    let causalBlock (s: TransformerSettings) : Layer<Seq, Seq> = sublayer s (attention s true) --> sublayer s (feedForward s)

    /// Attention from the first sequence of a pair to the second, added to the first.
    let private attending (s: TransformerSettings) : Layer<Seq * Seq, Seq> =
        let norm: Layer<Seq, Seq> = if s.PreNorm then layerNorm else identity
        let attended = both norm identity --> crossAttention s.Features s.Heads --> dropped s
        let added = fork first attended --> sum
        if s.PreNorm then added else added --> layerNorm

    /// <summary>Causal self attention, attention to the encoder's output, and the feed-forward part, from a pair of sequences to a pair.</summary>
    /// <remarks>The first sequence is the decoder's, the second the encoder's, which stays as it is for the next block.</remarks>
    let decoderBlock (s: TransformerSettings) : Layer<Seq * Seq, Seq * Seq> =
        both (sublayer s (attention s true)) identity --> fork (attending s --> sublayer s (feedForward s)) second

    let private closing (s: TransformerSettings) : Layer<Seq, Seq> = if s.PreNorm then layerNorm else identity

    /// <summary>The encoder: blocks over the steps of a sequence.</summary>
    let encoder (s: TransformerSettings) : Layer<Seq, Seq> = repeat s.Blocks (encoderBlock s) --> closing s

    /// <summary>The decoder: from (decoder's steps, encoder's output) to the decoder's steps.</summary>
    let decoder (s: TransformerSettings) : Layer<Seq * Seq, Seq> = repeat s.Blocks (decoderBlock s) --> first --> closing s

    /// <summary>Vectors of ids, times the root of their size as in the paper, with sinusoidal positions.</summary>
    let embed (s: TransformerSettings) (vocabulary: int) : Layer<Tokens, Seq> =
        embedding vocabulary s.Features --> scaleBy (sqrt (float s.Features)) --> sinusoidalPositions --> dropped s

    /// <summary>The Transformer: from (source, target so far) to the scores of the next id at every step of the target.</summary>
    /// <param name="s">Sizes.</param>
    /// <param name="source">The number of ids of the source.</param>
    /// <param name="target">The number of ids of the target.</param>
    let network (s: TransformerSettings) (source: int) (target: int) : Layer<Tokens * Tokens, Seq> =
        both (embed s source --> encoder s) (embed s target) --> swap --> decoder s --> perToken (dense target)
