/// Orthogonal initial weights.
module DL.Properties.Random.Orthogonal

open System
open DL
open DL.Core
open DL.Core.Random
open DL.Laws
open DL.Properties.Cases

let private shape (extents: int list) = Shape(ReadOnlySpan<int>(Array.ofList extents))

/// A row for every index of all axes but the last.
let private rowsOf (t: Tensor) = numbers t |> Array.chunkBySize t.Shape[-1]

let private dots (vectors: float[][]) = vectors |> Array.map (fun a -> vectors |> Array.map (fun b -> Array.map2 (*) a b |> Array.sum))

/// How far the shorter axis is from orthonormal.
let private fault (t: Tensor) =
    let rows = rowsOf t
    let shorter = if rows.Length >= rows[0].Length then Array.transpose rows else rows

    dots shorter
    |> Array.mapi (fun i row -> row |> Array.mapi (fun j d -> abs (if i = j then d - 1.0 else d)) |> Array.max)
    |> Array.max

let private shapes = [ [ 1; 1 ]; [ 5; 5 ]; [ 64; 64 ]; [ 40; 7 ]; [ 7; 40 ]; [ 3; 3; 4; 6 ]; [ 2; 2; 1; 30 ]; [ 257; 129 ] ]

let private orthonormal =
    law
        "Initializer orthogonal"
        "the shorter axis is orthonormal, whatever the shape"
        (OneOf [ 0 .. shapes.Length - 1 ])
        [ Ordinary ]
        (fun v ->
            let extents = shape shapes[v.Length]
            let key = Key(v.Seed, 3u, 0u)
            let q = Initializer.orthogonal.Draw key extents 1 1
            let single = Initializers.Orthogonal(key, ElementType.Float32, extents)
            let tripled = (Initializer.orthogonalWith 3.0).Draw key extents 1 1

            Evidence.worst
                [ Evidence.within "products of its vectors" 1e-12 (fault q)
                  Evidence.exact "drawn again, the same bits" (q.SameBits(Initializer.orthogonal.Draw key extents 1 1))
                  Evidence.exact "float32 is float64 rounded" (single.SameBits(q.To ElementType.Float32))
                  close "the gain" 1e-15 tripled (like q (Array.map ((*) 3.0) (numbers q))) ])

