/// Gradients that touch some rows of a table: nobody sees the difference, but the rows that are not touched.
module DL.Properties.Optimizers.Rows

open System
open DL
open DL.Core
open DL.Core.Ops
open DL.Core.Optimizers
open DL.Laws
open DL.Properties.Cases

/// What the gradient of the table is in one step.
type private Step =
    /// That of an embedding of some ids.
    | Touches of int[]
    /// That of an embedding added to that of another layer, as when an embedding is tied.
    | Tied of int[]
    /// That of another layer, from elsewhere.
    | Dense
    /// That of a product, in the place of the table's own gradient.
    | Product

let private rows = 40
let private ints (ids: int[]) : Tensor = Tensor.Of<int>(ReadOnlySpan<int> ids, Shape [| ids.Length |])

/// Steps of every kind, in any order.
let private steps (v: Vector) =
    let draw = (Draw v.Seed).Branch 11
    let ids () = Array.init (draw.Below 9) (fun _ -> draw.Below rows)

    [ for t in 1..12 do
          match draw.Below 7 with
          | 0 when t > 1 -> Dense
          | 3 -> Product
          | 1 -> Tied(ids ())
          | 2 -> Touches [||]
          | _ -> Touches(ids ()) ]

/// A model in training without its layers: two tables, and a vector between them.
type private Bench(v: Vector, rule: Optimizer, clip: float, hidden: bool) =
    let arena = new Arena()

    let single n extents =
        ((Numbers.tensor v.Numbers ((Draw v.Seed).Branch(n).Bits()) extents).To ElementType.Float32) :?> Tensor<float32>

    let start =
        [| single 1 [ rows; v.Length ]; single 2 [ v.Length ]; single 3 [ rows; v.Length ] |]
        |> Array.map (fun t -> t :> Tensor)

    let store = ParameterStore(arena, start, ElementType.Float32, rule.Moments)
    let factors = [| 1.0; 0.5; 1.0 |]
    let flat = store.Parts(arena, factors) |> Array.map _.Gradients
    let mutable t = 0
    let mutable apart = 0
    let mutable last: Tensor = Tensor.Zeros(ElementType.Float32, Shape [| 0 |])

    /// A gradient of this step, in the step's memory.
    member private _.Upstream n extents : Tensor = (single (100 * t + n) extents).Adopted arena

    member private this.Of(table: int, step: Step) : Tensor =
        let embedded ids = Embedding.Backward(ints ids, this.Upstream table [ Array.length ids; v.Length ], store.Views[table])

        match step with
        | Touches ids -> embedded ids
        | Tied ids -> Add.Forward(embedded ids, this.Upstream (table + 10) [ rows; v.Length ])
        | Dense -> this.Upstream (table + 10) [ rows; v.Length ]
        | Product ->
            Linear.BackwardWeight(this.Upstream (table + 10) [ 3; rows ], this.Upstream (table + 11) [ 3; v.Length ], store.Views[table])

    /// Takes a step, the two tables by different rows.
    member this.Take(first: Step, second: Step) =
        t <- t + 1
        let gradients = [| this.Of(0, first); this.Upstream 20 [ v.Length ]; this.Of(2, second) |]
        // A copy is a gradient like any other.
        store.Collect(if hidden then gradients |> Array.map (fun g -> g.To g.ElementType) else gradients)

        if not (Double.IsInfinity clip) then
            store.Settle()
            ClipByGlobalNorm.Apply(flat, clip) |> ignore

        let parts = store.PartsByRows(arena, factors)
        apart <- apart + (parts |> Array.filter (fun part -> not (isNull part.Gradients.Rows)) |> Array.length)

        for part in parts do
            rule.Update t (part.Factor * rule.Rate) part.Weights part.Gradients part.Moments

        // Whoever reads the gradients when they have been used finds them.
        store.Settle()
        last <- store.Gradients.To ElementType.Float32
        arena.Reset()

    /// How many times a table was moved by rows.
    member _.Apart = apart
    member _.Weights = store.Snapshot()
    member _.Gradients = last
    member _.Moments = [ for i in 0 .. rule.Moments - 1 -> store.SnapshotMoment(i, arena) ]

/// Another kind of step for the second table.
let private turned steps = List.rev steps

let private sameBits (a: Tensor[]) (b: Tensor[]) = Array.forall2 (fun (x: Tensor) y -> x.SameBits y) a b

let private optimizers =
    [ Optimizer.sgd 0.05
      Optimizer.momentum 0.05
      Optimizer.nesterov 0.05
      Optimizer.adaGrad 0.05
      Optimizer.rmsProp 0.05
      Optimizer.adadelta 1.0
      Optimizer.adam 0.05
      Optimizer.adamW 0.1 0.05 ]

