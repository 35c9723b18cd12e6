/// Parts of a network: a rate for each, parameters taken by name, models cut in two.
module DL.Properties.Training.Parts

open DL
open DL.Core
open DL.Laws

let private body = named "body" (dense 17 --> tanh --> dense 9 --> relu)
let private net = body --> dense 12 --> relu --> dense 10
let private start layer = Model.init Single (Key.ofSeed 3) (Shape.vec 6) layer

let private batch (seed: uint64) =
    let x = (Numbers.tensor Ordinary seed [ 8; 6 ]).To ElementType.Float32
    struct (Batch.vec x, Batch.labels (Array.init 8 (fun i -> (i * 7 + int seed) % 10)))

let private rule clip schedule (optimizer: Optimizer) : Rule<Vec, Label> =
    { (Trainer.create Loss.crossEntropy optimizer).Rule with
        ClipNorm = clip
        Schedule = schedule }

let private train rule steps (model: Model<Vec, Vec>) =
    let session = Session(rule, Trainer.start rule model)

    for step in 1..steps do
        let struct (x, t) = batch (uint64 step)
        session.Step(x, t) |> ignore

    session.Fit

let private optimizers = [ Optimizer.sgd 0.1; Optimizer.momentum 0.1; Optimizer.adam 0.01; Optimizer.adamW 0.5 0.01 ]

/// Every optimizer, with and without clipping and a schedule.
let private each (evidence: Optimizer -> (Optimizer -> Rule<Vec, Label>) -> Evidence) =
    Evidence.worst
        [ for optimizer in optimizers do
              for clip in [ None; Some 0.1 ] do
                  for schedule in [ None; Some(fun step -> 0.1 / float (step + 1)) ] do
                      evidence optimizer (rule clip schedule) ]

let private same (a: Fit<'x, 'y>) (b: Fit<'x, 'y>) =
    Probe.sameBits a.Model.Params b.Model.Params && Array.forall2 Probe.sameBits a.Moments b.Moments

let private plain =
    Law.fact "factor 1 is the plain optimizer" "Optimizer.scaled" (fun () ->
        each (fun optimizer rule ->
            let expected = train (rule optimizer) 6 (start net)
            let scaled = optimizer |> Optimizer.scaled [ "", 1.0; "0.body", 1.0; "3", 1.0 ]
            Evidence.exact $"the same bits under {optimizer.Name}" (same expected (train (rule scaled) 6 (start net)))))

let private nothing =
    Law.fact "factor 0 moves nothing" "Optimizer.scaled" (fun () ->
        each (fun optimizer rule ->
            let model = start net
            let fit = train (rule (Optimizer.scaled [ "", 0.0 ] optimizer)) 6 model
            Evidence.exact $"the same bits under {optimizer.Name}" (same fit (Trainer.start (rule optimizer) model))))

let private frozenIsZero =
    Law.fact "factor 0 is frozen" "Optimizer.scaled" (fun () ->
        each (fun optimizer rule ->
            let model = start net
            let fit = train (rule (Optimizer.scaled [ "0.body", 0.0 ] optimizer)) 6 model
            let held = start (frozen body --> dense 12 --> relu --> dense 10)
            let struct (held, missed) = Model.takeFrom model held
            let other = train (rule optimizer) 6 held
            let k = body.Slots.Length

            Evidence.worst
                [ Evidence.exact "every parameter of the frozen network is taken" missed.IsEmpty
                  Evidence.exact
                      $"the body stays under {optimizer.Name}"
                      (Probe.sameBits model.Params[.. k - 1] fit.Model.Params[.. k - 1])
                  Evidence.exact $"the head moves under {optimizer.Name}" (Probe.sameBits other.Model.Params fit.Model.Params[k..])
                  Evidence.exact "others before" (not (Probe.sameBits model.Params[k..] fit.Model.Params[k..])) ]))

/// The gradients of a batch, by the model itself.
let private gradients (model: Model<Vec, Vec>) step =
    let struct (x, t) = batch (uint64 step)
    let pass = Model.forward Train model x
    let struct (_, dy) = Loss.crossEntropy.Evaluate pass.Output t
    let struct (_, gradients) = pass.Pullback dy
    gradients

