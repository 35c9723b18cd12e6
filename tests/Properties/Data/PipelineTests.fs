module DL.Properties.Data.PipelineTests

open System
open System.Collections.Generic
open System.Threading
open FsCheck.FSharp
open Xunit
open DL
open DL.Core
open DL.Core.Data
open DL.Core.Random
open DL.Properties.Data.Support

/// A stage of a pipeline, with what it does to a list.
type private Stage =
    | Map of int
    | Filter of int
    | Take of int
    | Skip of int
    | Append of int list
    | Repeat of int
    | Prefetch of int

let private stages =
    let small = Gen.choose (0, 9)

    Gen.oneof
        [ Gen.map Map small
          Gen.map (fun n -> Filter(n % 3 + 1)) small
          Gen.map Take small
          Gen.map Skip small
          Gen.map Append (Gen.listOfLength 3 small)
          Gen.map (fun n -> Repeat(n % 3)) small
          Gen.map (fun n -> Prefetch(n % 3 + 1)) small ]
    |> Gen.listOf
    |> Gen.map (List.truncate 5)

let private lazily stage (p: Pipeline<int>) =
    match stage with
    | Map n -> Pipeline.map ((+) n) p
    | Filter n -> Pipeline.filter (fun x -> x % n = 0) p
    | Take n -> Pipeline.take n p
    | Skip n -> Pipeline.skip n p
    | Append more -> Pipeline.append p (Pipeline.ofSeq more)
    | Repeat n -> Pipeline.repeat n p
    | Prefetch n -> Pipeline.prefetch n p

let private eagerly stage (xs: int list) =
    match stage with
    | Map n -> List.map ((+) n) xs
    | Filter n -> List.filter (fun x -> x % n = 0) xs
    | Take n -> List.truncate n xs
    | Skip n -> if n >= xs.Length then [] else List.skip n xs
    | Append more -> xs @ more
    | Repeat n -> List.replicate n xs |> List.concat
    | Prefetch _ -> xs

let private all p = List.ofSeq (Pipeline.toSeq p)
let private at e p = List.ofSeq (Pipeline.epoch e p)
let private numbers = Gen.listOf (Gen.choose (-50, 50))

let private keys =
    Gen.map3
        (fun seed position step -> Key(uint64<int> seed, uint32<int> position, uint32<int> step))
        (Gen.choose (0, 99))
        (Gen.choose (0, 2))
        (Gen.choose (0, 2))

[<Fact>]
let ``a pipeline is what its stages do to a list, every time it is run`` () =
    forAll (Gen.zip numbers stages) (fun (xs, stages) ->
        let p = List.fold (fun p stage -> lazily stage p) (Pipeline.ofSeq xs) stages
        let expected = List.fold (fun xs stage -> eagerly stage xs) xs stages
        all p = expected && all p = expected && at 3 p = expected)

[<Fact>]
let ``mapping twice is mapping once, and pairs and chunks are a list's`` () =
    forAll (Gen.zip3 numbers numbers (Gen.choose (1, 5))) (fun (xs, ys, n) ->
        let p, q = Pipeline.ofSeq xs, Pipeline.ofSeq ys
        let pairs = all (Pipeline.zip p q) |> List.map (fun struct (x, y) -> x, y)

        all (p |> Pipeline.map ((+) 3) |> Pipeline.map ((*) 2)) = all (p |> Pipeline.map ((+) 3 >> (*) 2))
        && pairs = List.zip (List.truncate ys.Length xs) (List.truncate xs.Length ys)
        && all (Pipeline.chunk n p) = (List.chunkBySize n xs |> List.map Array.ofList)
        && all (Pipeline.init xs.Length (fun i -> xs[i])) = xs)

[<Fact>]
let ``a shuffle is a permutation, the key's and the epoch's own`` () =
    forAll (Gen.zip3 numbers keys (Gen.choose (1, 60))) (fun (xs, key, n) ->
        let p = Pipeline.ofSeq xs

        [ Pipeline.shuffle key p; Pipeline.shuffleWithin n key p ]
        |> List.forall (fun shuffled ->
            all shuffled = all shuffled
            && List.sort (all shuffled) = List.sort xs
            && List.sort (at 7 shuffled) = List.sort xs)
        && all (Pipeline.shuffleWithin 1 key p) = xs)

    let order shuffle = all (shuffle (Pipeline.init 50 id))
    let key = Key(5UL, 0u, 0u)

    for shuffle in [ Pipeline.shuffle; Pipeline.shuffleWithin 20 ] do
        Assert.NotEqual<int list>([ 0..49 ], order (shuffle key))
        Assert.NotEqual<int list>(order (shuffle key), order (shuffle key.Next))
        Assert.NotEqual<int list>(order (shuffle key), at 1 (shuffle key (Pipeline.init 50 id)))

