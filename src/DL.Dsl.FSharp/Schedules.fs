namespace DL

open System
open DL.Core

/// <summary>A learning rate for every step, counted from 0: a pure function.</summary>
type Schedule = int -> float

/// <summary>When a loss that no longer falls lowers the learning rate, see <c>Schedule.plateau</c>.</summary>
type Plateau =
    {
        /// <summary>What the rate is multiplied with, from 0 to below 1.</summary>
        Factor: float
        /// <summary>How many losses in a row may be no better than the best; the one after them lowers the rate.</summary>
        Patience: int
        /// <summary>The part of the best loss that a better one lies below it.</summary>
        Threshold: float
        /// <summary>How many losses after a lowering are not counted.</summary>
        Cooldown: int
        /// <summary>The least the factors multiply to.</summary>
        Least: float
    }

/// <summary>Settings of plateaus.</summary>
[<RequireQualifiedAccess>]
module Plateau =
    /// <summary>A tenth after 10 losses that were no better by 1e-4 of the best, as torch's <c>ReduceLROnPlateau</c>.</summary>
    let defaults: Plateau =
        { Factor = 0.1
          Patience = 10
          Threshold = 1e-4
          Cooldown = 0
          Least = 0.0 }

/// <summary>Schedules of the learning rate.</summary>
/// <remarks>They go one after another: <c>Schedule.warmup 500 |&gt; Schedule.andThen (Schedule.cosine 9500 0.0 1e-3)</c>.</remarks>
[<RequireQualifiedAccess>]
module Schedule =
    let private positive name (n: int) =
        if n < 1 then
            raise (InvalidArgumentException(name, "at least 1 step", $"{n}"))

    let private require name expected holds (got: obj) =
        if not holds then
            raise (InvalidArgumentException(name, expected, $"{got}"))

    let private falling shape (steps: int) (low: float) (rate: float) : Schedule =
        fun t -> if t >= steps then low else low + (rate - low) * shape (float t / float steps)

    let private cosineFall part = (1.0 + Math.Cos(Math.PI * part)) / 2.0

    /// <summary>The same rate at every step.</summary>
    let constant (rate: float) : Schedule = fun _ -> rate

    /// <summary><c>rate * gamma^floor(t / every)</c>.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no step.</exception>
    let step (every: int) (gamma: float) (rate: float) : Schedule =
        positive "Schedule.step" every
        fun t -> rate * Math.Pow(gamma, float (t / every))

    /// <summary><c>rate / 2^floor(t / every)</c>: half of it after every so many steps.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no step.</exception>
    let halving (every: int) (rate: float) : Schedule =
        positive "Schedule.halving" every
        step every 0.5 rate

    /// <summary><c>rate * gamma^t</c>; over epochs it is <c>exponential 0.95 rate |&gt; perEpoch steps</c>.</summary>
    let exponential (gamma: float) (rate: float) : Schedule = fun t -> rate * Math.Pow(gamma, float t)

    /// <summary><c>low + (rate - low) / 2 * (1 + cos(pi t / steps))</c> until <c>steps</c>, then <c>low</c>.</summary>
    /// <remarks>I. Loshchilov, F. Hutter, SGDR: stochastic gradient descent with warm restarts, 2017, eq. 5.</remarks>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no step.</exception>
    let cosine (steps: int) (low: float) (rate: float) : Schedule =
        positive "Schedule.cosine" steps
        falling cosineFall steps low rate

    /// <summary><c>low + (rate - low) (1 - t / steps)^power</c> until <c>steps</c>, then <c>low</c>.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no step, or the power is not positive.</exception>
    let polynomial (power: float) (steps: int) (low: float) (rate: float) : Schedule =
        positive "Schedule.polynomial" steps
        require "Schedule.polynomial" "a positive finite power" (power > 0.0 && Double.IsFinite power) power
        falling (fun part -> Math.Pow(1.0 - part, power)) steps low rate

    /// <summary><c>low + (rate - low) (1 - t / steps)</c> until <c>steps</c>, then <c>low</c>.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no step.</exception>
    let linear (steps: int) (low: float) (rate: float) : Schedule =
        positive "Schedule.linear" steps
        falling (fun part -> 1.0 - part) steps low rate

    /// <summary>The cosine from <c>rate</c> to <c>low</c> again and again: within <c>first</c> steps, then within <c>growth</c> times as many, and so on.</summary>
    /// <remarks>I. Loshchilov, F. Hutter, SGDR, 2017; torch's <c>CosineAnnealingWarmRestarts</c>.</remarks>
    /// <param name="first">The steps of the first cycle.</param>
    /// <param name="growth">How much longer every cycle is than the one before, at least 1.</param>
    /// <param name="low">The rate that a cycle ends before.</param>
    /// <param name="rate">The rate that a cycle begins at.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no step, or the growth is below 1.</exception>
    let cosineRestarts (first: int) (growth: int) (low: float) (rate: float) : Schedule =
        positive "Schedule.cosineRestarts" first
        require "Schedule.cosineRestarts" "a growth of at least 1" (growth >= 1) growth

        let rec place (length: int64) (t: int64) =
            if growth = 1 then float (t % length) / float length
            elif t < length then float t / float length
            else place (length * int64 growth) (t - length)

        fun t -> low + (rate - low) * cosineFall (place (int64 first) (int64 t))

    /// <summary>Up from <c>peak / first</c> to the peak within a part of all steps, then down to <c>peak / (first * last)</c>, both along a cosine; then it stays.</summary>
    /// <remarks>L. Smith, N. Topin, Super-convergence: very fast training of neural networks using large learning rates, 2018; torch's <c>OneCycleLR</c>.</remarks>
    /// <param name="rise">The part of the steps that rises, between 0 and 1.</param>
    /// <param name="first">By what the peak is divided at the beginning, at least 1.</param>
    /// <param name="last">By what the beginning is divided at the end, at least 1.</param>
    /// <param name="steps">The number of all steps.</param>
    /// <param name="peak">The largest rate.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">A number is out of range.</exception>
    let oneCycleWith (rise: float) (first: float) (last: float) (steps: int) (peak: float) : Schedule =
        positive "Schedule.oneCycle" steps
        require "Schedule.oneCycle" "a rise between 0 and 1" (rise > 0.0 && rise < 1.0) rise
        require "Schedule.oneCycle" "a divisor of at least 1" (first >= 1.0 && Double.IsFinite first) first
        require "Schedule.oneCycle" "a divisor of at least 1" (last >= 1.0 && Double.IsFinite last) last
        let start, finish = peak / first, peak / first / last
        let top, finalStep = rise * float steps - 1.0, float (steps - 1)
        let between a b part = b + (a - b) * cosineFall part

        fun t ->
            let t = float t

            if t >= finalStep then finish
            elif t <= top then between start peak (t / top)
            else between peak finish ((t - top) / (finalStep - top))

    /// <summary>One cycle: up from a 25th of the peak within three tenths of the steps, then down to a 250000th, as torch's <c>OneCycleLR</c>.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no step.</exception>
    let oneCycle (steps: int) (peak: float) : Schedule = oneCycleWith 0.3 25.0 1e4 steps peak

    /// <summary>Rises linearly to the first rate of another schedule within <c>steps</c> steps, then follows it from its beginning.</summary>
    /// <remarks>Either <c>cosine 9500 0.0 1e-3 |&gt; warmup 500</c> or <c>warmup 500 |&gt; andThen (cosine 9500 0.0 1e-3)</c>.</remarks>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no step.</exception>
    let warmup (steps: int) (next: Schedule) : Schedule =
        positive "Schedule.warmup" steps
        fun t -> if t < steps then next 0 * float (t + 1) / float steps else next (t - steps)

    /// <summary>A schedule for so many steps, then another one from its beginning: <c>lasting 1000 (constant 0.1) |&gt; andThen (exponential 0.99 0.1)</c>.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no step.</exception>
    let lasting (steps: int) (schedule: Schedule) (next: Schedule) : Schedule =
        positive "Schedule.lasting" steps
        fun t -> if t < steps then schedule t else next (t - steps)

    /// <summary>What follows a beginning: <c>warmup 500 |&gt; andThen (cosine 9500 0.0 1e-3)</c>.</summary>
    /// <param name="next">What follows, counted from its own beginning.</param>
    /// <param name="beginning"><c>warmup steps</c>, <c>lasting steps schedule</c>, or several of them joined by <c>&lt;&lt;</c>.</param>
    let andThen (next: Schedule) (beginning: Schedule -> Schedule) : Schedule = beginning next

    /// <summary>A schedule that counts epochs instead of steps.</summary>
    /// <param name="stepsPerEpoch">The steps of an epoch: the examples over the size of a batch, rounded up.</param>
    /// <param name="schedule">From the number of the epoch, counted from 0, to the rate.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no step.</exception>
    let perEpoch (stepsPerEpoch: int) (schedule: Schedule) : Schedule =
        positive "Schedule.perEpoch" stepsPerEpoch
        fun t -> schedule (t / stepsPerEpoch)

    let private checkPlateau (p: Plateau) =
        let where field = $"Schedule.plateau {field}"
        require (where "Factor") "from 0 to below 1" (p.Factor >= 0.0 && p.Factor < 1.0) p.Factor
        require (where "Patience") "at least 0" (p.Patience >= 0) p.Patience
        require (where "Threshold") "from 0 to below 1" (p.Threshold >= 0.0 && p.Threshold < 1.0) p.Threshold
        require (where "Cooldown") "at least 0" (p.Cooldown >= 0) p.Cooldown
        require (where "Least") "from 0 to 1" (p.Least >= 0.0 && p.Least <= 1.0) p.Least

    /// <summary>The factor of the learning rate after the losses so far: lowered by <c>Factor</c> each time <c>Patience</c> losses in a row, and one more, were no better than the best.</summary>
    /// <remarks>A loss is better when it lies below <c>best - Threshold |best|</c>; one that is not a number never is. A pure function of the history: a
    /// resumed training needs nothing but its losses. torch's <c>ReduceLROnPlateau</c> with the relative threshold, for losses of at least 0.</remarks>
    /// <param name="settings">Factor, patience, threshold, cooldown and the least factor.</param>
    /// <param name="losses">The losses so far, one for each epoch, the oldest first.</param>
    /// <returns>From 1, before anything is lowered, down to <c>Least</c>.</returns>
    /// <exception cref="T:DL.Core.InvalidArgumentException">A setting is out of range.</exception>
    let plateau (settings: Plateau) (losses: float list) : float =
        checkPlateau settings

        let next struct (factor, best, waited, cooling) loss =
            let better = loss < best - settings.Threshold * abs best || Double.IsPositiveInfinity best && loss < best
            let best = if better then loss else best
            let waited = if better || cooling > 0 then 0 else waited + 1

            if waited > settings.Patience then
                struct (max settings.Least (factor * settings.Factor), best, 0, settings.Cooldown)
            else
                struct (factor, best, waited, max 0 (cooling - 1))

        let struct (factor, _, _, _) = losses |> List.fold next struct (1.0, infinity, 0, 0)
        factor
