module DL.Properties.Data.TokenizerTests

open System
open System.IO
open System.Text
open System.Text.RegularExpressions
open FsCheck.FSharp
open Xunit
open DL.Core.Data
open DL.Core.Formats
open DL.Properties.Data.Support

let private specials = Gen.map (fun bits -> enum<SpecialTokens> bits) (Gen.choose (0, 31))

let private texts =
    [ "low"
      "lower"
      "lowest"
      "new"
      "newer"
      " "
      " "
      "  "
      "\n"
      "\t"
      "12"
      "3"
      "don't"
      "'"
      "!"
      "..."
      "é"
      "e\u0301"
      "中"
      "\U0001F600"
      "\uFFFD"
      "\u0000" ]
    |> Gen.elements
    |> Gen.listOf
    |> Gen.map (String.concat "")

let private piecesOf (text: string) =
    [ let mutable at = 0

      while at < text.Length do
          let next = TextPieces.End(text, at)
          text.Substring(at, next - at)
          at <- next ]

[<Fact>]
let ``pieces are those of a regular expression, and together the text`` () =
    let pattern = Regex(@" ?[\p{L}\p{M}]+| ?\p{N}+| ?[^\s\p{L}\p{M}\p{N}]+|\s+(?= \S)|\s+")

    forAll texts (fun text ->
        let pieces = piecesOf text
        pieces = [ for m in pattern.Matches text -> m.Value ] && String.concat "" pieces = text)

let private joined (left, right) id (symbols: int list) =
    let rec go symbols =
        match symbols with
        | a :: b :: rest when (a, b) = (left, right) -> id :: go rest
        | a :: rest -> a :: go rest
        | [] -> []

    go symbols

/// Counts everything anew before every merge.
let private naiveMerges first count minCount (text: string) =
    let bytes (piece: string) = bytesOf piece |> Array.map (fun b -> first + int b) |> List.ofArray

    let rec go merges (pieces: (int list * int) list) =
        let pairs =
            pieces
            |> List.collect (fun (symbols, n) -> List.pairwise symbols |> List.map (fun pair -> pair, n))
            |> List.groupBy fst
            |> List.map (fun (pair, all) -> pair, List.sumBy snd all)
            |> List.filter (fun (_, n) -> n >= minCount)

        if List.length merges = count - first - 256 || pairs.IsEmpty then
            List.rev merges
        else
            let best, _ = pairs |> List.minBy (fun (pair, n) -> -n, pair)
            let id = first + 256 + List.length merges
            go (best :: merges) (pieces |> List.map (fun (symbols, n) -> joined best id symbols, n))

    go [] (piecesOf text |> List.countBy id |> List.map (fun (piece, n) -> bytes piece, n))

let private naiveIds first (merges: (int * int) list) (text: string) =
    let apply symbols = List.indexed merges |> List.fold (fun s (i, pair) -> joined pair (first + 256 + i) s) symbols

    piecesOf text
    |> List.collect (fun piece -> bytesOf piece |> Array.map (fun b -> first + int b) |> List.ofArray |> apply)

[<Fact>]
let ``byte pairs are learned and applied as the definition says, and every text comes back`` () =
    forAll
        (Gen.zip3 (Gen.zip texts texts) specials (Gen.zip (Gen.choose (0, 12)) (Gen.choose (1, 3))))
        (fun ((seen, unseen), special, (more, minCount)) ->
            let first = Vocabulary.Of([], special).SpecialCount
            let tokenizer = BytePairTokenizer.Train(seen, first + 256 + more, special, minCount)
            let merges = [ for struct (left, right) in tokenizer.Merges -> left, right ]

            merges = naiveMerges first (first + 256 + more) minCount seen
            && tokenizer.Count = first + 256 + merges.Length
            && [ seen; unseen ]
               |> List.forall (fun text ->
                   let ids = tokenizer.Encode text

                   List.ofArray ids = naiveIds first merges text
                   && tokenizer.Decode ids = text
                   && ids |> Array.forall (fun id -> id >= first)
                   && (ids |> Array.collect tokenizer.BytesOf) = bytesOf text))

