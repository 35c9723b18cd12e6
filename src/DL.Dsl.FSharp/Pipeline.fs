namespace DL

open System.Collections.Generic
open DL.Core
open DL.Core.Data
open DL.Core.Random

/// <summary>One example among others, by its position: nothing is copied until examples are put into a batch.</summary>
[<Struct; NoEquality; NoComparison>]
type Example<'x, 't> =
    internal
        { Among: Examples<'x, 't>
          Position: int }

    /// <summary>The position among the examples it comes from.</summary>
    member this.Row = this.Position

    /// <summary>The example by itself: a batch of one.</summary>
    member this.Alone: Examples<'x, 't> = Examples.take [| this.Position |] this.Among

/// <summary>A description of a sequence of elements, such as examples or batches, that can be run any number of times and gives the same every time.</summary>
/// <remarks>Nothing happens until it is run by <c>Pipeline.toSeq</c> or <c>Pipeline.epoch</c>. A run has the number of an epoch, and whatever is random is a
/// pure function of a key, the epoch and the place of an element: neither the number of threads nor what was run before changes a bit.</remarks>
[<NoEquality; NoComparison>]
type Pipeline<'a> =
    internal
        {
            /// From the number of an epoch to its elements.
            Run: int -> 'a seq
            /// Whether its epochs are known to have no end.
            Endless: bool
        }

