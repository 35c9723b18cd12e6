/// What the tests of data, formats and metrics share.
module DL.Properties.Data.Support

open System
open System.IO
open System.IO.Compression
open System.Text
open FsCheck
open FsCheck.FSharp
open Xunit
open DL.Core

/// The cases of a property, as many and from such a seed as those of laws.
let check (property: Property) =
    let settings = DL.Laws.Settings.fromEnvironment ()
    let replay = Some { Rnd = Rnd settings.Seed; Size = None }
    Check.One(Config.QuickThrowOnFailure.WithMaxTest(settings.Cases).WithReplay replay, property)

/// A law over generated values.
let forAll (gen: Gen<'a>) (law: 'a -> bool) = check (Prop.forAll (Arb.fromGen gen) law)

let bytesOf (text: string) = Encoding.UTF8.GetBytes text

let stream (bytes: byte[]) : Stream = new MemoryStream(bytes, writable = false)

/// The bytes as one gzip member.
let gzip (bytes: byte[]) =
    use target = new MemoryStream()

    using (new GZipStream(target, CompressionLevel.Optimal, leaveOpen = true)) (fun zip -> zip.Write(bytes, 0, bytes.Length))
    target.ToArray()

/// The format error an action must end in; anything else fails the test.
let formatError (action: unit -> 'a) = Assert.Throws<DataFormatException>(fun () -> action () |> ignore)

let argumentError (action: unit -> 'a) = Assert.Throws<InvalidArgumentException>(fun () -> action () |> ignore)

let shapeError (action: unit -> 'a) = Assert.Throws<ShapeException>(fun () -> action () |> ignore)

/// True if the action ends in a format error; for laws over damaged input.
let isFormatError (action: unit -> 'a) =
    try
        action () |> ignore
        false
    with :? DataFormatException ->
        true

/// The bytes this thread allocated in an action that must end in a format error.
let allocatedUntilError (action: unit -> 'a) =
    let before = GC.GetAllocatedBytesForCurrentThread()
    formatError action |> ignore
    GC.GetAllocatedBytesForCurrentThread() - before

let mentions (parts: string list) (error: exn) =
    for part in parts do
        Assert.Contains(part, error.Message)

/// A stream that hands out one to three bytes at a time and cannot be searched, as a network's might.
type Dripping(bytes: byte[]) =
    inherit MemoryStream(bytes)
    override _.CanSeek = false

    override this.Read(buffer: byte[], offset: int, count: int) = base.Read(buffer, offset, min count (1 + int this.Position % 3))

    override this.Read(buffer: Span<byte>) = base.Read(buffer.Slice(0, min buffer.Length (1 + int this.Position % 3)))
