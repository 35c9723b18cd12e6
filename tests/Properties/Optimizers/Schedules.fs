/// Schedules: endpoints, joints, and the closed form at every step.
module DL.Properties.Optimizers.Schedules

open System
open DL
open DL.Core
open DL.Laws
open DL.Properties.Cases

let private everywhere name (schedule: Schedule) (formula: int -> float) =
    Law.fact "closed form at every step" $"Schedule {name}" (fun () ->
        let error t = abs (schedule t - formula t) / max 1e-12 (abs (formula t))

        Evidence.worst
            [ Evidence.within "every step from 0 to 200" 1e-12 ([ 0..200 ] |> List.map error |> List.fold Evidence.worse 0.0)
              for t in [ 0..200 ] @ [ 12345; Int32.MaxValue ] do
                  Evidence.exact $"a rate at step {t}" (Double.IsFinite(schedule t) && schedule t >= 0.0) ])

let private cosine = Schedule.cosine 100 0.01 0.5
let private falling shape t = if t >= 100 then 0.01 else 0.01 + 0.49 * shape (float t / 100.0)
let private half part = (1.0 + cos (Math.PI * part)) / 2.0

let private restarts t =
    let start, length = [ for i in 0..4 -> 30 * (pown 2 i - 1), 30 * pown 2 i ] |> List.findBack (fun (start, _) -> start <= t)

    0.01 + 0.49 * half (float (t - start) / float length)

// 100 steps: the top at 0.3 * 100 - 1.
let private cycle t =
    let from, into, part =
        if t <= 29 then 0.02, 0.5, float t / 29.0
        elif t < 99 then 0.5, 2e-6, float (t - 29) / 70.0
        else 0.5, 2e-6, 1.0

    into + (from - into) * half part

let private closedForms =
    [ everywhere "constant" (Schedule.constant 0.1) (fun _ -> 0.1)
      everywhere "step" (Schedule.step 30 0.5 0.8) (fun t -> 0.8 * 0.5 ** float (t / 30))
      everywhere "halving" (Schedule.halving 7 0.8) (fun t -> 0.8 / 2.0 ** float (t / 7))
      everywhere "exponential" (Schedule.exponential 0.95 0.1) (fun t -> 0.1 * 0.95 ** float t)
      everywhere "cosine" cosine (falling half)
      everywhere "linear" (Schedule.linear 100 0.01 0.5) (falling (fun part -> 1.0 - part))
      everywhere "polynomial" (Schedule.polynomial 2.0 100 0.01 0.5) (falling (fun part -> (1.0 - part) * (1.0 - part)))
      everywhere "cosineRestarts" (Schedule.cosineRestarts 30 2 0.01 0.5) restarts
      everywhere "cosineRestarts 1" (Schedule.cosineRestarts 30 1 0.01 0.5) (fun t -> 0.01 + 0.49 * half (float (t % 30) / 30.0))
      everywhere "oneCycle" (Schedule.oneCycle 100 0.5) cycle
      everywhere "warmup" (Schedule.warmup 10 cosine) (fun t -> if t < 10 then 0.5 * float (t + 1) / 10.0 else cosine (t - 10))
      everywhere "lasting" (Schedule.lasting 10 (Schedule.constant 0.2) cosine) (fun t -> if t < 10 then 0.2 else cosine (t - 10))
      everywhere "perEpoch" (cosine |> Schedule.perEpoch 7) (fun t -> cosine (t / 7)) ]