let private invisible (rule: Optimizer) clip =
    let how = if Double.IsInfinity clip then "" else " and clipping"

    law rule.Name $"a gradient by rows{how} moves what a dense one does" (OneOf [ 5; 1; 16; 33 ]) [ Ordinary; UnequalRows ] (fun v ->
        let byRows, dense = Bench(v, rule, clip, false), Bench(v, rule, clip, true)
        let all = steps v

        Evidence.worst
            [ for first, second in List.zip all (turned all) do
                  byRows.Take(first, second)
                  dense.Take(first, second)
                  Evidence.exact "the same gradients" (byRows.Gradients.SameBits dense.Gradients)
                  Evidence.exact "the same weights" (sameBits byRows.Weights dense.Weights)
              Evidence.exact "the same moments" (List.forall2 sameBits byRows.Moments dense.Moments)
              Evidence.exact "no copy was moved by rows" (dense.Apart = 0)
              let touching = all |> List.sumBy (fun step -> if step.IsTouches then 2 else 0)
              Evidence.exact "every embedding's own gradient was" (byRows.Apart = touching) ])

let private rowOf width (t: Tensor) row = Array.sub (numbers t) (row * width) width

let private lazyRows =
    law
        "LazyAdam"
        "touched rows take Adam's step of the model's own count, the others keep weights and moments"
        (OneOf [ 5; 1; 16; 33 ])
        [ Ordinary ]
        (fun v ->
            let rule = Optimizer.lazyAdam 0.05
            let bench = Bench(v, rule, infinity, false)
            let all = steps v |> List.indexed

            let state () = bench.Weights[0] :: [ for m in bench.Moments -> m[0] ]

            let expected t (before: Tensor list) (gradient: Tensor) touched =
                let moved = before |> List.map (fun m -> m.To m.ElementType)
                Adam.Step(moved[0], gradient, moved[1], moved[2], AdamSettings 0.05, t)

                let pick (before: Tensor) (moved: Tensor) =
                    Array.init rows (fun row -> rowOf v.Length (if Set.contains row touched then moved else before) row)

                List.map2 pick before moved |> List.map Array.concat

            Evidence.worst
                [ for i, step in all do
                      let before = state ()
                      bench.Take(step, Touches [| 1 |])
                      let gradient = Slice.Forward(bench.Gradients, 0, 0, rows * v.Length)

                      let touched =
                          match step with
                          | Touches ids -> Set.ofArray ids
                          | _ -> set [ 0 .. rows - 1 ]

                      let after = state () |> List.map numbers
                      Evidence.exact $"step {i + 1}, {step}" (after = expected (i + 1) before (gradient.Reshape(rows, v.Length)) touched) ])

let private pending =
    law
        "Sgd"
        "rows that are pending are written for whoever reads the gradient, and are lost after their step"
        (OneOf [ 5; 1; 16; 33 ])
        [ Ordinary ]
        (fun v ->
            let arena = new Arena()
            let start: Tensor = (matrix v 0 rows).To ElementType.Float32
            let store = ParameterStore(arena, [| start |], ElementType.Float32, 0)
            let ids = ints [| 3; 7; 3; 39 |]
            let single: Tensor = (matrix v 1 4).To ElementType.Float32
            let expected = Embedding.Backward(ids, single, start)

            let fresh () =
                arena.Reset()
                Embedding.Backward(ids, Scale.Forward((single :?> Tensor<float32>).Adopted arena, 1.0), store.Views[0])

            let reads what (read: Tensor -> Tensor) =
                let gradient = fresh ()

                let waiting =
                    match gradient.Rows with
                    | null -> false
                    | rows -> not (isNull rows.Upstream)

                Evidence.exact $"{what}, after waiting" (waiting && (read gradient).SameBits expected)

            let lost =
                try
                    let gradient = fresh ()
                    arena.Reset()
                    gradient.At 0 |> ignore
                    false
                with :? InvalidArgumentException as error ->
                    error.Message.Contains "kept past its step"

            Evidence.worst
                [ reads "its elements" (fun g -> g.To ElementType.Float32)
                  reads "a reshaped one" (fun g -> (g.Reshape(rows * v.Length)).Reshape(rows, v.Length))
                  reads "a sum" (fun g -> Add.Forward(g, Tensor.Zeros(ElementType.Float32, g.Shape)))
                  reads "the flat buffer" (fun _ ->
                      store.Settle()
                      (Slice.Forward(store.Gradients, 0, 0, rows * v.Length)).Reshape(rows, v.Length))
                  Evidence.exact "an error after the step" lost ])

let private onlyTouched =
    law "Sgd" "only rows of ids that occur move" (OneOf [ 5; 1; 16; 33 ]) [ Ordinary ] (fun v ->
        let w: Tensor = ((matrix v 0 rows).To ElementType.Float32)
        let before = numbers w
        let ids = [| 3; 7; 3; 39 |]
        let gradient = Embedding.Backward(ints ids, (matrix v 1 4).To ElementType.Float32, w)
        Sgd.Step(w, gradient, 0.05)
        let moved = [ for row in 0 .. rows - 1 -> rowOf v.Length w row <> Array.sub before (row * v.Length) v.Length ]
        Evidence.exact "rows 3, 7 and 39" (moved = [ for row in 0 .. rows - 1 -> Array.contains row ids ]))

