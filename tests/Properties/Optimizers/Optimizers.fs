/// Optimizers against their literal formulas, element by element.
module DL.Properties.Optimizers.Optimizers

open DL
open DL.Core
open DL.Core.Optimizers
open DL.Laws
open DL.Properties.Cases

/// An optimizer and its formula: from step, rate, weight, gradient and moments to weight and moments.
[<NoEquality; NoComparison>]
type private Rule =
    {
        Name: string
        Optimizer: Optimizer
        Formula: int -> float -> float -> float -> float[] -> struct (float * float[])
        Decays: bool
        /// The rate it descends a bowl with.
        Bowl: float
    }

let private rule name optimizer formula =
    { Name = name
      Optimizer = optimizer
      Formula = formula
      Decays = false
      Bowl = 0.05 }

let private momentum form formula = rule $"Momentum {form}" (Optimizer.momentumWith form 0.9 0.05) (fun _ eta w g m -> formula eta w g m[0])

let private nesterov form formula =
    rule $"Momentum {form} Nesterov" (Optimizer.nesterovWith form 0.9 0.05) (fun _ eta w g m -> formula eta w g m[0])

let private adaGrad root placement =
    { rule $"AdaGrad {placement}" (Optimizer.adaGradWith placement 1e-4 0.05) (fun _ eta w g m ->
          let s = m[0] + g * g
          struct (w - eta * g / root s, [| s |])) with
        Bowl = 1.0 }

let private rmsProp root placement =
    rule $"RmsProp {placement}" (Optimizer.rmsPropWith placement 0.9 1e-4 0.05) (fun _ eta w g m ->
        let s = 0.9 * m[0] + 0.1 * g * g
        struct (w - eta * g / root s, [| s |]))

let private inside s = sqrt (s + 1e-4)
let private outside s = sqrt s + 1e-4

let private adadelta =
    { rule "Adadelta" (Optimizer.adadelta 1.0) (fun _ eta w g m ->
          let s = 0.95 * m[0] + 0.05 * g * g
          let d = sqrt (m[1] + 1e-6) / sqrt (s + 1e-6) * g
          struct (w - eta * d, [| s; 0.95 * m[1] + 0.05 * d * d |])) with
        Bowl = 4.0 }

let private adam decay t eta w g (m: float[]) : struct (float * float[]) =
    let first = 0.9 * m[0] + 0.1 * g
    let second = 0.999 * m[1] + 0.001 * g * g
    let corrected = first / (1.0 - 0.9 ** float t)
    let root = sqrt (second / (1.0 - 0.999 ** float t))
    let w = w - eta * decay * w
    struct (w - eta * corrected / (root + 1e-8), [| first; second |])

let private rules =
    [ rule "Sgd" (Optimizer.sgd 0.05) (fun _ eta w g m -> struct (w - eta * g, m))
      momentum MomentumForm.Classic (fun eta w g v ->
          let v = 0.9 * v + eta * g
          struct (w - v, [| v |]))
      momentum MomentumForm.Averaged (fun eta w g v ->
          let v = 0.9 * v + 0.1 * g
          struct (w - eta * v, [| v |]))
      momentum MomentumForm.Summed (fun eta w g v ->
          let v = 0.9 * v + g
          struct (w - eta * v, [| v |]))
      nesterov MomentumForm.Classic (fun eta w g v ->
          let v = 0.9 * v + eta * g
          struct (w - 0.9 * v - eta * g, [| v |]))
      nesterov MomentumForm.Summed (fun eta w g v ->
          let v = 0.9 * v + g
          struct (w - eta * (g + 0.9 * v), [| v |]))
      adaGrad inside EpsilonPlacement.InsideRoot
      adaGrad outside EpsilonPlacement.OutsideRoot
      rmsProp inside EpsilonPlacement.InsideRoot
      rmsProp outside EpsilonPlacement.OutsideRoot
      adadelta
      rule "Adam" (Optimizer.adam 0.05) (adam 0.0)
      rule "LazyAdam" (Optimizer.lazyAdam 0.05) (adam 0.0)
      { rule "AdamW" (Optimizer.adamW 0.1 0.05) (adam 0.1) with
          Decays = true } ]

