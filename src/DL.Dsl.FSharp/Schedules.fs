namespace DL

open System
open DL.Core

/// <summary>A learning rate for every step, counted from 0: a pure function.</summary>
type Schedule = int -> float

/// <summary>Schedules of the learning rate.</summary>
[<RequireQualifiedAccess>]
module Schedule =
    let private positive name (n: int) =
        if n < 1 then
            raise (InvalidArgumentException(name, "at least 1 step", $"{n}"))

    /// <summary>The same rate at every step.</summary>
    let constant (rate: float) : Schedule = fun _ -> rate

    /// <summary><c>rate * gamma^floor(t / every)</c>.</summary>
    let step (every: int) (gamma: float) (rate: float) : Schedule =
        positive "Schedule.step" every
        fun t -> rate * Math.Pow(gamma, float (t / every))

    /// <summary><c>rate * gamma^t</c>.</summary>
    let exponential (gamma: float) (rate: float) : Schedule = fun t -> rate * Math.Pow(gamma, float t)

    /// <summary><c>low + (rate - low) / 2 * (1 + cos(pi t / steps))</c> until <c>steps</c>, then <c>low</c>.</summary>
    let cosine (steps: int) (low: float) (rate: float) : Schedule =
        positive "Schedule.cosine" steps

        fun t ->
            if t >= steps then
                low
            else
                low + (rate - low) / 2.0 * (1.0 + Math.Cos(Math.PI * float t / float steps))

    /// <summary>Rises linearly to the first rate of another schedule within <c>steps</c> steps, then follows it from its beginning.</summary>
    let warmup (steps: int) (next: Schedule) : Schedule =
        positive "Schedule.warmup" steps
        fun t -> if t < steps then next 0 * float (t + 1) / float steps else next (t - steps)
