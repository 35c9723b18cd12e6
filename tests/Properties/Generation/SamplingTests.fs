/// From logits to probabilities to a token, against formulas and brute force.
module DL.Properties.Generation.SamplingTests

open System
open FsCheck.FSharp
open Xunit
open DL.Core.Generation
open DL.Core.Random
open DL.Properties.Data.Support

let private none = Double.NegativeInfinity

/// Logits with ties and tokens that are never taken; at least one token is allowed.
let logits: FsCheck.Gen<float[]> =
    gen {
        let! n = Gen.choose (1, 9)
        let tied = Gen.map float (Gen.choose (-3, 3))
        let fine = Gen.map (fun i -> float i / 1000.0) (Gen.choose (-9000, 9000))
        let! value = Gen.elements [ tied; fine; Gen.frequency [ 3, fine; 1, Gen.constant none ] ]
        let! values = Gen.arrayOfLength n value
        let! at = Gen.choose (0, n - 1)
        return values |> Array.mapi (fun i x -> if i = at && x = none then 0.0 else x)
    }

let private withHistory =
    gen {
        let! x = logits
        let! history = Gen.arrayOf (Gen.choose (0, x.Length - 1))
        return x, history
    }

let private close (a: float) b = abs (a - b) <= 1e-12 * max 1.0 (abs b)
let private allClose a b = Array.forall2 close a b

let private formula t (x: float[]) =
    let raised = x |> Array.map (fun v -> exp ((v - Array.max x) / t))
    raised |> Array.map (fun v -> v / Array.sum raised)

[<Fact>]
let ``temperature is its formula, and 0 puts all on the first of the largest`` () =
    forAll (Gen.zip logits (Gen.elements [ 0.0; 1e-300; 0.1; 1.0; 3.0; 1e9 ])) (fun (x, t) ->
        let p = Probabilities.Softmax(x, t)

        if t = 0.0 then
            let first = Array.findIndex ((=) (Array.max x)) x
            p = Array.init x.Length (fun i -> if i = first then 1.0 else 0.0)
        else
            allClose p (formula t x) && close (Array.sum p) 1.0)

[<Fact>]
let ``log probabilities are the logarithms, and of themselves the same`` () =
    forAll logits (fun x ->
        let y = Logits.LogSoftmax x
        let same a b = a = b || close a b
        Array.forall2 same y (formula 1.0 x |> Array.map log) && Array.forall2 same (Logits.LogSoftmax y) y)

[<Fact>]
let ``top-k keeps the first k of a stable sort`` () =
    forAll (Gen.zip logits (Gen.choose (0, 8))) (fun (x, at) ->
        let k = 1 + at % x.Length
        let kept = x |> Array.indexed |> Array.sortBy (fun (i, v) -> -v, i) |> Array.take k |> Array.map fst |> set
        Logits.TopK(x, k) = (x |> Array.mapi (fun i v -> if kept.Contains i then v else none)))

[<Fact>]
let ``top-1 is greedy`` () = forAll logits (fun x -> Probabilities.Softmax(Logits.TopK(x, 1), 2.0) = Probabilities.Softmax(x, 0.0))

/// All subsets of the first n numbers.
let rec private subsets n = if n = 0 then [ [] ] else subsets (n - 1) |> List.collect (fun s -> [ s; (n - 1) :: s ])

