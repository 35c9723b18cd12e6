/// Embedding: rows by id, under their direct loop, as a product of one-hot rows, and with ids that nobody may read.
module DL.Properties.Ops.Embedding

open System
open DL
open DL.Core
open DL.Core.Ops
open DL.Laws
open DL.Properties.Cases

let private shape (extents: int list) = Shape(ReadOnlySpan<int>(List.toArray extents))
let private tensor (extents: int list) (ids: int[]) : Tensor = Tensor.Of<int>(ReadOnlySpan<int> ids, shape extents)

/// What ids an embedding is tried on: their extents, the ids, and lengths for them.
type private Ids =
    { Extents: int list
      Values: int[]
      Lengths: int[] | null }

    member this.Tensor = tensor this.Extents this.Values

    /// Whether the place holds an id rather than padding.
    member this.Valid place =
        match this.Lengths with
        | null -> true
        | lengths ->
            let perExample = this.Values.Length / max 1 lengths.Length
            let perStep = perExample / max 1 this.Extents[1]
            place % perExample < lengths[place / perExample] * perStep

let private drawn (case: OperationCase) extents =
    let draw = (Draw case.Seed).Branch 7
    let values = Array.init (List.fold (*) 1 extents) (fun _ -> draw.Below case.Sizes[0])

    { Extents = extents; Values = values; Lengths = null }

/// Lengths from 0 to the number of steps, and ids in the padding that no table has.
let private padded (case: OperationCase) extents =
    let draw = (Draw case.Seed).Branch 8
    let lengths = Array.init (List.head extents) (fun _ -> draw.Below(extents[1] + 1))
    let ids = { drawn case extents with Lengths = lengths }

    { ids with
        Values =
            ids.Values
            |> Array.mapi (fun i id ->
                if ids.Valid i then id
                elif i % 2 = 0 then -3
                else 1_000_000) }

/// An embedding of [V; D], where the sizes after the second make the ids.
let private embedding variant sizes (ids: OperationCase -> Ids) : Operation =
    { Name = "Embedding"
      Variant = variant
      Sizes = OneOf [ 5; 1; 2; 300 ] :: sizes
      Numbers = [ Ordinary; Kinks; UnequalRows; Large; Small; Huge ]
      Inputs = fun sizes -> [ List.take 2 sizes ]
      Domain = fun _ x -> x
      Forward =
        fun case x ->
            let ids = ids case
            [| Embedding.Forward(ids.Tensor, x[0], ids.Lengths) |]
      Backward =
        fun case x _ dy ->
            let ids = ids case
            [| Embedding.Backward(ids.Tensor, dy[0], x[0], ids.Lengths) |]
      Formula =
        fun case x ->
            let ids, width = ids case, case.Sizes[1]

            [| ids.Values
               |> Array.mapi (fun place id ->
                   if ids.Valid place then
                       Array.sub x[0] (id * width) width
                   else
                       Array.create width (Dual.Constant 0.0))
               |> Array.concat |]
      Homogeneous = 0 }

/// The operations of this file.
let operations: Operation list =
    [ embedding "of a list" [ Free; Free ] (fun case -> drawn case [ case.Sizes[2] ])
      embedding "of one id" [ Free ] (fun case -> drawn case [])
      embedding "of sequences" [ Free; OneOf [ 2; 1; 0; 3 ]; Free ] (fun case -> drawn case [ case.Sizes[2]; case.Sizes[3] ])
      embedding "with lengths" [ Free; OneOf [ 2; 1; 0; 3 ]; Free ] (fun case -> padded case [ case.Sizes[2]; case.Sizes[3] ])
      embedding "of words of letters, with lengths" [ Free; OneOf [ 2; 0; 3 ]; OneOf [ 3; 0; 1 ]; OneOf [ 2; 0; 5 ] ] (fun case ->
          padded case (List.skip 2 case.Sizes))
      // More than one block of additions for one row, and other rows between.
      embedding "of one id met 1100 times" [ OneOf [ 3; 1; 17 ] ] (fun case ->
          { drawn case [ 1200 ] with
              Values = Array.init 1200 (fun i -> if i % 12 = 5 then (i / 12) % case.Sizes[0] else 0) }) ]

let private table (v: Vector) rows = matrix v 0 rows
let private someIds (v: Vector) rows count = let draw = (Draw v.Seed).Branch 9 in Array.init count (fun _ -> draw.Below rows)
let private law name extent numbers evidence = law "Embedding" name extent numbers evidence

let private oneHot (ids: int[]) rows : Tensor =
    Tensor.Of<float>(
        [| for id in ids do
               for row in 0 .. rows - 1 -> if id = row then 1.0 else 0.0 |],
        ids.Length,
        rows
    )

let private isProduct =
    law "embedding is the product of one-hot rows with the table" Positive [ Ordinary; Kinks; UnequalRows ] (fun v ->
        let w = table v 11
        let ids = someIds v 11 17
        let dy = matrix v 1 17
        let hot = oneHot ids 11

        Evidence.worst
            [ close "forward" 1e-15 (Linear.Forward(hot, w)) (Embedding.Forward(tensor [ 17 ] ids, w))
              close "backward" 1e-13 (Linear.Forward(Transpose.Forward hot, dy)) (Embedding.Backward(tensor [ 17 ] ids, dy, w)) ])

let private countsTokens =
    law "a gradient of ones counts the tokens" Positive [ Ordinary ] (fun v ->
        let w = (table v 9).To ElementType.Float32
        let ids = someIds v 9 1000
        let ones: Tensor = Tensor.Filled(ElementType.Float32, shape [ 1000; v.Length ], 1.0)
        let counted = Array.init 9 (fun row -> ids |> Array.filter ((=) row) |> Array.length |> float |> Array.replicate v.Length)
        Evidence.exact "the counts" (numbers (Embedding.Backward(tensor [ 1000 ] ids, ones, w)) = Array.concat counted))

