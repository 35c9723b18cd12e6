module DL.Properties.Formats.KillTests

open System
open System.Diagnostics
open System.IO
open System.Reflection
open System.Threading
open Xunit
open DL
open DL.Core
open DL.Properties.Formats.Support

/// How many processes are killed: a few seconds' worth, unless DL_KILLS asks for more.
let private kills =
    match Environment.GetEnvironmentVariable "DL_KILLS" with
    | null
    | "" -> 20
    | text -> int text

let private start (path: string) : Process =
    let assembly = Assembly.GetExecutingAssembly().Location
    let program = nonNull Environment.ProcessPath
    let info = ProcessStartInfo(program, RedirectStandardOutput = true)

    if Path.GetFileNameWithoutExtension program = "dotnet" then
        info.ArgumentList.Add assembly

    info.Environment[StartupHook.PathVariable] <- path
    info.Environment["DOTNET_STARTUP_HOOKS"] <- assembly
    info.Environment["DOTNET_TieredPGO"] <- "0"

    match Process.Start info with
    | null -> failwith "no process"
    | started -> started

/// The number a file's every number is; the test fails where they differ.
let private stepsIn (path: string) =
    let fit = Checkpoint.load path StartupHook.Model

    for t in Array.concat [ fit.Model.Params; Array.concat fit.Moments ] do
        Assert.True(t.SameBits(Tensor.Filled(t.ElementType, t.Shape, float fit.Steps)), $"a file of several saves, step {fit.Steps}")

    fit.Steps

[<Fact>]
let ``after a kill at any moment the old file or the new one is there, and loads`` () =
    inFolder (fun folder ->
        let path = Path.Combine(folder, "run")
        let random = Random 7
        let mutable before = 0
        let mutable midway = 0

        for _ in 1..kills do
            use saver = start path
            Assert.False(String.IsNullOrEmpty(saver.StandardOutput.ReadLine()), "the saver ended before it saved")
            Thread.Sleep(random.Next(5, 60))
            saver.Kill()
            saver.WaitForExit()
            let steps = stepsIn path
            Assert.True(steps > before, $"step {steps} after step {before}")
            before <- steps
            midway <- midway + Directory.GetFiles(folder, "*.partial").Length

        let report = $"{kills} kills, {midway} while a file was written, {before} saves"
        TestContext.Current.TestOutputHelper |> Option.ofObj |> Option.iter _.WriteLine(report)
        Checkpoint.save path (StartupHook.Fit before)
        Assert.Equal<string[]>([| path |], Directory.GetFiles folder))