[<Fact>]
let ``top-p keeps the smallest set that reaches the mass, of all subsets`` () =
    let cases =
        gen {
            let! weights = Gen.nonEmptyListOf (Gen.choose (0, 5)) |> Gen.map (List.truncate 8)
            let! p = Gen.choose (1, 32)
            return (if List.sum weights = 0 then [ 1 ] else weights), float p / 32.0
        }

    forAll cases (fun (weights, p) ->
        let w = weights |> List.map float |> List.toArray
        let mass = List.sumBy (fun i -> w[i])
        let reaching = subsets w.Length |> List.filter (fun s -> mass s >= p * Array.sum w)
        let size = reaching |> List.map List.length |> List.min

        let most =
            reaching
            |> List.filter (fun s -> s.Length = size && List.forall (fun i -> w[i] > 0.0) s)
            |> List.map mass
            |> List.max

        let q = Probabilities.TopP(w, p)

        let kept =
            [ for i in 0 .. w.Length - 1 do
                  if q[i] > 0.0 then
                      i ]
        // A dropped token of equal probability lies above every kept one.
        let lowest =
            kept
            |> List.forall (fun k -> Seq.forall (fun i -> q[i] > 0.0 || w[i] < w[k] || w[i] = w[k] && i > k) [ 0 .. w.Length - 1 ])

        (p = 1.0 || kept.Length = size && mass kept = most)
        && (p < 1.0 || kept.Length = (w |> Array.filter (fun v -> v > 0.0) |> Array.length))
        && lowest
        && kept |> List.forall (fun i -> close q[i] (w[i] / mass kept)))

[<Fact>]
let ``top-p over a large vocabulary is the prefix of a sort`` () =
    for p in [ 0.01; 0.5; 0.9; 0.999 ] do
        let w = Array.init 20_000 (fun i -> 1.0 / float (1 + (i * 7919) % 20_000))
        let falling = Array.sortDescending w
        let reached = falling |> Array.scan (+) 0.0 |> Array.findIndex (fun mass -> mass >= p * Array.sum w)
        let q = Probabilities.TopP(w, p)
        Assert.Equal(reached, q |> Array.filter (fun v -> v > 0.0) |> Array.length)
        Assert.Equal(1.0, Array.sum q, 10)

[<Fact>]
let ``the repetition penalty divides what is positive and multiplies what is negative`` () =
    forAll (Gen.zip withHistory (Gen.elements [ 0.5; 1.0; 1.2; 5.0 ])) (fun ((x, history), penalty) ->
        let penalized i v =
            if not (Array.contains i history) then v
            elif v > 0.0 then v / penalty
            else v * penalty

        Logits.PenalizeRepetition(x, history, penalty) = Array.mapi penalized x)

[<Fact>]
let ``no n-gram is repeated, and nothing else is forbidden`` () =
    forAll (Gen.zip withHistory (Gen.choose (1, 4))) (fun ((x, history), n) ->
        let repeats token =
            let grams = Array.append history [| token |] |> Array.windowed n
            grams.Length > 1 && Array.contains (Array.last grams) (Array.take (grams.Length - 1) grams)

        let expected = x |> Array.mapi (fun i v -> if repeats i then none else v)

        if Array.forall ((=) none) expected then
            argumentError (fun () -> Logits.ForbidRepeats(x, history, n)) |> mentions [ $"repeats no {n}-gram" ]
            true
        else
            Logits.ForbidRepeats(x, history, n) = expected)

[<Fact>]
let ``settings are the composition of their parts, in both precisions`` () =
    forAll withHistory (fun (x, history) ->
        let k = max 1 (x.Length / 2)
        let settings = Sampling(Temperature = 0.7, TopK = k, TopP = 0.8, RepetitionPenalty = 1.3)
        let penalized = Logits.PenalizeRepetition(x, history, 1.3)
        let expected = Probabilities.TopP(Probabilities.Softmax(Logits.TopK(penalized, k), 0.7), 0.8)
        let narrow = Array.map float32 x

        settings.Distribution(x, history) = expected
        && Sampling().Distribution(x, history) = Probabilities.Softmax(x, 1.0)
        && Sampling.Greedy.Distribution(x, history) = Probabilities.Softmax(x, 0.0)
        && settings.Distribution(narrow, history) = settings.Distribution(Array.map float narrow, history))

[<Fact>]
let ``the same key draws the same token, and one that can be drawn`` () =
    forAll (Gen.zip logits (Gen.choose (0, Int32.MaxValue))) (fun (x, seed) ->
        let key = Key(uint64 seed, 3u, 7u)
        let token = Sampling().Next(x, Array.empty<int>, key)
        let p = Probabilities.Softmax(x, 1.0)
        token = Sampling().Next(x, Array.empty<int>, key) && token = Probabilities.Draw(p, key) && p[token] > 0.0)