[<Fact>]
let ``several texts teach what their pieces teach, and a word may be as long as a book`` () =
    let parts = [ "low lower"; " lowest new"; " newer low" ]
    let whole = BytePairTokenizer.Train(String.concat "" parts, 270)
    Assert.Equal<seq<_>>(whole.Merges, (BytePairTokenizer.Train(parts, 270)).Merges)
    let word = String.replicate 200_000 "ab"
    let tokenizer = BytePairTokenizer.Train(word, 270, minCount = 1)
    let ids = tokenizer.Encode(word + "a")
    Assert.Equal(word + "a", tokenizer.Decode ids)
    Assert.True(ids.Length <= word.Length / BytePairTokenizer.MaxTokenBytes + 2)
    Assert.All(seq { 0 .. tokenizer.Count - 1 }, fun id -> Assert.True((tokenizer.BytesOf id).Length <= BytePairTokenizer.MaxTokenBytes))

[<Fact>]
let ``bad input to byte pairs is named`` () =
    let half = String(char 0xD834, 1)
    argumentError (fun () -> BytePairTokenizer.Train("a", 255)) |> mentions [ "count"; "at least 256"; "255" ]
    argumentError (fun () -> BytePairTokenizer.Train("a", 257, SpecialTokens.All)) |> mentions [ "at least 261" ]
    argumentError (fun () -> BytePairTokenizer.Train("a", 256, SpecialTokens.None, 0)) |> mentions [ "minCount" ]
    argumentError (fun () -> BytePairTokenizer.Train("a" + half, 256)) |> mentions [ "text[1]"; "D834" ]
    let bytes = BytePairTokenizer(Array.empty<struct (int * int)>, SpecialTokens.Unknown)
    argumentError (fun () -> bytes.Encode("ab" + half)) |> mentions [ "text[2]" ]
    let outside = [| 1; 257 |]
    argumentError (fun () -> bytes.Decode outside) |> mentions [ "ids[1]"; "0 to 256"; "257" ]
    argumentError (fun () -> bytes.BytesOf -1) |> ignore
    argumentError (fun () -> BytePairTokenizer [ struct (0, 256) ]) |> mentions [ "merge 0"; "0 to 255" ]

    argumentError (fun () -> BytePairTokenizer([ struct (0, 1) ], SpecialTokens.Unknown))
    |> mentions [ "1 to 256" ]

    argumentError (fun () -> BytePairTokenizer [ struct (1, 2); struct (1, 2) ])
    |> mentions [ "merge 1"; "twice" ]

    let doubling = [ for i in 0..9 -> struct (max 0 (255 + i), max 0 (255 + i)) ]
    argumentError (fun () -> BytePairTokenizer doubling) |> mentions [ "256 bytes" ]
    // Half of a character by itself is no text; the unknown token, and it alone of the special ones, leaves a sign.
    let ids = [| 0; 1 + 0x41; 1 + 0xC3 |]
    Assert.Equal("\uFFFDA\uFFFD", bytes.Decode ids)

[<Fact>]
let ``words are runs of letters and digits, and ids of words come back`` () =
    Assert.Equal<string[]>(
        [| "Don't"; "stop"; ":"; "l\u2019été"; "2nd"; "'"; "x"; "'"; "\U0001F600"; "!"; "!" |],
        WordTokenizer.Words "Don't  stop: l\u2019été 2nd 'x'\n\U0001F600!!"
    )

    Assert.Equal<string[]>([| "don't" |], WordTokenizer.Words("DON'T", lowerCase = true))

    forAll (Gen.zip3 texts texts (Gen.elements [ false; true ])) (fun (some, unseen, lower) ->
        // The sign for what is unknown would be known otherwise.
        let seen = some.Replace("\uFFFD", "")
        let tokenizer = WordTokenizer.Of(seen, SpecialTokens.All, lowerCase = lower)
        let ids = tokenizer.Encode unseen
        let words = WordTokenizer.Words(unseen, lower)

        ids.Length = words.Length
        && tokenizer.Encode(tokenizer.Decode ids) = ids
        && tokenizer.Decode(tokenizer.Encode seen) = String.concat " " (WordTokenizer.Words(seen, lower)))

