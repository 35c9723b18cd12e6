/// What stands beside an optimizer: clipping by value, penalties and averages of weights, against their literal formulas.
module DL.Properties.Optimizers.Penalties

open System
open DL.Core
open DL.Core.Optimizers
open DL.Laws
open DL.Properties.Cases

let private everything = Numbers.all |> List.filter (fun n -> n <> Huge)

let private says (words: string list) (work: unit -> unit) =
    try
        work ()
        Evidence.exact "an exception" false
    with :? DLException as error ->
        Evidence.worst [ for word in words -> Evidence.exact $"'{word}' in: {error.Message}" (error.Message.Contains word) ]

let private copy (t: Tensor) : Tensor = t.To t.ElementType

let private clipping element =
    law "ClipByValue" $"min(max(g, -c), c), idempotent ({element})" Free Numbers.all (fun v ->
        let a, b = (vector v 0).To element, (vector v 1).To element
        let limit = 0.75
        let expected = [ a; b ] |> List.map (numbers >> Array.map (fun g -> min (max g -limit) limit))
        ClipByValue.Apply([| a; b |], limit)
        let once = [ numbers a; numbers b ]
        ClipByValue.Apply([| a; b |], limit)
        let free = copy a
        ClipByValue.Apply([| free |], infinity)

        Evidence.worst
            [ Evidence.exact "the formula" (once = expected)
              Evidence.exact "clipped again, the same" (once = [ numbers a; numbers b ])
              Evidence.exact "no limit, the same bits" (free.SameBits a) ])

let private penalty name apply (spans: float[] -> float[] -> float) (value: float[] -> float) (slope: float -> float) element bound =
    law name $"value and gradient are their formulas ({element})" Free everything (fun v ->
        let w, g = (vector v 0).To element, (vector v 1).To element
        let before = numbers g
        let lambda = 0.3
        let found: float = apply (w, g, lambda)
        let sloped = Array.map2 (fun g w -> g + lambda * slope w) before (numbers w)
        // Where the terms all but cancel, their rounding is what is left: the error is one of the terms.
        let terms = Array.map2 (fun g w -> abs g + lambda * abs (slope w)) before (numbers w) |> Array.fold max 1e-300
        let expected = lambda * value (numbers w)
        let bare = Array.copy before
        let bySpans = spans (numbers w) bare

        Evidence.worst
            [ Evidence.within "the value" 1e-12 (abs (found - expected) / max expected 1e-300)
              Evidence.within "the gradient" bound (distance g (like g sloped) / terms)
              Evidence.within "the value over spans" 1e-12 (abs (bySpans - expected) / max expected 1e-300)
              Evidence.within
                  "the gradient over spans"
                  1e-12
                  (Array.map2 (fun a b -> abs (a - b) / max 1.0 (abs a)) sloped bare |> Array.fold max 0.0) ])

let private l1 element bound =
    penalty
        "L1Penalty"
        (fun (w: Tensor, g, lambda) -> L1Penalty.Apply(w, g, lambda))
        (fun w g -> L1Penalty.Apply<float>(ReadOnlySpan<float> w, Span<float> g, 0.3))
        (Array.sumBy abs)
        (sign >> float)
        element
        bound

let private l2 element bound =
    penalty
        "L2Penalty"
        (fun (w: Tensor, g, lambda) -> L2Penalty.Apply(w, g, lambda))
        (fun w g -> L2Penalty.Apply<float>(ReadOnlySpan<float> w, Span<float> g, 0.3))
        (Array.sumBy (fun w -> w * w / 2.0))
        id
        element
        bound

/// Longer than one block of a sum, so that several threads may share it.
let private long =
    Law.fact "a long vector: the sum does not depend on the number of threads" "L2Penalty" (fun () ->
        let n = 200_003
        let w: Tensor = (Numbers.tensor Ordinary 3UL [ n ]).To ElementType.Float32

        let run threads =
            withThreads threads (fun () ->
                let g: Tensor = Tensor.Zeros(ElementType.Float32, w.Shape)
                let first, second = L2Penalty.Apply(w, g, 0.5), L1Penalty.Apply(w, g, 0.5)
                struct (first, second, g))

        let struct (first, second, g) = run 1
        let struct (first2, second2, g2) = run 2
        let squares = numbers w |> Array.sumBy (fun x -> x * x)

        Evidence.worst
            [ Evidence.exact "the same bits" (first = first2 && second = second2 && g.SameBits g2)
              Evidence.within "the sum of squares" 1e-12 (abs (first - 0.25 * squares) / squares) ])

