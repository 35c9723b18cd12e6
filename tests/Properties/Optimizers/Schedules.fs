/// Schedules: endpoints, joints, and the closed form at every step.
module DL.Properties.Optimizers.Schedules

open System
open DL
open DL.Laws
open DL.Properties.Cases

let private everywhere name (schedule: Schedule) (formula: int -> float) =
    Law.fact "closed form at every step" $"Schedule {name}" (fun () ->
        let error t = abs (schedule t - formula t) / max 1e-12 (abs (formula t))
        Evidence.within "every step from 0 to 200" 1e-12 ([ 0..200 ] |> List.map error |> List.fold Evidence.worse 0.0))

/// The laws of this file.
let laws: Law list =
    let cosine = Schedule.cosine 100 0.01 0.5

    [ everywhere "constant" (Schedule.constant 0.1) (fun _ -> 0.1)
      everywhere "step" (Schedule.step 30 0.5 0.8) (fun t -> 0.8 * 0.5 ** float (t / 30))
      everywhere "exponential" (Schedule.exponential 0.95 0.1) (fun t -> 0.1 * 0.95 ** float t)
      everywhere "cosine" cosine (fun t -> if t >= 100 then 0.01 else 0.01 + 0.245 * (1.0 + cos (Math.PI * float t / 100.0)))
      everywhere "warmup" (Schedule.warmup 10 cosine) (fun t -> if t < 10 then 0.5 * float (t + 1) / 10.0 else cosine (t - 10))
      Law.fact "endpoints and joints" "Schedule cosine" (fun () ->
          Evidence.worst
              [ Evidence.exact "begins at its rate" (cosine 0 = 0.5)
                Evidence.exact "ends low" (cosine 100 = 0.01 && cosine 1000 = 0.01)
                Evidence.exact "warm-up meets what follows" ((Schedule.warmup 10 cosine) 9 = 0.5 && (Schedule.warmup 10 cosine) 10 = 0.5) ]) ]
