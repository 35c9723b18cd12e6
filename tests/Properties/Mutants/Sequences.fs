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

let private shape = Shape.seq (6, 4)
let private laws (f: Layer<Seq, 'y>) = Laws.all Claims.none shape f
let private against fault (right: Layer<Seq, 'y>) wrong = fault, laws right, laws (wrong right)

/// A fault, the laws of the layer without it, and those of the layer with it.
let mutants: (string * Law list * Law list) list =
    [ "a given state taken again at every part" |> besides (Shape.pair (Shape.vec 3) (Shape.seq (6, 4))) recurrence
      "positions of a decoder that begin anew at every part" |> besides (Shape.pair (Shape.seq (6, 4)) (Shape.seq (3, 4))) decoding
      against "positions that begin anew at every part" (learnedPositions 8) anew
      against "a state forgotten between parts" (gru 3) anew
      against "a cell left where it was" (lstm 3) late
      against "keys and values that are not kept" (causalSelfAttention 2) late
      against "attention that looks at padding" (selfAttention 2) blind
      against "a mean over padding, too" meanOverTime blind
      against "a last step that is padding" lastStep blind
      against "a direction that begins in the padding" (bidirectional (gru 2) (gru 2)) blind
      against "a window that reaches into padding" (conv1d 3 (kernelOf (1, 3) |> same)) blind ]
