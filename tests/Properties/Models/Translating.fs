/// Running a decoder along its steps beside what its encoder made of a source.
module DL.Properties.Models.Translating

open System
open Xunit
open DL
open DL.Core
open DL.Models
open DL.Properties.Data.Support

let private sizes =
    { Transformer.paper with
        Features = 8
        Heads = 2
        Inner = 12
        Blocks = 2 }

let private networks: (string * Layer<Tokens * Tokens, Seq>) list =
    [ "Transformer", Transformer.network sizes 11 9
      "Transformer, normalized before", Transformer.network { sizes with PreNorm = true } 11 9
      "seq2seq", Seq2Seq.network 11 9 5 6
      "seq2seq, wrapped", frozen (named "all" (Seq2Seq.network 11 9 5 6)) ]

let private source = [| 3; 10; 4; 1; 5 |]
let private target = [| 1; 8; 0; 7; 7; 2 |]
let private tokens (rows: int[][]) : Batch<Tokens> = Batch.tokens (Tensor.Of<int>(Array.concat rows, rows.Length, rows[0].Length))

let private model (net: Layer<Tokens * Tokens, Seq>) =
    net |> Model.init Double (Key.ofSeed 2) (Shape.pair (Shape.tokens 5) (Shape.tokens 6))

let private numbers (batch: Batch<Seq>) = (Batch.tensor batch).ToArray<float>()
let private near (a: float[]) (b: float[]) = a.Length = b.Length && Array.forall2 (fun a b -> abs (a - b) < 1e-12) a b

/// All that comes out when the target goes in in parts.
let private inParts (cursor: Cursor<Tokens, Seq>) (parts: Batch<Tokens> list) =
    ((cursor, []), parts)
    ||> List.fold (fun (cursor, outputs) part ->
        let struct (y, next) = Cursor.extend part cursor
        next, Batch.tensor y :: outputs)
    |> snd
    |> List.rev
    |> fun outputs -> (Ops.Concat.Forward(1, List.toArray outputs)).ToArray<float>()

let private cuts = [ [ 6 ]; [ 1; 1; 1; 1; 1; 1 ]; [ 2; 1; 3 ]; [ 5; 1 ] ]

/// The rows of a target in parts of the given numbers of steps.
let private partsOf (rows: int[][]) (counts: int list) =
    let from = List.scan (+) 0 counts
    List.map2 (fun at n -> tokens (rows |> Array.map (fun row -> row[at .. at + n - 1]))) (List.truncate counts.Length from) counts

[<Fact>]
let ``step by step beside a source is one pass`` () =
    for name, net in networks do
        let model = model net

        for n in [ 1; 2; 5 ] do
            let source = source[.. n - 1]
            let whole = Model.predict model (Batch.pair (tokens [| source |]) (tokens [| target |])) |> numbers
            let cursor = Cursor.translating source model

            for counts in cuts do
                Assert.True(near whole (inParts cursor (partsOf [| target |] counts)), $"{name}, a source of {n}, {counts}")

[<Fact>]
let ``several sources of different lengths go on together`` () =
    let targets = [| target; Array.rev target; [| 0; 0; 1; 1; 2; 2 |] |]
    let sources = Padded.tokens [| source; [| 2 |]; [| 9; 9; 6 |] |]

    for name, net in networks do
        let model = model net
        let whole = Model.predict model (Batch.pair sources (tokens targets)) |> numbers
        let cursor = Cursor.beside sources model

        for counts in cuts do
            Assert.True(near whole (inParts cursor (partsOf targets counts)), $"{name}, {counts}")

[<Fact>]
let ``lengths of sources are not those of targets, be there as many steps or not`` () =
    for name, net in networks do
        let model = model net

        for time in [ 3; 4 ] do
            let targets = tokens [| target[.. time - 1]; target[.. time - 1] |]
            let over targets = Model.predict model (Batch.pair (Padded.tokens [| source[..2]; source[..0] |]) targets)
            let whole = over targets
            Assert.Equal(None, Padded.lengths whole)
            Assert.True(near (numbers whole) (numbers (over (targets |> Padded.withLengths [| time; time |]))), name)

[<Fact>]
let ``several continuations of one place do not meet, and one source does not touch another`` () =
    for _, net in networks do
        let model = model net
        let fresh = Cursor.translating source model
        let struct (_, seen) = Cursor.step fresh [| 1; 8 |]
        let on (ids: int list) = (seen, ids) ||> List.fold (fun cursor id -> let struct (_, next) = Cursor.step cursor [| id |] in next)
        let struct (first, _) = Cursor.step (on [ 1; 2 ]) [| 7 |]
        on [ 6; 5 ] |> ignore
        let other = Cursor.translating [| 7; 7 |] model
        Cursor.step other [| 1; 8; 1; 2; 7 |] |> ignore
        let struct (again, _) = Cursor.step (on [ 1; 2 ]) [| 7 |]
        Assert.Equal<float[]>(first, again)
        let struct (whole, _) = Cursor.step fresh [| 1; 8; 1; 2; 7 |]
        Assert.True(near whole first)

