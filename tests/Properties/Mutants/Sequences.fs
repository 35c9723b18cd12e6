/// Layers over sequences that are wrong in how they go on, or in what they make of padding.
module DL.Properties.Mutants.Sequences

open DL
open DL.Core
open DL.Core.Ops
open DL.Laws

/// The same layer, blind to lengths.
let private blind (f: Layer<Seq, 'y>) : Layer<Seq, 'y> =
    { f with
        Apply = fun mode ps state x -> f.Apply mode ps state (Batch.ofTensor (Batch.held x)) }

/// Going on as if every part were the first.
let private anew (f: Layer<Seq, Seq>) : Layer<Seq, Seq> = Layer.pointwise f

/// Going on with what was remembered before the last part.
let private late (f: Layer<Seq, Seq>) : Layer<Seq, Seq> =
    { f with
        Continue =
            f
            |> Layer.continuing (fun extend ps state memory x ->
                let struct (y, _) = extend ps state memory x
                struct (y, memory)) }

/// Gradients of boxes read in the order of rows, columns and channels, though they were written in that of channels, rows and columns.
let private reordered channels (f: Layer<Image * Seq, Seq>) : Layer<Image * Seq, Seq> =
    let exchange (t: Tensor) : Tensor =
        let n, boxes, width = t.Shape[0], t.Shape[1], t.Shape[2]
        (Transpose.Forward(t.Reshape(n, boxes, width / channels, channels), 0, 1, 3, 2)).Reshape(n, boxes, width)

    { f with
        Apply =
            fun mode ps state x ->
                let pass = f.Apply mode ps state x

                { pass with Pullback = Batch.map exchange >> pass.Pullback } }

/// Boxes of one layer, with the way back of another.
let private backBy (other: Layer<Image * Seq, Seq>) (f: Layer<Image * Seq, Seq>) : Layer<Image * Seq, Seq> =
    { f with
        Apply =
            fun mode ps state x ->
                { f.Apply mode ps state x with
                    Pullback = (other.Apply mode ps state x).Pullback } }

let private overBoxes fault right wrong =
    let laws f = Laws.all Claims.none (Shape.image (3, 5, 6)) (DL.Properties.Layers.Registry.boxed --> f)
    fault, laws right, laws (wrong right)

/// Going on beside what is constant as if every part were the first.
let private anewBeside (f: Layer<'x, 'y>) : Layer<'x, 'y> =
    { f with
        Beside =
            f
            |> Standing.settling (fun settle ps state x ->
                let struct (y, extend) = settle ps state x
                struct (y, (fun memory x -> extend (Array.map (fun _ -> Unseen) memory) x))) }

let private recurrence = gruFrom Recurrent.defaults 3
let private decoding = both (learnedPositions 8) identity --> crossAttention 4 2
let private besides shape (f: Layer<'x, 'y>) fault = fault, Laws.all Claims.none shape f, Laws.all Claims.none shape (anewBeside f)

let private body = embedding 3 4 --> perToken (dense 4)
let private tied = tiedScores body

/// Scores by the vectors of ids whose gradient is that of the ids alone: what went out is forgotten.
let private oneWay: Layer<Tokens, Seq> =
    { tied with
        Apply =
            fun mode ps state x ->
                let pass = tied.Apply mode ps state x
                let inner = body.Apply mode ps[.. ps.Length - 2] state x

                let pullback dy : struct (Batch<Tokens> * Grads) =
                    let struct (dx, dp) = pass.Pullback dy
                    let t = Batch.held dy
                    let dh = Linear.Forward(t.Reshape(t.Shape.Rows, t.Shape.Last), ps[0])
                    let struct (_, ofIds) = inner.Pullback(Batch.ofTensor (dh.Reshape(t.Shape[0], t.Shape[1], 4)))
                    struct (dx, Array.append [| ofIds[0] |] dp[1..])

                { pass with Pullback = pullback } }

let private shape = Shape.seq (6, 4)
let private laws (f: Layer<Seq, 'y>) = Laws.all Claims.none shape f
let private against fault (right: Layer<Seq, 'y>) wrong = fault, laws right, laws (wrong right)

/// A fault, the laws of the layer without it, and those of the layer with it.
let mutants: (string * Law list * Law list) list =
    [ "a given state taken again at every part" |> besides (Shape.pair (Shape.vec 3) (Shape.seq (6, 4))) recurrence
      "positions of a decoder that begin anew at every part"
      |> besides (Shape.pair (Shape.seq (6, 4)) (Shape.seq (3, 4))) decoding
      "scores whose gradient does not reach the table",
      Laws.all Claims.none (Shape.tokens 5) tied,
      Laws.all Claims.none (Shape.tokens 5) oneWay
      against "positions that begin anew at every part" (learnedPositions 8) anew
      against "a state forgotten between parts" (gru 3) anew
      against "a cell left where it was" (lstm 3) late
      against "keys and values that are not kept" (causalSelfAttention 2) late
      against "attention that looks at padding" (selfAttention 2) blind
      against "a mean over padding, too" meanOverTime blind
      against "a last step that is padding" lastStep blind
      against "a direction that begins in the padding" (bidirectional (gru 2) (gru 2)) blind
      against "a window that reaches into padding" (conv1d 3 (kernelOf (1, 3) |> same)) blind
      overBoxes "boxes read back in another order" (roiAlign 1.0 (2, 3)) (reordered 3)
      overBoxes "boxes of another scale on the way back" (roiPool 1.0 (2, 2)) (backBy (roiPool 0.5 (2, 2)))
      overBoxes
          "boxes aligned on one way alone"
          (roiAlign 1.0 (2, 2))
          (backBy (roiAlignWith { Region.defaults with Aligned = false } 1.0 (2, 2))) ]
