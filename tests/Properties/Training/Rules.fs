/// Rules of a step: penalties, clipping by value, averages, batches taken in parts.
module DL.Properties.Training.Rules

open System
open DL
open DL.Core
open DL.Laws

let private net = dense 5 --> layerNorm --> tanh --> dense 4

let private model precision = net |> Model.init precision (Key.ofSeed 6) (Shape.vec 3)

let private batch rows (seed: uint64) : struct (Batch<Vec> * Batch<Label>) =
    struct (Batch.vec (Numbers.tensor Ordinary seed [ rows; 3 ]), Batch.labels (Array.init rows (fun i -> (i * 7 + int seed) % 4)))

let private rule optimizer : Rule<Vec, Label> = Rule.create Loss.crossEntropy optimizer

let private steps (rule: Rule<Vec, Label>) count rows : Fit<Vec, Vec> =
    let session = Session(rule, Trainer.start rule (model Double))

    for step in 1..count do
        let struct (x, t) = batch rows (uint64 step)
        session.Step(x, t) |> ignore

    session.Fit

let private gradient (model: Model<Vec, Vec>) step rows =
    let struct (x, t) = batch rows (uint64 step)
    let pass = Model.forward Train model x
    let struct (_, dy) = Loss.crossEntropy.Evaluate pass.Output t
    let struct (_, gradients) = pass.Pullback dy
    gradients

let private near bound what (expected: Tensor seq) (found: Tensor seq) =
    Evidence.within what bound (Probe.distance expected found / (1.0 + Probe.largest expected))

let private values (t: Tensor) = t.ToArray<float>()

/// The parameters after one step of gradient descent along gradients changed by hand.
let private moved rate (change: int -> float[] -> float[] -> float[]) rows =
    let start = model Double
    let gradients = gradient start 1 rows

    start.Params
    |> Array.mapi (fun i p ->
        let w, g = values p, values gradients[i]
        Probe.ofNumbers p (Array.map2 (fun w g -> w - rate * g) w (change i w g)))

let private penalized =
    Law.fact "a penalty adds its slope, on weights alone or where asked" "Penalty" (fun () ->
        let weights = (model Double).Params |> Array.map (fun p -> p.Shape.Rank >= 2)

        let after penalties = (steps { rule (Optimizer.sgd 0.5) with Penalties = penalties } 1 6).Model.Params

        let l2 i w g = if weights[i] then Array.map2 (fun w g -> g + 0.3 * w) w g else g
        let l1 i w g = if weights[i] then Array.map2 (fun (w: float) g -> g + 0.2 * float (sign w)) w g else g
        let everywhere _ w g = Array.map2 (fun w g -> g + 0.3 * w) w g
        // Weights and bias of the first layer, and no other.
        let firstLayer i w g = if i < 2 then everywhere i w g else g

        Evidence.worst
            [ near 1e-14 "l2" (moved 0.5 l2 6) (after [ Penalty.l2 0.3 ])
              near 1e-14 "l1" (moved 0.5 l1 6) (after [ Penalty.l1 0.2 ])
              near 1e-14 "both" (moved 0.5 (fun i w g -> l1 i w (l2 i w g)) 6) (after [ Penalty.l2 0.3; Penalty.l1 0.2 ])
              near 1e-14 "everywhere" (moved 0.5 everywhere 6) (after [ Penalty.l2 0.3 |> Penalty.on [ "" ] ])
              near 1e-14 "the first layer" (moved 0.5 firstLayer 6) (after [ Penalty.l2 0.3 |> Penalty.on [ "0" ] ])
              near 1e-14 "nothing" (moved 0.5 (fun _ _ g -> g) 6) (after [ Penalty.l2 0.0 ]) ])

