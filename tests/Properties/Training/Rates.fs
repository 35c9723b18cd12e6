/// The search for a learning rate.
module DL.Properties.Training.Rates

open DL
open DL.Core
open DL.Laws

let private examples: Examples<Vec, Vec> =
    let x = (Numbers.tensor Ordinary 3UL [ 12; 2 ]).To ElementType.Float32
    Examples.create (Batch.vec x) (Batch.vec (Ops.Sum.Forward(x, 1, true)))

let private trainer: Trainer<Vec, Vec, Vec> =
    { Trainer.create Loss.meanSquaredError (Optimizer.sgd 0.1) with
        BatchSize = 5
        Progress = Progress.Silent }

let private model = dense 1 |> Model.init Single (Key.ofSeed 1) (Shape.vec 2)

let private rises =
    Law.fact "rates rise by one factor until the loss goes up, and the model stays" "RateFinder" (fun () ->
        let before = Probe.copies model.Params
        let search = RateFinder.run 1e-5 100.0 200 trainer examples model
        let ratios = List.pairwise search.Rates |> List.map (fun (a, b) -> b / a)

        Evidence.worst
            [ Evidence.within "one factor" 1e-10 (List.max ratios - List.min ratios)
              Evidence.exact "from the lowest" (search.Rates.Head = 1e-5 && search.Losses.Length = search.Rates.Length)
              Evidence.exact "it ends where the loss has gone up" (search.Rates.Length < 200)
              Evidence.exact "suggested" (search.Suggested < List.last search.Rates / 10.0)
              Evidence.exact "the model stays" (Probe.sameBits before model.Params)
              Evidence.exact "again the same" (search = RateFinder.run 1e-5 100.0 200 trainer examples model) ])

let private useful =
    Law.fact "a run at the suggested rate learns" "RateFinder" (fun () ->
        let search = RateFinder.run 1e-5 100.0 200 trainer examples model

        let trained =
            Trainer.fit
                { trainer with
                    Epochs = 60
                    Rule = { trainer.Rule with Optimizer = Optimizer.sgd search.Suggested } }
                examples
                model

        Evidence.within "the last loss, of the first" 0.2 ((List.last trained.History).Loss / trained.History.Head.Loss))

/// The laws of this file.
let laws: Law list = [ rises; useful ]
