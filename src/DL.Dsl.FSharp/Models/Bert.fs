namespace DL.Models

open DL

/// <summary>The sizes of a BERT.</summary>
type BertSettings =
    {
        /// <summary>The number of ids.</summary>
        Vocabulary: int
        /// <summary>The most steps of a sequence.</summary>
        Positions: int
        /// <summary>The parts a text may have: 2 for pairs of sentences.</summary>
        Segments: int
        /// <summary>The blocks.</summary>
        Blocks: TransformerSettings
    }

/// <summary>A bidirectional encoder: J. Devlin et al., BERT: pre-training of deep bidirectional Transformers, 2018.</summary>
/// <remarks>Input is a pair: the ids, and for each of them the segment it belongs to.</remarks>
[<RequireQualifiedAccess>]
module Bert =
    /// <summary>The sizes of BERT base; with its pooled first step it has 109,482,240 parameters.</summary>
    let basic: BertSettings =
        { Vocabulary = 30522
          Positions = 512
          Segments = 2
          Blocks =
            { Transformer.paper with
                Features = 768
                Heads = 12
                Inner = 3072
                Blocks = 12
                Activation = gelu } }

    /// <summary>From ids and segments to a vector for every step that has seen all steps.</summary>
    let encoder (s: BertSettings) : Layer<Tokens * Tokens, Seq> =
        let features = s.Blocks.Features
        let dropped: Layer<Seq, Seq> = if s.Blocks.Dropout = 0.0 then identity else dropout s.Blocks.Dropout
        let vectors n = embeddingWith (Initializer.gaussian 0.0 (0.02 * 0.02)) n features

        named
            "encoder"
            (both (vectors s.Vocabulary) (vectors s.Segments)
             --> sum
             --> learnedPositionsWith (0.02 * 0.02) s.Positions
             --> layerNorm
             --> dropped
             --> Transformer.encoder s.Blocks)

    /// <summary>The encoder and the first step of it, through a dense layer and tanh: the text as one vector.</summary>
    let pooled (s: BertSettings) : Layer<Tokens * Tokens, Vec> =
        encoder s --> named "pooler" (firstStep --> dense s.Blocks.Features --> tanh)

    /// <summary>The masked language model: the scores of the id at every step, to be trained where ids were masked.</summary>
    /// <remarks>A target of -1 leaves a step out, see <c>Loss.tokenCrossEntropy</c>. The scores come from the ids' own vectors, with a bias for each id;
    /// with the sizes of BERT base there are 109,514,298 parameters.</remarks>
    let masked (s: BertSettings) : Layer<Tokens * Tokens, Seq> =
        tiedScores (encoder s --> named "head" (perToken (dense s.Blocks.Features --> gelu --> layerNorm)))

    /// <summary>A classifier of texts or of pairs of texts, from the pooled first step.</summary>
    let classifier (s: BertSettings) (classes: int) : Layer<Tokens * Tokens, Vec> = pooled s --> named "classes" (dense classes)
