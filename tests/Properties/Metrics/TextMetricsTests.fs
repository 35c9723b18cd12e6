/// BLEU and perplexity against their definitions, and as sums over parts.
module DL.Properties.Metrics.TextMetricsTests

open System
open FsCheck.FSharp
open Xunit
open DL.Core.Metrics
open DL.Properties.Data.Support

let private rowsOf low = Gen.choose (low, 9) |> Gen.bind (fun n -> Gen.arrayOfLength n (Gen.choose (0, 3)))

/// A candidate with one to three references, mostly not far from it.
let private pair =
    gen {
        let! candidate = rowsOf 0
        let near = Gen.map (fun drop -> Array.append [| drop |] (Array.truncate 6 candidate)) (Gen.choose (0, 3))
        let! several = Gen.choose (1, 3)
        let! references = Gen.arrayOfLength several (Gen.oneof [ rowsOf 0; near; Gen.constant candidate ])
        return candidate, references
    }

let private corpora = Gen.nonEmptyListOf pair |> Gen.map (List.truncate 5 >> Array.ofList >> Array.unzip)

let private grams n (tokens: int[]) = if tokens.Length < n then [||] else Array.windowed n tokens

let private occurrences (gram: int[]) tokens = grams gram.Length tokens |> Array.filter ((=) gram) |> Array.length

/// The definition, order by order.
let private formula added order (candidates: int[][]) (references: int[][][]) =
    let precision n =
        let one = if n > 1 then added else 0

        let matches =
            Array.map2
                (fun candidate several ->
                    grams n candidate
                    |> Array.distinct
                    |> Array.sumBy (fun gram -> min (occurrences gram candidate) (several |> Array.map (occurrences gram) |> Array.max)))
                candidates
                references
            |> Array.sum

        let total = candidates |> Array.sumBy (fun c -> (grams n c).Length)
        if matches + one = 0 then 0.0 else float (matches + one) / float (total + one)

    let closest (candidate: int[]) (several: int[][]) =
        several
        |> Array.map _.Length
        |> Array.sortBy (fun length -> abs (length - candidate.Length), length)
        |> Array.head

    let c = candidates |> Array.sumBy _.Length |> float
    let r = Array.map2 closest candidates references |> Array.sum |> float
    let brevity = if c > r then 1.0 else exp (1.0 - r / c)

    if c = 0.0 then
        0.0
    else
        brevity * ([ 1..order ] |> List.fold (fun product n -> product * precision n) 1.0) ** (1.0 / float order)

let private close (a: float) b = abs (a - b) <= 1e-12

[<Fact>]
let ``BLEU is its definition, from 0 to 1, over ids and over words`` () =
    forAll (Gen.zip corpora (Gen.choose (1, 5))) (fun ((candidates, references), order) ->
        let words = Array.map (string<int>)
        let plain = Bleu.Corpus(candidates, references, order)
        let smooth = Bleu.Corpus(candidates, references, order, BleuSmoothing.AddOne)

        close plain (formula 0 order candidates references)
        && close smooth (formula 1 order candidates references)
        && Bleu.Corpus(Array.map words candidates, Array.map (Array.map words) references, order) = plain
        && plain >= 0.0
        && plain <= 1.0
        && smooth >= 0.0
        && smooth <= 1.0)

[<Fact>]
let ``a text is its own best translation`` () =
    forAll (rowsOf 4) (fun x ->
        Bleu.Corpus([| x |], [| [| x |] |]) = 1.0
        && Bleu.Corpus([| x |], [| [| Array.rev x; x |] |], 4, BleuSmoothing.AddOne) = 1.0)

[<Fact>]
let ``counts of parts add up to the counts of the whole`` () =
    forAll (Gen.zip corpora corpora) (fun ((candidates, references), (others, otherReferences)) ->
        let whole = Bleu.Count(Array.append candidates others, Array.append references otherReferences)
        let merged = Bleu.Count(candidates, references).Merge(Bleu.Count(others, otherReferences))
        let read (c: BleuCounts) = List.ofSeq c.Matches, List.ofSeq c.Totals, c.CandidateLength, c.ReferenceLength
        read whole = read merged && read (BleuCounts.Empty().Merge whole) = read whole)

