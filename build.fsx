/// The build: `dotnet fsi build.fsx -- TARGET`. Plain F# without a package, so it starts at once and restores nothing.
///
/// A step asks for proof of what it stands on (`test` takes `Built`, which only `solution` makes), so a wrong order does not compile.
/// Each step prints the plain `dotnet` command it runs; the first failure stops the run with that command's exit code.
open System
open System.Diagnostics
open System.IO

let root = __SOURCE_DIRECTORY__

/// Running other programs.
module Shell =

    /// A command ended with a code other than 0.
    exception Failed of command: string * code: int

    let private quote (argument: string) = if argument = "" || Seq.exists Char.IsWhiteSpace argument then $"\"%s{argument}\"" else argument

    /// Runs `dotnet` with this environment. The child has the terminal itself: a progress bar shows, nothing waits in a buffer.
    let dotnetWith (environment: (string * string) list) (arguments: string list) =
        let settings = environment |> List.map (fun (name, value) -> $"%s{name}=%s{quote value}")
        let command = settings @ "dotnet" :: List.map quote arguments |> String.concat " "
        Console.Out.WriteLine $"> %s{command}"
        Console.Out.Flush()

        let start = ProcessStartInfo("dotnet", arguments, WorkingDirectory = root, UseShellExecute = false)
        environment |> List.iter (fun (name, value) -> start.Environment[name] <- value)
        use child = Process.Start start
        child.WaitForExit()

        if child.ExitCode <> 0 then
            raise (Failed(command, child.ExitCode))

    let dotnet arguments = dotnetWith [] arguments

/// Files of the repository, by names relative to its root.
module Files =

    let inRoot (name: string) = Path.Combine(root, name)

    /// The files in and below a folder, sorted, so that every machine takes them in one order.
    let find folder pattern =
        if Directory.Exists(inRoot folder) then
            Directory.GetFiles(inRoot folder, pattern, SearchOption.AllDirectories)
            |> Array.map (fun file -> Path.GetRelativePath(root, file).Replace('\\', '/'))
            |> Array.sortWith (fun a b -> String.CompareOrdinal(a, b))
            |> Array.toList
        else
            []

    /// The folder, emptied.
    let fresh folder =
        if Directory.Exists(inRoot folder) then
            Directory.Delete(inRoot folder, true)

        (Directory.CreateDirectory(inRoot folder)).FullName

    let read name = File.ReadAllText(inRoot name)
    let write name (text: string) = File.WriteAllText(inRoot name, text)

/// The same code against other references: what a reader of the documentation would run.
module Variants =

    /// A script with every `#r` of a built library made a `#r` of its package from this folder.
    let againstPackages (folder: string) (version: string) (script: string) =
        let package (line: string) =
            let name = Path.GetFileNameWithoutExtension(line.Split('"')[1])
            if name.StartsWith "DL." then Some $"#r \"nuget: %s{name}, %s{version}\"" else None

        let rewrite (line: string) =
            if line.StartsWith "#I " then None
            elif line.StartsWith "#r " && not (line.Contains "nuget:") then package line
            else Some line

        let source = folder.Replace('\\', '/')

        $"#i \"nuget: %s{source}\"" :: (script.Split '\n' |> Array.toList |> List.choose rewrite)
        |> String.concat "\n"

    /// The fenced blocks of a language in a Markdown text, one after the other; empty where there is none.
    let fenced language (markdown: string) =
        let fence = "```"

        let step (inside, lines) (line: string) =
            if inside && line = fence then false, lines
            elif inside then true, line :: lines
            else line = fence + language, lines

        markdown.Split '\n'
        |> Seq.map (fun line -> line.TrimEnd())
        |> Seq.fold step (false, [])
        |> snd
        |> List.rev
        |> String.concat "\n"

