/// Beam search against everything there is to find, on vocabularies small enough for that.
module DL.Properties.Generation.BeamTests

open System
open FsCheck.FSharp
open Xunit
open DL
open DL.Core
open DL.Core.Generation
open DL.Properties.Data.Support

/// A language of few tokens: the logits after all tokens so far, which are the state.
type Language =
    { Vocabulary: int
      Longest: int
      Stop: int list
      Logits: int list -> float[] }

let private ofSeed vocabulary longest stop tied seed =
    let logits (history: int list) =
        let draws = Random(List.fold (fun h t -> h * 31 + t + 1) (seed * 7919) history)

        Array.init vocabulary (fun _ ->
            if tied then float (draws.Next 2)
            elif draws.Next 5 = 0 then Double.NegativeInfinity
            else 3.0 * draws.NextDouble())
        |> fun x -> if Array.forall Double.IsNegativeInfinity x then Array.zeroCreate vocabulary else x

    { Vocabulary = vocabulary
      Longest = longest
      Stop = stop
      Logits = logits }

let languages =
    gen {
        let! vocabulary = Gen.choose (2, 4)
        let! longest = Gen.choose (1, 4)
        let! stop = Gen.elements [ []; [ 0 ]; [ 1; 0 ] ]
        let! tied = Gen.elements [ false; true ]
        let! seed = Gen.choose (0, 1_000_000)
        return ofSeed vocabulary longest stop tied seed
    }

let private alphas = Gen.elements [ 0.0; 0.6; 1.0; 3.0 ]

let private step language (history: int list) (tokens: int[]) =
    let history = history @ List.ofArray tokens
    struct (language.Logits history, history)

let private prompt = [| 1; 0 |]

let private beam width alpha language =
    prompt
    |> Generate.beam
        { Generate.beams with
            Width = width
            LengthPenalty = alpha
            Stop = language.Stop
            MaxTokens = language.Longest }
        (step language)
        []

let private score alpha length (logp: float) = logp / ((5.0 + float length) / 6.0) ** alpha

/// Every continuation: its tokens without the stop token, its log probability and its length with it.
let rec private everything language (tokens: int list) logp : (int list * float * int) list =
    let x = Logits.LogSoftmax(language.Logits(List.ofArray prompt @ tokens))

    [ for token in 0 .. language.Vocabulary - 1 do
          if x[token] > Double.NegativeInfinity then
              let length = tokens.Length + 1

              if List.contains token language.Stop then tokens, logp + x[token], length
              elif length = language.Longest then tokens @ [ token ], logp + x[token], length
              else yield! everything language (tokens @ [ token ]) (logp + x[token]) ]

let private close (a: float) b = abs (a - b) <= 1e-12 * max 1.0 (abs b)

[<Fact>]
let ``a beam as wide as all there is finds all, the best first`` () =
    forAll (Gen.zip languages alphas) (fun (language, alpha) ->
        let found = beam (pown language.Vocabulary language.Longest) alpha language
        let all = everything language [] 0.0
        let scores = all |> List.map (fun (_, logp, n) -> score alpha n logp) |> List.sortDescending
        let tokens = all |> List.map (fun (tokens, _, _) -> tokens)

        List.forall2 close (found |> List.map _.Score) scores
        && (List.sort (found |> List.map (fun h -> List.ofSeq h.Tokens)) = List.sort tokens))

[<Fact>]
let ``width 1 is greedy decoding`` () =
    forAll (Gen.zip languages alphas) (fun (language, alpha) ->
        let greedy =
            prompt
            |> Generate.tokens
                { Generate.greedy with
                    Stop = language.Stop
                    MaxTokens = language.Longest }
                (Key.ofSeed 1)
                (step language)
                []

        match beam 1 alpha language with
        | [ only ] -> List.ofSeq only.Tokens = List.ofSeq greedy
        | _ -> false)