let private penaltyValue =
    Law.fact "its value is its formula" "Penalty" (fun () ->
        let start = model Double
        let weights = start.Params |> Array.filter (fun p -> p.Shape.Rank >= 2) |> Array.collect values
        let value what penalty expected = Evidence.within what 1e-14 (abs (Penalty.value penalty start - expected))

        Evidence.worst
            [ value "l2" (Penalty.l2 0.3) (0.15 * Array.sumBy (fun w -> w * w) weights)
              value "l1" (Penalty.l1 0.2) (0.2 * Array.sumBy abs weights)
              value "on one parameter" (Penalty.l1 0.2 |> Penalty.on [ "3.weight" ]) (0.2 * Array.sumBy abs (values start.Params[4])) ])

let private clipped =
    Law.fact "clips every element of the gradient" "Rule.ClipValue" (fun () ->
        let after = (steps { rule (Optimizer.sgd 0.5) with ClipValue = Some 0.01 } 1 6).Model.Params

        near 1e-14 "clipped" (moved 0.5 (fun _ _ g -> g |> Array.map (fun g -> max -0.01 (min 0.01 g))) 6) after)

let private clippedTwice =
    Law.fact "clips by value first, then by norm" "Rule.ClipNorm" (fun () ->
        let byValue = gradient (model Double) 1 6 |> Array.map (values >> Array.map (fun g -> max -0.05 (min 0.05 g)))
        let norm = byValue |> Array.sumBy (Array.sumBy (fun g -> g * g)) |> sqrt
        let limit = 0.5 * norm

        let session =
            Session(
                { rule (Optimizer.sgd 0.5) with
                    ClipValue = Some 0.05
                    ClipNorm = Some limit },
                Trainer.start (rule (Optimizer.sgd 0.5)) (model Double)
            )

        let struct (x, t) = batch 6 1UL
        session.Step(x, t) |> ignore

        Evidence.worst
            [ Evidence.within "the norm that is told is that after clipping by value" 1e-14 (abs (session.GradientNorm - norm))
              near 1e-14 "the step" (moved 0.5 (fun i _ _ -> byValue[i] |> Array.map ((*) 0.5)) 6) session.Model.Params ])

let private scheduled =
    Law.fact "steps are counted from 0" "Rule.Schedule" (fun () ->
        let plain rate = rule (Optimizer.sgd rate)
        let asked = ResizeArray<int>()

        let schedule step =
            asked.Add step
            if step = 0 then 0.5 else 0.0

        let fit = steps { plain 9.0 with Schedule = Some schedule } 4 6

        Evidence.worst
            [ Evidence.exact "of each step" (Seq.distinct asked |> List.ofSeq = [ 0..3 ])
              Evidence.exact "only the first step moves" (Probe.sameBits (steps (plain 0.5) 1 6).Model.Params fit.Model.Params) ])

let private averaged =
    Law.fact "is its formula over ten steps" "Rule.Average" (fun () ->
        let counts = [ 1..10 ]
        let plain = counts |> List.map (fun n -> (steps (rule (Optimizer.adam 0.01)) n 6).Model.Params)

        let expected =
            ((model Double).Params |> Array.map values, plain)
            ||> List.fold (Array.map2 (fun average p -> Array.map2 (fun a w -> 0.9 * a + 0.1 * w) average (values p)))

        let fit = steps { rule (Optimizer.adam 0.01) with Average = Some 0.9 } 10 6

        Evidence.worst
            [ near 1e-14 "the average" (Array.map2 Probe.ofNumbers fit.Average expected) (Fit.averaged fit).Params
              Evidence.exact "the parameters are those without it" (Probe.sameBits fit.Model.Params (List.last plain)) ])

let private inParts =
    Law.fact "a batch in parts is the batch" "Rule.MicroBatch" (fun () ->
        Evidence.worst
            [ for optimizer in [ Optimizer.sgd 0.5; Optimizer.adam 0.01 ] do
                  for rows in [ 1; 6; 7; 12 ] do
                      for size in [ 1; 3; 6 ] do
                          let whole = (steps (rule optimizer) 4 rows).Model.Params

                          let parts = (steps { rule optimizer with MicroBatch = Some size; ClipNorm = Some 1e9 } 4 rows).Model.Params

                          near 1e-11 $"{optimizer.Name}, {rows} rows by {size}" whole parts ])