[<Fact>]
let ``a shuffle of short reach moves nothing forward by more than its reach`` () =
    forAll (Gen.zip3 (Gen.choose (0, 80)) keys (Gen.choose (1, 10))) (fun (count, key, n) ->
        all (Pipeline.shuffleWithin n key (Pipeline.init count id))
        |> List.indexed
        |> List.forall (fun (place, x) -> x <= place + n - 1))

[<Fact>]
let ``places of a shuffle are equally likely`` () =
    // Of 600 orders of six, each element comes 100 times at each place: 5 standard deviations are 46.
    for shuffle in [ Pipeline.shuffle; Pipeline.shuffleWithin 6 ] do
        let counts = Array2D.zeroCreate 6 6

        for e in 0..599 do
            at e (shuffle (Key(1UL, 0u, 0u)) (Pipeline.init 6 id))
            |> List.iteri (fun place x -> counts[place, x] <- counts[place, x] + 1)

        for i in 0..5 do
            for j in 0..5 do
                Assert.InRange(counts[i, j], 54, 146)

[<Fact>]
let ``every element has a key of its place and epoch, and prefetching changes none`` () =
    forAll (Gen.zip (Gen.choose (0, 20)) keys) (fun (count, key) ->
        let keyed = Pipeline.mapKeyed key (fun own _ -> own) (Pipeline.init count id)
        let epochs = [ for e in 0..2 -> at e keyed ]

        (List.concat epochs |> List.distinct).Length = 3 * count
        && epochs = [ for e in 0..2 -> at e (Pipeline.prefetch 2 keyed) ]
        && epochs[1] = [ for i in 0 .. count - 1 -> (key.At 1UL).At(uint64<int> i) ]
        && at 0 (Pipeline.repeat 3 keyed) = List.concat epochs
        && (count = 0
            || List.ofSeq (Seq.truncate (2 * count) (Pipeline.epoch 1 (Pipeline.forever keyed))) = epochs[1] @ epochs[2]))

    // Keys of elements have nothing to do with what the key itself draws.
    let words = Array.zeroCreate<uint32> 8
    let key = Key(1UL, 2u, 3u)
    Draw.Bits(key, Span<uint32> words)

    for i in 0..1 do
        Assert.NotEqual(uint64 words[4 * i] ||| (uint64 words[4 * i + 1] <<< 32), (key.At(uint64<int> i)).Seed)

    Assert.Equal("Key(1, 2, 3)", string key)
    Assert.Empty(Pipeline.toSeq (Pipeline.forever (Pipeline.ofSeq Array.empty<int>)))

let private examples count offset : Examples<Vec, Label> =
    Examples.create
        (Batch.vectors (Array.init count (fun i -> [| float32 (offset + i); 1f |])))
        (Batch.labels (Array.init count (fun i -> offset + i)))

let private rowsOf (batch: Examples<Vec, Label>) =
    let labels = List.ofArray ((Batch.tensor batch.Targets).ToArray<int>())
    let inputs = (Batch.tensor batch.Inputs).ToArray<int>() |> Array.chunkBySize 2
    Assert.Equal<int list>(labels, inputs |> Array.map Array.head |> List.ofArray)
    labels

[<Fact>]
let ``shuffled batches are those a trainer takes`` () =
    forAll (Gen.zip3 (Gen.choose (1, 40)) (Gen.choose (1, 40)) (Gen.choose (0, 99))) (fun (count, size, seed) ->
        let size = min size count
        let shuffled = examples count 0 |> Pipeline.ofExamples |> Pipeline.shuffle (Key(uint64<int> seed, 0u, 0u))
        let expected = Batches.Indices(count, size, uint64 seed, 4) |> Array.map List.ofArray |> List.ofArray

        (Pipeline.batch size shuffled |> at 4 |> List.map rowsOf) = expected
        && (Pipeline.wholeBatch size shuffled |> at 4 |> List.map rowsOf) = (expected |> List.filter (fun rows -> rows.Length = size)))

