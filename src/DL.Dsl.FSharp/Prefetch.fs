namespace DL

open System
open System.Collections
open System.Collections.Generic
open System.Runtime.ExceptionServices
open System.Threading

/// What one thread hands another: an element, the exception it ended with, or the end.
[<RequireQualifiedAccess>]
type internal Handed<'a> =
    | Element of 'a
    | Failed of ExceptionDispatchInfo
    | Ended

/// A queue of bounded length between two threads; the one that takes may stop the one that puts.
[<Sealed>]
type internal Handover<'a>(capacity: int) =
    let queue = Queue<Handed<'a>>()
    let mutable stopped = false

    /// Waits for room. False if the other side wants no more.
    member _.Put(item: Handed<'a>) : bool =
        lock queue (fun () ->
            while not stopped && queue.Count >= capacity do
                Monitor.Wait queue |> ignore

            if not stopped then
                queue.Enqueue item
                Monitor.PulseAll queue

            not stopped)

    /// Waits for an item.
    member _.Take() : Handed<'a> =
        lock queue (fun () ->
            while queue.Count = 0 do
                Monitor.Wait queue |> ignore

            let item = queue.Dequeue()
            Monitor.PulseAll queue
            item)

    member _.Stop() : unit =
        lock queue (fun () ->
            stopped <- true
            Monitor.PulseAll queue)

/// Running ahead on a thread of its own.
module internal Prefetch =
    // As much as the pool's threads have: kernels keep blocks on the stack.
    [<Literal>]
    let private StackBytes = 16777216

    let private handAll (source: 'a seq) (handover: Handover<'a>) : bool =
        use elements = source.GetEnumerator()
        let mutable wanted = true

        while wanted && elements.MoveNext() do
            wanted <- handover.Put(Handed.Element elements.Current)

        wanted

    let private produce (source: 'a seq) (handover: Handover<'a>) () =
        try
            if handAll source handover then
                handover.Put Handed.Ended |> ignore
        with error ->
            handover.Put(Handed.Failed(ExceptionDispatchInfo.Capture error)) |> ignore

    /// The thread sees the queue and never the enumerator, so that one that is forgotten can be collected, and then ends it.
    let start (source: 'a seq) (handover: Handover<'a>) : Thread =
        let thread = Thread(produce source handover, StackBytes, IsBackground = true, Name = "DL prefetch")
        thread.Start()
        thread

/// The elements of a sequence that is run through on another thread, up to a number of elements ahead.
[<Sealed>]
type internal Prefetching<'a>(source: 'a seq, ahead: int) =
    let handover = Handover<'a> ahead
    let mutable thread: Thread voption = ValueNone
    let mutable current: 'a voption = ValueNone
    let mutable over = false

    let finish () =
        over <- true
        current <- ValueNone
        handover.Stop()
        thread |> ValueOption.iter _.Join()
        thread <- ValueNone

    let next () =
        if thread.IsNone then
            thread <- ValueSome(Prefetch.start source handover)

        match handover.Take() with
        | Handed.Element element ->
            current <- ValueSome element
            true
        | Handed.Failed error ->
            finish ()
            error.Throw()
            false
        | Handed.Ended ->
            finish ()
            false

    override _.Finalize() = handover.Stop()

    interface IEnumerator<'a> with
        member _.Current: 'a = current.Value

    interface IEnumerator with
        member _.Current = box current.Value
        member _.MoveNext() = not over && next ()
        member _.Reset() = raise (NotSupportedException())

    interface IDisposable with
        member this.Dispose() =
            finish ()
            GC.SuppressFinalize this