/// A step on a batch at once and in parts of every size: the parameters after it, and the loss before.
let private whateverTheLoss (loss: Loss<'y, 't>) (net: Layer<'x, 'y>) (input: Batch<'x>) (target: Batch<'t>) =
    let start = net |> Model.init Double (Key.ofSeed 4) (Batch.shape input)

    let run loss size =
        let rule = { Rule.create loss (Optimizer.sgd 0.3) with MicroBatch = size }
        let session = Session(rule, Trainer.start rule start)
        let before = session.Step(input, target)
        let next = session.StepOn(Examples.create input target, [| 6; 1; 1; 4; 0 |])
        before, next, session.Model.Params

    [ for loss in [ loss; Loss.sum loss; Loss.weighted [ 0.25, loss; 0.5, Loss.sum loss ] ] do
          let before, next, expected = run loss None

          for size in [ 1; 2; 3; 4; 5; 6 ] do
              let first, second, found = run loss (Some size)
              near 1e-11 $"{loss.Name} by {size}" expected found
              Evidence.within $"{loss.Name} by {size}, the loss" 1e-12 (abs (first - before) / (1.0 + abs before))
              Evidence.within $"{loss.Name} by {size}, the next loss" 1e-10 (abs (second - next) / (1.0 + abs next)) ]

let private lossesInParts =
    Law.fact "a batch in parts is the batch, whatever the loss and the reduction" "Rule.MicroBatch" (fun () ->
        let struct (x, t) = batch 7 2UL
        let numbers seed extents : Tensor = Numbers.tensor Ordinary seed extents

        let weighted =
            { Entropy.defaults with
                ClassWeights = [ 0.2; 3.0; 0.0; 1.5 ]
                Smoothing = 0.1
                Ignored = Some 2 }

        let vec, wide = Batch.vec (numbers 5UL [ 7; 4 ]), Batch.vec (numbers 6UL [ 7; 4 ])
        let steps = Batch.seq (numbers 7UL [ 7; 5; 3 ])
        let ids = Array.init 35 (fun i -> if i % 9 = 4 then -1 else i * i % 4)
        let tokens: Batch<Tokens> = Batch.tokens (Tensor.Of<int>(ids, 7, 5))
        let padded = tokens |> Padded.withLengths [| 5; 0; 2; 1; 5; 0; 3 |]
        let images = Batch.image (numbers 8UL [ 7; 2; 3; 2 ])
        let mask: Batch<Mask> = Batch.mask (Tensor.Of<int>(Array.init 42 (fun i -> i * i % 5 % 4), 7, 3, 2))
        let pairs = fork net net

        Evidence.worst
            [ yield! whateverTheLoss Loss.crossEntropy net x t
              yield! whateverTheLoss (Loss.crossEntropyWith weighted) net x t
              yield! whateverTheLoss (Loss.focalWith 2.0 [ 1.0; 0.5; 2.0; 0.1 ]) net x t
              yield! whateverTheLoss Loss.meanSquaredError net x vec
              yield! whateverTheLoss Loss.meanAbsoluteError net x vec
              yield! whateverTheLoss (Loss.huber 0.3) net x vec
              yield! whateverTheLoss (Loss.binaryFocal 2.0) net x (Batch.map Ops.Sigmoid.Forward vec)
              yield! whateverTheLoss Loss.unitNormal pairs x t
              yield! whateverTheLoss (Loss.contrastive 2.0) pairs x (Batch.labels [| 0; 1; 1; 0; 1; 0; 0 |])
              yield! whateverTheLoss (Loss.both (Loss.crossEntropyWith weighted) Loss.meanSquaredError) pairs x (Batch.pair t wide)
              yield! whateverTheLoss Loss.tokenCrossEntropy (perToken (dense 4)) steps tokens
              yield! whateverTheLoss (Loss.tokenCrossEntropyWith weighted) (perToken (dense 4)) steps padded
              yield! whateverTheLoss (Loss.pixelCrossEntropyWith [ 0.1; 1.0; 2.0; 0.0 ]) (conv2d 4 (kernel 1)) images mask ])