[<Fact>]
let ``special tokens leave nothing between words, unknown ones a replacement`` () =
    let tokenizer = WordTokenizer.Of("a b", SpecialTokens.All)
    let ids = [| 1; 5; 0; 6; 3; 4; 2 |]
    Assert.Equal("a b \uFFFD", tokenizer.Decode ids)

[<Fact>]
let ``bad words are named`` () =
    let two = WordTokenizer(Vocabulary.Of [ "a"; "b" ])
    argumentError (fun () -> two.Encode "a c") |> mentions [ "tokens[1]"; "'c'" ]
    argumentError (fun () -> WordTokenizer(Vocabulary.Of [ "a"; "b c" ])) |> mentions [ "token 1"; "'b c'" ]
    argumentError (fun () -> WordTokenizer(Vocabulary.Of [ "A" ], true)) |> mentions [ "lower case" ]
    argumentError (fun () -> WordTokenizer(Vocabulary.Of [ "" ])) |> ignore
    let outside = [| 2 |]
    argumentError (fun () -> two.Decode outside) |> mentions [ "ids[0]" ]

let private tokenizers =
    Gen.map3
        (fun text special kind ->
            match kind with
            | 0 -> CharacterTokenizer.Of(text, special) :> ITokenizer
            | 1 -> WordTokenizer.Of(text, special, lowerCase = (text.Length % 2 = 0))
            | _ -> BytePairTokenizer.Train(text, 280, special))
        texts
        specials
        (Gen.choose (0, 2))

[<Fact>]
let ``a tokenizer comes back from JSON, and so does a vocabulary`` () =
    forAll (Gen.zip tokenizers texts) (fun (tokenizer, text) ->
        let json = Tokenizers.ToJson tokenizer
        let again = Tokenizers.FromJson json

        let ids (t: ITokenizer) =
            try
                t.Encode text
            with :? DL.Core.InvalidArgumentException ->
                [||]

        again.GetType() = tokenizer.GetType()
        && again.Count = tokenizer.Count
        && again.Special = tokenizer.Special
        && ids again = ids tokenizer
        && Tokenizers.ToJson again = json)

    forAll (Gen.zip texts specials) (fun (text, special) ->
        let vocabulary = Vocabulary.ByFrequency(WordTokenizer.Words text, special)
        let again = Vocabulary.FromJson(vocabulary.ToJson())
        List.ofSeq again.Tokens = List.ofSeq vocabulary.Tokens && again.Special = special)

[<Fact>]
let ``files of tokenizers are written and read`` () =
    let path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid()}.json")

    try
        let tokenizer = BytePairTokenizer.Train("low lower lowest", 262, SpecialTokens.Padding)
        Tokenizers.Save(path, tokenizer)
        Assert.Equal<int[]>(tokenizer.Encode "slow", (Tokenizers.Read path).Encode "slow")
        (Vocabulary.Of([ "a"; "\"\\\n" ], SpecialTokens.All)).Save path
        Assert.Equal(7, (Vocabulary.Read path).Count)
        formatError (fun () -> Tokenizers.Read path) |> mentions [ path; "'version'" ]
        formatError (fun () -> Vocabulary.Read(path, ReadLimits(MaxBytes = 3L))) |> mentions [ "MaxBytes" ]
        File.WriteAllBytes(path, [| 0x7Buy; 0x22uy; 0xC3uy; 0x22uy |])
        formatError (fun () -> Vocabulary.Read path) |> ignore
    finally
        File.Delete path

    formatError (fun () -> Tokenizers.Read path) |> mentions [ "no file" ]