/// <summary>Making, changing and running pipelines: <c>Pipeline.ofExamples data |> Pipeline.shuffle key |> Pipeline.batch 64 |> Pipeline.prefetch 2</c>.</summary>
[<RequireQualifiedAccess>]
module Pipeline =
    let private check where least n =
        if n < least then
            raise (InvalidArgumentException($"Pipeline.{where}", $"a number of at least {least}", $"{n}"))

    let private ending run : Pipeline<'a> = { Run = run; Endless = false }

    /// What is made of each epoch of a pipeline, and ends where it ends.
    let private along (pipeline: Pipeline<'a>) (change: int -> 'a seq -> 'b seq) : Pipeline<'b> =
        { Run = fun epoch -> change epoch (pipeline.Run epoch)
          Endless = pipeline.Endless }

    /// <summary>The elements of a sequence, the same in every epoch.</summary>
    /// <param name="source">A sequence that gives the same whenever it is run through: an array, a list, a file's lines.</param>
    let ofSeq (source: 'a seq) : Pipeline<'a> = ending (fun _ -> source)

    /// <summary><c>f 0, f 1, .. f (count - 1)</c>, each computed when it is its turn.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">The count is negative.</exception>
    let init (count: int) (f: int -> 'a) : Pipeline<'a> =
        check "init" 0 count
        ending (fun _ -> Seq.init count f)

    /// <summary>Examples one by one, in their order; <c>batch</c> puts them together again.</summary>
    let ofExamples (examples: Examples<'x, 't>) : Pipeline<Example<'x, 't>> =
        init (Examples.count examples) (fun row -> { Among = examples; Position = row })

    /// <summary><c>f x</c> for every element x.</summary>
    let map (f: 'a -> 'b) (pipeline: Pipeline<'a>) : Pipeline<'b> = along pipeline (fun _ -> Seq.map f)

    /// The key of every element of an epoch.
    let private keyOf (key: Key) epoch =
        let ofEpoch = key.At(uint64<int> epoch)
        fun index -> ofEpoch.At(uint64<int> index)

    /// <summary><c>f k x</c> for every element x, with a key k of its own: the one that <c>key</c>, the epoch and the place of x among the elements name.</summary>
    /// <param name="key">The key of this stage; give every stage its own, as by <c>key.Skip 1</c>.</param>
    /// <param name="f">A pure function of the key and the element.</param>
    /// <param name="pipeline">The elements.</param>
    let mapKeyed (key: Key) (f: Key -> 'a -> 'b) (pipeline: Pipeline<'a>) : Pipeline<'b> =
        along pipeline (fun epoch ->
            let keys = keyOf key epoch
            Seq.mapi (fun i x -> f (keys i) x))

    /// <summary>The elements that f is true of.</summary>
    let filter (f: 'a -> bool) (pipeline: Pipeline<'a>) : Pipeline<'a> = along pipeline (fun _ -> Seq.filter f)

    /// <summary>The first n elements, or all if there are fewer.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">n is negative.</exception>
    let take (n: int) (pipeline: Pipeline<'a>) : Pipeline<'a> =
        check "take" 0 n
        ending (fun epoch -> Seq.truncate n (pipeline.Run epoch))

    /// <summary>The elements after the first n; none if there are fewer.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">n is negative.</exception>
    let skip (n: int) (pipeline: Pipeline<'a>) : Pipeline<'a> =
        check "skip" 0 n

        let rest (all: 'a seq) =
            seq {
                use elements = all.GetEnumerator()
                let left = ref n

                while left.Value > 0 && elements.MoveNext() do
                    left.Value <- left.Value - 1

                while left.Value = 0 && elements.MoveNext() do
                    yield elements.Current
            }

        along pipeline (fun _ -> rest)

    /// <summary>The elements of one pipeline, then those of the other.</summary>
    let append (first: Pipeline<'a>) (second: Pipeline<'a>) : Pipeline<'a> =
        { Run = fun epoch -> Seq.append (first.Run epoch) (Seq.delay (fun () -> second.Run epoch))
          Endless = first.Endless || second.Endless }

    /// <summary>Pairs of elements at the same place, as many as the shorter pipeline has.</summary>
    let zip (first: Pipeline<'a>) (second: Pipeline<'b>) : Pipeline<struct ('a * 'b)> =
        { Run = fun epoch -> Seq.map2 (fun a b -> struct (a, b)) (first.Run epoch) (second.Run epoch)
          Endless = first.Endless && second.Endless }

    /// <summary>The elements so many times over: epoch e is made of the epochs <c>e * times</c> to <c>e * times + times - 1</c>, each with an order and keys of its own.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">A number of times below 0.</exception>
    let repeat (times: int) (pipeline: Pipeline<'a>) : Pipeline<'a> =
        check "repeat" 0 times

        { Run = fun epoch -> Seq.init times id |> Seq.collect (fun i -> pipeline.Run(epoch * times + i))
          Endless = pipeline.Endless && times > 0 }

    /// <summary>The elements over and over: epoch e begins with epoch e and goes on with the next, without end unless an epoch has no element.</summary>
    let forever (pipeline: Pipeline<'a>) : Pipeline<'a> =
        let rec from epoch =
            seq {
                let some = ref false

                for x in pipeline.Run epoch do
                    some.Value <- true
                    yield x

                if some.Value then
                    yield! from (epoch + 1)
            }

        { Run = from; Endless = true }

    // A key of an experiment's seed alone gives the orders that a Trainer of that seed takes.
    let private seedOf (key: Key) = if key.Position = 0u && key.Step = 0u then key.Seed else (key.At 0UL).Seed

    /// <summary>All elements in a random order, each order equally likely and each epoch with its own: they are all held at once.</summary>
    /// <remarks>Followed by <c>batch</c>, the key <c>Key(seed, 0u, 0u)</c> gives in epoch e the batches that <c>Trainer</c> takes with that seed in its epoch e.</remarks>
    /// <exception cref="T:DL.Core.InvalidArgumentException">The pipeline is endless, as <c>forever</c> makes one.</exception>
    let shuffle (key: Key) (pipeline: Pipeline<'a>) : Pipeline<'a> =
        if pipeline.Endless then
            let mend = "Take a part of it before, or shuffleWithin."
            raise (InvalidArgumentException("Pipeline.shuffle", "a pipeline that ends", "an endless one", mend))

        along pipeline (fun epoch elements ->
            seq {
                let all = Seq.toArray elements

                for i in Shuffle.Permutation(all.Length, seedOf key, uint64<int> epoch) do
                    yield all[i]
            })

    /// <summary>Elements in a random order of short reach: of the next n, one at random is taken, and the one after them takes its place.</summary>
    /// <remarks>For what does not fit into memory. With n of at least the number of elements every order is equally likely; with n = 1 nothing is moved.</remarks>
    /// <exception cref="T:DL.Core.InvalidArgumentException">n is below 1.</exception>
    let shuffleWithin (n: int) (key: Key) (pipeline: Pipeline<'a>) : Pipeline<'a> =
        check "shuffleWithin" 1 n

        along pipeline (fun epoch elements ->
            seq {
                let own = key.At(uint64<int> epoch)
                // An array, since a sequence of draws is a value that changes in place.
                let draws = [| PhiloxSequence(own.Seed, uint64 own.Position ||| (uint64 own.Step <<< 32)) |]
                let held = List<'a>()

                for x in elements do
                    if held.Count < n then
                        held.Add x
                    else
                        let i = draws[0].Below n
                        yield held[i]
                        held[i] <- x

                while held.Count > 0 do
                    let i = draws[0].Below held.Count
                    yield held[i]
                    held[i] <- held[held.Count - 1]
                    held.RemoveAt(held.Count - 1)
            })

    /// <summary>Arrays of n elements that follow each other; the last one may be shorter.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">n is below 1.</exception>
    let chunk (n: int) (pipeline: Pipeline<'a>) : Pipeline<'a[]> =
        check "chunk" 1 n
        along pipeline (fun _ -> Seq.chunkBySize n)

    /// The examples of one source, then those of the next.
    let rec private runs (examples: Example<'x, 't> list) =
        match examples with
        | [] -> []
        | first :: _ ->
            let same (e: Example<'x, 't>) = obj.ReferenceEquals(e.Among, first.Among)
            let own = List.takeWhile same examples
            struct (first.Among, own |> List.map _.Position |> Array.ofList) :: runs (List.skipWhile same examples)

    let private gather (examples: Example<'x, 't>[]) : Examples<'x, 't> =
        match runs (List.ofArray examples) with
        | [ struct (among, rows) ] -> Examples.take rows among
        | several ->
            let taken = several |> List.map (fun struct (among, rows) -> Examples.take rows among)

            { Inputs = Batch.append (taken |> List.map _.Inputs)
              Targets = Batch.append (taken |> List.map _.Targets) }

    /// <summary>Batches of n examples that follow each other; the last one may be smaller, <c>wholeBatch</c> leaves it out.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">n is below 1.</exception>
    let batch (n: int) (pipeline: Pipeline<Example<'x, 't>>) : Pipeline<Examples<'x, 't>> = pipeline |> chunk n |> map gather

    /// <summary>Batches of n examples that follow each other; examples at the end that fill none are left out.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">n is below 1.</exception>
    let wholeBatch (n: int) (pipeline: Pipeline<Example<'x, 't>>) : Pipeline<Examples<'x, 't>> =
        pipeline |> chunk n |> filter (fun examples -> examples.Length = n) |> map gather

    /// <summary>Batches of n examples, each changed by <c>f keys batch</c>, where <c>keys</c> has a key for every example: that of its place in the epoch,
    /// so that what becomes of an example does not depend on n.</summary>
    /// <param name="n">The examples of a batch; the last one may be smaller.</param>
    /// <param name="key">The key of this stage.</param>
    /// <param name="f">A pure function, such as one made of the parts of <c>Augment</c>.</param>
    /// <param name="pipeline">The examples.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">n is below 1.</exception>
    let batchKeyed
        (n: int)
        (key: Key)
        (f: Key[] -> Examples<'x, 't> -> Examples<'y, 'u>)
        (pipeline: Pipeline<Example<'x, 't>>)
        : Pipeline<Examples<'y, 'u>> =
        let keyed = mapKeyed key (fun own example -> struct (own, example)) pipeline

        chunk n keyed
        |> map (fun pairs ->
            let keys = pairs |> Array.map (fun struct (own, _) -> own)
            f keys (gather (pairs |> Array.map (fun struct (_, example) -> example))))

    /// <summary>The rows of batches of similar lengths, so that little of a batch is padding: see <c>DL.Core.Data.Bucketing</c>. Each row is in one batch.</summary>
    /// <param name="n">The rows of a batch; one batch may be smaller.</param>
    /// <param name="spread">How far lengths may be apart for rows to trade places from epoch to epoch, at least 0.</param>
    /// <param name="key">The key of this stage.</param>
    /// <param name="lengths">The length of each row, such as <c>rows |> Array.map Array.length</c>; the batches may become padded ones by <c>Padded.tokens</c>.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">n is below 1, the spread negative, or a length.</exception>
    let buckets (n: int) (spread: float) (key: Key) (lengths: int[]) : Pipeline<int[]> =
        let ofEpoch epoch : int[] seq = Bucketing.Batches(lengths, n, key.At(uint64<int> epoch), spread)
        // What is wrong is told here and not when the first epoch runs.
        ofEpoch 0 |> ignore
        ending (fun epoch -> Seq.delay (fun () -> ofEpoch epoch))

    /// <summary>The same elements, computed on another thread up to n ahead of where they are used.</summary>
    /// <remarks>An exception comes out where its element would, with the stack it was thrown with. The thread ends with the run: at the last element, at an
    /// exception, or as soon as whoever runs it leaves, when the element in hand is done.</remarks>
    /// <exception cref="T:DL.Core.InvalidArgumentException">n is below 1.</exception>
    let prefetch (n: int) (pipeline: Pipeline<'a>) : Pipeline<'a> =
        check "prefetch" 1 n
        along pipeline (fun _ -> Prefetch.run n)

    /// <summary>The elements of an epoch, computed as they are asked for: <c>for batch in Pipeline.epoch e data do session.Step(batch.Inputs, batch.Targets)</c>.</summary>
    /// <param name="epoch">The number of the epoch, at least 0.</param>
    /// <param name="pipeline">The pipeline.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">The epoch is negative.</exception>
    let epoch (epoch: int) (pipeline: Pipeline<'a>) : 'a seq =
        check "epoch" 0 epoch
        pipeline.Run epoch

    /// <summary>The elements of epoch 0.</summary>
    let toSeq (pipeline: Pipeline<'a>) : 'a seq = epoch 0 pipeline
