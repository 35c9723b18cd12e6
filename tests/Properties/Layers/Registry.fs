/// Every layer of the language, made concrete: none escapes the laws.
module DL.Properties.Layers.Registry

open DL
open DL.Core
open DL.Laws

/// A public name of the language and the laws it is held to.
[<NoEquality; NoComparison>]
type Specimen = { Name: string; Laws: Law list }

let private apart = Claims.none
let private mixes = { apart with MixesExamples = true }

/// A law tells the public name where the layer's own description does not.
let private specimen name (laws: Law list) =
    let told (law: Law) = if law.Subject.Contains $"{name}" then law else { law with Subject = $"{name}: {law.Subject}" }

    { Name = name; Laws = List.map told laws }

/// A layer over vectors, at every width it takes.
let private vec name claims (layer: Layer<Vec, Vec>) = specimen name (Laws.allOfVectors claims layer)

/// A layer of any kind, at one shape.
let private at name claims (shape: Shape<'x>) (layer: Layer<'x, 'y>) = specimen name (Laws.all claims shape layer)

let private image = Shape.image (2, 3, 4)
let private sequence = Shape.seq (5, 3)
let private two n = Shape.pair (Shape.vec n) (Shape.vec n)

let private activations: Specimen list =
    [ vec "relu" apart relu
      at "relu" apart image relu
      vec "relu6" apart relu6
      vec "sigmoid" apart sigmoid
      vec "tanh" apart tanh
      vec "leakyRelu" apart leakyRelu
      vec "leakyReluWith" apart (leakyReluWith 0.3)
      vec "elu" apart elu
      vec "eluWith" apart (eluWith 0.5)
      vec "gelu" apart gelu
      vec "geluTanh" apart geluTanh
      vec "silu" apart silu
      vec "softplus" apart softplus
      vec "hardSigmoid" apart hardSigmoid
      vec "hardSwish" apart hardSwish
      vec "softmax" apart softmax
      at "softmax" apart sequence softmax
      vec "logSoftmax" apart logSoftmax
      vec "scaleBy" apart (scaleBy -1.5)
      at "swigluGate" apart (two 9) swigluGate
      vec "swiglu" apart (swiglu 5) ]

let private parametric: Specimen list =
    [ vec "dense" apart (dense 7)
      vec "denseWith" apart (denseWith { Dense.defaults with Bias = false } 5)
      vec "layerNorm" apart layerNorm
      at "layerNorm" apart sequence layerNorm
      vec "rmsNorm" apart rmsNorm
      vec "batchNorm" mixes batchNorm
      vec "batchNormWith" mixes (batchNormWith 0.5)
      at "batchNorm" mixes image batchNorm
      vec "batchNorm" mixes (batchNorm --> relu)
      at "batchNorm" mixes image (batchNorm --> relu --> batchNorm)
      at
          "batchNorm"
          mixes
          (Shape.image (3, 5, 4))
          (conv2dWith { Conv.defaults with Bias = false } 4 (kernel 3 |> same)
           --> batchNorm
           --> relu
           --> conv2d 3 (kernel 1)
           --> batchNorm
           --> tanh)
      at "groupNorm" apart (Shape.image (6, 3, 4)) (groupNorm 3)
      at "instanceNorm" apart (Shape.image (3, 4, 3)) instanceNorm
      at "spatialDropout" apart image (spatialDropout 0.4)
      vec "dropout" apart (dropout 0.4) ]

let private stops = { apart with StopsGradient = true }

/// An image with the same boxes for every example: inside, over the border, outside, without extent.
let boxed: Layer<Image, Image * Seq> =
    let boxes = [ 0.3; 0.6; 2.9; 3.2; -1.0; 1.0; 2.0; 7.5; 9.0; 9.0; 12.0; 10.0; 2.0; 1.0; 2.0; 1.0 ]

    Layer.pure' "boxed" (fun image -> Shape.pair image (Shape.seq (4, 4))) (fun x ->
        let image = Batch.held x
        let corners = Tensor.Of<float>(List.replicate image.Shape[0] boxes |> List.concat |> Array.ofList, image.Shape[0], 4, 4)
        struct (Batch.pair x (Batch.seq (corners.To image.ElementType)), fun dy -> let struct (dx, _) = Batch.split dy in dx))