let private allTouched =
    law "LazyAdam" "it is Adam where every step touches all rows" (OneOf [ 5; 1; 16; 33 ]) [ Ordinary; Kinks ] (fun v ->
        let everyRow t = Touches(Array.init (rows + t) (fun i -> (i * 7 + t) % rows))
        let slow, fast = Bench(v, Optimizer.adam 0.05, 1.0, false), Bench(v, Optimizer.lazyAdam 0.05, 1.0, false)

        for t in 1..9 do
            slow.Take(everyRow t, Dense)
            fast.Take(everyRow t, Dense)

        Evidence.exact "the same bits" (sameBits slow.Weights fast.Weights && List.forall2 sameBits slow.Moments fast.Moments))

let private says (words: string list) (work: unit -> unit) =
    try
        work ()
        Evidence.exact "an exception" false
    with :? DLException as error ->
        Evidence.worst [ for word in words -> Evidence.exact $"'{word}' in: {error.Message}" (error.Message.Contains word) ]

let private lazyStep (touched: int[]) width (w: float[]) (g: float[]) (m: float[]) (s: float[]) settings t =
    LazyAdam.Step<float>(Span<float> w, ReadOnlySpan<float> g, Span<float> m, Span<float> s, ReadOnlySpan<int> touched, width, settings, t)

let private spans =
    law "LazyAdam" "over spans: the given rows take Adam's step" Positive [ Ordinary ] (fun v ->
        let fresh n = numbers (matrix v n 6)
        let w, g, m, s = fresh 0, fresh 1, fresh 2, fresh 3 |> Array.map abs
        let whole = [| Array.copy w; Array.copy m; Array.copy s |]
        let original = whole |> Array.map Array.copy

        Adam.Step<float>(Span<float> whole[0], ReadOnlySpan<float> g, Span<float> whole[1], Span<float> whole[2], AdamSettings 0.1, 3)

        lazyStep [| 1; 2; 5 |] v.Length w g m s (AdamSettings 0.1) 3

        let expected i =
            [| for j in 0 .. 6 * v.Length - 1 -> if List.contains (j / v.Length) [ 1; 2; 5 ] then whole[i][j] else original[i][j] |]

        Evidence.exact "the same bits" ([ w; m; s ] = List.init 3 expected))

let private refuses =
    Law.fact "bad rows and settings are named, and nothing moves" "LazyAdam" (fun () ->
        let state = Array.init 4 (fun _ -> Array.create 12 1.0)
        let step touched width settings t = lazyStep touched width state[0] state[1] state[2] state[3] settings t
        let table: Tensor = Tensor.Filled(ElementType.Float32, Shape [| 4; 3 |], 1.0)
        let gradient = Embedding.Backward(ints [| 2 |], Tensor.Filled(ElementType.Float32, Shape [| 1; 3 |], 1.0), table)
        let moments = Array.init 2 (fun _ -> table.To ElementType.Float32)

        Evidence.worst
            [ says [ "rows[1]"; "from 0 to 3"; "4" ] (fun () -> step [| 0; 4 |] 3 (AdamSettings 0.1) 1)
              says [ "rows[0]"; "-1" ] (fun () -> step [| -1 |] 3 (AdamSettings 0.1) 1)
              says [ "rows[2]"; "ascending" ] (fun () -> step [| 1; 2; 2 |] 3 (AdamSettings 0.1) 1)
              says [ "width 5" ] (fun () -> step [| 1 |] 5 (AdamSettings 0.1) 1)
              says [ "rate" ] (fun () -> step [| 1 |] 3 (AdamSettings nan) 1)
              says [ "at least 1" ] (fun () -> step [| 1 |] 3 (AdamSettings 0.1) 0)
              says [ "LazyAdam"; "beta1" ] (fun () -> LazyAdam.Step(table, gradient, moments[0], moments[1], AdamSettings(0.1, 1.0), 1))
              says [ "Sgd"; "rate" ] (fun () -> Sgd.Step(table, gradient, -0.5))
              Evidence.exact "nothing moved" (state |> Array.forall (Array.forall ((=) 1.0)) && numbers table |> Array.forall ((=) 1.0)) ])

/// The laws of this file.
let laws: Law list =
    [ for rule in optimizers do
          invisible rule infinity

      invisible (Optimizer.sgd 0.05) 0.5
      invisible (Optimizer.adaGrad 0.05) 0.5
      invisible (Optimizer.adam 0.05) 0.5
      onlyTouched
      pending
      lazyRows
      allTouched
      spans
      refuses ]
