namespace DL.Laws

open FsCheck
open FsCheck.FSharp

/// <summary>The lengths an axis of a generated shape may have.</summary>
type Extent =
    /// <summary>0, 1 and the lengths around the width of a vector register.</summary>
    | Free
    /// <summary>1 and the lengths around the width of a vector register.</summary>
    | Positive
    /// <summary>From 1 to 4.</summary>
    | Few
    /// <summary>At least 2.</summary>
    | Several
    /// <summary>One of these; it shrinks towards the first.</summary>
    | OneOf of int list

/// <summary>Generators and shrinkers for the cases of a law.</summary>
[<RequireQualifiedAccess>]
module Generators =
    // 4, 8 and 16 are the lanes of the vector registers: each with its neighbours, and two lengths past one unrolled round.
    let private widths = [ 1; 2; 3; 4; 5; 7; 8; 9; 15; 16; 17; 24; 31; 33 ]

    let private choices extent =
        match extent with
        | Free -> 0 :: widths
        | Positive -> widths
        | Few -> [ 1; 2; 3; 4 ]
        | Several -> List.tail widths
        | OneOf lengths -> lengths

    /// <summary>The length of an axis.</summary>
    let length (extent: Extent) : Gen<int> = Gen.elements (choices extent)

    /// <summary>Shorter lengths an axis may have, the shortest first.</summary>
    let shorter (extent: Extent) (length: int) : int seq =
        match extent with
        | OneOf lengths -> lengths |> Seq.takeWhile ((<>) length)
        | _ -> choices extent |> Seq.filter (fun n -> n < length && (n > 0 || length = 1))

    /// <summary>Lengths for several axes.</summary>
    let lengths (extents: Extent list) : Gen<int list> = extents |> List.map length |> Gen.sequenceToList

    /// <summary>The same axes with one of them shorter.</summary>
    let shrinkLengths (extents: Extent list) (lengths: int list) : int list seq =
        seq {
            for i in 0 .. lengths.Length - 1 do
                for n in shorter extents[i] lengths[i] do
                    List.updateAt i n lengths
        }

    /// <summary>A seed for the numbers of a case.</summary>
    let seed: Gen<uint64> = Gen.choose (0, 1_000_000) |> Gen.map uint64

    /// <summary>One of several ways for numbers to lie; the first is met most.</summary>
    let numbers (allowed: Numbers list) : Gen<Numbers> =
        match allowed with
        | [] -> Gen.constant Ordinary
        | first :: _ -> Gen.frequency [ 1, Gen.constant first; 2, Gen.elements allowed ]

    /// <summary>Simpler ways for numbers to lie.</summary>
    let simplerNumbers (allowed: Numbers list) (numbers: Numbers) : Numbers seq = allowed |> Seq.takeWhile ((<>) numbers)
