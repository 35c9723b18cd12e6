/// Wrong Backwards of softmax and of norms.
module DL.Properties.Mutants.Norms

open DL.Laws
open DL.Properties.Mutants.Hand

let private softmax (x: float[]) =
    let e = Array.map (fun v -> exp (v - Array.max x)) x
    Array.map (fun v -> v / Array.sum e) e

let private softmaxHand =
    rowwise "softmax" softmax (fun _ y dy ->
        let mean = dot dy y
        Array.map2 (fun p d -> p * (d - mean)) y dy)

let private logSoftmaxHand =
    rowwise "logSoftmax" (softmax >> Array.map log) (fun _ y dy -> Array.map2 (fun l d -> d - exp l * Array.sum dy) y dy)

let private rows (wrong: float[] -> float[] -> float[] -> float[]) (hand: Hand) =
    { hand with
        Backward = fun pass dy -> struct (Array.map3 wrong pass.X pass.Y dy, [||]) }

let private epsilon = 1e-5

/// xhat and 1 / deviation.
let private standardize (x: float[]) =
    let mean = Array.average x
    let rstd = 1.0 / sqrt (Array.averageBy (fun v -> (v - mean) * (v - mean)) x + epsilon)
    struct (Array.map (fun v -> (v - mean) * rstd) x, rstd)

let private affine (ps: float[][]) (xhat: float[]) = Array.map3 (fun g h b -> g * h + b) ps[0] xhat ps[1]

/// Which terms of dx = rstd (g - mean g - xhat mean (g xhat)) are there.
type private Terms =
    { Mean: bool
      Projection: bool
      Rstd: bool
      Gamma: bool
      Biased: bool }

let private all =
    { Mean = true
      Projection = true
      Rstd = true
      Gamma = true
      Biased = true }

let private inputOf terms (gamma: float[]) (x: float[]) (dy: float[]) =
    let struct (xhat, rstd) = standardize x
    let g = if terms.Gamma then Array.map2 (*) gamma dy else dy
    let n = if terms.Biased then float x.Length else max 1.0 (float x.Length - 1.0)
    let mean = if terms.Mean then Array.sum g / float x.Length else 0.0
    let projection = if terms.Projection then dot g xhat / n else 0.0
    Array.map2 (fun v h -> (if terms.Rstd then rstd else 1.0) * (v - mean - h * projection)) g xhat

let private norm = [ "weight"; "bias" ]
let private sizes n = struct (n, [ [ n ], weights 3 n; [ n ], weights 4 n ])
let private normalized (x: float[]) = let struct (xhat, _) = standardize x in xhat
let private columnSums (rows: float[][]) = Array.reduce (Array.map2 (+)) rows

let private layerNormOf terms : Pass -> float[][] -> struct (float[][] * float[][]) =
    fun pass dy ->
        let xhat = Array.map normalized pass.X
        struct (Array.map2 (inputOf terms pass.Ps[0]) pass.X dy, [| columnSums (Array.map2 (Array.map2 (*)) dy xhat); columnSums dy |])

let private layerNorm: Hand =
    { Name = "layerNorm"
      Slots = norm
      Sizes = sizes
      Forward = fun ps -> Array.map (normalized >> affine ps)
      Backward = layerNormOf all }

let private rawGain: Pass -> float[][] -> struct (float[][] * float[][]) =
    fun pass dy ->
        let struct (dx, dp) = layerNormOf all pass dy
        struct (dx, [| columnSums (Array.map2 (Array.map2 (*)) dy pass.X); dp[1] |])

let private batchNormOf terms : Pass -> float[][] -> struct (float[][] * float[][]) =
    fun pass dy ->
        let columns, upstream = turned pass.X, turned dy
        let one = [| 1.0 |]
        let ones = Array.create dy.Length 1.0

        let dx =
            Array.mapi
                (fun j x ->
                    inputOf
                        { terms with Gamma = true }
                        (Array.map ((*) (if terms.Gamma then pass.Ps[0][j] else one[0])) ones)
                        x
                        upstream[j])
                columns

        let gain = Array.map2 (fun x d -> dot (normalized x) d) columns upstream
        struct (turned dx, [| gain; columnSums dy |])

let private batchNorm: Hand =
    { Name = "batchNorm"
      Slots = norm
      Sizes = sizes
      Forward = fun ps x -> turned x |> Array.map normalized |> turned |> Array.map (affine ps)
      Backward = batchNormOf all }

let private mixing mutant = { mutant with Claims = { Claims.none with MixesExamples = true } }

/// The mutants of this file.
let mutants: Mutant list =
    [ mutant "without the dot term" softmaxHand (rows (fun _ y dy -> Array.map2 (*) y dy))
      mutant "only the diagonal of the Jacobian" softmaxHand (rows (fun _ y dy -> Array.map2 (fun p d -> p * (1.0 - p) * d) y dy))
      mutant "the dot term of the mean" softmaxHand (rows (fun _ y dy -> Array.map2 (fun p d -> p * (d - Array.average dy)) y dy))
      mutant "softmax in place of its sum" logSoftmaxHand (rows (fun _ y dy -> Array.map2 (fun l d -> d - exp l) y dy))
      mutant "without the xhat term" layerNorm (back (layerNormOf { all with Projection = false }))
      mutant "without the mean term" layerNorm (back (layerNormOf { all with Mean = false }))
      mutant "gain forgotten in dx" layerNorm (back (layerNormOf { all with Gamma = false }))
      mutant "gain's gradient from x instead of xhat" layerNorm (back rawGain)
      mutant "deviation forgotten" layerNorm (back (layerNormOf { all with Rstd = false }))
      mutant "n - 1 in place of n" layerNorm (back (layerNormOf { all with Biased = false }))
      mutant "without the mean term" batchNorm (back (batchNormOf { all with Mean = false })) |> mixing
      mutant "without the xhat term: statistics taken as fixed" batchNorm (back (batchNormOf { all with Projection = false }))
      |> mixing
      mutant "gain forgotten in dx" batchNorm (back (batchNormOf { all with Gamma = false })) |> mixing
      mutant "deviation forgotten" batchNorm (back (batchNormOf { all with Rstd = false })) |> mixing ]