/// The documentation: pages made from files that live elsewhere, and links that work from a disk as they do from any server.
module Site =

    let private page title index text = $"---\ntitle: %s{title}\ncategory: Project\ncategoryindex: 9\nindex: %d{index}\n---\n%s{text}"

    /// The change log and, once the laws have been run, their certificate.
    let collect () =
        Files.write "docs/changelog.md" (page "Changes" 1 (Files.read "CHANGELOG.md"))

        if File.Exists(Files.inRoot "artifacts/certificate.md") then
            Files.write "docs/certificate.md" (page "Certificate of the laws" 2 (Files.read "artifacts/certificate.md"))

    /// Stands for the site's root while the pages are generated.
    let placeholder = "/@root@/"

    /// Makes every link relative, leaves the search index as a script, since a page read from a disk may not fetch, and removes
    /// what the generator leaves for other uses.
    let relocate folder =
        for file in Files.find folder "*.html" do
            let depth = file.Split('/').Length - folder.Split('/').Length - 1
            Files.write file ((Files.read file).Replace(placeholder, (if depth = 0 then "./" else String.replicate depth "../")))

        let index = (Files.read $"%s{folder}/index.json").Replace(placeholder, "")
        Files.write $"%s{folder}/content/search-index.js" $"window.searchIndex = %s{index};\n"

        let strays = [ "*.json"; "*.config"; "*.md"; "llms*.txt"; "_*.html"; "github-pages-settings.png" ]

        for stray in strays |> List.collect (Files.find folder) do
            File.Delete(Files.inRoot stray)

/// The steps, and the proofs that order them.
module Steps =
    /// The local tools are restored.
    type Tools = private | Tools
    /// The language and the core under it are built.
    type Language = private | Language
    /// The whole solution is built.
    type Built = private | Built
    /// The packages of this version lie in `artifacts/packages`.
    type Packed = private Packed of version: string

    let private release = [ "-c"; "Release" ]
    let private quiet = [ "--nologo"; "-v"; "quiet" ]

    let tools () =
        Shell.dotnet [ "tool"; "restore"; "-v"; "quiet" ]
        Tools

    /// Builds only what the demo loads, so that the first minute on a fresh machine is not spent on tests and benchmarks.
    let language () =
        Shell.dotnet ([ "build"; "src/DL.Dsl.FSharp" ] @ release @ quiet)
        Language

    let solution () =
        Shell.dotnet ([ "build"; "Dsl.sln" ] @ release @ quiet)
        Built

    let test Built = Shell.dotnet ([ "test"; "--solution"; "Dsl.sln"; "--no-build" ] @ release)

    /// The laws with 1000 cases each, and the certificate of what was checked.
    let verify Built =
        Shell.dotnetWith
            [ "DL_CASES", "1000"; "DL_KILLS", "200"; "DL_CERTIFICATE", Files.inRoot "artifacts" ]
            [ "tests/Properties/bin/Release/net10.0/DL.Properties.dll" ]

    let bench Built = Shell.dotnet [ "bench/bin/Release/net10.0/DL.Bench.dll"; "run" ]

    let private script file = Shell.dotnet [ "fsi"; "--quiet"; file ]

    let demo Language = script "examples/fsharp/digits.fsx"

    let examples Built =
        Files.find "examples/fsharp" "*.fsx" |> List.iter script

        for program in Files.find "examples/csharp" "*.csproj" do
            Shell.dotnet ([ "run"; "--project"; program; "--no-build" ] @ release)

    /// Runs the F# and the C# of README.md.
    let readme Built =
        Files.fresh "artifacts/readme" |> ignore
        let libraries = [ "DL.Core.CSharp"; "DL.Dsl.FSharp"; "Spectre.Console" ]
        let load name = $"#r \"../../src/DL.Dsl.FSharp/bin/Release/net10.0/%s{name}.dll\"\n"
        let text = Files.read "README.md"
        Files.write "artifacts/readme/readme.fsx" (String.concat "" (List.map load libraries) + Variants.fenced "fsharp" text)

        Files.write
            "artifacts/readme/readme.cs"
            ("#:property PublishAot=false\n#:project ../../src/DL.Core.CSharp\n" + Variants.fenced "csharp" text)

        script "artifacts/readme/readme.fsx"
        Shell.dotnet ([ "run"; "--file"; "artifacts/readme/readme.cs" ] @ release)

    let private sources = [ "src"; "tests"; "examples"; "bench"; "docs"; "build.fsx" ]

    let format Tools =
        Shell.dotnet ([ "fantomas"; "--check" ] @ sources)
        Shell.dotnet [ "format"; "Dsl.sln"; "--verify-no-changes" ]

    let reformat Tools =
        Shell.dotnet ("fantomas" :: sources)
        Shell.dotnet [ "format"; "Dsl.sln" ]

    let docs Tools Built =
        Site.collect ()

        Shell.dotnet (
            [ "fsdocs"; "build"; "--clean"; "--strict"; "--eval"; "--output"; "output" ]
            @ [ "--properties"; "Configuration=Release"; "--parameters"; "root"; Site.placeholder ]
        )

        Site.relocate "output"

    let pack Built =
        let folder = Files.fresh "artifacts/packages"
        Shell.dotnet ([ "pack"; "Dsl.sln"; "--no-build"; "-o"; folder ] @ release @ quiet)
        let package = "DL.Dsl.FSharp."
        let name = Directory.GetFiles(folder, package + "*.nupkg") |> Array.exactlyOne |> Path.GetFileNameWithoutExtension
        Packed(name.Substring package.Length)

    /// Runs a script as a user with nothing but the packages would. The package cache is its own, since a version once cached is never read again.
    let packages (Packed version) =
        let cache = Files.fresh "artifacts/packages-cache"
        let text = Files.read "examples/fsharp/custom-layer.fsx"
        let file = "artifacts/packages/custom-layer.fsx"
        Files.write file (Variants.againstPackages (Files.inRoot "artifacts/packages") version text)
        Shell.dotnetWith [ ("NUGET_PACKAGES", cache) ] [ "fsi"; "--quiet"; file ]