let private zeroLambda =
    law "L2Penalty" "lambda 0 changes nothing" Free Numbers.all (fun v ->
        let w, g = vector v 0, vector v 1
        let before = copy g
        let values = [ L1Penalty.Apply(w, g, 0.0); L2Penalty.Apply(w, g, 0.0) ]
        Evidence.exact "the same bits, value 0" (g.SameBits before && values = [ 0.0; 0.0 ]))

let private average element bound =
    law "ExponentialAverage" $"100 steps are the literal formula ({element})" Free [ Ordinary; Kinks ] (fun v ->
        let a = (vector v 0).To element
        let slow = numbers a

        for t in 1..100 do
            let w = like a (numbers (vector v t))
            ExponentialAverage.Step(a, w, 0.95)
            numbers w |> Array.iteri (fun i w -> slow[i] <- 0.95 * slow[i] + 0.05 * w)

        Evidence.within "the average" bound (distance a (like a slow)))

let private constantAverage =
    law "ExponentialAverage" "constant weights are their own average; decay 0 is the weights" Free Numbers.all (fun v ->
        let w: Tensor = (vector v 0).To ElementType.Float32
        let still, following = copy w, (vector v 1).To ElementType.Float32
        ExponentialAverage.Step(still, w, 0.9)
        let last = like w (numbers following)
        ExponentialAverage.Step(last, last, 0.0)
        Evidence.exact "the same bits" (still.SameBits w && last.SameBits following))

let private refuses =
    Law.fact "bad settings are named, and nothing changes" "ClipByValue" (fun () ->
        let t () : Tensor = Tensor.Filled(ElementType.Float32, Shape [| 3 |], 2.0)

        let w, g, longer, ids =
            t (), t (), Tensor.Zeros(ElementType.Float32, Shape [| 4 |]), Tensor.Zeros(ElementType.Int32, Shape [| 3 |])

        let wide: Tensor = Tensor.Zeros(ElementType.Float64, Shape [| 3 |])

        Evidence.worst
            [ says [ "ClipByValue"; "positive" ] (fun () -> ClipByValue.Apply([| g |], 0.0))
              says [ "ClipByValue"; "NaN" ] (fun () -> ClipByValue.Apply([| g |], nan))
              says [ "ClipByValue" ] (fun () -> ClipByValue.Apply([| g; ids |], 1.0))
              says [ "L1Penalty"; "lambda"; "-1" ] (fun () -> L1Penalty.Apply(w, g, -1.0) |> ignore)
              says [ "L2Penalty"; "lambda"; "Infinity" ] (fun () -> L2Penalty.Apply(w, g, infinity) |> ignore)
              says [ "L2Penalty"; "[4]" ] (fun () -> L2Penalty.Apply(w, longer, 1.0) |> ignore)
              says [ "L1Penalty"; "Float64" ] (fun () -> L1Penalty.Apply(w, wide, 1.0) |> ignore)
              says [ "ExponentialAverage"; "decay"; "1" ] (fun () -> ExponentialAverage.Step(w, g, 1.0))
              says [ "AdaGrad"; "epsilon" ] (fun () -> AdaGrad.Step(w, g, t (), AdaGradSettings(0.1, 0.0)))
              says [ "AdaGrad"; "EpsilonPlacement" ] (fun () -> AdaGrad.Step(w, g, t (), AdaGradSettings(0.1, 1e-8, enum 7)))
              says [ "RmsProp"; "beta" ] (fun () -> RmsProp.Step(w, g, t (), RmsPropSettings(0.1, 1.0)))
              says [ "RmsProp"; "rate" ] (fun () -> RmsProp.Step(w, g, t (), RmsPropSettings nan))
              says [ "Adadelta"; "rho" ] (fun () -> Adadelta.Step(w, g, t (), t (), AdadeltaSettings(1.0, -0.1)))
              says [ "Adadelta"; "[4]" ] (fun () -> Adadelta.Step(w, g, t (), longer, AdadeltaSettings 1.0))
              Evidence.exact "nothing changed" (w.SameBits(t ()) && g.SameBits(t ())) ])

/// The laws of this file.
let laws: Law list =
    [ for element, bound in [ ElementType.Float64, 1e-12; ElementType.Float32, 1e-6 ] do
          clipping element
          l1 element bound
          l2 element bound
          average element bound

      long
      zeroLambda
      constantAverage
      refuses ]

/// What these laws are about.
let subjects: string list = [ "ClipByValue"; "L1Penalty"; "L2Penalty"; "ExponentialAverage" ]