let private threads =
    law "the number of threads changes no bit" (OneOf [ 33; 16; 100 ]) [ Ordinary; UnequalRows ] (fun v ->
        let w, dy = (table v 300).To ElementType.Float32, (matrix v 1 4000).To ElementType.Float32
        // A third of them one id, so that its row begins in one thread's part and ends in another's.
        let ids = someIds v 300 4000 |> Array.mapi (fun i id -> if i % 3 = 0 then 150 else id) |> tensor [ 4000 ]
        let run n = withThreads n (fun () -> Embedding.Forward(ids, w), Embedding.Backward(ids, dy, w))
        let y, dw = run 1

        Evidence.worst
            [ for n in 2..4 do
                  let y', dw' = run n
                  Evidence.exact $"the bits of {n} threads" (y.SameBits y' && dw.SameBits dw') ])

let private padding =
    law "what lies in padding, NaN too, changes no bit" Positive [ Ordinary ] (fun v ->
        let w, dy = table v 5, matrix v 1 12
        let ids = someIds v 5 12
        let lengths = [| 4; 0; 2 |]
        let spoilt = { Extents = [ 3; 4 ]; Values = ids; Lengths = lengths }
        let worse = like dy (numbers dy |> Array.mapi (fun i d -> if spoilt.Valid(i / v.Length) then d else nan))
        let other = ids |> Array.mapi (fun i id -> if spoilt.Valid i then id else Int32.MinValue)
        let shaped (t: Tensor) = t.Reshape(3, 4, v.Length)

        Evidence.worst
            [ Evidence.exact
                  "forward"
                  ((Embedding.Forward(tensor [ 3; 4 ] ids, w, lengths)).SameBits(Embedding.Forward(tensor [ 3; 4 ] other, w, lengths)))
              Evidence.exact
                  "backward"
                  ((Embedding.Backward(tensor [ 3; 4 ] ids, shaped dy, w, lengths))
                      .SameBits(Embedding.Backward(tensor [ 3; 4 ] other, shaped worse, w, lengths))) ])

let private spans =
    law "over spans: forward is overwritten, the table's gradient is added to" Positive [ Ordinary; Kinks ] (fun v ->
        let w, dy, before = numbers (table v 6), numbers (matrix v 1 20), numbers (matrix v 2 6)
        let ids = someIds v 6 20
        let y, dw = Array.create (20 * v.Length) nan, Array.copy before
        Embedding.Forward<float>(ReadOnlySpan<int> ids, ReadOnlySpan<float> w, v.Length, Span<float> y)
        Embedding.Backward<float>(ReadOnlySpan<int> ids, ReadOnlySpan<float> dy, v.Length, Span<float> dw)
        let fresh = numbers (Embedding.Backward(tensor [ 20 ] ids, matrix v 1 20, table v 6))

        Evidence.worst
            [ Evidence.exact "forward" (y = numbers (Embedding.Forward(tensor [ 20 ] ids, table v 6)))
              Evidence.within
                  "what was there plus the fresh"
                  1e-13
                  (distance (like (table v 6) dw) (like (table v 6) (Array.map2 (+) before fresh))) ])

let private says (words: string list) (work: unit -> Tensor) =
    try
        work () |> ignore
        Evidence.exact "an exception" false
    with :? DLException as error ->
        Evidence.worst [ for word in words -> Evidence.exact $"'{word}' in: {error.Message}" (error.Message.Contains word) ]

let private refuses =
    Law.fact "a bad id, length or table is named" "Embedding" (fun () ->
        let w: Tensor = Tensor.Zeros(ElementType.Float32, shape [ 7; 3 ])
        let dy: Tensor = Tensor.Zeros(ElementType.Float32, shape [ 4; 6; 3 ])
        let with' (place: int) id = tensor [ 4; 6 ] (Array.init 24 (fun i -> if i = place then id else i % 7))
        let good = with' 0 0
        let bad = [ 17, 7, "ids[2, 5]"; 0, -1, "ids[0, 0]"; 23, Int32.MaxValue, "ids[3, 5]" ]

        Evidence.worst
            [ for place, id, where in bad do
                  says [ where; $"{id}"; "from 0 to 6" ] (fun () -> Embedding.Forward(with' place id, w))
                  says [ where; $"{id}"; "from 0 to 6" ] (fun () -> Embedding.Backward(with' place id, dy, w))
              says [ "lengths[1]"; "7" ] (fun () -> Embedding.Forward(good, w, [| 6; 7; 0; 0 |]))
              says [ "lengths[3]"; "-1" ] (fun () -> Embedding.Forward(good, w, [| 6; 6; 0; -1 |]))
              says [ "4 lengths"; "3" ] (fun () -> Embedding.Backward(good, dy, w, [| 6; 6; 0 |]))
              says [ "examples"; "[24]" ] (fun () -> Embedding.Forward(good.Reshape 24, w, Array.create 24 1))
              says [ "[4; 6; 3]" ] (fun () -> Embedding.Backward(good, dy.Reshape(6, 4, 3), w))
              says [ "[V; D]" ] (fun () -> Embedding.Forward(good, w.Reshape 21))
              says [ "no rows" ] (fun () -> Embedding.Forward(good, Tensor.Zeros(ElementType.Float32, shape [ 0; 3 ])))
              says [ "Int32" ] (fun () -> Embedding.Forward(w, w))
              says [ "int32" ] (fun () -> Embedding.Forward(good, good)) ])

/// The laws of this file.
let laws: Law list = [ isProduct; countsTokens; threads; padding; spans; refuses ]