let private moments (rule: Optimizer) (w: Tensor) = Array.init rule.Moments (fun _ -> Tensor.Zeros(w.ElementType, w.Shape))

/// Steps in place over copies; gradient gives the gradient of a step from the weights.
let private run (rule: Optimizer) steps (gradient: int -> Tensor -> Tensor) (start: Tensor) =
    let w = start.To start.ElementType
    let state = moments rule w

    for t in 1..steps do
        rule.Update t rule.Rate w (gradient t w) state

    w

let private gradients (v: Vector) t (w: Tensor) = like w (numbers (vector v (t + 1)))

let private formula (rule: Rule) element bound =
    law rule.Name $"100 steps are the literal formula ({element})" Free [ Ordinary; Kinks ] (fun v ->
        let start = (vector v 0).To element
        let fast = run rule.Optimizer 100 (gradients v) start
        let slow = numbers start
        let state = Array.init slow.Length (fun _ -> Array.zeroCreate rule.Optimizer.Moments)

        for t in 1..100 do
            let g = numbers (gradients v t start)

            for i in 0 .. slow.Length - 1 do
                let struct (w, m) = rule.Formula t rule.Optimizer.Rate slow[i] g[i] state[i]
                slow[i] <- w
                state[i] <- m

        // Beside the way a weight has gone, however near zero it ends.
        let way = 1.0 + largest fast
        Evidence.within "weights after 100 steps" bound (distance fast (like start slow) / way))

let private still (rule: Rule) =
    law rule.Name "zero gradient and no decay: nothing moves" Free Numbers.all (fun v ->
        let start = (vector v 0).To ElementType.Float32
        let nothing _ (w: Tensor) : Tensor = Tensor.Zeros(w.ElementType, w.Shape)
        Evidence.exact "the same bits" ((run rule.Optimizer 5 nothing start).SameBits start))

let private elementwise (rule: Rule) =
    law rule.Name "permuting parameters permutes the steps" Positive [ Ordinary ] (fun v ->
        let start = (vector v 0).To ElementType.Float32
        let turn (t: Tensor) = like t (Array.rev (numbers t))
        let plain = run rule.Optimizer 7 (gradients v) start
        let turned = run rule.Optimizer 7 (fun t w -> turn (gradients v t w)) (turn start)
        Evidence.exact "the same bits, permuted" ((turn plain).SameBits turned))

let private split (rule: Rule) =
    law rule.Name "splitting parameters splits the steps" Several [ Ordinary ] (fun v ->
        let start = (vector v 0).To ElementType.Float32
        let cut = v.Length / 2
        let part (from: int) length (t: Tensor) : Tensor = (Tensor.Of<float>(Array.sub (numbers t) from length, length)).To t.ElementType
        let whole = run rule.Optimizer 7 (gradients v) start

        let piece from length = run rule.Optimizer 7 (fun t _ -> part from length (gradients v t start)) (part from length start)

        let parts = Array.append (numbers (piece 0 cut)) (numbers (piece cut (v.Length - cut)))
        Evidence.exact "the same bits in parts" (numbers whole = parts))

let private bowl (rule: Rule) =
    law rule.Name "a quadratic bowl is descended" Positive [ Ordinary ] (fun v ->
        let start = vector v 0
        let last = run { rule.Optimizer with Eta = rule.Bowl } 600 (fun _ w -> w.To w.ElementType) start
        Evidence.within "the distance from the minimum" 0.1 (largest last))

