namespace DL.Laws

open System
open DL.Core

/// <summary>How the numbers of a generated tensor lie: what a law must survive beside ordinary values.</summary>
type Numbers =
    /// <summary>Normal numbers of mean 0 and variance 1.</summary>
    | Ordinary
    /// <summary>Multiples of one half from -3 to 3, exact zeros among them: the kinks of piecewise functions.</summary>
    | Kinks
    /// <summary>Few different values, so that maxima are met more than once.</summary>
    | Ties
    /// <summary>All rows equal.</summary>
    | EqualRows
    /// <summary>Every row constant.</summary>
    | ConstantRows
    /// <summary>Rows of ordinary size beside rows around 1000.</summary>
    | UnequalRows
    /// <summary>Magnitudes up to 1e4.</summary>
    | Large
    /// <summary>Magnitudes around 1e-30.</summary>
    | Small
    /// <summary>Magnitudes around 1e30.</summary>
    | Huge

/// Random numbers for cases, apart from the library's own: a law must not be judged by what it judges.
[<Sealed>]
type internal Draw(seed: uint64) =
    let mutable state = seed

    // SplitMix64: G. Steele, D. Lea, C. Flood, Fast splittable pseudorandom number generators, 2014.
    member _.Bits() =
        state <- state + 0x9E3779B97F4A7C15UL
        let a = (state ^^^ (state >>> 30)) * 0xBF58476D1CE4E5B9UL
        let b = (a ^^^ (a >>> 27)) * 0x94D049BB133111EBUL
        b ^^^ (b >>> 31)

    member this.Uniform() = (float (this.Bits() >>> 11) + 0.5) / 9007199254740992.0

    member this.Below n = int (this.Bits() % uint64 n)

    member this.Normal() = sqrt (-2.0 * log (this.Uniform())) * cos (2.0 * Math.PI * this.Uniform())

    /// An independent stream for the n-th tensor of a case.
    member _.Branch(n: int) = Draw(Draw(seed + 0x632BE59BD9B4E019UL * uint64 (n + 1)).Bits())

/// <summary>Numbers for the tensors of a case.</summary>
[<RequireQualifiedAccess>]
module Numbers =
    /// <summary>Every way numbers can lie.</summary>
    let all: Numbers list = [ Ordinary; Kinks; Ties; EqualRows; ConstantRows; UnequalRows; Large; Small; Huge ]

    let private element numbers (draw: Draw) =
        match numbers with
        | Kinks -> 0.5 * float (draw.Below 13 - 6)
        | Ties -> float (draw.Below 3)
        | Large -> 1e4 * (2.0 * draw.Uniform() - 1.0)
        | Small -> 1e-30 * draw.Normal()
        | Huge -> 1e30 * draw.Normal()
        | _ -> draw.Normal()

    // Rounded to float32, so that the same numbers serve both precisions exactly.
    let private rounded (x: float) = float (float32 x)

    let internal fill numbers (draw: Draw) rows columns : float[] =
        let fresh () = Array.init columns (fun _ -> rounded (element numbers draw))

        match numbers with
        | EqualRows ->
            let row = fresh ()
            Array.concat (Array.replicate rows row)
        | ConstantRows -> Array.concat (Array.init rows (fun _ -> Array.replicate columns (rounded (draw.Normal()))))
        | UnequalRows ->
            let shift i =
                if i % 2 = 0 then 0.0
                elif draw.Below 2 = 0 then 1000.0
                else -1000.0

            Array.concat (
                Array.init rows (fun i ->
                    let s = shift i
                    fresh () |> Array.map (fun x -> rounded (x + s)))
            )
        | _ -> Array.init (rows * columns) (fun _ -> rounded (element numbers draw))

    /// <summary>The numbers of one tensor, float64 values that float32 holds exactly.</summary>
    /// <param name="numbers">How they lie; a row is a run along the last axis.</param>
    /// <param name="seed">Where they come from.</param>
    /// <param name="extents">The extents of the tensor.</param>
    let tensor (numbers: Numbers) (seed: uint64) (extents: int list) : Tensor =
        let shape = Shape(ReadOnlySpan<int>(List.toArray extents))
        let columns = shape.Last
        let rows = if columns = 0 then 0 else shape.Count / columns
        Tensor.Of<float>(ReadOnlySpan<float>(fill numbers (Draw seed) rows columns), shape)
