/// A wrong kind does not compile: scripts with one mistake each, and what the compiler says to them.
module DL.Properties.Dsl.Compiling

open System
open System.Diagnostics
open System.IO
open System.Reflection
open Xunit

let private libraries = Path.GetDirectoryName(Assembly.GetExecutingAssembly().Location)

/// Type-checks and runs a script by `dotnet fsi`: its exit code and everything it said.
let private script (body: string list) =
    let file = Path.Combine(Path.GetTempPath(), $"dl-{Guid.NewGuid():N}.fsx")
    let folder = (string libraries).Replace('\\', '/')
    let head = [ $"#I \"{folder}\""; "#r \"DL.Core.CSharp.dll\""; "#r \"DL.Dsl.FSharp.dll\""; "open DL" ]
    File.WriteAllLines(file, head @ body)

    try
        let start = ProcessStartInfo("dotnet", [ "fsi"; "--quiet"; file ], RedirectStandardOutput = true, RedirectStandardError = true)
        use child = Process.Start start |> nonNull
        let errors = child.StandardError.ReadToEndAsync()
        let output = child.StandardOutput.ReadToEnd()
        child.WaitForExit()
        child.ExitCode, output + errors.Result
    finally
        File.Delete file

let private contains (part: string) (text: string) = Assert.Contains(part, text)

[<Fact>]
let ``a right script compiles and runs`` () =
    let code, said =
        script [ "let net: Layer<Image, Vec> = flatten --> dense 8 --> relu --> dense 2"; "printfn \"%A\" (Layer.slots net)" ]

    Assert.True((code = 0), said)
    contains "1.weight" said

[<Fact>]
let ``vectors do not go where images belong, nor images where vectors belong`` () =
    let code, said =
        script
            [ "let a: Layer<Image, Vec> = dense 10"
              "let b = flatten --> flatten"
              "let c = dense 4 --> perToken (dense 3)" ]

    Assert.NotEqual(0, code)
    contains "Layer<Image,Vec>" said
    contains "Layer<Vec,'a>" said
    contains "Layer<Seq,Seq>" said
    contains "(5," said
    contains "(6," said
    contains "(7," said

[<Fact>]
let ``a loss takes the targets of its kind only, and a model its own inputs`` () =
    let code, said =
        script
            [ "let trainer: Trainer<Vec, Vec, Vec> = Trainer.create Loss.crossEntropy (Optimizer.sgd 0.1)"
              "let model = dense 2 |> Model.init Single (Key.ofSeed 1) (Shape.vec 3)"
              "let y = Model.predict model (Batch.labels [| 1; 2 |])" ]

    Assert.NotEqual(0, code)
    contains "Label" said
    contains "Batch<Vec>" said