let private relations =
    [ law "Momentum" "beta 0 is gradient descent" Free [ Ordinary; Kinks ] (fun v ->
          let start = vector v 0
          let rolling = run (Optimizer.momentumWith MomentumForm.Summed 0.0 0.05) 7 (gradients v) start
          Evidence.exact "the same bits" (rolling.SameBits(run (Optimizer.sgd 0.05) 7 (gradients v) start)))
      law "Momentum" "Nesterov's beta 0 is gradient descent" Free [ Ordinary; Kinks ] (fun v ->
          let start = vector v 0
          let rolling = run (Optimizer.nesterovWith MomentumForm.Summed 0.0 0.05) 7 (gradients v) start
          Evidence.exact "the same bits" (rolling.SameBits(run (Optimizer.sgd 0.05) 7 (gradients v) start)))
      law "AdaGrad" "a constant gradient: step t is eta g / sqrt(t g^2 + epsilon)" Free [ Ordinary; Kinks; Large ] (fun v ->
          let g = numbers (vector v 1)
          let start = vector v 0
          let moved = run (Optimizer.adaGrad 0.05) 9 (fun _ w -> like w g) start
          let way g = List.sum [ for t in 1.0 .. 9.0 -> 0.05 * g / sqrt (t * g * g + 1e-8) ]
          close "the weights" 1e-12 moved (like start (Array.map2 (fun w g -> w - way g) (numbers start) g)))
      law "RmsProp" "beta 0 steps by eta sign(g), but for epsilon" Free [ Ordinary; Kinks; Large ] (fun v ->
          let start = vector v 0
          let moved = run (Optimizer.rmsPropWith EpsilonPlacement.OutsideRoot 0.0 1e-12 0.05) 1 (gradients v) start
          let signs = numbers (gradients v 1 start) |> Array.map (fun g -> 0.05 * float (sign g))
          close "the weights" 1e-9 moved (like start (Array.map2 (-) (numbers start) signs)))
      law "Adadelta" "the first step is of the size sqrt(epsilon / (1 - rho))" Free [ Ordinary; Kinks; Large ] (fun v ->
          let start = vector v 0
          let moved = run (Optimizer.adadelta 1.0) 1 (gradients v) start
          let step g = g * sqrt (1e-6 / (0.05 * g * g + 1e-6))
          let expected = Array.map2 (fun w g -> w - step g) (numbers start) (numbers (gradients v 1 start))
          close "the weights" 1e-12 moved (like start expected))
      law "Momentum" "a constant gradient drives the velocity to eta g / (1 - beta)" Positive [ Ordinary ] (fun v ->
          let g = vector v 1
          let w = Tensor.Zeros(g.ElementType, g.Shape)
          let velocity: Tensor = Tensor.Zeros(g.ElementType, g.Shape)

          for _ in 1..400 do
              Momentum.Step(w, g, velocity, MomentumSettings 0.05)

          close "the velocity" 1e-12 velocity (like g (Array.map (fun x -> 0.05 * x / 0.1) (numbers g))))
      law "Adam" "the first step is eta g / (|g| + epsilon)" Free [ Ordinary; Kinks; Large ] (fun v ->
          let start = vector v 0
          let moved = run (Optimizer.adam 0.05) 1 (gradients v) start
          let g = numbers (gradients v 1 start)
          close "the weights" 1e-12 moved (like start (Array.map2 (fun w g -> w - 0.05 * g / (abs g + 1e-8)) (numbers start) g)))
      law "AdamW" "decay 0 is Adam" Free [ Ordinary; Kinks ] (fun v ->
          let start = (vector v 0).To ElementType.Float32
          let decayed = run (Optimizer.adamW 0.0 0.05) 7 (gradients v) start
          Evidence.exact "the same bits" (decayed.SameBits(run (Optimizer.adam 0.05) 7 (gradients v) start)))
      law "AdamW" "zero gradient: w (1 - eta lambda)^t" Free [ Ordinary ] (fun v ->
          let start = vector v 0
          let last = run (Optimizer.adamW 0.1 0.05) 20 (fun _ w -> Tensor.Zeros(w.ElementType, w.Shape)) start
          close "the weights" 1e-12 last (like start (Array.map ((*) (0.995 ** 20.0)) (numbers start)))) ]

