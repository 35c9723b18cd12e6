namespace DL.Models

open DL

/// <summary>A Transformer over the patches of an image: A. Dosovitskiy et al., An image is worth 16x16 words, 2020.</summary>
[<RequireQualifiedAccess>]
module Vit =
    /// <summary>The blocks of ViT-B: 12 of 768 features and 12 heads, normalized before each part, GELU. With patches of 16 on images of
    /// 3 x 224 x 224 and 1000 classes the network has 86,567,656 parameters.</summary>
    let basic: TransformerSettings =
        { Transformer.paper with
            Features = 768
            Heads = 12
            Inner = 3072
            Blocks = 12
            Dropout = 0.0
            Activation = gelu
            PreNorm = true }

    /// <summary>Patches, a class token before them, learned positions, blocks, and the scores of the classes from the class token.</summary>
    /// <param name="s">The blocks.</param>
    /// <param name="patch">The side of a patch, which divides the image's.</param>
    /// <param name="positions">The patches of an image and one more.</param>
    /// <param name="classes">The number of classes.</param>
    let network (s: TransformerSettings) (patch: int) (positions: int) (classes: int) : Layer<Image, Vec> =
        conv2d s.Features (kernel patch |> stride patch)
        --> pixels 1
        --> fork (learnedSteps 1) identity
        --> catTime
        --> learnedPositionsWith (0.02 * 0.02) positions
        --> Transformer.encoder s
        --> firstStep
        --> dense classes