/// The search as its documentation says it, without giving up early, over the logits after (all tokens so far).
let private searched width alpha language (logits: int list -> float[] option) =
    let rec go live finished length =
        if length > language.Longest || List.isEmpty live then
            finished @ (live |> List.map (fun (tokens, logp) -> tokens, score alpha language.Longest logp))
        else
            let longer =
                [ for tokens, logp in live do
                      match logits (List.ofArray prompt @ tokens) with
                      | Some logits ->
                          let x = Logits.LogSoftmax logits

                          yield!
                              [ for token in 0 .. language.Vocabulary - 1 -> tokens, token, logp + x[token] ]
                              |> List.filter (fun (_, _, total) -> total > Double.NegativeInfinity)
                      | None -> () ]
                |> List.sortBy (fun (_, _, total) -> -total)
                |> List.truncate width

            let stopped, going = longer |> List.partition (fun (_, token, _) -> List.contains token language.Stop)
            let finished = finished @ (stopped |> List.map (fun (tokens, _, total) -> tokens, score alpha length total))
            go (going |> List.map (fun (tokens, token, total) -> tokens @ [ token ], total)) finished (length + 1)

    go [ [], 0.0 ] [] 1 |> List.sortBy (fun (_, s) -> -s) |> List.truncate width

let private reference width alpha language = searched width alpha language (language.Logits >> Some)

[<Fact>]
let ``any width is the search as described: giving up early loses nothing, ties keep their order`` () =
    forAll (Gen.zip3 languages alphas (Gen.choose (1, 6))) (fun (language, alpha, width) ->
        let found = beam width alpha language |> List.map (fun h -> List.ofSeq h.Tokens, h.Score)
        found = reference width alpha language)

/// Repetition control by its definition: the penalty once for every token there, and no n-gram twice; none if no token is left.
let private controlled (penalty: float) (n: int option) (logits: int list -> float[]) (history: int list) =
    let repeats token =
        match n with
        | None -> false
        | Some n ->
            let grams = List.windowed n (history @ [ token ])
            grams.Length > 1 && List.contains (List.last grams) (List.take (grams.Length - 1) grams)

    let control token x =
        if repeats token then Double.NegativeInfinity
        elif not (List.contains token history) then x
        elif x > 0.0 then x / penalty
        else x * penalty

    let x = logits history |> Array.mapi control
    if Array.forall Double.IsNegativeInfinity x then None else Some x

let private controls = Gen.zip (Gen.elements [ 0.5; 1.0; 1.3 ]) (Gen.elements [ None; Some 1; Some 2; Some 3 ])

let private settings width (penalty, noRepeat) language =
    { Generate.beams with
        Width = width
        RepetitionPenalty = penalty
        NoRepeat = noRepeat
        Stop = language.Stop
        MaxTokens = language.Longest }

let private found settings language =
    try
        prompt
        |> Generate.beam settings (step language) []
        |> List.map (fun h -> List.ofSeq h.Tokens, h.Score)
        |> Some
    with :? InvalidArgumentException as error ->
        Assert.Contains("repeats no", error.Message)
        None

[<Fact>]
let ``repetition is controlled for every hypothesis by itself, and one with no token left leaves the search`` () =
    forAll (Gen.zip3 languages controls (Gen.choose (1, 6))) (fun (language, control, width) ->
        let expected = searched width 0.6 language (controlled (fst control) (snd control) language.Logits)
        found (settings width control language) language = (if expected.IsEmpty then None else Some expected))

[<Fact>]
let ``no n-gram comes twice in a hypothesis and the prompt before it`` () =
    forAll (Gen.zip3 languages (Gen.choose (1, 3)) (Gen.choose (1, 6))) (fun (language, n, width) ->
        let grams tokens = List.windowed n (List.ofArray prompt @ tokens)

        match found (settings width (1.0, Some n) language) language with
        | Some hypotheses -> hypotheses |> List.forall (fun (tokens, _) -> List.distinct (grams tokens) = grams tokens)
        | None -> true)

[<Fact>]
let ``width 1 is greedy decoding with the same control of repetition, also where no token is left`` () =
    forAll (Gen.zip languages controls) (fun (language, (penalty, noRepeat)) ->
        let greedy =
            { Generate.greedy with
                RepetitionPenalty = penalty
                NoRepeat = noRepeat
                Stop = language.Stop
                MaxTokens = language.Longest }

        let drawn () = prompt |> Generate.tokens greedy (Key.ofSeed 1) (step language) [] |> List.ofSeq

        match found (settings 1 (penalty, noRepeat) language) language with
        | Some only -> List.map fst only = [ drawn () ]
        | None ->
            argumentError drawn |> mentions [ "repeats no" ]
            true)

