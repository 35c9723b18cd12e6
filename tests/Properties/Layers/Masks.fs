/// Self attention under a mask of one's own, against softmax written out.
module DL.Properties.Layers.Masks

open System
open FsCheck.FSharp
open Xunit
open DL
open DL.Core
open DL.Core.Random
open DL.Properties.Data.Support

type Sight =
    { Time: int
      Heads: int
      Causal: bool
      Length: int
      Sees: bool[,]
      Seed: int }

let private width = 4

let private sights =
    gen {
        let! time = Gen.choose (1, 7)
        let! heads = Gen.elements [ 1; 2; 4 ]
        let! causal = Gen.elements [ false; true ]
        let! length = Gen.choose (0, time)
        let! density = Gen.elements [ 0; 3; 7; 10 ]
        let! sees = Gen.choose (0, 9) |> Gen.map (fun n -> n < density) |> Gen.array2DOfDim time time
        let! seed = Gen.choose (0, 100_000)

        return
            { Time = time
              Heads = heads
              Causal = causal
              Length = length
              Sees = sees
              Seed = seed }
    }

let private draw seed (extents: int list) : Tensor =
    Initializers.Gaussian(Key.ofSeed seed, ElementType.Float64, Shape(List.toArray extents), 0.0, 1.0)

let private layer (c: Sight) (options: AttendSettings) =
    selfAttentionWith
        { options with
            Causal = c.Causal
            Visible = Some(fun q k -> c.Sees[q, k]) }
        c.Heads

let private parameters c =
    [| draw (c.Seed + 1) [ width; 3 * width ]
       draw (c.Seed + 2) [ 3 * width ]
       draw (c.Seed + 3) [ width; width ]
       draw (c.Seed + 4) [ width ] |]

let private input c : Batch<Seq> = Batch.seq (draw c.Seed [ 1; c.Time; width ]) |> Padded.withLengths [| c.Length |]
let private numbers (batch: Batch<Seq>) = (Batch.tensor batch).ToArray<float>()

/// Whether a query sees a key, by all three limits.
let private seen c q k = c.Sees[q, k] && (not c.Causal || k <= q) && q < c.Length && k < c.Length

/// The layer by its formula, number by number.
let private literal (c: Sight) : float[] =
    let ps = parameters c |> Array.map (fun p -> p.ToArray<float>())
    let x, d = numbers (input c), width / c.Heads
    let projected t j = ps[1][j] + Seq.sum (Seq.init width (fun i -> x[t * width + i] * ps[0][i * 3 * width + j]))
    let q, k, v = (fun t i -> projected t i), (fun t i -> projected t (width + i)), (fun t i -> projected t (2 * width + i))

    let context t i =
        let head = i / d
        let score s = (Seq.sum (Seq.init d (fun j -> q t (head * d + j) * k s (head * d + j)))) / sqrt (float d)
        let there = [ 0 .. c.Time - 1 ] |> List.filter (seen c t)
        let total = there |> List.sumBy (score >> exp)
        there |> List.sumBy (fun s -> exp (score s) / total * v s i)

    Array.init (c.Time * width) (fun at ->
        let t, j = at / width, at % width
        ps[3][j] + Seq.sum (Seq.init width (fun i -> context t i * ps[2][i * width + j])))

let private near (a: float[]) (b: float[]) =
    let largest = Array.fold (fun m v -> max m (abs v)) 1.0 b
    Array.forall2 (fun a b -> abs (a - b) <= 1e-11 * largest) a b

/// The numbers of the steps that count.
let private counted c (x: float[]) = Array.truncate (c.Length * width) x

[<Fact>]
let ``attention under a mask is softmax over what all limits let be seen, and zeros where that is nothing`` () =
    forAll sights (fun c ->
        let pass = (layer c Attend.defaults).Apply Predict (parameters c) [||] (input c)
        near (counted c (numbers pass.Output)) (counted c (literal c)))

