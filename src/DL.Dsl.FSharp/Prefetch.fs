namespace DL

open System
open System.Collections.Concurrent
open System.Runtime.ExceptionServices
open System.Threading

/// A sequence that is run through on a thread of its own, into a queue of bounded length.
[<Sealed>]
type internal RunAhead<'a>(source: 'a seq, ahead: int) =
    // As much as the pool's threads have: kernels keep blocks on the stack.
    static let stackBytes = 16777216

    let queue = new BlockingCollection<Result<'a, ExceptionDispatchInfo>>(ahead)
    let stop = new CancellationTokenSource()

    /// Sees the queue and never the one who takes from it, so that a run that is forgotten can be collected, and then ends its thread.
    static let produce (source: 'a seq) (queue: BlockingCollection<Result<'a, ExceptionDispatchInfo>>) (stop: CancellationToken) () =
        let put item =
            try
                queue.Add(item, stop)
            with :? OperationCanceledException ->
                // Whoever takes has left.
                ()

        try
            use elements = source.GetEnumerator()

            while not stop.IsCancellationRequested && elements.MoveNext() do
                put (Ok elements.Current)
        with error ->
            put (Error(ExceptionDispatchInfo.Capture error))

        queue.CompleteAdding()

    static let start source queue (stop: CancellationToken) =
        let thread = Thread(produce source queue stop, stackBytes, IsBackground = true, Name = "DL prefetch")
        thread.Start()
        thread

    let thread = start source queue stop.Token

    /// The elements as they come; an exception of the source comes out where its element would.
    member _.Elements: 'a seq =
        queue.GetConsumingEnumerable()
        |> Seq.map (function
            | Ok element -> element
            | Error error ->
                error.Throw()
                Unchecked.defaultof<'a>)

    override _.Finalize() = stop.Cancel()

    interface IDisposable with
        member this.Dispose() =
            stop.Cancel()
            thread.Join()
            GC.SuppressFinalize this

/// Running ahead.
module internal Prefetch =
    /// The elements of a sequence, up to a number of them ahead of whoever takes them; the thread starts with the first that is asked for.
    let run (ahead: int) (source: 'a seq) : 'a seq =
        seq {
            use running = new RunAhead<'a>(source, ahead)
            yield! running.Elements
        }