[<Fact>]
let ``batches are put together of several sources`` () =
    let both = Pipeline.append (Pipeline.ofExamples (examples 5 0)) (Pipeline.ofExamples (examples 3 5))
    Assert.Equal<int list list>([ [ 0..2 ]; [ 3..5 ]; [ 6..7 ] ], Pipeline.batch 3 both |> all |> List.map rowsOf)
    let odd = both |> Pipeline.filter (fun e -> e.Row % 2 = 1) |> Pipeline.map (fun e -> rowsOf e.Alone)
    Assert.Equal<int list list>([ [ 1 ]; [ 3 ]; [ 6 ] ], all odd)

[<Fact>]
let ``the keys of examples in batches do not depend on the size of a batch`` () =
    let keyed n =
        Pipeline.ofExamples (examples 10 0)
        |> Pipeline.batchKeyed n (Key(3UL, 0u, 0u)) (fun keys batch ->
            let seeds = keys |> Array.map (fun key -> float32 (key.Seed >>> 48))

            { batch with
                Inputs = Batch.vectors (seeds |> Array.map Array.singleton) })
        |> at 2
        |> List.collect (fun batch -> List.ofArray ((Batch.tensor batch.Inputs).ToArray<float32>()))

    Assert.Equal(10, (List.distinct (keyed 1)).Length)

    for n in [ 2; 3; 10; 11 ] do
        Assert.Equal<float32 list>(keyed 1, keyed n)

[<Fact>]
let ``steps over a pipeline's batches are those of a trainer`` () =
    let data =
        Examples.create
            (Batch.vectors (Array.init 22 (fun i -> [| sin (float32 i); cos (float32 i) |])))
            (Batch.labels (Array.init 22 (fun i -> i % 3)))

    let model () = dense 5 --> relu --> dropout 0.2 --> dense 3 |> Model.init Single (Key(4UL, 0u, 0u)) (Shape.vec 2)

    let trainer: Trainer<Vec, Vec, Label> =
        { Trainer.create Loss.crossEntropy (Optimizer.adam 1e-2) with
            Epochs = 3
            BatchSize = 5
            Seed = 8
            Progress = Progress.Silent }

    let trained = (Trainer.fit trainer data (model ())).Model
    let batches = Pipeline.ofExamples data |> Pipeline.shuffle (Key(8UL, 0u, 0u)) |> Pipeline.batch 5 |> Pipeline.prefetch 2
    let session = Session(trainer.Rule, Trainer.start trainer.Rule (model ()))

    for epoch in 1..3 do
        for batch in Pipeline.epoch epoch batches do
            session.Step(batch.Inputs, batch.Targets) |> ignore

    Array.iter2 (fun (a: Tensor) (b: Tensor) -> Assert.True(a.SameBits b)) trained.Params session.Model.Params

/// A source that tells which thread ran it, how far, and whether it was closed.
let private watched count (threads: List<Thread>) (reached: int ref) (closed: bool ref) =
    Pipeline.ofSeq (
        seq {
            threads.Add Thread.CurrentThread

            try
                for i in 0 .. count - 1 do
                    reached.Value <- i
                    yield i
            finally
                closed.Value <- true
        }
    )

[<Fact>]
let ``prefetching runs ahead on another thread, and no further than asked`` () =
    let threads, reached, closed = List<Thread>(), ref -1, ref false
    let source = Pipeline.prefetch 3 (watched 100 threads reached closed)
    use elements = (Pipeline.toSeq source).GetEnumerator()
    Assert.Empty threads
    Assert.True(elements.MoveNext())
    // One is taken, three wait, and one is in hand.
    Assert.True(SpinWait.SpinUntil((fun () -> reached.Value = 4), 5000))
    Thread.Sleep 20
    Assert.Equal(4, reached.Value)
    Assert.NotEqual(Thread.CurrentThread, threads[0])