/// Any four numbers as the corners of a box; no gradient goes back.
let private ordered: Layer<Seq, Seq> =
    Layer.pure' "ordered" id (fun x ->
        let corners (box: float[]) = [| min box[0] box[2]; min box[1] box[3]; max box[0] box[2]; max box[1] box[3] |]
        let order (t: Tensor) = Probe.numbers t |> Array.chunkBySize 4 |> Array.collect corners |> Probe.ofNumbers t
        struct (Batch.map order x, Batch.map (fun dy -> dy.ZerosOf dy.Shape)))

let private regions: Specimen list =
    let image = Shape.image (3, 5, 6)

    [ at "roiPool" apart image (boxed --> roiPool 1.0 (2, 3))
      at "roiPool" stops (Shape.pair image (Shape.seq (3, 4))) (both identity ordered --> roiPool 2.0 (2, 2))
      at "roiAlign" apart image (boxed --> roiAlign 0.5 (2, 2))
      at "roiAlign" stops (Shape.pair image (Shape.seq (3, 4))) (both identity ordered --> roiAlign 1.0 (1, 2))
      at "roiAlignWith" apart image (boxed --> roiAlignWith { Samples = 2; Aligned = false } 1.0 (3, 1)) ]

let private convolutions: Specimen list =
    [ at "conv2d" apart (Shape.image (3, 5, 4)) (conv2d 4 (kernel 3 |> same))
      at "conv2d" apart (Shape.image (2, 7, 6)) (conv2d 3 (kernelOf (2, 3) |> strideOf (2, 1) |> paddingOf (1, 0, 2, 1)) --> relu)
      at
          "conv2d"
          apart
          (Shape.image (2, 6, 6))
          (conv2d 3 (kernel 2 |> dilation 2 |> padding 1 |> stride 2) --> tanh --> conv2d 2 (kernel 1))
      at "conv2dWith" apart (Shape.image (4, 4, 5)) (conv2dWith { Conv.defaults with Bias = false; Groups = 2; Exact = true } 6 (kernel 3))
      at "convTranspose2d" apart (Shape.image (3, 4, 3)) (convTranspose2d 4 (kernel 2 |> stride 2))
      at "convTranspose2dWith" apart (Shape.image (2, 3, 4)) (convTranspose2dWith Conv.defaults 1 3 (kernel 3 |> stride 2 |> padding 1))
      at
          "convTranspose2dWith"
          apart
          (Shape.image (4, 3, 2))
          (convTranspose2dWith { Conv.defaults with Groups = 2; Bias = false } 0 6 (kernel 2 |> stride 2))
      at "conv1d" apart (Shape.seq (6, 3)) (conv1d 4 (kernel 3 |> same) --> relu)
      at "conv1dWith" apart (Shape.seq (7, 4)) (conv1dWith { Conv.defaults with Groups = 2; Bias = false } 6 (kernelOf (1, 2) |> stride 2))
      at "scaleChannels" apart (Shape.pair (Shape.image (3, 2, 4)) (Shape.vec 3)) scaleChannels
      at "squeezeExcite" apart (Shape.image (6, 3, 4)) (squeezeExcite 2 6)
      at "maxPool2d" apart (Shape.image (3, 6, 5)) (maxPool2d (kernel 2))
      at
          "maxPool2dWith"
          apart
          (Shape.image (2, 5, 7))
          (maxPool2dWith { Pool.defaults with Ceil = true } (kernel 3 |> stride 2 |> padding 1))
      at "avgPool2d" apart (Shape.image (3, 6, 5)) (avgPool2d (kernel 3 |> stride 1 |> padding 1))
      at "avgPool2dWith" apart (Shape.image (2, 5, 7)) (avgPool2dWith { Ceil = true; CountPadding = false } (kernel 2 |> padding 1))
      at "adaptiveAvgPool2d" apart (Shape.image (3, 5, 7)) (adaptiveAvgPool2d (2, 3))
      at "adaptiveMaxPool2d" apart (Shape.image (3, 5, 7)) (adaptiveMaxPool2d (2, 3))
      at "upsampleNearest" apart (Shape.image (3, 2, 3)) (upsampleNearest 2)
      at "upsampleBilinear" apart (Shape.image (3, 2, 3)) (upsampleBilinear 3)
      at "pixelShuffle" apart (Shape.image (8, 2, 3)) (pixelShuffle 2)
      at "globalAvgPool2d" apart (Shape.image (3, 5, 7)) globalAvgPool2d
      at "globalMaxPool2d" apart (Shape.image (3, 5, 7)) globalMaxPool2d
      at "depthwise" apart (Shape.image (5, 4, 6)) (depthwise 5 (kernel 3 |> same)) ]