[<Fact>]
let ``a step that sees nothing gives no gradient`` () =
    forAll sights (fun c ->
        let blind = [ 0 .. c.Length - 1 ] |> List.filter (fun q -> not (List.exists (seen c q) [ 0 .. c.Time - 1 ]))
        let pass = (layer c Attend.defaults).Apply Train (parameters c) [||] (input c)
        let upstream = Array.init (c.Time * width) (fun at -> if List.contains (at / width) blind then 1.0 + float at else 0.0)
        let struct (dx, dp) = pass.Pullback(Batch.seq (Tensor.Of<float>(upstream, 1, c.Time, width)))
        let zero (t: Tensor) = t.ToArray<float>() |> Array.forall ((=) 0.0)
        zero (Batch.tensor dx) && zero dp[0] && zero dp[1] && zero dp[2] && (zero dp[3] = blind.IsEmpty))

[<Fact>]
let ``what a mask hides reaches nothing`` () =
    forAll sights (fun c ->
        // The last step hidden from all others.
        let last = c.Time - 1

        let c =
            { c with
                Sees = c.Sees |> Array2D.mapi (fun q k sees -> sees && (k < last || q = last)) }

        let over (x: Tensor) = ((layer c Attend.defaults).Apply Predict (parameters c) [||] (Batch.seq x)).Output |> numbers
        let x = draw c.Seed [ 1; c.Time; width ]
        let other = x.ToArray<float>() |> Array.mapi (fun i v -> if i / width = last then v + 1000.0 else v)
        let before = Array.truncate (last * width)
        before (over x) = before (over (Tensor.Of<float>(other, 1, c.Time, width))))

[<Fact>]
let ``a window wide enough is no mask, and one of a single step sees itself`` () =
    forAll sights (fun c ->
        let over options =
            ((selfAttentionWith options c.Heads).Apply Predict (parameters c) [||] (input c)).Output
            |> numbers
            |> counted c

        let self = { c with Causal = true; Sees = Array2D.init c.Time c.Time (=) }

        near (over (Attend.window c.Time)) (over Attend.causal)
        && near (over { Attend.defaults with Visible = Some(fun _ _ -> true) }) (over Attend.defaults)
        && near (over (Attend.window 1)) (counted c (literal self)))

[<Fact>]
let ``the operations of a masked layer are counted by what it sees`` () =
    let flops options = Model.flops (selfAttentionWith options 2 |> Model.init Double (Key.ofSeed 0) (Shape.seq (5, 4)))
    let projections = 2L * 5L * 4L * 16L
    Assert.Equal(projections + 2L * 2L * 25L * 4L, flops Attend.defaults)
    Assert.Equal(projections + 2L * 2L * 15L * 4L, flops Attend.causal)
    Assert.Equal(flops Attend.causal, flops (Attend.window 5))
    Assert.Equal(projections + 2L * 2L * 9L * 4L, flops (Attend.window 2))
    Assert.Equal(projections + 2L * 2L * 13L * 4L, flops { Attend.defaults with Visible = Some(fun q k -> (q + k) % 2 = 0) })

[<Fact>]
let ``one layer over sequences of different lengths takes the mask of each`` () =
    let layer = selfAttentionWith { Attend.defaults with Visible = Some(fun q k -> k <= q) } 2
    let causal = selfAttentionWith Attend.causal 2
    let ps = (causal.Init (Key.ofSeed 1) (Shape.seq (5, width))).Params

    for time in [ 5; 3; 5; 1; 3 ] do
        let x: Batch<Seq> = Batch.seq (draw time [ 2; time; width ])
        let over (layer: Layer<Seq, Seq>) = (layer.Apply Predict ps [||] x).Output |> numbers
        Assert.True(near (over layer) (over causal))

[<Fact>]
let ``a window of no step is refused`` () = argumentError (fun () -> Attend.window 0) |> mentions [ "Attend.window"; "at least 1"; "0" ]
