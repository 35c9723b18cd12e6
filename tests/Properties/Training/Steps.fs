/// Training steps: the same bits whatever the threads, little garbage, and frozen parameters that stay.
module DL.Properties.Training.Steps

open System
open DL
open DL.Core
open DL.Laws
open DL.Properties.Cases

let private net = dense 64 --> relu --> batchNorm --> dropout 0.2 --> residual (dense 64 --> tanh) --> dense 10

let private rule (optimizer: Optimizer) : Rule<Vec, Label> =
    { (Trainer.create Loss.crossEntropy optimizer).Rule with
        ClipNorm = Some 1.0 }

let private batch rows width (seed: uint64) =
    let x = (Numbers.tensor Ordinary seed [ rows; width ]).To ElementType.Float32
    struct (Batch.vec x, Batch.labels (Array.init rows (fun i -> (i * 7 + int seed) % 10)))

let private train (layer: Layer<Vec, Vec>) steps rows width =
    let model = Model.init Single (Key.ofSeed 3) (Shape.vec width) layer
    let session = Session(rule (Optimizer.adam 1e-3), Trainer.start (rule (Optimizer.adam 1e-3)) model)

    for step in 1..steps do
        let struct (x, t) = batch rows width (uint64 step)
        session.Step(x, t) |> ignore

    session.Model

let private sameModel (a: Model<Vec, Vec>) (b: Model<Vec, Vec>) = Probe.sameBits a.Params b.Params && Probe.sameState a.State b.State

let private threads =
    Law.fact "the number of threads changes no bit" "a training run" (fun () ->
        // Large enough that every kernel splits its work.
        let run n = withThreads n (fun () -> train net 3 128 784)
        let one = run 1
        Evidence.worst [ for n in 2..3 -> Evidence.exact $"1 and {n} threads give the same bits" (sameModel one (run n)) ])

let private replay =
    Law.fact "the same key and data give the same bits" "a training run" (fun () ->
        Evidence.exact "the same bits" (sameModel (train net 20 32 20) (train net 20 32 20)))

let private sessionIsSteps =
    Law.fact "steps as functions and a session take the same steps" "a training run" (fun () ->
        let r = rule (Optimizer.adam 1e-3)
        let model = Model.init Single (Key.ofSeed 3) (Shape.vec 20) net

        let byFunctions =
            (Trainer.start r model, [ 1..6 ])
            ||> List.fold (fun fit step ->
                let struct (x, t) = batch 16 20 (uint64 step)
                let struct (next, _) = Trainer.step r fit x t
                next)

        Evidence.exact "the same bits" (sameModel byFunctions.Model (train net 6 16 20)))

let private resumed =
    Law.fact "stopping and going on is not stopping" "a training run" (fun () ->
        let r = rule (Optimizer.adam 1e-3)
        let model = Model.init Single (Key.ofSeed 3) (Shape.vec 20) net
        let first, second = Session(r, Trainer.start r model), Session(r, Trainer.start r model)
        let step (s: Session<Vec, Vec, Label>) n = let struct (x, t) = batch 16 20 (uint64 n) in s.Step(x, t) |> ignore
        [ 1..8 ] |> List.iter (step first)
        [ 1..4 ] |> List.iter (step second)
        let third = Session(r, second.Fit)
        [ 5..8 ] |> List.iter (step third)
        Evidence.exact "the same bits" (sameModel first.Model third.Model))

let private dictionary =
    Law.fact "parameters and statistics written by name and read back are the same bits" "a training run" (fun () ->
        let trained = train net 4 16 20
        let fresh = Model.init Single (Key.ofSeed 99) (Shape.vec 20) net
        let back = Model.withStateDict (Model.stateDict trained) fresh

        let statistics (m: Model<Vec, Vec>) =
            m.State
            |> Array.choose (function
                | Statistic t -> Some t
                | Draws _ -> None)

        Evidence.worst
            [ Evidence.exact "parameters" (Probe.sameBits trained.Params back.Params)
              Evidence.exact "statistics" (Probe.sameBits (statistics trained) (statistics back))
              Evidence.exact "others before" (not (Probe.sameBits trained.Params fresh.Params)) ])