[<Fact>]
let ``what is no tokenizer in JSON is refused with its place`` () =
    let refused json parts = formatError (fun () -> Tokenizers.FromJson(json, "t.json")) |> mentions ("t.json" :: parts)
    refused "" [ "JSON" ]
    refused "[]" [ "an object"; "array" ]
    refused "{\"version\":1,}" []
    refused "{\"version\":1}" [ "'tokenizer'" ]
    refused "{\"version\":2,\"tokenizer\":\"words\"}" [ "version 1"; "got 2" ]
    refused "{\"version\":1.5,\"tokenizer\":\"words\"}" [ "whole number" ]
    refused "{\"version\":1,\"version\":1,\"tokenizer\":\"words\"}" []
    refused "{\"version\":1,\"tokenizer\":\"sounds\"}" [ "'sounds'" ]
    refused "{\"version\":1,\"tokenizer\":\"characters\",\"special\":[],\"tokens\":[\"a\"],\"more\":1}" [ "'more'" ]
    refused "{\"version\":1,\"tokenizer\":\"characters\",\"special\":[],\"tokens\":[\"a\",\"a\"]}" [ "'a' twice" ]
    refused "{\"version\":1,\"tokenizer\":\"characters\",\"special\":[],\"tokens\":[\"ab\"]}" [ "one character" ]
    refused "{\"version\":1,\"tokenizer\":\"characters\",\"special\":[\"<eos>\",\"<bos>\"],\"tokens\":[]}" [ "this order" ]
    refused "{\"version\":1,\"tokenizer\":\"characters\",\"special\":[\"<pad>\",\"<pad>\"],\"tokens\":[]}" []
    refused "{\"version\":1,\"tokenizer\":\"characters\",\"special\":[\"<up>\"],\"tokens\":[]}" [ "<up>" ]
    refused "{\"version\":1,\"tokenizer\":\"characters\",\"special\":[],\"tokens\":[1]}" [ "tokens[0]" ]
    refused "{\"version\":1,\"tokenizer\":\"characters\",\"special\":[],\"tokens\":[\"\\ud800\"]}" []
    refused "{\"version\":1,\"tokenizer\":\"byte-pairs\",\"special\":[],\"merges\":[[1]]}" [ "merges[0]" ]
    refused "{\"version\":1,\"tokenizer\":\"byte-pairs\",\"special\":[],\"merges\":[[1,300]]}" [ "merge 0" ]
    refused (String.replicate 100 "[" + String.replicate 100 "]") []

    refused ("{\"" + String(char 0xD834, 1)) [ "character 2"; "surrogate" ]

    let whole = Tokenizers.ToJson(BytePairTokenizer.Train("low lower lowest", 262))

    for length in 0 .. whole.Length - 1 do
        formatError (fun () -> Tokenizers.FromJson(whole.Substring(0, length))) |> ignore

    argumentError (fun () -> Tokenizers.ToJson(Unchecked.defaultof<ITokenizer>)) |> ignore

[<Fact>]
let ``a thousand tokens of Tiny Shakespeare shorten it by half`` () =
    match Environment.GetEnvironmentVariable "DL_DATA" with
    | null -> Assert.Skip "no data: DL_DATA names no folder"
    | folder ->
        let text = (Texts.TinyShakespeare(Path.Combine(folder, "text"))).Train
        let tokenizer = BytePairTokenizer.Train(text, 1000)
        let ids = tokenizer.Encode text
        Assert.Equal(1000, tokenizer.Count)
        Assert.True(ids.Length * 2 < text.Length)
        Assert.Equal(text, tokenizer.Decode ids)
        Assert.Equal(" the", Encoding.UTF8.GetString(tokenizer.BytesOf(Array.head (tokenizer.Encode " the"))))
