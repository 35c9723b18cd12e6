/// Streams of tokens: pure, lazy, and the same whatever a network remembers.
module DL.Properties.Generation.GenerateTests

open FsCheck.FSharp
open Xunit
open DL
open DL.Core.Data
open DL.Core.Generation
open DL.Core.Random
open DL.Properties.Data.Support

let private vocabulary = 6

/// Logits that depend on all tokens so far, through a number that stands for them.
let private logits (memory: int) = Array.init vocabulary (fun v -> sin (float ((memory + 17 * v) % 101)) * 3.0)

let private remember memory (tokens: int[]) = Array.fold (fun m t -> (m * 7 + t + 1) % 1009) memory tokens

let private cached memory tokens =
    let after = remember memory tokens
    struct (logits after, after)

/// The same network without a memory of its own: the state is all tokens so far.
let private recomputed (history: int[]) tokens =
    let all = Array.append history tokens
    struct (logits (remember 0 all), all)

let private prompts = Gen.nonEmptyListOf (Gen.choose (0, vocabulary - 1)) |> Gen.map List.toArray

let private settings =
    gen {
        let! temperature = Gen.elements [ 0.0; 0.5; 1.0; 2.0 ]
        let! k = Gen.elements [ None; Some 1; Some 3; Some vocabulary ]
        let! p = Gen.elements [ 0.3; 0.9; 1.0 ]
        let! stop = Gen.elements [ []; [ 2 ]; [ 0; 5 ] ]
        let! most = Gen.choose (0, 30)

        return
            { Generate.defaults with
                Temperature = temperature
                TopK = k
                TopP = p
                RepetitionPenalty = 1.1
                Stop = stop
                MaxTokens = most }
    }

let private cases = Gen.zip3 settings prompts (Gen.choose (0, 10_000))

[<Fact>]
let ``the same key gives the same tokens, with a cache and without, however often they are read`` () =
    forAll cases (fun (settings, prompt, seed) ->
        let tokens = prompt |> Generate.tokens settings (Key.ofSeed seed) cached 0
        let first = List.ofSeq tokens
        let without = prompt |> Generate.tokens settings (Key.ofSeed seed) recomputed [||]
        first = List.ofSeq tokens && first = List.ofSeq without)

[<Fact>]
let ``each token is drawn from the distribution of what came before it, with a key of its own`` () =
    forAll cases (fun (settings, prompt, seed) ->
        let sampling =
            Sampling(
                Temperature = settings.Temperature,
                TopK = Option.toNullable settings.TopK,
                TopP = settings.TopP,
                RepetitionPenalty = settings.RepetitionPenalty
            )

        let rec drawn (history: int[]) i =
            if i = settings.MaxTokens then
                []
            else
                let key = Key(uint64 seed, 0u, uint32 i)
                let token = sampling.Next(logits (remember 0 history), history, key)

                if List.contains token settings.Stop then
                    []
                else
                    token :: drawn (Array.append history [| token |]) (i + 1)

        (prompt |> Generate.tokens settings (Key.ofSeed seed) cached 0 |> List.ofSeq) = drawn prompt 0)

[<Fact>]
let ``no n-gram comes twice`` () =
    forAll (Gen.zip prompts (Gen.choose (0, 1000))) (fun (prompt, seed) ->
        // Before its twelfth token no text over six can have left one of them in all six ways.
        let prompt = Array.truncate 1 prompt

        let settings = { Generate.defaults with NoRepeat = Some 2; MaxTokens = 11 }

        let text = Seq.append prompt (prompt |> Generate.tokens settings (Key.ofSeed seed) cached 0)
        let pairs = Seq.pairwise text |> List.ofSeq
        pairs.Length = 11 && List.distinct pairs = pairs)