[<Fact>]
let ``a hypothesis that has ended is given when all others have no token left`` () =
    let settings = { Generate.beams with Width = 2; NoRepeat = Some 1; Stop = [ 2 ] }
    // At first 1 or the stop token; after 1 the tokens there are 0 and 1 alone.
    let step steps (_: int[]) = struct ((if steps = 0 then [| -infinity; 1.0; 0.0 |] else [| 0.0; 1.0; -infinity |]), steps + 1)
    let only = Generate.beam settings step 0 [| 0 |] |> List.exactlyOne
    Assert.Empty only.Tokens
    Assert.True only.Stopped

    argumentError (fun () -> Generate.beam settings step 1 [| 0; 1 |])
    |> mentions [ "repeats no 1-gram"; "after 2 tokens" ]

[<Fact>]
let ``all hypotheses of a step together are the same as one by one`` () =
    forAll (Gen.zip languages (Gen.choose (1, 5))) (fun (language, width) ->
        let settings = BeamSettings(Width = width, Stop = List.toArray language.Stop, MaxTokens = language.Longest)
        let together (states: int list[]) (tokens: int[][]) = Array.map2 (step language) states tokens
        let found = BeamSearch.RunTogether(Func<_, _, _>(together), [], prompt, settings)
        let read = Seq.map (fun (h: Hypothesis) -> List.ofSeq h.Tokens, h.Score, h.Stopped) >> List.ofSeq
        read found = read (beam width 0.6 language))

[<Fact>]
let ``the length penalty is that of Wu and others, and a stop token counts`` () =
    Assert.Equal(1.0, BeamSearch.LengthPenalty(1, 0.6))
    Assert.Equal(2.0, BeamSearch.LengthPenalty(7, 1.0))
    Assert.Equal(1.0, BeamSearch.LengthPenalty(50, 0.0))
    let sure _ _ = struct ([| 0.0; Double.NegativeInfinity |], ())
    let only = [| 0 |] |> Generate.beam { Generate.beams with Stop = [ 0 ] } sure () |> List.exactlyOne
    Assert.Empty only.Tokens
    Assert.True only.Stopped
    let half _ _ = struct ([| 0.0; 0.0 |], ())

    let best =
        [| 0 |]
        |> Generate.beam
            { Generate.beams with
                Stop = [ 1 ]
                MaxTokens = 3
                LengthPenalty = 1.0 }
            half
            ()
        |> List.head

    Assert.Equal(log 0.5, best.LogProbability, 12)
    Assert.Equal(log 0.5, best.Score, 12)

[<Fact>]
let ``bad input to a beam search is refused`` () =
    let step () (_: int[]) = struct ([| 0.0; 1.0 |], ())
    let run settings = argumentError (fun () -> Generate.beam settings step () [| 0 |])

    argumentError (fun () -> Generate.beam Generate.beams step () [||])
    |> mentions [ "prompt"; "at least one token" ]

    run { Generate.beams with Width = 0 } |> mentions [ "Width"; "0" ]
    run { Generate.beams with MaxTokens = 0 } |> mentions [ "MaxTokens" ]
    run { Generate.beams with LengthPenalty = -1.0 } |> mentions [ "LengthPenalty"; "-1" ]
    run { Generate.beams with LengthPenalty = nan } |> mentions [ "NaN" ]
    run { Generate.beams with RepetitionPenalty = 0.0 } |> mentions [ "RepetitionPenalty"; "0" ]
    run { Generate.beams with RepetitionPenalty = infinity } |> mentions [ "RepetitionPenalty" ]
    run { Generate.beams with NoRepeat = Some 0 } |> mentions [ "NoRepeat"; "0" ]

    argumentError (fun () -> Generate.beam { Generate.beams with NoRepeat = Some 2 } step () [| 0; 2 |])
    |> mentions [ "history[1]"; "0 to 1"; "got 2" ]

    run { Generate.beams with Stop = [ 2 ] } |> mentions [ "Stop[0]"; "0 to 1"; "got 2" ]
    let settings = BeamSettings()
    let wrong (_: unit[]) (_: int[][]) : struct (float[] * unit)[] = [||]

    shapeError (fun () -> BeamSearch.RunTogether(Func<_, _, _>(wrong), (), [| 0 |], settings))
    |> mentions [ "1 hypotheses" ]