let private joints =
    [ Law.fact "endpoints and joints" "Schedule cosine" (fun () ->
          Evidence.worst
              [ Evidence.exact "begins at its rate" (cosine 0 = 0.5)
                Evidence.exact "ends low" (cosine 100 = 0.01 && cosine 1000 = 0.01)
                Evidence.exact "warm-up meets what follows" ((Schedule.warmup 10 cosine) 9 = 0.5 && (Schedule.warmup 10 cosine) 10 = 0.5) ])
      Law.fact "endpoints" "Schedule linear" (fun () ->
          let ends name (schedule: Schedule) =
              Evidence.exact $"{name} begins at its rate and ends low" (schedule 0 = 0.5 && schedule 100 = 0.01 && schedule 1000 = 0.01)

          Evidence.worst
              [ ends "linear" (Schedule.linear 100 0.01 0.5)
                ends "polynomial" (Schedule.polynomial 3.0 100 0.01 0.5)
                let cycle = Schedule.oneCycle 100 0.5
                Evidence.within "one cycle begins at a 25th" 1e-15 (abs (cycle 0 - 0.02))

                Evidence.exact
                    "its top is the peak, its end the least"
                    (cycle 29 = 0.5 && cycle 99 = 0.5 / 25.0 / 1e4 && cycle 500 = cycle 99)

                let again = Schedule.cosineRestarts 10 3 0.01 0.5
                Evidence.exact "cycles begin at the rate" ([ 0; 10; 40; 130 ] |> List.forall (fun t -> again t = 0.5)) ])
      Law.fact "beginnings are joined in their order" "Schedule andThen" (fun () ->
          let plain = Schedule.warmup 5 (Schedule.lasting 10 (Schedule.constant 0.2) cosine)

          let piped = Schedule.warmup 5 |> Schedule.andThen (Schedule.lasting 10 (Schedule.constant 0.2) |> Schedule.andThen cosine)

          let joined = (Schedule.warmup 5 << Schedule.lasting 10 (Schedule.constant 0.2)) |> Schedule.andThen cosine
          Evidence.exact "the same rates" ([ 0..200 ] |> List.forall (fun t -> piped t = plain t && joined t = plain t)))
      Law.fact "linear is the polynomial of power 1; halving is a step of one half" "Schedule linear" (fun () ->
          let pairs =
              [ Schedule.linear 100 0.01 0.5, Schedule.polynomial 1.0 100 0.01 0.5
                Schedule.halving 7 0.8, Schedule.step 7 0.5 0.8 ]

          Evidence.worst
              [ for a, b in pairs do
                    Evidence.within "the rates" 1e-15 ([ 0..200 ] |> List.map (fun t -> abs (a t - b t)) |> List.max) ]) ]

let private known name (schedule: Schedule) (values: (int * float) list) =
    Law.fact "torch's values" $"Schedule {name}" (fun () ->
        Evidence.within "the rates" 1e-12 (values |> List.map (fun (t, rate) -> abs (schedule t - rate) / rate) |> List.max))

// Printed by PyTorch 1.13: OneCycleLR, CosineAnnealingWarmRestarts and ReduceLROnPlateau.
let private torch =
    [ known
          "oneCycle"
          (Schedule.oneCycle 100 0.5)
          [ 0, 0.02
            1, 0.021406890282953728
            10, 0.14758197423205038
            28, 0.4985931097170463
            29, 0.5
            30, 0.49974826764226216
            50, 0.396946725287866
            75, 0.13153430825041282
            98, 0.00025373235773789394 ]
      known
          "oneCycle of 7"
          (Schedule.oneCycleWith 0.1 25.0 1e4 7 0.5)
          [ 0, 0.49720771772545586; 1, 0.44928332967322343; 5, 0.030446484879016203 ]
      known
          "cosineRestarts"
          (Schedule.cosineRestarts 10 2 0.01 0.5)
          [ 0, 0.5
            9, 0.021991153507687385
            10, 0.5
            29, 0.013016356554191274
            31, 0.4992447467646164
            79, 0.4848568773010086 ] ]

let private losses =
    [ 2.9895
      2.5018
      2.1377
      1.8792
      1.6717
      1.4826
      1.3442
      1.2635
      1.1442
      1.0608
      1.0198
      0.9363
      0.8958
      0.8814 ]
    @ [ 0.8879
        0.8684
        0.8877
        0.8971
        0.8833
        0.892
        0.8892
        0.8649
        0.8927
        0.886
        0.8744
        0.8636
        0.897
        0.8813 ]
    @ [ 0.8911; 0.8975; 0.8909; 0.8992; 0.8782; 0.8944; 0.8801; 0.8998; 0.8975; 0.8663; 0.8678; 0.871 ]