let private separate =
    Law.fact "factors are optimizers of their own with rates of their own" "Optimizer.scaled" (fun () ->
        Evidence.worst
            [ for optimizer in optimizers do
                  let factors = [ "0.body", 0.25; "1.bias", 3.0; "3", 0.5 ]
                  let factor = [| 0.25; 0.25; 0.25; 0.25; 1.0; 3.0; 0.5; 0.5 |]
                  let fit = train (rule None None (Optimizer.scaled factors optimizer)) 5 (start net)
                  let mutable model = start net
                  let mutable moments = (Trainer.start (rule None None optimizer) model).Moments

                  for step in 1..5 do
                      let g = gradients model step

                      let moved =
                          Array.init g.Length (fun i ->
                              let own = moments |> Array.map (fun m -> [| m[i] |])
                              Optimizer.step optimizer step (optimizer.Rate * factor[i]) [| model.Params[i] |] [| g[i] |] own)

                      let each pick = moved |> Array.map (fun struct (ps, ms) -> pick ps ms)
                      model <- { model with Params = each (fun ps _ -> ps[0]) }
                      moments <- Array.init moments.Length (fun m -> each (fun _ (ms: Tensor[][]) -> ms[m][0]))

                  let expected = { fit with Model = model; Moments = moments }
                  Evidence.exact $"the same bits under {optimizer.Name}" (same expected fit) ])

let private longest =
    Law.fact "the longest path counts, and paths end at dots" "Optimizer.scaled" (fun () ->
        let names = [ "1.a.weight"; "1.a.bias"; "1.ab.weight"; "10.weight" ]

        let factors scales = Optimizer.factors (Optimizer.sgd 1.0 |> Optimizer.scaled scales) names

        Evidence.worst
            [ Evidence.exact "dots" (factors [ "1", 2.0 ] = [| 2.0; 2.0; 2.0; 1.0 |])
              Evidence.exact "a dot at the end" (factors [ "1.a.", 2.0 ] = [| 2.0; 2.0; 1.0; 1.0 |])
              Evidence.exact "the longest" (factors [ "1.a.bias", 5.0; "", 0.5; "1", 2.0 ] = [| 2.0; 5.0; 2.0; 0.5 |]) ])

let private taken =
    Law.fact "what agrees by name and shape is taken, the rest named and left" "Model.takeFrom" (fun () ->
        let source = (train (rule None None (Optimizer.adam 0.01)) 3 (start net)).Model
        let layer = frozen body --> dense 12 --> relu --> dense 4
        let target = Model.init Double (Key.ofSeed 8) (Shape.vec 6) layer
        let struct (model, kept) = Model.takeFrom source target

        let dict, before, from =
            Map.ofList (Model.stateDict model), Map.ofList (Model.stateDict target), Map.ofList (Model.stateDict source)

        let fits name = not (List.contains name kept)

        Evidence.worst
            [ Evidence.exact "the names left" (kept = [ "3.weight"; "3.bias" ])
              for KeyValue(name, t) in dict do
                  let expected = if fits name then from[name].To ElementType.Float64 else before[name]
                  Evidence.exact $"{name}" (t.SameBits expected) ])

let private bodyStays =
    Law.fact "a frozen body gives what it gave after the head is trained" "Model.cut" (fun () ->
        let struct (model, _) = start (frozen body --> dense 10) |> Model.takeFrom (start net)

        let tuned = (train (rule None None (Optimizer.adam 0.01)) 5 model).Model
        let struct (first, rest) = Model.cut (frozen body) (dense 10) tuned
        let struct (old, _) = Model.cut body (dense 12 --> relu --> dense 10) (start net)
        let struct (x, _) = batch 9UL
        let output model = Batch.tensor (Model.predict model x)

        Evidence.worst
            [ Evidence.exact "the features" ((output first).SameBits(output old))
              Evidence.exact "the whole is its parts" ((output tuned).SameBits(Batch.tensor (Model.predict rest (Model.predict first x))))
              Evidence.exact "the head has moved" (not (Probe.sameBits model.Params tuned.Params)) ])

/// The laws of this file.
let laws: Law list = [ plain; nothing; frozenIsZero; separate; longest; taken; bodyStays ]
