module DL.Properties.Data.VocabularyTests

open FsCheck.FSharp
open Xunit
open DL.Core.Data
open DL.Properties.Data.Support

let private words = Gen.arrayOf (Gen.elements [ "the"; "a"; "king"; "queen"; "and"; "<unk>"; "<pad>"; "" ])
let private specials = Gen.map (fun bits -> enum<SpecialTokens> bits) (Gen.choose (0, 31))
let private names = [ "<pad>"; "<bos>"; "<eos>"; "<unk>"; "<mask>" ]

let private asked (special: SpecialTokens) =
    names |> List.indexed |> List.filter (fun (i, _) -> int special &&& (1 <<< i) <> 0) |> List.map snd

[<Fact>]
let ``tokens go by frequency, then by order, after the special ones`` () =
    forAll (Gen.zip3 words specials (Gen.choose (1, 3))) (fun (text, special, minCount) ->
        let expected =
            text
            |> Array.countBy id
            |> List.ofArray
            |> List.filter (fun (token, n) -> n >= minCount && not (List.contains token (asked special)))
            |> List.sortBy (fun (_, n) -> -n)
            |> List.map fst

        let all = Vocabulary.ByFrequency(text, special, minCount)
        let two = Vocabulary.ByFrequency(text, special, minCount, 2)

        List.ofSeq all.Tokens = asked special @ expected
        && List.ofSeq two.Tokens = asked special @ List.truncate 2 expected
        && all.SpecialCount = (asked special).Length)

[<Fact>]
let ``ids and tokens are inverse, unknown ones become the unknown token`` () =
    forAll (Gen.zip words specials) (fun (text, special) ->
        let vocabulary = Vocabulary.ByFrequency(text, special)
        let ids = vocabulary.Encode text
        let named = List.zip (asked special) (List.init vocabulary.SpecialCount vocabulary.TokenOf)

        vocabulary.Decode ids = text
        && Array.forall (fun id -> id >= 0 && id < vocabulary.Count) ids
        && Seq.forall (fun id -> vocabulary.IdOf(vocabulary.TokenOf id) = id) (seq { 0 .. vocabulary.Count - 1 })
        && named |> List.forall (fun (name, token) -> name = token)
        && (not (special.HasFlag SpecialTokens.Unknown) || vocabulary.IdOf "fool" = vocabulary.IdOf SpecialTokens.Unknown))

[<Fact>]
let ``special tokens have ids in their order`` () =
    let vocabulary = Vocabulary.Of([ "x" ], SpecialTokens.Padding ||| SpecialTokens.End ||| SpecialTokens.Mask)

    Assert.Equal(
        (0, 1, 2, 3),
        (vocabulary.IdOf SpecialTokens.Padding, vocabulary.IdOf SpecialTokens.End, vocabulary.IdOf SpecialTokens.Mask, vocabulary.IdOf "x")
    )

    argumentError (fun () -> vocabulary.IdOf SpecialTokens.Begin)
    |> mentions [ "Padding, End, Mask"; "got Begin" ]

    argumentError (fun () -> vocabulary.IdOf SpecialTokens.None) |> ignore
    argumentError (fun () -> vocabulary.IdOf SpecialTokens.All) |> ignore

[<Fact>]
let ``bad input to a vocabulary is named`` () =
    argumentError (fun () -> Vocabulary.Of [ "a"; "b"; "a" ]) |> mentions [ "'a' twice" ]
    argumentError (fun () -> Vocabulary.Of([ "<unk>" ], SpecialTokens.All)) |> mentions [ "'<unk>' twice" ]
    argumentError (fun () -> Vocabulary.Of([], enum<SpecialTokens> 32)) |> mentions [ "special" ]
    argumentError (fun () -> Vocabulary.ByFrequency([], SpecialTokens.None, 0)) |> mentions [ "minCount" ]
    argumentError (fun () -> Vocabulary.ByFrequency([], SpecialTokens.None, 1, 0)) |> mentions [ "most" ]
    let two = Vocabulary.Of [ "a"; "b" ]
    argumentError (fun () -> two.Encode [ "a"; "c" ]) |> mentions [ "tokens[1]"; "'c'"; "2 tokens" ]
    argumentError (fun () -> two.IdOf "c") |> mentions [ "'c'"; "Unknown" ]
    argumentError (fun () -> two.Decode [ 0; 2 ]) |> mentions [ "0 to 1"; "got 2" ]
    argumentError (fun () -> two.TokenOf -1) |> mentions [ "got -1" ]

/// Text with characters of one to four UTF-8 bytes.
let private texts =
    Gen.listOf (Gen.elements [ "a"; "Z"; "\n"; "é"; "中"; "\uFFFD"; "\U0001D11E"; "\U0001F600" ])
    |> Gen.map (String.concat "")

[<Fact>]
let ``characters are code points in their order, and text comes back`` () =
    forAll (Gen.zip texts specials) (fun (text, special) ->
        let characters = CharacterTokenizer.Of(text, special)
        let runes = [ for rune in text.EnumerateRunes() -> rune.Value ]
        let sorted = runes |> List.distinct |> List.sort
        let ids = characters.Encode text

        characters.Decode ids = text
        && List.ofArray ids = (runes |> List.map (fun rune -> characters.Vocabulary.SpecialCount + List.findIndex ((=) rune) sorted))
        && characters.Vocabulary.Count = characters.Vocabulary.SpecialCount + sorted.Length)

[<Fact>]
let ``special tokens leave nothing in a text, unknown characters a replacement`` () =
    let characters = CharacterTokenizer.Of("ab", SpecialTokens.All)
    let ids = Array.concat [ [| 1 |]; characters.Encode "aéb"; [| 2; 0; 4 |] ]
    Assert.Equal<int[]>([| 1; 5; 3; 6; 2; 0; 4 |], ids)
    Assert.Equal("a\uFFFDb", characters.Decode ids)

[<Fact>]
let ``bad characters are named with their position`` () =
    let characters, half = CharacterTokenizer.Of "ab", System.String(char 0xD834, 1)
    argumentError (fun () -> characters.Encode "abé") |> mentions [ "text[2]"; "2 characters"; "'é', U+00E9" ]
    argumentError (fun () -> characters.Encode("a" + half)) |> mentions [ "text[1]"; "surrogate"; "D834" ]
    argumentError (fun () -> CharacterTokenizer.Of(half + "a")) |> mentions [ "text[0]" ]
    let outside = [| 0; 2 |]
    argumentError (fun () -> characters.Decode outside) |> mentions [ "ids[1]"; "0 to 1"; "got 2" ]
    argumentError (fun () -> CharacterTokenizer(Vocabulary.Of [ "a"; "bc" ])) |> mentions [ "token 1"; "'bc'" ]
    argumentError (fun () -> CharacterTokenizer(Vocabulary.Of [ "" ])) |> mentions [ "token 0" ]
