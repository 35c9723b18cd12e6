/// A wrong kind does not compile: scripts with one mistake each, and what the compiler says to them.
module DL.Properties.Dsl.Compiling

open System
open System.Diagnostics
open System.IO
open Xunit

let private libraries = AppContext.BaseDirectory

/// Type-checks and runs a script by `dotnet fsi`: its exit code and everything it said.
let private script (body: string list) =
    let file = Path.Combine(Path.GetTempPath(), $"dl-{Guid.NewGuid():N}.fsx")
    let folder = (string libraries).Replace('\\', '/')
    let head = [ $"#I \"{folder}\""; "#r \"DL.Core.CSharp.dll\""; "#r \"DL.Dsl.FSharp.dll\""; "open DL" ]
    File.WriteAllLines(file, head @ body)

    try
        let start =
            ProcessStartInfo("dotnet", [ "fsi"; "--quiet"; file ], RedirectStandardOutput = true, RedirectStandardError = true)

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
        script
            [ "let net: Layer<Image, Vec> = flatten --> dense 8 --> relu --> dense 2"
              "printfn \"%A\" (Layer.slots net)" ]

    Assert.True((code = 0), said)
    contains "1.weight" said

/// Scripts with one mistake, and what the compiler must say to each.
let mistakes =
    [ "let net: Layer<Image, Vec> = dense 10", "Layer<Image,Vec>", "Layer<Vec,Vec>"
      "let net = flatten --> flatten", "Layer<Vec,", "Layer<Image,Vec>"
      "let net = dense 4 --> perToken (dense 3)", "Layer<Vec,", "Layer<Seq,Seq>"
      "let t: Trainer<Vec, Vec, Vec> = Trainer.create Loss.crossEntropy (Optimizer.sgd 0.1)", "Loss<Vec,Vec>", "Loss<Vec,Label>"
      "let predict (m: Model<Vec, Vec>) = Model.predict m (Batch.labels [| 1; 2 |])", "Batch<Vec>", "Batch<Label>" ]
    |> Seq.map (fun (body, wanted, given) -> struct (body, wanted, given))
    |> TheoryData<string, string, string>

[<Theory>]
[<MemberData(nameof mistakes)>]
let ``a wrong kind does not compile, and the message names both`` (body: string) (wanted: string) (given: string) =
    let code, said = script [ body ]
    Assert.NotEqual(0, code)
    contains wanted said
    contains given said
    contains "(5," said
