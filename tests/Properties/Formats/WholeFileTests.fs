module DL.Properties.Formats.WholeFileTests

open System
open System.IO
open Xunit
open DL.Core.Formats
open DL.Properties.Data.Support
open DL.Properties.Formats.Support

let private write (path: string) (bytes: byte[]) = WholeFile.Write(path, Action<Stream>(fun s -> s.Write(bytes, 0, bytes.Length)))
let private names folder = [| for file in DirectoryInfo(folder).GetFiles() -> file.Name |] |> Array.sort

[<Fact>]
let ``a file is made and replaced, and nothing else is left`` () =
    inFolder (fun folder ->
        let path = Path.Combine(folder, "a")
        write path [| 1uy |]
        write path [| 2uy; 3uy |]
        Assert.Equal<byte[]>([| 2uy; 3uy |], File.ReadAllBytes path)
        WholeFile.Write(path, ReadOnlySpan [| 4uy |])
        Assert.Equal<byte[]>([| 4uy |], File.ReadAllBytes path)
        Assert.Equal<string[]>([| "a" |], names folder))

[<Fact>]
let ``a writer that fails midway leaves the old file and nothing else`` () =
    inFolder (fun folder ->
        let path = Path.Combine(folder, "a")
        write path [| 1uy |]

        let failing (error: exn) () =
            WholeFile.Write(
                path,
                Action<Stream>(fun s ->
                    s.Write(Array.zeroCreate 100_000, 0, 100_000)
                    raise error)
            )

        argumentError (failing (IOException "No space left on device")) |> mentions [ path; "No space left" ]
        Assert.Throws<InvalidOperationException>(failing (InvalidOperationException())) |> ignore
        Assert.Equal<byte[]>([| 1uy |], File.ReadAllBytes path)
        Assert.Equal<string[]>([| "a" |], names folder))

[<Fact>]
let ``what a killed process left is removed when the same file is written next`` () =
    inFolder (fun folder ->
        let path = Path.Combine(folder, "a")
        let left = path + "." + Guid.NewGuid().ToString "N" + ".partial"
        let others = [ "a.partial"; "a.b.partial"; "b." + Guid.NewGuid().ToString "N" + ".partial" ]

        for file in left :: [ for other in others -> Path.Combine(folder, other) ] do
            File.WriteAllText(file, "x")

        write path [| 1uy |]
        Assert.Equal<string[]>("a" :: others |> List.sort |> Array.ofList, names folder))

[<Fact>]
let ``what another writer is writing is left alone`` () =
    inFolder (fun folder ->
        let path = Path.Combine(folder, "a")

        WholeFile.Write(
            path,
            Action<Stream>(fun outer ->
                write path [| 1uy |]
                outer.WriteByte 2uy)
        )

        Assert.Equal<byte[]>([| 2uy |], File.ReadAllBytes path)
        Assert.Equal<string[]>([| "a" |], names folder))

[<Fact>]
let ``a link is followed and permissions are kept`` () =
    if OperatingSystem.IsWindows() then
        Assert.Skip "links need a privilege on Windows"

    inFolder (fun folder ->
        let target, link = Path.Combine(folder, "target"), Path.Combine(folder, "link")
        write target [| 1uy |]
        File.SetUnixFileMode(target, UnixFileMode.UserRead ||| UnixFileMode.UserWrite)
        File.CreateSymbolicLink(link, target) |> ignore
        write link [| 2uy |]
        Assert.Equal<byte[]>([| 2uy |], File.ReadAllBytes target)
        Assert.Equal(target, FileInfo(link).LinkTarget)
        Assert.Equal(UnixFileMode.UserRead ||| UnixFileMode.UserWrite, File.GetUnixFileMode target))

[<Fact>]
let ``paths that cannot be written to are named`` () =
    inFolder (fun folder ->
        argumentError (fun () -> write "" [||]) |> ignore
        argumentError (fun () -> write folder [||]) |> mentions [ folder ]
        argumentError (fun () -> write (Path.Combine(folder, "no", "a")) [||]) |> mentions [ "Make its folder" ]
        Assert.Empty(Directory.GetFileSystemEntries folder))

    if not (OperatingSystem.IsWindows()) then
        argumentError (fun () -> write "/dev/dl-no-such-device" [| 1uy |])
        |> mentions [ "/dev/dl-no-such-device"; "devices" ]

        Assert.False(File.Exists "/dev/dl-no-such-device")