let private shapes: Specimen list =
    [ at "flatten" apart image flatten
      at "flattenSeq" apart sequence flattenSeq
      at "pixels" apart (Shape.image (6, 2, 3)) (pixels 3)
      at "catTime" apart (Shape.pair (Shape.seq (2, 3)) (Shape.seq (4, 3))) catTime
      at "toImage" apart (Shape.vec 24) (toImage (2, 3, 4))
      at "toSeq" apart (Shape.vec 15) (toSeq (5, 3))
      at "transpose" apart sequence transpose
      at "splitAt" apart (Shape.vec 9) (splitAt 4)
      vec "pad" apart (pad 1 2)
      vec "sumFeatures" apart sumFeatures
      vec "meanFeatures" apart meanFeatures
      vec "maxFeatures" apart maxFeatures
      vec "logSumExp" apart logSumExp
      at "meanOverTime" apart sequence meanOverTime ]

let private wiring: Specimen list =
    [ vec "identity" apart identity
      vec "-->" apart (dense 6 --> relu --> dense 3)
      vec "fork" apart (fork (dense 3) (dense 3) --> sum)
      at "both" apart (two 5) (both (dense 3) tanh)
      at "sum" apart (two 5) sum
      at "cat" apart (Shape.pair (Shape.vec 5) (Shape.vec 3)) cat
      at "cat" apart (Shape.pair (Shape.image (2, 3, 4)) (Shape.image (1, 3, 4))) cat
      at "product" apart (two 5) product
      vec "dup" apart (dup --> product)
      at "swap" apart (Shape.pair (Shape.vec 2) (Shape.vec 3)) swap
      at "first" apart (two 5) first
      at "second" apart (two 5) second
      vec "stopGradient" stops stopGradient ]

let private combinators: Specimen list =
    [ vec "named" apart (named "part" (dense 4 --> tanh))
      vec "add" apart (add (dense 4) (dense 4 --> tanh))
      vec "residual" apart (dense 6 --> residual (tanh --> dense 6))
      vec "repeat" apart (dense 4 --> repeat 2 (tanh --> dense 4))
      vec "concat" apart (concat [ dense 2; tanh; sigmoid ])
      vec "denseConnection" apart (denseConnection (dense 3 --> tanh))
      vec "highway" apart (dense 4 --> highway (dense 4 --> sigmoid) (dense 4 --> tanh))
      vec
          "reparam"
          apart
          (dense 3
           |> reparam [ "a"; "b" ] id (fun ps ->
               struct (Array.map (fun p -> Ops.Scale.Forward(p, 2.0)) ps, Array.map (fun g -> Ops.Scale.Forward(g, 2.0)))))
      vec "shared" apart (dense 4 --> shared 3 (tanh --> dense 4))
      at "siamese" apart (two 4) (siamese (dense 3 --> tanh))
      at "siameseThree" apart (Shape.pair (Shape.vec 4) (two 4)) (siameseThree (dense 3 --> tanh))
      vec "frozen" apart (frozen (dense 4 --> tanh))
      at "perToken" apart sequence (perToken (dense 4 --> tanh))
      at "scan" apart sequence (scan 4 (cat --> dense 4 --> tanh --> dup))
      at "scanFrom" apart (Shape.pair (Shape.vec 4) sequence) (scanFrom (cat --> dense 4 --> tanh --> dup)) ]

let private tokens = Shape.tokens 5

let private heads = Shape.seq (5, 6)
let private crossed = Shape.pair (Shape.seq (4, 6)) (Shape.seq (3, 6))
let private forms = { Recurrent.torch with ForgetBias = 1.0 }