let private measuredInParts =
    Law.fact "examples too many for one part are measured as one batch" "Trainer.measure" (fun () ->
        let struct (x, t) = batch 2500 3UL

        let weights =
            { Entropy.defaults with
                ClassWeights = [ 0.2; 3.0; 0.0; 1.5 ]
                Ignored = Some 1 }
        // Sorted by class, parts differ as much as they can.
        let order = [| 0..2499 |] |> Array.sortBy (fun i -> (Batch.tensor t).At i)
        let data = Examples.create (Batch.take order x) (Batch.take order t)

        Evidence.worst
            [ for loss in [ Loss.crossEntropy; Loss.crossEntropyWith weights; Loss.sum Loss.crossEntropy ] do
                  let struct (found, _) = model Double |> Trainer.measure (Trainer.create loss (Optimizer.sgd 0.1)) data
                  let struct (expected, _) = loss.Evaluate (Model.predict (model Double) data.Inputs) data.Targets
                  Evidence.within loss.Name 1e-12 (abs (found - expected) / (1.0 + abs expected)) ])

let private tablesInParts =
    Law.fact "a table's rows are summed over the parts" "Rule.MicroBatch" (fun () ->
        let net: Layer<Tokens, Seq> = embedding 20 4 --> perToken (dense 20)
        let ids step : Batch<Tokens> = Batch.tokens (Tensor.Of<int>(Array.init 30 (fun i -> (i * i + 7 * step) % 11 + step), 6, 5))

        let run size =
            let rule =
                { Rule.create Loss.tokenCrossEntropy (Optimizer.momentum 0.1) with
                    MicroBatch = size }

            let session = Session(rule, Trainer.start rule (net |> Model.init Double (Key.ofSeed 3) (Shape.tokens 5)))

            for step in 1..4 do
                session.Step(ids step, ids (step + 1)) |> ignore

            session.Model.Params

        Evidence.worst [ for size in [ 1; 2; 4 ] -> near 1e-12 $"by {size}" (run None) (run (Some size)) ])

/// A session that takes batches in parts, and whether it stands where it began.
let private inPairs () =
    let net = batchNorm --> dropout 0.5 --> dense 4

    let rule = { rule (Optimizer.adam 0.1) with MicroBatch = Some 2 }

    let start = Trainer.start rule (net |> Model.init Double (Key.ofSeed 3) (Shape.vec 3))
    let session = Session(rule, start)

    session,
    fun () ->
        Probe.sameBits start.Model.Params session.Model.Params
        && Probe.sameState start.Model.State session.Model.State
        && session.Steps = 0

let private brokenPart =
    Law.fact "a part whose loss is not finite leaves everything as it was" "Rule.MicroBatch" (fun () ->
        let session, unmoved = inPairs ()
        let struct (x, t) = batch 6 1UL
        let numbers = values (Batch.tensor x)
        numbers[13] <- nan
        let loss = session.Step(Batch.vec (Tensor.Of<float>(numbers, 6, 3)), t)
        Evidence.exact "nothing has moved" (unmoved () && Double.IsNaN loss))

let private refusedPart =
    Law.fact "a part that is refused leaves everything as it was" "Rule.MicroBatch" (fun () ->
        let session, unmoved = inPairs ()
        let struct (x, _) = batch 6 1UL

        let refused =
            try
                session.Step(x, Batch.labels [| 0; 1; 2; 3; 0; 4 |]) |> ignore
                false
            with :? DLException ->
                true

        Evidence.exact "refused, and nothing has moved" (refused && unmoved ()))

/// The laws of this file.
let laws: Law list =
    [ penalized
      penaltyValue
      clipped
      clippedTwice
      scheduled
      averaged
      inParts
      lossesInParts
      measuredInParts
      tablesInParts
      brokenPart
      refusedPart ]