/// Gram and Schmidt's process as it is written down.
let private gramSchmidt (vectors: float[][]) =
    let project (done': float[] list) (v: float[]) =
        done'
        |> List.fold (fun v (q: float[]) -> Array.map2 (fun x p -> x - p * (Array.map2 (*) v q |> Array.sum)) v q) v

    let unit (v: float[]) = v |> Array.map (fun x -> x / sqrt (Array.sumBy (fun x -> x * x) v))
    vectors |> Array.fold (fun done' v -> done' @ [ unit (project done' v) ]) []

let private reference =
    Law.fact "it is the Q of normal vectors whose R has a positive diagonal" "Initializer orthogonal" (fun () ->
        let key = Key.ofSeed 9

        let check rows columns =
            let count, length = min rows columns, max rows columns
            let normal = Array.zeroCreate<float>(count * length)
            DL.Core.Random.Draw.Normal<float>(key, Span<float> normal)
            let q = normal |> Array.chunkBySize length |> gramSchmidt |> Array.ofList
            let expected = if rows >= columns then Array.transpose q else q
            let drawn = Initializer.orthogonal.Draw key (shape [ rows; columns ]) 1 1
            close $"{rows} x {columns}" 1e-10 drawn (like drawn (Array.concat expected))

        Evidence.worst [ check 12 12; check 20 6; check 6 20; check 70 50 ])

let private uniform =
    Law.fact
        "uniform among orthogonal matrices: traces have mean 0 and variance 1, half of them turn over"
        "Initializer orthogonal"
        (fun () ->
            let count = 4000.0

            let drawn = [ for seed in 1..4000 -> numbers (Initializer.orthogonal.Draw (Key.ofSeed seed) (shape [ 2; 2 ]) 1 1) ]

            let traces = drawn |> List.map (fun q -> q[0] + q[3])
            let turned = drawn |> List.filter (fun q -> q[0] * q[3] - q[1] * q[2] < 0.0) |> List.length

            Evidence.worst
                [ Evidence.within "the mean, in standard errors" 5.0 (abs (List.average traces) * sqrt count)
                  Evidence.within
                      "the variance, in standard errors"
                      5.0
                      (abs (List.averageBy (fun t -> t * t) traces - 1.0) / sqrt (2.0 / count))
                  Evidence.within "those turned over, in standard errors" 5.0 (abs (float turned - count / 2.0) / sqrt (count / 4.0)) ])

let private gates =
    Law.fact "every gate's recurrent weights are orthogonal, and not those of another" "Initializer orthogonal" (fun () ->
        let options =
            { Recurrent.defaults with
                RecurrentWeights = Some Initializer.orthogonal }

        let blocks (layer: Layer<Seq, Seq>) =
            let model = Model.init Double (Key.ofSeed 2) (Shape.seq (3, 4)) layer
            let rows = rowsOf model.Params[1]

            [ for gate in 0 .. rows[0].Length / 6 - 1 do
                  let block = rows |> Array.map (fun row -> row[gate * 6 .. gate * 6 + 5])
                  Tensor.Of<float>(Array.concat block, 6, 6) :> Tensor ]

        let plain = Model.init Double (Key.ofSeed 2) (Shape.seq (3, 4)) (lstm 6)
        let chosen = Model.init Double (Key.ofSeed 2) (Shape.seq (3, 4)) (lstmWith options 6)

        Evidence.worst
            [ for layer, count in [ rnnWith options 6, 1; lstmWith options 6, 4; gruWith options 6, 3 ] do
                  let drawn = blocks layer
                  Evidence.exact $"{count} gates" (drawn.Length = count)
                  Evidence.exact "no two alike" (drawn |> List.map numbers |> List.distinct |> List.length = count)

                  for block in drawn do
                      Evidence.within "products of a gate's vectors" 1e-12 (fault block)

              Evidence.exact "the weights of the input stay torch's" (plain.Params[0].SameBits chosen.Params[0])
              Evidence.exact "the bias too" (plain.Params[2].SameBits chosen.Params[2]) ])

let private refuses =
    Law.fact "bad shapes and gains are named" "Initializer orthogonal" (fun () ->
        let says (word: string) (work: unit -> Tensor) =
            try
                work () |> ignore
                Evidence.exact $"an exception with {word}" false
            with :? DLException as error ->
                Evidence.exact $"'{word}' in: {error.Message}" (error.Message.Contains word)

        let key = Key.ofSeed 1
        let draw = Initializer.orthogonal.Draw key

        Evidence.worst
            [ says "at least two axes" (fun () -> draw (shape [ 7 ]) 1 1)
              says "finite gain" (fun () -> Initializers.Orthogonal(key, ElementType.Float64, shape [ 2; 2 ], nan))
              says "float32 or float64" (fun () -> Initializers.Orthogonal(key, ElementType.Int32, shape [ 2; 2 ]))
              says "variance" (fun () -> Initializers.TruncatedNormal(key, ElementType.Float64, shape [ 2 ], 0.0, -1.0))
              says "float32 or float64" (fun () -> Initializers.TruncatedNormal(key, ElementType.Int32, shape [ 2 ], 0.0, 1.0))
              says "fanIn" (fun () -> Initializers.LeCunUniform(key, ElementType.Float64, shape [ 2 ], 0))
              Evidence.exact "nothing of nothing" ((draw (shape [ 0; 3 ]) 1 1).Count = 0 && (draw (shape [ 3; 0 ]) 1 1).Count = 0) ])

/// The laws of this file.
let laws: Law list = [ orthonormal; reference; uniform; gates; refuses ]