let private frozenStays =
    Law.fact "no optimizer and no decay reaches frozen parameters" "frozen" (fun () ->
        let layer = frozen (dense 8 --> tanh) --> dense 10
        let model = Model.init Single (Key.ofSeed 3) (Shape.vec 6) layer

        Evidence.worst
            [ for optimizer in [ Optimizer.sgd 0.1; Optimizer.momentum 0.1; Optimizer.adam 0.1; Optimizer.adamW 0.5 0.1 ] do
                  let session = Session(rule optimizer, Trainer.start (rule optimizer) model)

                  for step in 1..5 do
                      let struct (x, t) = batch 8 6 (uint64 step)
                      session.Step(x, t) |> ignore

                  Evidence.exact $"the frozen bits under {optimizer.Name}" (Probe.sameState model.State session.Model.State)
                  Evidence.exact $"the others move under {optimizer.Name}" (not (Probe.sameBits model.Params session.Model.Params)) ])

let private garbage rows =
    Law.fact $"a step of {rows} examples leaves at most 64 KiB of garbage" "a training run" (fun () ->
        let layer = dense 256 --> relu --> dense 128 --> relu --> dense 10
        let model = Model.init Single (Key.ofSeed 3) (Shape.vec 784) layer
        let session = Session(rule (Optimizer.adam 1e-3), Trainer.start (rule (Optimizer.adam 1e-3)) model)
        let struct (x, t) = batch rows 784 1UL
        let steps = 20

        for _ in 1..5 do
            session.Step(x, t) |> ignore

        let before = GC.GetAllocatedBytesForCurrentThread()

        for _ in 1..steps do
            session.Step(x, t) |> ignore

        let bytes = float (GC.GetAllocatedBytesForCurrentThread() - before) / float steps
        Evidence.within "bytes a step" 65536.0 bytes)

let private languageModels: (string * Layer<Tokens, Seq>) list =
    [ "an LSTM", embedding 50 64 --> lstm 128 --> perToken (dense 50)
      "a Transformer",
      embedding 50 64
      --> learnedPositions 64
      --> residual (layerNorm --> causalSelfAttention 4)
      --> residual (perToken (dense 128 --> gelu --> dense 64))
      --> perToken (dense 50) ]

/// Steps of a language model; the ids of a step depend on its number.
let private readers (net: Layer<Tokens, Seq>) rows =
    let rule = Rule.create Loss.tokenCrossEntropy (Optimizer.adam 1e-3)
    let session = Session(rule, Trainer.start rule (net |> Model.init Single (Key.ofSeed 3) (Shape.tokens 64)))
    let ids step : Batch<Tokens> = Batch.tokens (Tensor.Of<int>(Array.init (rows * 64) (fun i -> (i * i + 7 * step) % 50), rows, 64))
    let batches = [| for step in 0..4 -> ids step |]
    session, (fun step -> session.Step(batches[step % 4], batches[step % 4 + 1]) |> ignore)

let private garbageOfSequences (name, net) =
    Law.fact $"a step of {name} over 64 tokens leaves at most 64 KiB of garbage" "a training run" (fun () ->
        Evidence.worst
            [ for rows in [ 4; 16 ] do
                  let _, step = readers net rows
                  List.iter step [ 1..5 ]
                  let before = GC.GetAllocatedBytesForCurrentThread()
                  List.iter step [ 6..15 ]
                  Evidence.within $"bytes a step of {rows}" 65536.0 (float (GC.GetAllocatedBytesForCurrentThread() - before) / 10.0) ])

let private threadsOfSequences (name, net) =
    Law.fact $"the number of threads changes no bit of {name}" "a training run" (fun () ->
        let run n =
            withThreads n (fun () ->
                let session, step = readers net 16
                List.iter step [ 1..3 ]
                session.Model.Params)

        let one = run 1
        Evidence.worst [ for n in 2..3 -> Evidence.exact $"1 and {n} threads give the same bits" (Probe.sameBits one (run n)) ])

let private descends =
    Law.fact "the loss of one batch goes down" "a training run" (fun () ->
        let layer = dense 32 --> relu --> dense 10
        let model = Model.init Single (Key.ofSeed 3) (Shape.vec 8) layer
        let session = Session(rule (Optimizer.adam 1e-2), Trainer.start (rule (Optimizer.adam 1e-2)) model)
        let struct (x, t) = batch 16 8 2UL
        let first = session.Step(x, t)
        let losses = [ for _ in 1..300 -> session.Step(x, t) ]
        Evidence.within "the last loss, of the first" 0.1 (List.last losses / first))

/// The laws of this file.
let laws: Law list =
    [ threads
      replay
      sessionIsSteps
      resumed
      dictionary
      frozenStays
      descends
      for rows in [ 1; 64; 512 ] do
          garbage rows
      for model in languageModels do
          garbageOfSequences model
          threadsOfSequences model ]