/// A step runs once, whoever asks for it.
let tools = lazy Steps.tools ()
let language = lazy Steps.language ()
let built = lazy Steps.solution ()
let packed = lazy Steps.pack built.Value

/// What can be asked for on the command line.
type Target = { Name: string; Does: string; Run: unit -> unit }

let target name does run = { Name = name; Does = does; Run = run }

let everyday =
    [ target "build" "build the solution" (fun () -> built.Force() |> ignore)
      target "test" "run all tests" (fun () -> Steps.test built.Value)
      target "demo" "train a network on handwritten digits" (fun () -> Steps.demo language.Value)
      target "examples" "run every example" (fun () -> Steps.examples built.Value)
      target "readme" "run the code of README.md" (fun () -> Steps.readme built.Value)
      target "format" "check the formatting" (fun () -> Steps.format tools.Value)
      target "docs" "generate the documentation into output/" (fun () -> Steps.docs tools.Value built.Value)
      target "pack" "pack the libraries into artifacts/packages" (fun () -> packed.Force() |> ignore)
      target "packages" "run an example against the packages" (fun () -> Steps.packages packed.Value) ]

let targets =
    everyday
    @ [ target "verify" "run the laws with 1000 cases, write artifacts/certificate.md" (fun () -> Steps.verify built.Value)
        target "bench" "run the benchmarks" (fun () -> Steps.bench built.Value)
        target "format-fix" "format every file" (fun () -> Steps.reformat tools.Value)
        target "all" "everything but verify and bench" (fun () -> everyday |> List.iter _.Run()) ]

let usage () =
    eprintfn "usage: dotnet fsi build.fsx -- TARGET..."
    targets |> List.iter (fun target -> eprintfn $"  %-11s{target.Name} %s{target.Does}")
    64

let run names =
    let known = names |> List.map (fun name -> targets |> List.tryFind (fun target -> target.Name = name))

    if List.isEmpty known || List.exists Option.isNone known then
        usage ()
    else
        try
            known |> List.iter (Option.iter _.Run())
            0
        with Shell.Failed(command, code) ->
            eprintfn $"failed with exit code %d{code}: %s{command}"
            code

fsi.CommandLineArgs |> Array.toList |> List.tail |> List.filter ((<>) "--") |> run |> exit
