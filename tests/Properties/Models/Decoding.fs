/// Running a model along a sequence, and what goes wrong there.
module DL.Properties.Models.Decoding

open System
open Xunit
open DL
open DL.Core
open DL.Models

let private small =
    { Gpt.gpt2 with
        Vocabulary = 11
        Positions = 9
        Features = 12
        Blocks = 2
        Heads = 3 }

let private text = [| 3; 1; 4; 1; 5; 9; 2; 6 |]
let private tokens (ids: int[]) : Batch<Tokens> = Batch.tokens (Tensor.Of<int>(ids, 1, ids.Length))

let private model net = net |> Model.init Double (Key.ofSeed 2) (Shape.tokens text.Length)

let private networks: (string * Layer<Tokens, Seq>) list =
    [ "GPT", Gpt.network small
      "GPT with scores of its own", Gpt.network { small with Tied = false }
      "scores by the first table", tiedScores (embedding 11 6 --> gru 6)
      "LSTM", LanguageModel.lstm 11 5 6 2
      "GRU", LanguageModel.over 11 5 (gruWith Recurrent.torch 6)
      "RNN", LanguageModel.rnn 11 5 6 1
      "rotary",
      LanguageModel.over
          11
          12
          (residual (layerNorm --> selfAttentionWith { Attend.causal with Rotary = true } 3)
           --> sinusoidalPositions
           --> rmsNorm)
      "window", LanguageModel.over 11 12 (residual (layerNorm --> selfAttentionWith { Attend.window 3 with Rotary = true } 3))
      "a mask of one's own",
      LanguageModel.over 11 12 (selfAttentionWith { Attend.causal with Visible = Some(fun q k -> (q + k) % 3 > 0) } 2) ]

/// Every way to cut the text in parts of at least one id.
let rec private cuts (ids: int[]) : int[] list list =
    if ids.Length = 0 then
        [ [] ]
    else
        [ for n in [ 1; 2; 5 ] do
              if n <= ids.Length then
                  for rest in cuts ids[n..] do
                      ids[.. n - 1] :: rest ]

[<Fact>]
let ``step by step is one pass`` () =
    for name, net in networks do
        let model = model net
        let whole = (Batch.tensor (Model.predict model (tokens text))).ToArray<float>()

        for parts in cuts text |> List.truncate 12 do
            let mutable cursor = Cursor.start model
            let mutable at = 0

            for part in parts do
                let struct (logits, next) = Cursor.step cursor part
                cursor <- next
                at <- at + part.Length

                for i in 0 .. logits.Length - 1 do
                    Assert.True(abs (logits[i] - whole[(at - 1) * logits.Length + i]) < 1e-12, $"{name}, step {at}, id {i}")

[<Fact>]
let ``two continuations of one place do not meet`` () =
    let model = model (Gpt.network small)
    let struct (_, seen) = Cursor.step (Cursor.start model) text[..3]
    let on (ids: int list) = (seen, ids) ||> List.fold (fun cursor id -> let struct (_, next) = Cursor.step cursor [| id |] in next)
    let struct (first, _) = Cursor.step (on [ 1; 2 ]) [| 7 |]
    on [ 8; 9 ] |> ignore
    let struct (again, _) = Cursor.step (on [ 1; 2 ]) [| 7 |]
    Assert.Equal<float[]>(first, again)

let private fails<'e when 'e :> exn> (parts: string list) (run: unit -> unit) =
    let error = Assert.Throws<'e>(Action run)

    for part in parts do
        Assert.Contains(part, error.Message)

[<Fact>]
let ``what sees later steps cannot go on, and is named`` () =
    let inner: Layer<Seq, Seq> = selfAttention 3
    let net = embedding 11 12 --> residual (layerNorm --> inner)
    fails<InvalidArgumentException> [ "selfAttention 3"; "causal" ] (fun () -> Cursor.start (model net) |> ignore)

    // Whoever hides later steps by a mask alone does not say that he does.
    let masked = selfAttentionWith { Attend.defaults with Visible = Some(fun q k -> k <= q) } 3

    fails<InvalidArgumentException> [ "selfAttention 3 masked"; "causal" ] (fun () ->
        Cursor.start (model (embedding 11 12 --> masked)) |> ignore)

    fails<InvalidArgumentException> [ "reverseTime" ] (fun () ->
        Cursor.start (model (embedding 11 4 --> bidirectional (gru 3) (gru 3))) |> ignore)

[<Fact>]
let ``more steps than positions are refused`` () =
    let model = model (Gpt.network small)
    fails<ShapeException> [ "9"; "10" ] (fun () -> Model.predict model (tokens (Array.zeroCreate 10)) |> ignore)
    let struct (_, full) = Cursor.step (Cursor.start model) (Array.zeroCreate 9)
    fails<ShapeException> [ "9"; "10" ] (fun () -> Cursor.step full [| 1 |] |> ignore)