/// Two weights after seven steps, printed by PyTorch 1.13 in float64.
let private torch name (optimizer: Optimizer) (expected: float list) =
    Law.fact "torch's weights after seven steps" $"{name} as torch" (fun () ->
        let start: Tensor = Tensor.Of<float>([| 1.0; -2.0 |])

        let gradient t (w: Tensor) =
            let x = numbers w
            like w [| 0.5 * x[0] + 0.1 * float t; sin x[1] |]

        close "the weights" 1e-12 (run optimizer 7 gradient start) (like start (Array.ofList expected)))

let private torches =
    [ torch "Momentum" (Optimizer.momentumWith MomentumForm.Summed 0.9 0.1) [ -0.5415141303125001; 0.07297280971334849 ]
      torch "Nesterov" (Optimizer.nesterovWith MomentumForm.Summed 0.9 0.1) [ -0.7130425124972525; 0.2598121981208054 ]
      torch "AdaGrad" (Optimizer.adaGradWith EpsilonPlacement.OutsideRoot 1e-10 0.1) [ 0.5575415961843843; -1.589891746909732 ]
      torch "RmsProp" (Optimizer.rmsPropWith EpsilonPlacement.OutsideRoot 0.99 1e-8 0.1) [ -1.3287058353730958; -0.0001226326717375623 ]
      torch "Adadelta" (Optimizer.adadeltaWith 0.9 1e-6 1.0) [ 0.9710088587538265; -1.9766481874463329 ]
      torch "Adam" (Optimizer.adam 0.1) [ 0.29471670466406913; -1.2980455197801521 ]
      torch "AdamW" (Optimizer.adamW 0.05 0.1) [ 0.2707722984170872; -1.23960468201841 ] ]

let private norm (t: Tensor) = numbers t |> Array.sumBy (fun x -> x * x) |> sqrt

let private clipping =
    law "ClipByGlobalNorm" "norm = min(norm, c), direction kept, idempotent" Free [ Ordinary; Large; Small ] (fun v ->
        let a, b = vector v 0, vector v 1

        let before =
            norm (
                like
                    (Tensor.Zeros(ElementType.Float64, Shape(System.ReadOnlySpan<int> [| 2 * v.Length |])))
                    (Array.append (numbers a) (numbers b))
            )

        let limit = 1.5
        let original = numbers a
        let seen = ClipByGlobalNorm.Apply([| a; b |], limit)
        let once = numbers a
        let after = sqrt (norm a ** 2.0 + norm b ** 2.0)
        let factor = if before > limit then limit / before else 1.0
        ClipByGlobalNorm.Apply([| a; b |], limit) |> ignore

        Evidence.worst
            [ Evidence.within "the norm it returns" 1e-12 (abs (seen - before) / max before 1e-300)
              Evidence.within "the norm it leaves" 1e-12 (abs (after - min before limit) / max limit 1e-300)
              Evidence.within
                  "the direction"
                  1e-12
                  (Array.map2 (fun x y -> abs (factor * x - y)) original once |> Array.fold max 0.0 |> fun e -> e / limit)
              Evidence.exact "clipped again, the same bits" (numbers a = once) ])

/// The laws of this file.
let laws: Law list =
    [ for rule in rules do
          formula rule ElementType.Float64 1e-12
          formula rule ElementType.Float32 1e-5

          if not rule.Decays then
              still rule

          elementwise rule
          split rule
          bowl rule

      yield! relations
      yield! torches
      clipping ]

/// The optimizers these laws are about.
let subjects: string list =
    [ "Sgd"; "Momentum"; "AdaGrad"; "RmsProp"; "Adadelta"; "Adam"; "LazyAdam"; "AdamW"; "ClipByGlobalNorm" ]