[<Fact>]
let ``the thread of an abandoned run ends, and its source is closed`` () =
    for taken in [ 0; 1; 5 ] do
        let threads, reached, closed = List<Thread>(), ref -1, ref false
        let endless = Pipeline.prefetch 2 (watched Int32.MaxValue threads reached closed)
        Assert.Equal<int seq>(Seq.init taken id, List.ofSeq (Seq.truncate taken (Pipeline.toSeq endless)))

        if taken > 0 then
            Assert.True closed.Value
            Assert.False(threads[0].IsAlive)

    let whole, reached, closed = List<Thread>(), ref -1, ref false
    Assert.Equal(10, (all (Pipeline.prefetch 20 (watched 10 whole reached closed))).Length)
    Assert.True closed.Value
    Assert.False(whole[0].IsAlive)

let private leave (source: Pipeline<int>) =
    let forgotten = (Pipeline.toSeq source).GetEnumerator()
    Assert.True(forgotten.MoveNext())

[<Fact>]
let ``a run that is forgotten ends with the next collection`` () =
    let threads, reached, closed = List<Thread>(), ref -1, ref false
    let gone = Thread(fun () -> leave (Pipeline.prefetch 1 (watched Int32.MaxValue threads reached closed)))
    gone.Start()
    gone.Join()

    let ended () =
        GC.Collect()
        GC.WaitForPendingFinalizers()
        closed.Value

    Assert.True(SpinWait.SpinUntil(ended, 10_000))

let private failing x : int = if x = 3 then raise (DataFormatException("row 3", "a number", "none")) else x

[<Fact>]
let ``an exception comes out where its element would, with its stack`` () =
    let source = Pipeline.init 10 id |> Pipeline.map failing |> Pipeline.prefetch 2
    use elements = (Pipeline.toSeq source).GetEnumerator()
    Assert.Equal<bool list>([ true; true; true ], [ for _ in 0..2 -> elements.MoveNext() ])
    let error = formatError (fun () -> elements.MoveNext())
    Assert.Contains("failing", string error.StackTrace)
    mentions [ "row 3" ] error
    Assert.False(elements.MoveNext())

[<Fact>]
let ``settings out of range are refused before anything runs`` () =
    let p = Pipeline.init 3 id
    let key = Key(1UL, 0u, 0u)
    argumentError (fun () -> Pipeline.take -1 p) |> mentions [ "Pipeline.take"; "at least 0"; "-1" ]
    argumentError (fun () -> Pipeline.skip -1 p) |> ignore
    argumentError (fun () -> Pipeline.chunk 0 p) |> ignore
    argumentError (fun () -> Pipeline.repeat -1 p) |> ignore
    argumentError (fun () -> Pipeline.prefetch 0 p) |> ignore
    argumentError (fun () -> Pipeline.shuffleWithin 0 key p) |> ignore
    argumentError (fun () -> Pipeline.init -1 id) |> ignore

    argumentError (fun () -> Pipeline.shuffle key (Pipeline.forever p))
    |> mentions [ "Pipeline.shuffle"; "endless" ]

    argumentError (fun () -> Pipeline.epoch -1 p) |> mentions [ "Pipeline.epoch" ]
    argumentError (fun () -> Pipeline.batch 0 (Pipeline.ofExamples (examples 2 0))) |> ignore

[<Fact>]
let ``what is made of an endless pipeline is endless, until a part of it is taken`` () =
    let some, endless = Pipeline.init 3 id, Pipeline.forever (Pipeline.init 3 id)
    let key = Key(1UL, 0u, 0u)

    for made in
        [ Pipeline.map id endless
          Pipeline.mapKeyed key (fun _ x -> x) endless
          Pipeline.filter (fun x -> x > 0) endless
          Pipeline.skip 2 endless
          Pipeline.append some endless
          Pipeline.append endless some
          Pipeline.repeat 2 endless
          Pipeline.shuffleWithin 2 key endless
          Pipeline.chunk 2 endless |> Pipeline.map Array.head
          Pipeline.zip endless endless |> Pipeline.map (fun struct (x, _) -> x)
          Pipeline.prefetch 2 endless ] do
        Assert.True made.Endless
        Assert.False((Pipeline.take 5 made).Endless)
        Assert.Equal(5, (all (Pipeline.take 5 made)).Length)

    Assert.False((Pipeline.repeat 0 endless).Endless)
    Assert.False((Pipeline.zip some endless).Endless)
    Assert.False((Pipeline.repeat 9 some).Endless)