[<Fact>]
let ``an id out of range is named with its place, and nothing moves`` () =
    let net = LanguageModel.gru 11 5 6 1
    let model = model net
    let bad = Batch.tokens (Tensor.Of<int>([| 1; 2; 3; 4; 11; 6 |], 2, 3))
    fails<InvalidArgumentException> [ "11"; "[1, 1]" ] (fun () -> Model.predict model bad |> ignore)

    let rule = (Trainer.create Loss.tokenCrossEntropy (Optimizer.adam 1e-3)).Rule
    let start = net |> Model.init Single (Key.ofSeed 2) (Shape.tokens 3) |> Trainer.start rule
    let session = Session(rule, start)
    fails<InvalidArgumentException> [ "11" ] (fun () -> session.Step(bad, bad) |> ignore)

    for before, after in Seq.zip start.Model.Params session.Model.Params do
        Assert.True(before.SameBits after)

    Assert.Equal(0, session.Steps)

[<Fact>]
let ``scores are tied to a table of vectors as wide as the steps, or refused`` () =
    let tied net () = net |> tiedScores |> Model.init Single (Key.ofSeed 0) (Shape.tokens 4) |> ignore
    fails<ShapeException> [ "tiedScores"; "vectors of 5 numbers"; "[11; 12]" ] (tied (embedding 11 12 --> gru 5))
    fails<ShapeException> [ "tiedScores"; "none" ] (tied (frozen (embedding 11 12)))
    fails<ShapeException> [ "selfAttention 5"; "12" ] (tied (embedding 11 12 --> selfAttention 5))

[<Fact>]
let ``sizes that do not fit are told with the place`` () =
    let at (shape: Shape<'x>) (net: Layer<'x, 'y>) () = net |> Model.init Single (Key.ofSeed 0) shape |> ignore
    fails<ShapeException> [ "1.selfAttention 5"; "features"; "12" ] (at (Shape.tokens 4) (embedding 11 12 --> selfAttention 5))
    let rotary = selfAttentionWith { Attend.defaults with Rotary = true } 2
    fails<ShapeException> [ "1.selfAttention 2 rotary"; "even"; "3" ] (at (Shape.tokens 4) (embedding 11 6 --> rotary))
    fails<ShapeException> [ "lstm"; "at least one step" ] (at (Shape.seq (0, 3)) (lstm 4))
    fails<ShapeException> [ "learnedPositions"; "5"; "8" ] (at (Shape.seq (8, 3)) (learnedPositions 5))

[<Fact>]
let ``generation goes through a cursor, and the same key gives the same text`` () =
    let start = Cursor.start (model (Gpt.network small))

    let draw seed =
        Generate.tokens { Generate.defaults with MaxTokens = 5 } (Key.ofSeed seed) Cursor.step start [| 1; 2 |]
        |> Array.ofSeq

    Assert.Equal<int[]>(draw 1, draw 1)
    Assert.Equal(5, (draw 1).Length)
    // Greedy tokens are those of whole passes.
    let greedy =
        Generate.tokens { Generate.greedy with MaxTokens = 6 } (Key.ofSeed 0) Cursor.step start [| 1; 2 |]
        |> Array.ofSeq

    let mutable sofar = [| 1; 2 |]

    for token in greedy do
        let logits = (Batch.tensor (Model.predict (model (Gpt.network small)) (tokens sofar))).ToArray<float>()
        let last = logits[logits.Length - 11 ..]
        Assert.Equal(Array.findIndex ((=) (Array.max last)) last, token)
        sofar <- Array.append sofar [| token |]

[<Fact>]
let ``a state that is carried makes windows one text, and no gradient goes back`` () =
    let size = 4
    let state = Shape.pair (Shape.vec size) (Shape.vec size)
    let cell = lstmFrom Recurrent.defaults size
    let net = embedding 11 3 --> carried 1 state cell
    let model = net |> Model.init Double (Key.ofSeed 2) (Shape.tokens 4)
    let whole = embedding 11 3 --> lstm size |> Model.init Double (Key.ofSeed 2) (Shape.tokens 8)

    let struct (first, after) = Model.apply model (tokens text[..3])
    let struct (second, _) = Model.apply after (tokens text[4..])
    let numbers batch = (Batch.tensor batch).ToArray<float>()
    let expected = numbers (Model.predict whole (tokens text))

    Array.zip (Array.append (numbers first) (numbers second)) expected
    |> Array.iter (fun (a, b) -> Assert.True(abs (a - b) < 1e-12))

    // Prediction starts from zeros, wherever training stands.
    Assert.Equal<float[]>(numbers (Model.predict model (tokens text[4..])), numbers (Model.predict after (tokens text[4..])))