[<Fact>]
let ``tokens come as often as their probability says, within five standard errors`` () =
    let draws = 20_000

    for x in [ [| 0.0; 1.0; none; 2.5; -1.0 |]; [| none; 3.0; 3.0 |]; [| 0.0; -20.0 |] ] do
        let p = Probabilities.Softmax(x, 1.3)
        let counts = Array.zeroCreate<int> x.Length

        for i in 1..draws do
            let token = Probabilities.Draw(p, Key(11UL, 0u, uint32 i))
            counts[token] <- counts[token] + 1

        for i in 0 .. x.Length - 1 do
            let error = sqrt (p[i] * (1.0 - p[i]) / float draws)
            Assert.InRange(float counts[i] / float draws, p[i] - 5.0 * error - 1e-12, p[i] + 5.0 * error + 1e-12)

[<Fact>]
let ``settings out of range are refused by name`` () =
    let x, history, outside = [| 1.0; 2.0; 3.0 |], [| 0; 1 |], [| 1; 3 |]
    argumentError (fun () -> Probabilities.Softmax(x, -0.5)) |> mentions [ "temperature"; "-0.5"; "at least 0" ]
    argumentError (fun () -> Sampling(Temperature = nan)) |> mentions [ "Temperature"; "NaN" ]
    argumentError (fun () -> Sampling(Temperature = -1.0)) |> mentions [ "Temperature"; "-1" ]
    argumentError (fun () -> Sampling(TopK = 0)) |> mentions [ "TopK"; "0" ]
    argumentError (fun () -> Logits.TopK(x, 0)) |> mentions [ "1 to 3"; "got 0" ]
    argumentError (fun () -> Logits.TopK(x, 4)) |> mentions [ "1 to 3"; "vocabulary"; "got 4" ]
    argumentError (fun () -> Sampling(TopK = 4).Next(x, history, Key())) |> mentions [ "TopK"; "1 to 3"; "got 4" ]
    argumentError (fun () -> Sampling(TopP = 0.0)) |> mentions [ "TopP" ]
    argumentError (fun () -> Probabilities.TopP(x, 1.5)) |> mentions [ "1.5" ]
    argumentError (fun () -> Sampling(TopP = nan)) |> mentions [ "NaN" ]
    argumentError (fun () -> Sampling(RepetitionPenalty = 0.0)) |> mentions [ "RepetitionPenalty" ]
    argumentError (fun () -> Sampling(NoRepeat = 0)) |> mentions [ "NoRepeat" ]

    argumentError (fun () -> Sampling(RepetitionPenalty = 2.0).Distribution(x, outside))
    |> mentions [ "history[1]"; "0 to 2"; "got 3" ]

[<Fact>]
let ``logits that allow no token and NaN are refused by position`` () =
    let allNone, withNaN, infinite = Array.create 3 none, [| 0.0; nan |], [| Double.PositiveInfinity |]

    for part in
        [ (fun (x: float[]) -> Logits.Best x |> float)
          (fun (x: float[]) -> Logits.TopK(x, 1)[0])
          (fun (x: float[]) -> Logits.LogSoftmax(x)[0])
          (fun (x: float[]) -> Probabilities.Softmax(x, 0.0)[0])
          (fun (x: float[]) -> Sampling().Distribution(x, Array.empty<int>)[0]) ] do
        argumentError (fun () -> part allNone) |> mentions [ "-infinity"; "all 3" ]
        argumentError (fun () -> part withNaN) |> mentions [ "logits[1]"; "NaN" ]
        argumentError (fun () -> part infinite) |> mentions [ "logits[0]" ]
        argumentError (fun () -> part Array.empty) |> mentions [ "no tokens" ]

    let negative, zero = [| 0.0; -1.0 |], [| 0.0 |]
    argumentError (fun () -> Probabilities.Draw(negative, Key())) |> mentions [ "probabilities[1]" ]
    argumentError (fun () -> Probabilities.Draw(zero, Key())) |> mentions [ "sum above 0" ]
