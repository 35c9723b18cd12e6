namespace global

open System
open System.Diagnostics
open System.IO
open DL
open DL.Core

/// A process that saves runs until it is killed. The runtime calls Initialize before the program when DOTNET_STARTUP_HOOKS names this assembly:
/// so the tests' own program is the saver, and starts as fast as a process can.
[<AbstractClass; Sealed>]
type StartupHook =
    static member PathVariable = "DL_SAVER"

    static member Model: Model<Vec, Vec> = Model.init Single (Key.ofSeed 1) (Shape.vec 300) (dense 300)

    /// A run whose every number is the number of its steps.
    static member Fit(steps: int) : Fit<Vec, Vec> =
        let rule: Rule<Vec, Vec> = Rule.create Loss.meanSquaredError (Optimizer.adam 0.1)
        let fit = Trainer.start rule StartupHook.Model
        let filled = Array.map (fun (t: Tensor) -> Tensor.Filled(t.ElementType, t.Shape, float steps))

        { fit with
            Model = { fit.Model with Params = filled fit.Model.Params }
            Moments = Array.map filled fit.Moments
            Steps = steps }

    static member Initialize() =
        match Environment.GetEnvironmentVariable StartupHook.PathVariable with
        | null
        | "" -> ()
        | path ->
            let clock = Stopwatch.StartNew()

            let mutable steps = if File.Exists path then (Checkpoint.load path StartupHook.Model).Steps else 0

            // Should nobody kill it, it ends by itself.
            while clock.Elapsed.TotalSeconds < 20.0 do
                steps <- steps + 1
                Checkpoint.save path (StartupHook.Fit steps)
                Console.Out.WriteLine steps

            exit 1
