/// Initial parameters: moments, bounds, and what they are for.
module DL.Properties.Random.Initializers

open System
open DL
open DL.Core
open DL.Core.Ops
open DL.Laws
open DL.Properties.Cases

let private fanIn, fanOut = 300, 200

let private drawn (i: Initializer) = numbers (i.Draw (Key.ofSeed 11) (Shape(ReadOnlySpan<int> [| fanIn; fanOut |])) fanIn fanOut)

let private normal name (i: Initializer) mean variance =
    Law.fact "moments within five standard errors" $"Initializer {name}" (fun () ->
        let x = drawn i
        let n = float x.Length
        let found = Array.average x
        let spread = x |> Array.averageBy (fun v -> (v - mean) * (v - mean))
        let fourth = x |> Array.averageBy (fun v -> ((v - mean) / sqrt variance) ** 4.0)

        Evidence.worst
            [ Evidence.within "the mean, in standard errors" 5.0 (abs (found - mean) / sqrt (variance / n))
              Evidence.within "the variance, in standard errors" 5.0 (abs (spread - variance) / (variance * sqrt (2.0 / n)))
              Evidence.within "the fourth moment, in standard errors" 5.0 (abs (fourth - 3.0) / sqrt (96.0 / n)) ])

let private uniform name (i: Initializer) low high =
    Law.fact "bounds, and moments within five standard errors" $"Initializer {name}" (fun () ->
        let x = drawn i
        let n = float x.Length
        let variance = (high - low) * (high - low) / 12.0

        Evidence.worst
            [ Evidence.exact "within the bounds" (Array.forall (fun v -> v >= low && v <= high) x)
              Evidence.within "the mean, in standard errors" 5.0 (abs (Array.average x - (low + high) / 2.0) / sqrt (variance / n))
              Evidence.exact "near the bounds" (Array.max x > high - 0.001 * (high - low) && Array.min x < low + 0.001 * (high - low)) ])

let private heThroughRelus =
    Law.fact "ten relu layers keep the size of activations" "Initializer heNormal" (fun () ->
        let options = { Dense.defaults with Bias = false; Weights = Initializer.heNormal }

        let net = denseWith options 256 --> relu |> List.replicate 10 |> List.reduce (-->)
        let model = Model.init Double (Key.ofSeed 5) (Shape.vec 256) net
        let x = Numbers.tensor Ordinary 7UL [ 64; 256 ]
        let y = numbers (Batch.tensor (Model.predict model (Batch.vec x)))
        let size = y |> Array.averageBy (fun v -> v * v)
        // Each layer's square is 1 in the mean; ten of width 256 spread it by about sqrt(10 * 5 / 256).
        Evidence.within "the mean square, from 1" 0.9 (abs (size - 1.0)))

let private truncated name (i: Initializer) mean cut variance =
    Law.fact "bounds, and moments within five standard errors" $"Initializer {name}" (fun () ->
        let x = drawn i
        let n = float x.Length
        let spread = x |> Array.averageBy (fun v -> (v - mean) * (v - mean))

        Evidence.worst
            [ Evidence.exact "within the bounds" (x |> Array.forall (fun v -> abs (v - mean) <= cut))
              Evidence.exact "near the bounds" (Array.max x > mean + 0.99 * cut && Array.min x < mean - 0.99 * cut)
              Evidence.within "the mean, in standard errors" 5.0 (abs (Array.average x - mean) / sqrt (variance / n))
              // Shorter tails than a normal number's spread the variance less.
              Evidence.within "the variance, in standard errors" 5.0 (abs (spread - variance) / (variance * sqrt (2.0 / n))) ])

let private fixedNumbers =
    Law.fact "all elements are what they are called" "Initializer constant" (fun () ->
        let draw (i: Initializer) (extents: int list) =
            numbers (i.Draw (Key.ofSeed 1) (Shape(ReadOnlySpan<int>(Array.ofList extents))) 3 4)

        let refused =
            try
                draw Initializer.identity [ 2; 2; 2 ] |> ignore
                false
            with :? ShapeException as error ->
                error.Message.Contains "a matrix"

        let notFinite value =
            try
                draw (Initializer.constant value) [ 2 ] |> ignore
                false
            with :? InvalidArgumentException as error ->
                error.Message.Contains "Initializer.constant"

        Evidence.worst
            [ Evidence.exact "no constant that is no number" (notFinite nan && notFinite infinity)
              Evidence.exact "constant" (draw (Initializer.constant 0.25) [ 2; 3 ] = Array.create 6 0.25)
              Evidence.exact "zeros" (draw Initializer.zeros [ 2; 3 ] = Array.create 6 0.0)
              Evidence.exact "ones" (draw Initializer.ones [ 6 ] = Array.create 6 1.0)
              Evidence.exact "identity" (draw Initializer.identity [ 2; 3 ] = [| 1.0; 0.0; 0.0; 0.0; 1.0; 0.0 |])
              Evidence.exact "no identity of three axes" refused ])

/// The laws of this file.
let laws: Law list =
    let within b = -b, b
    let low, high = within (sqrt (6.0 / float (fanIn + fanOut)))
    let lowHe, highHe = within (sqrt (6.0 / float fanIn))

    [ normal "gaussian" (Initializer.gaussian 0.5 0.04) 0.5 0.04
      normal "xavierNormal" Initializer.xavierNormal 0.0 (2.0 / float (fanIn + fanOut))
      normal "heNormal" Initializer.heNormal 0.0 (2.0 / float fanIn)
      normal "lecunNormal" Initializer.lecunNormal 0.0 (1.0 / float fanIn)
      uniform "lecunUniform" Initializer.lecunUniform (-sqrt(3.0 / float fanIn)) (sqrt (3.0 / float fanIn))
      truncated "truncatedNormal" (Initializer.truncatedNormal 0.5 0.04) 0.5 0.4 (0.04 * 0.7737413035499232)
      truncated "truncatedNormalCorrected" (Initializer.truncatedNormalCorrected 0.5 0.04) 0.5 (0.2 * 2.273694468677113) 0.04
      fixedNumbers
      uniform "uniform" (Initializer.uniform -0.2 0.6) -0.2 0.6
      uniform "xavierUniform" Initializer.xavierUniform low high
      uniform "heUniform" Initializer.heUniform lowHe highHe
      heThroughRelus ]
