/// What the tests of tensor files share.
module DL.Properties.Formats.Support

open System
open System.IO
open System.Text
open FsCheck
open FsCheck.FSharp
open DL.Core
open DL.Core.Formats

let private bits =
    Gen.oneof [ Gen.choose (Int32.MinValue, Int32.MaxValue); Gen.elements [ 0; Int32.MinValue; 0x7FC00001; 0x7F800000; 1 ] ]

/// Tensors of every type, any bits and few elements: scalars and empty ones among them.
let tensors: Gen<Tensor> =
    gen {
        let! rank = Gen.choose (0, 4)
        let! extents = Gen.arrayOfLength rank (Gen.choose (0, 4))
        let shape = Shape extents
        let! words = Gen.arrayOfLength (2 * shape.Count) bits
        let word i = words[2 * i]
        let long i = int64 words[2 * i] <<< 32 ||| int64 (uint32 words[2 * i + 1])

        return!
            Gen.elements
                [ Tensor.Of(Array.init shape.Count (word >> BitConverter.Int32BitsToSingle), extents) :> Tensor
                  Tensor.Of(Array.init shape.Count (long >> BitConverter.Int64BitsToDouble), extents)
                  Tensor.Of(Array.init shape.Count word, extents) ]
            |> Gen.map (fun t -> t.Reshape shape)
    }

let private names =
    Gen.oneof
        [ Gen.elements [ "0.weight"; "bias"; "a\"b\\c"; "ü 𝄞"; "\u0001\n"; " "; "x" ]
          Gen.map (sprintf "%d.weight") (Gen.choose (0, 99)) ]

/// Tensors under names that differ.
let named: Gen<(string * Tensor) list> = Gen.listOf (Gen.zip names tensors) |> Gen.resize 6 |> Gen.map (List.distinctBy fst)

let pairs (items: ('k * 'v) list) = items |> List.map System.Collections.Generic.KeyValuePair

/// The bytes a function writes.
let written (write: Stream -> unit) =
    use target = new MemoryStream()
    write target
    target.ToArray()

let safetensors (tensors: (string * Tensor) list) (metadata: (string * string) list) =
    written (fun s -> Safetensors.Write(s, pairs tensors, pairs metadata))

/// A file of a header written by hand.
let framed (header: string) (data: byte[]) =
    let header = Encoding.UTF8.GetBytes header
    Array.concat [ BitConverter.GetBytes(int64 header.Length); header; data ]

/// The bytes of a file made by another tool and kept beside the tests.
let asset (name: string) : byte[] =
    let assembly = System.Reflection.Assembly.GetExecutingAssembly()

    match assembly.GetManifestResourceStream name with
    | null -> failwith $"no asset {name}"
    | found ->
        use found = found
        use copy = new MemoryStream()
        found.CopyTo copy
        copy.ToArray()

/// A folder of its own for a test, removed at the end.
let inFolder (test: string -> 'a) =
    let folder = Directory.CreateTempSubdirectory("dl-").FullName

    try
        test folder
    finally
        Directory.Delete(folder, true)