let private recurrences: Specimen list =
    [ at "rnn" apart sequence (rnn 4)
      at "rnnWith" apart sequence (rnnWith forms 3)
      at "rnnFrom" apart (Shape.pair (Shape.vec 4) sequence) (rnnFrom Recurrent.defaults 4)
      at "lstm" apart sequence (lstm 4)
      at "lstmWith" apart sequence (lstmWith forms 3)
      at "lstmWith" apart sequence (lstmWith { forms with Bias = false } 3)
      at "lstmFrom" apart (Shape.pair (two 4) sequence) (lstmFrom Recurrent.defaults 4)
      at "gru" apart sequence (gru 4)
      at "gruWith" apart sequence (gruWith forms 3)
      at "gruFrom" apart (Shape.pair (Shape.vec 4) sequence) (gruFrom forms 4)
      at "bidirectional" apart sequence (bidirectional (lstm 2) (gru 3))
      at "fromZero" apart sequence (fromZero 4 --> second)
      at "carried" apart sequence (carried 3 (Shape.vec 4) (gruFrom Recurrent.defaults 4))
      at "reverseTime" apart sequence reverseTime ]

let private sequences: Specimen list =
    [ at "embedding" apart tokens (embedding 3 4)
      at "embeddingWith" apart tokens (embeddingWith Initializer.xavierNormal 2 5)
      at "tiedEmbedding" apart tokens (tiedEmbedding (Initializer.gaussian 0.0 1.0) 3 4 (perToken (dense 4 --> tanh)))
      at "tiedScores" apart tokens (tiedScores (embedding 3 4 --> perToken (dense 4 --> tanh)))
      at "tiedScores" apart tokens (tiedScores (embedding 2 3))
      at "tiedScores" apart (Shape.pair tokens tokens) (tiedScores (both (embedding 3 4) (embedding 2 4) --> sum --> gru 4))
      at "learnedPositions" apart sequence (learnedPositions 7)
      at "learnedPositionsWith" apart sequence (learnedPositionsWith 0.5 5)
      at "sinusoidalPositions" apart sequence sinusoidalPositions
      at "learnedSteps" apart sequence (fork (learnedSteps 2) identity --> catTime)
      at "maxOverTime" apart sequence maxOverTime
      at "lastStep" apart sequence lastStep
      at "firstStep" apart sequence firstStep
      at "selfAttention" apart heads (selfAttention 2)
      at "selfAttentionWith" apart heads (selfAttentionWith { Attend.causal with Rotary = true; Bias = false } 3)
      at "selfAttentionWith" apart heads (selfAttentionWith { Attend.defaults with Rotary = true; Dropout = 0.3 } 1)
      at "selfAttentionWith" apart heads (selfAttentionWith { Attend.window 2 with Rotary = true } 3)
      at
          "selfAttentionWith"
          apart
          heads
          (selfAttentionWith
              { Attend.defaults with
                  Visible = Some(fun q k -> q <> 2 && (q + k) % 3 > 0) }
              3)
      at "causalSelfAttention" apart heads (causalSelfAttention 2)
      at "attend" apart (Shape.pair (Shape.seq (4, 6)) (Shape.pair (Shape.seq (3, 6)) (Shape.seq (3, 4)))) (attend 2)
      at "crossAttention" apart crossed (crossAttention 4 2)
      at "additiveAttention" apart crossed (additiveAttention 5) ]

let private own: Specimen list =
    [ vec
          "pure'"
          apart
          (Layer.pure' "double" id (fun x -> let twice = Batch.map (fun t -> Ops.Scale.Forward(t, 2.0)) in struct (twice x, twice)))
      at
          "pointwise"
          apart
          sequence
          (Layer.pure' "double" id (fun x -> let twice = Batch.map (fun t -> Ops.Scale.Forward(t, 2.0)) in struct (twice x, twice))
           |> Layer.pointwise)
      vec
          "create"
          apart
          (Layer.create "keep" [] [] (fun _ shape -> struct (shape, [||], [||])) (fun _ _ state x ->
              { Output = x; State = state; Pullback = fun dy -> struct (dy, [||]) })) ]

/// Every specimen.
let specimens: Specimen list =
    activations
    @ parametric
    @ regions
    @ convolutions
    @ shapes
    @ wiring
    @ combinators
    @ recurrences
    @ sequences
    @ own

/// The laws of all layers.
let laws: Law list = specimens |> List.collect _.Laws
