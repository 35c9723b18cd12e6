module DL.Properties.Data.ShuffleTests

open FsCheck
open FsCheck.FSharp
open Xunit
open DL.Core.Data
open DL.Core.Random
open DL.Properties.Data.Support

let private seeds = ArbMap.defaults |> ArbMap.generate<uint64>

let private block key low high =
    let mutable x0, x1, x2, x3 = 0u, 0u, 0u, 0u
    Philox.Block(key, low, high, &x0, &x1, &x2, &x3)
    [ x0; x1; x2; x3 ]

[<Fact>]
let ``Philox gives the published answers`` () =
    Assert.Equal<uint32 list>([ 0x6627e8d5u; 0xe169c58du; 0xbc57ac4cu; 0x9b00dbd8u ], block 0UL 0UL 0UL)
    let ones = 0xFFFFFFFFFFFFFFFFUL
    Assert.Equal<uint32 list>([ 0x408f276du; 0x41c83b0eu; 0xa20bc7c6u; 0x6d5451fdu ], block ones ones ones)

    Assert.Equal<uint32 list>(
        [ 0xd16cfe09u; 0x94fdccebu; 0x5001e420u; 0x24126ea1u ],
        block 0x299f31d0a4093822UL 0x85a308d3243f6a88UL 0x0370734413198a2eUL
    )

[<Fact>]
let ``a sequence is its stream's blocks in order`` () =
    forAll (Gen.zip seeds seeds) (fun (key, stream) ->
        let mutable sequence = PhiloxSequence(key, stream)
        let words = [ for _ in 1..12 -> sequence.Next() ]
        words = List.concat [ block key 0UL stream; block key 1UL stream; block key 2UL stream ])

[<Fact>]
let ``bounded integers stay below the bound and are even`` () =
    let bound = 6
    let n = 60_000
    let mutable sequence = PhiloxSequence(7UL, 0UL)
    let counts = [ for _ in 1..n -> sequence.Below bound ] |> List.countBy id
    Assert.Equal(bound, counts.Length)
    let expected = float n / float bound

    let chiSquare = counts |> List.sumBy (fun (_, c) -> (float c - expected) ** 2.0 / expected)
    // 99.99% of true dice stay below this at five degrees of freedom.
    Assert.InRange(chiSquare, 0.0, 25.7)
    argumentError (fun () -> (PhiloxSequence(0UL, 0UL)).Below 0) |> ignore

[<Fact>]
let ``bounded integers reject the words that would favour some values`` () =
    // At this bound the product alone would give one value in three two words where the others have three: a share of 1/4.
    let bound = 3 <<< 29
    let mutable sequence = PhiloxSequence(11UL, 3UL)
    let mutable thirds, low = 0, 0

    for _ in 1..30_000 do
        let value = sequence.Below bound

        if value % 3 = 2 then
            thirds <- thirds + 1

        if value < bound / 2 then
            low <- low + 1

    Assert.InRange(thirds, 10_000 - 410, 10_000 + 410)
    Assert.InRange(low, 15_000 - 440, 15_000 + 440)

[<Fact>]
let ``a permutation holds each number once and depends on seed and stream alone`` () =
    forAll (Gen.zip3 (Gen.choose (0, 200)) seeds seeds) (fun (n, seed, stream) ->
        let order = Shuffle.Permutation(n, seed, stream)

        Array.sort order = [| 0 .. n - 1 |] && order = Shuffle.Permutation(n, seed, stream))

[<Fact>]
let ``every order of four is equally likely`` () =
    let n = 24_000

    let counts = [ for s in 1..n -> Shuffle.Permutation(4, uint64 s, 0UL) |> List.ofArray ] |> List.countBy id

    Assert.Equal(24, counts.Length)

    let chiSquare = counts |> List.sumBy (fun (_, c) -> (float c - 1000.0) ** 2.0 / 1000.0)

    Assert.InRange(chiSquare, 0.0, 58.0)

[<Fact>]
let ``an order never changes between versions`` () =
    Assert.Equal<int[]>([| 8; 7; 6; 5; 3; 9; 1; 2; 0; 4 |], Shuffle.Permutation(10, 42UL, 0UL))

[<Fact>]
let ``a split divides the rows as asked`` () =
    let cases =
        Gen.zip3 (Gen.choose (20, 500)) (Gen.elements [ 0.0; 0.1; 0.25 ]) (Gen.zip (Gen.elements [ 0.0; 0.1; 0.5 ]) seeds)

    forAll cases (fun (count, validation, (heldOut, seed)) ->
        let split = Split.Shuffled(count, validation, heldOut, seed)

        let rounded share = int (System.Math.Round(share * float count, System.MidpointRounding.AwayFromZero))

        Array.sort (Array.concat [ split.Train; split.Validation; split.Test ]) = [| 0 .. count - 1 |]
        && split.Test.Length = rounded heldOut
        && split.Validation.Length = rounded validation
        && Split.Shuffled(count, heldOut, seed).Test = split.Test)

[<Fact>]
let ``a split that leaves a part empty is refused`` () =
    for count, heldOut in [ 0, 0.1; -1, 0.1; 10, 1.0; 10, -0.1; 10, nan; 4, 0.1; 1, 0.5 ] do
        argumentError (fun () -> Split.Shuffled(count, heldOut, 0UL)) |> ignore

    argumentError (fun () -> Split.Shuffled(10, 0.5, 0.5, 0UL)) |> mentions [ "Hold out less" ]

let private batchings =
    gen {
        let! count = Gen.choose (1, 100)
        let! size = Gen.choose (1, count)
        let! seed = seeds
        let! epoch = Gen.choose (0, 50)
        return count, size, seed, epoch
    }

[<Fact>]
let ``batches hold each row once, the last one smaller or dropped`` () =
    forAll batchings (fun (count, size, seed, epoch) ->
        let kept = Batches.Indices(count, size, seed, epoch)
        let dropped = Batches.Indices(count, size, seed, epoch, dropLast = true)

        Array.sort (Array.concat kept) = [| 0 .. count - 1 |]
        && kept |> Array.take (count / size) |> Array.forall (fun b -> b.Length = size)
        && dropped = Array.take (count / size) kept)

[<Fact>]
let ``each epoch has an order of its own`` () =
    let orders = [ for epoch in 0..9 -> Batches.Indices(30, 30, 1UL, epoch)[0] |> List.ofArray ]

    Assert.Equal(10, (List.distinct orders).Length)

[<Fact>]
let ``a batch size that does not fit the data is refused`` () =
    argumentError (fun () -> Batches.Indices(10, 11, 0UL, 0)) |> mentions [ "at most the 10 rows"; "got 11" ]

    argumentError (fun () -> Batches.Indices(10, 0, 0UL, 0)) |> ignore

    argumentError (fun () -> Batches.Indices(0, 1, 0UL, 0)) |> mentions [ "at least 1 row" ]

    argumentError (fun () -> Batches.Indices(10, 1, 0UL, -1)) |> ignore