[<Fact>]
let ``matches are clipped, and the closest length counts`` () =
    // The examples of the paper: seven times "the", which a reference has twice.
    let split (text: string) = text.Split ' '
    let candidates = [| split "the the the the the the the" |]
    let references = [| [| split "the cat is on the mat"; split "there is a cat on the mat" |] |]
    let counts = Bleu.Count(candidates, references)
    Assert.Equal<int64 seq>([ 2L; 0L; 0L; 0L ], counts.Matches)
    Assert.Equal<int64 seq>([ 7L; 6L; 5L; 4L ], counts.Totals)
    Assert.Equal((7L, 7L), (counts.CandidateLength, counts.ReferenceLength))
    Assert.Equal(2.0 / 7.0, Bleu.Corpus(candidates, references, 1), 12)
    let lengths = Bleu.Count([| [| 1; 2; 3; 4 |] |], [| [| [| 1; 2; 3; 4; 5 |]; [| 1; 2; 3 |]; [| 1 |] |] |])
    Assert.Equal(3L, lengths.ReferenceLength)
    Assert.Equal(1.0, lengths.BrevityPenalty)
    Assert.Equal(exp (1.0 - 6.0 / 4.0), Bleu.Corpus([| [| 1; 2; 3; 4 |] |], [| [| [| 1; 2; 3; 4; 5; 6 |] |] |]), 12)

[<Fact>]
let ``an empty candidate scores 0, beside others it costs brevity`` () =
    let x = [| 1; 2; 3; 4; 5 |]
    Assert.Equal(0.0, Bleu.Corpus([| [||] |], [| [| x |] |]))
    Assert.Equal(0.0, Bleu.Corpus([| [||] |], [| [| x |] |], 4, BleuSmoothing.AddOne))
    Assert.Equal(0.0, Bleu.Corpus<int>([| [||] |], [| [| [||] |] |], 4, BleuSmoothing.AddOne))
    Assert.Equal(exp -1.0, Bleu.Corpus([| x; [||] |], [| [| x |]; [| x |] |]), 12)
    Assert.Equal(0.0, BleuCounts.Empty().Score())

[<Fact>]
let ``n-grams are counted like windows`` () =
    forAll (Gen.zip (rowsOf 0) (Gen.choose (1, 4))) (fun (tokens, n) ->
        let counted = NGrams.Count<int>(ReadOnlySpan tokens, n) |> Seq.map (fun pair -> Array.ofSeq pair.Key.Tokens, pair.Value)
        Map.ofSeq counted = (grams n tokens |> Array.countBy id |> Map.ofArray))

[<Fact>]
let ``bad input to BLEU is named`` () =
    let x = [| 1; 2 |]
    shapeError (fun () -> Bleu.Corpus([| x; x |], [| [| x |] |])) |> mentions [ "2 candidates"; "got 1" ]

    argumentError (fun () -> Bleu.Corpus([| x; x |], [| [| x |]; [||] |]))
    |> mentions [ "references[1]"; "at least one" ]

    argumentError (fun () -> Bleu.Corpus<int>([||], [||])) |> mentions [ "candidates" ]
    argumentError (fun () -> Bleu.Corpus([| x |], [| [| x |] |], 0)) |> mentions [ "maxOrder"; "0" ]
    argumentError (fun () -> BleuCounts.Empty().Score(enum<BleuSmoothing> 7)) |> mentions [ "smoothing" ]
    argumentError (fun () -> NGrams.Count<int>(ReadOnlySpan x, 0)) |> mentions [ "n"; "0" ]
    shapeError (fun () -> (BleuCounts.Empty 3).Merge(BleuCounts.Empty 4)) |> mentions [ "3"; "4" ]

let private losses = Gen.nonEmptyListOf (Gen.map (fun i -> float i / 64.0) (Gen.choose (0, 600))) |> Gen.map Array.ofList

[<Fact>]
let ``perplexity is the exponential of the mean loss, and a sum over parts`` () =
    forAll (Gen.zip losses losses) (fun (a: float[], b: float[]) ->
        let mean, both = Array.average a, Array.append a b
        let near (x: float) y = abs (x - y) <= 1e-12 * y

        near (Perplexity.Of a).Value (exp mean)
        && near (Perplexity.OfMean(mean, int64 a.Length)).Value (exp mean)
        && (Perplexity.Of a).Merge(Perplexity.Of b) = Perplexity.Of both
        && Perplexity.Empty.Merge(Perplexity.Of a) = Perplexity.Of a)

[<Fact>]
let ``a fair die has perplexity 6, a token held impossible infinity`` () =
    let die, impossible = Array.create 10 (log 6.0), [| 0.0; infinity |]
    Assert.Equal(6.0, (Perplexity.Of die).Value, 12)
    Assert.Equal(infinity, (Perplexity.Of impossible).Value)

[<Fact>]
let ``bad losses are refused by position`` () =
    let withNaN = [| 1.0; nan |]
    argumentError (fun () -> Perplexity.Of withNaN) |> mentions [ "losses[1]"; "NaN" ]
    argumentError (fun () -> Perplexity.OfMean(nan, 3L)) |> mentions [ "NaN" ]
    argumentError (fun () -> Perplexity.OfMean(1.0, 0L)) |> mentions [ "tokens"; "0" ]
    argumentError (fun () -> Perplexity.Empty.Value) |> mentions [ "at least one token" ]