/// Counts the steps that pass.
let private counting (count: int ref) : Layer<Seq, Seq> =
    let pass (x: Batch<Seq>) =
        count.Value <- count.Value + (Batch.tensor x).Shape[1]
        struct (x, id)

    Layer.pointwise (Layer.pure' "counting" id pass)

[<Fact>]
let ``the encoder runs once, and the decoder sees each step once`` () =
    let encoded, keys, decoded = ref 0, ref 0, ref 0

    let net =
        both
            (Transformer.embed sizes 11 --> Transformer.encoder sizes --> counting encoded)
            (Transformer.embed sizes 9 --> Transformer.causalBlock sizes)
        --> swap
        --> both (counting decoded) (counting keys)
        --> Transformer.decoderBlock sizes
        --> first

    let cursor = Cursor.translating source (model net)

    for run in 1..3 do
        inParts cursor (partsOf [| target |] [ 1; 1; 1; 1; 1; 1 ]) |> ignore
        Assert.Equal(5, encoded.Value)
        Assert.Equal(5, keys.Value)
        Assert.Equal(6 * run, decoded.Value)

[<Fact>]
let ``generation beside a source is that by whole passes, drawn and searched`` () =
    for _, net in networks do
        let model = model net
        let cursor = Cursor.translating source model

        let whole (seen: int[]) (ids: int[]) =
            let all = Array.append seen ids
            let scores = Model.predict model (Batch.pair (tokens [| source |]) (tokens [| all |])) |> numbers
            struct (scores[scores.Length - 9 ..], all)

        let settings = { Generate.defaults with MaxTokens = 8; NoRepeat = Some 2 }
        let drawn step start = Generate.tokens settings (Key.ofSeed 3) step start [| 1 |] |> List.ofSeq
        Assert.Equal<int list>(drawn whole [||], drawn Cursor.step cursor)
        let searched step start = Generate.beam { Generate.beams with MaxTokens = 5 } step start [| 1 |]

        for a, b in List.zip (searched whole [||]) (searched Cursor.step cursor) do
            Assert.Equal<int list>(List.ofSeq a.Tokens, List.ofSeq b.Tokens)
            Assert.Equal(a.Score, b.Score, 9)

[<Fact>]
let ``a decoder that cannot go on is named, its encoder need not`` () =
    let crossed inner = both identity inner --> swap --> crossAttention 8 2
    let over inner = both (embedding 11 8) (embedding 9 8) --> crossed inner

    argumentError (fun () -> Cursor.translating source (model (over (selfAttention 2))))
    |> mentions [ "Cursor.beside"; "selfAttention 2" ]

    argumentError (fun () -> Cursor.translating source (model (over reverseTime))) |> mentions [ "reverseTime" ]
    // What is made of the source alone does not go along the target.
    argumentError (fun () -> Cursor.translating source (model (both (embedding 11 8) (embedding 9 8) --> first)))
    |> mentions [ "Cursor.beside" ]
    // Steps of the source and steps of the target have no sum, nor stand they side by side.
    argumentError (fun () -> Cursor.translating source (model (both (embedding 11 8) (embedding 9 8) --> catTime)))
    |> mentions [ "catTime" ]

    Cursor.translating source (model (over (causalSelfAttention 2))) |> ignore

[<Fact>]
let ``a source that does not fit is refused`` () =
    let model = model (Transformer.network sizes 11 9)

    argumentError (fun () -> Cursor.translating [||] model)
    |> mentions [ "Cursor.translating"; "at least one id" ]

    argumentError (fun () -> Cursor.translating [| 1; 11 |] model) |> mentions [ "11"; "[0, 1]" ]
    let cursor = Cursor.translating source model
    argumentError (fun () -> Cursor.step cursor [||]) |> mentions [ "at least one token" ]
    argumentError (fun () -> Cursor.step cursor [| 9 |]) |> mentions [ "9" ]
    shapeError (fun () -> Cursor.extend (tokens [| target; target |]) cursor) |> ignore

/// The steps of a text by itself, in parts.
let private alone (net: Layer<Tokens, Seq>) (counts: int list) =
    let model = net |> Model.init Double (Key.ofSeed 2) (Shape.tokens 6)
    let whole = Model.predict model (tokens [| target |]) |> numbers
    near whole (inParts (Cursor.start model) (partsOf [| target |] counts))

[<Fact>]
let ``a carried state goes on step by step, from zeros as all prediction does`` () =
    let vec = Shape.vec 4
    let cell: Layer<Vec * Vec, Vec * Vec> = cat --> dense 4 --> tanh --> dup

    let nets: Layer<Tokens, Seq> list =
        [ embedding 9 3 --> carried 2 (Shape.pair vec vec) (lstmFrom Recurrent.defaults 4)
          embedding 9 3 --> carried 2 vec (scanFrom cell) --> causalSelfAttention 2
          embedding 9 4
          --> residual (carried 1 vec (both identity (causalSelfAttention 2) --> gruFrom Recurrent.torch 4)) ]

    for net in nets do
        for counts in cuts do
            Assert.True(alone net counts)

    let looking: Layer<Vec * Seq, Vec * Seq> = both identity reverseTime --> gruFrom Recurrent.defaults 4

    argumentError (fun () -> alone (embedding 9 4 --> carried 1 vec looking) [ 6 ])
    |> mentions [ "Cursor.start"; "reverseTime" ]
    // The second begins with the last state of the first, which later steps change.
    let twice = gruFrom Recurrent.defaults 4 --> gruFrom Recurrent.defaults 4
    argumentError (fun () -> alone (embedding 9 4 --> carried 1 vec twice) [ 6 ]) |> mentions [ "gruFrom 4" ]