/// Factors after every loss, from the losses after which torch lowers the rate.
let private lowered (settings: Plateau) (after: int list) =
    Law.fact $"torch's lowerings, {settings.Patience} of patience" "Schedule plateau" (fun () ->
        let expected i = settings.Factor ** float (after |> List.filter (fun at -> at <= i) |> List.length)
        let found i = losses |> List.take (i + 1) |> Schedule.plateau settings
        Evidence.within "the factors" 1e-12 ([ 0 .. losses.Length - 1 ] |> List.map (fun i -> abs (found i - expected i)) |> List.max))

let private plateaus =
    [ lowered Plateau.defaults [ 36 ]
      lowered { Plateau.defaults with Patience = 2; Factor = 0.5 } [ 18; 24; 28; 31; 34; 37 ]
      lowered
          { Plateau.defaults with
              Patience = 1
              Factor = 0.5
              Cooldown = 3
              Threshold = 0.01 }
          [ 17; 22; 27; 32; 37 ]
      Law.fact "nothing seen is 1, falling losses keep it, what is not a number is no better" "Schedule plateau" (fun () ->
          let factor losses = Schedule.plateau { Plateau.defaults with Patience = 1; Factor = 0.5; Least = 0.2 } losses

          Evidence.worst
              [ Evidence.exact "no loss" (factor [] = 1.0)
                Evidence.exact "falling" (factor [ for i in 0..50 -> 0.9 ** float i ] = 1.0)
                Evidence.exact "falling below zero" (factor [ for i in 0..50 -> 3.0 - float i ] = 1.0)
                Evidence.exact "infinite, then finite" (factor [ infinity; 1.0; 0.5; 0.25 ] = 1.0)
                Evidence.exact "not numbers" (factor [ 1.0; nan; nan ] = 0.5)
                Evidence.exact "down to the least" (factor (List.replicate 100 1.0) = 0.2) ]) ]

let private refusals =
    Law.fact "bad settings are named" "Schedule" (fun () ->
        let named (word: string) (make: unit -> obj) =
            try
                make () |> ignore
                Evidence.exact $"an exception that names {word}" false
            with :? InvalidArgumentException as error ->
                Evidence.exact $"'{word}' in: {error.Message}" (error.Message.Contains word)

        let plateau settings () : obj = Schedule.plateau settings [ 1.0 ]

        Evidence.worst
            [ named "cosine" (fun () -> Schedule.cosine 0 0.0 1.0)
              named "linear" (fun () -> Schedule.linear 0 0.0 1.0)
              named "power" (fun () -> Schedule.polynomial -1.0 5 0.0 1.0)
              named "growth" (fun () -> Schedule.cosineRestarts 5 0 0.0 1.0)
              named "rise" (fun () -> Schedule.oneCycleWith 1.0 25.0 1e4 5 1.0)
              named "divisor" (fun () -> Schedule.oneCycleWith 0.3 nan 1e4 5 1.0)
              named "lasting" (fun () -> Schedule.lasting 0 cosine cosine)
              named "perEpoch" (fun () -> Schedule.perEpoch 0 cosine)
              named "halving" (fun () -> Schedule.halving 0 0.1)
              named "Factor" (plateau { Plateau.defaults with Factor = 1.0 })
              named "Patience" (plateau { Plateau.defaults with Patience = -1 })
              named "Threshold" (plateau { Plateau.defaults with Threshold = nan })
              named "Cooldown" (plateau { Plateau.defaults with Cooldown = -1 })
              named "Least" (plateau { Plateau.defaults with Least = 2.0 }) ])

/// The laws of this file.
let laws: Law list = closedForms @ joints @ torch @ plateaus @ [ refusals ]