[<Fact>]
let ``a step is taken when its token is asked for: the prompt first, then one token at a time`` () =
    let given = ResizeArray<int[]>()

    let step state (tokens: int[]) =
        given.Add tokens
        cached state tokens

    let prompt = [| 3; 1; 4 |]
    let tokens = prompt |> Generate.tokens { Generate.defaults with MaxTokens = 5 } (Key.ofSeed 3) step 0
    Assert.Empty given
    let three = tokens |> Seq.truncate 3 |> Array.ofSeq
    Assert.Equal<int[] list>([ [| 3; 1; 4 |]; [| three[0] |]; [| three[1] |] ], List.ofSeq given)
    given.Clear()
    Assert.Equal(5, Seq.length tokens)
    Assert.Equal(5, given.Count)
    // Whatever becomes of the caller's array, the text stays the same.
    prompt[0] <- 5
    Assert.Equal<int[]>(three, tokens |> Seq.truncate 3 |> Array.ofSeq)

[<Fact>]
let ``a stop token ends the text and is not part of it`` () =
    let counting last (tokens: int[]) =
        let next = Array.last tokens + 1
        struct (Array.init 5 (fun v -> if v = next then 0.0 else -infinity), last)

    let tokens stop =
        [| 0 |]
        |> Generate.tokens { Generate.greedy with Stop = stop; MaxTokens = 4 } (Key.ofSeed 0) counting ()
        |> List.ofSeq

    Assert.Equal<int list>([ 1; 2; 3; 4 ], tokens [])
    Assert.Equal<int list>([ 1; 2 ], tokens [ 3 ])
    Assert.Equal<int list>([], tokens [ 4; 1 ])

[<Fact>]
let ``text is the tokens, character by character`` () =
    let characters = CharacterTokenizer.Of("abcdef")
    let tokens = [| 0; 1; 2 |] |> Generate.tokens Generate.defaults (Key.ofSeed 5) cached 0 |> Array.ofSeq
    let text = "abc" |> Generate.text characters Generate.defaults (Key.ofSeed 5) cached 0
    Assert.Equal(characters.Decode tokens, String.concat "" text)

    argumentError (fun () -> "" |> Generate.text characters Generate.defaults (Key.ofSeed 5) cached 0)
    |> mentions [ "prompt" ]

    argumentError (fun () -> "abz" |> Generate.text characters Generate.defaults (Key.ofSeed 5) cached 0)
    |> mentions [ "text[2]"; "'z'" ]

[<Fact>]
let ``bad input is refused before a step is taken, or with the first token`` () =
    let run settings prompt = Generate.tokens settings (Key.ofSeed 0) cached 0 prompt
    let refused settings = argumentError (fun () -> run settings [| 0 |])
    argumentError (fun () -> run Generate.defaults [||]) |> mentions [ "prompt"; "at least one token" ]

    refused { Generate.defaults with Temperature = -1.0 }
    |> mentions [ "Temperature"; "-1"; "0 takes the most probable" ]

    refused { Generate.defaults with TopK = Some 0 } |> mentions [ "TopK"; "0" ]
    refused { Generate.defaults with TopP = 1.1 } |> mentions [ "TopP" ]
    refused { Generate.defaults with MaxTokens = -1 } |> mentions [ "MaxTokens"; "-1" ]
    let first settings = argumentError (fun () -> run settings [| 0 |] |> Seq.head)
    first { Generate.defaults with TopK = Some 7 } |> mentions [ "TopK"; "1 to 6"; "got 7" ]
    first { Generate.defaults with Stop = [ 1; 6 ] } |> mentions [ "Stop[1]"; "got 6" ]
    first { Generate.defaults with Stop = [ -1 ] } |> mentions [ "Stop[0]"; "got -1" ]
    let nothing _ _ = struct (Array.create 3 -infinity, ())

    argumentError (fun () -> [| 0 |] |> Generate.tokens Generate.greedy (Key.ofSeed 0) nothing () |> Seq.head)
    |> mentions [ "-infinity" ]
