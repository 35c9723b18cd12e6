module DL.Properties.Formats.CheckpointTests

open System
open System.IO
open System.Threading
open Xunit
open DL
open DL.Core
open DL.Core.Formats
open DL.Laws
open DL.Properties.Data.Support
open DL.Properties.Formats.Support

let private net width : Layer<Vec, Vec> = dense width --> batchNorm --> tanh --> dropout 0.3 --> dense 2
let private start (layer: Layer<Vec, Vec>) = Model.init Single (Key.ofSeed 5) (Shape.vec 3) layer

let private examples: Examples<Vec, Label> =
    let x = Array.init 39 (fun i -> float32 (sin (float i)))
    Examples.create (Batch.vec (Tensor.Of<float32>(x, 13, 3))) (Batch.labels (Array.init 13 (fun i -> i % 2)))

let private trainer: Trainer<Vec, Vec, Label> =
    let plain = Trainer.create Loss.crossEntropy (Optimizer.adam 0.01)

    { plain with
        Rule = { plain.Rule with Average = Some 0.9 }
        Epochs = 2
        BatchSize = 5
        Metrics = [ Metric.accuracy ]
        Stopping = Some(EarlyStopping.after 5)
        Progress = Progress.Silent }

let private trained = lazy (Trainer.fit trainer examples (start (net 4))).Fit
let private bytes = lazy (written (fun s -> Checkpoint.write s trained.Value))
let private load (bytes: byte[]) (layer: Layer<Vec, Vec>) = Checkpoint.read (stream bytes) (start layer)

[<Fact>]
let ``a model that was saved is loaded bit for bit, with its draws`` () =
    for precision in [ Precision.Single; Precision.Double ] do
        let model = Model.init precision (Key.ofSeed 5) (Shape.vec 3) (net 4)
        let struct (_, model) = Model.apply model examples.Inputs
        let fresh = Model.init precision (Key.ofSeed 6) (Shape.vec 3) (net 4)

        for loaded in
            [ Checkpoint.readModel (stream (written (fun s -> Checkpoint.writeModel s model))) fresh
              inFolder (fun folder ->
                  let path = Path.Combine(folder, "model")
                  Checkpoint.saveModel path model
                  Checkpoint.loadModel path fresh) ] do
            Assert.True(Probe.sameBits model.Params loaded.Params)
            Assert.True(Probe.sameState model.State loaded.State)

[<Fact>]
let ``the model of a run is loaded from the run's checkpoint, and the weights under their names`` () =
    let loaded = Checkpoint.readModel (stream bytes.Value) (start (net 4))
    Assert.True(Probe.sameBits trained.Value.Model.Params loaded.Params)
    let file = Safetensors.Read(stream bytes.Value)

    for name, t in Model.stateDict trained.Value.Model do
        Assert.True(t.SameBits file[name], name)

[<Fact>]
let ``a cut at any byte, any change of a byte and a byte too many are errors`` () =
    let whole = bytes.Value

    for length in 0..7 .. whole.Length - 1 do
        Assert.True(isFormatError (fun () -> load whole[.. length - 1] (net 4)), $"cut to {length}")

    for at in 0 .. whole.Length - 1 do
        let changed = Array.copy whole
        changed[at] <- changed[at] ^^^ byte (1 <<< at % 8)
        Assert.True(isFormatError (fun () -> load changed (net 4)), $"byte {at}")

    Assert.True(isFormatError (fun () -> load (Array.append whole [| 0uy |]) (net 4)))

[<Fact>]
let ``another model is refused by the first name or shape that differs`` () =
    let refused (layer: Layer<Vec, Vec>) (parts: string list) =
        Assert.ThrowsAny<DLException>(fun () -> load bytes.Value layer |> ignore) |> mentions parts

    refused (net 5) [ "'0.weight'"; "[5; 3]"; "[4; 3]" ]
    refused (dense 4 --> layerNorm --> tanh --> dropout 0.3 --> dense 3) [ "'4.weight'"; "[3; 4]"; "[2; 4]" ]
    refused (dense 4 --> batchNorm --> tanh --> dense 2) [ "'3.weight'"; "4.weight" ]
    refused (dense 4 --> batchNorm --> dropout 0.3 --> tanh --> dense 2) [ "draws"; "3.key" ]
    refused (dense 4 --> batchNorm --> tanh --> dropout 0.3) [ "'4.bias'"; "a tensor of the model" ]

    let saved = written (fun s -> Checkpoint.writeModel s trained.Value.Model)

    argumentError (fun () -> Checkpoint.readModel (stream saved) (start (dense 4 --> batchNorm --> tanh --> dropout 0.3)))
    |> mentions [ "'4.bias'" ]

    let double = Model.init Double (Key.ofSeed 5) (Shape.vec 3) (net 4)
    argumentError (fun () -> Checkpoint.read (stream bytes.Value) double) |> mentions [ "Double"; "Single" ]

[<Fact>]
let ``the weights of another program are taken by name, none missing and none too many`` () =
    let foreign names =
        framed
            ("{"
             + String.concat
                 ","
                 [ for i, name in List.indexed names ->
                       $"\"{name}\":{{\"dtype\":\"F32\",\"shape\":[1,1],\"data_offsets\":[{4 * i},{4 * i + 4}]}}" ]
             + "}")
            (Array.zeroCreate (4 * List.length names))

    let model = Model.init Single (Key.ofSeed 1) (Shape.vec 1) (denseWith { Dense.defaults with Bias = false } 1)
    let take names = Checkpoint.readModel (stream (foreign names)) model
    Assert.Equal(0.0, (take [ "weight" ]).Params[0].At 0)
    argumentError (fun () -> take [ "w" ]) |> mentions [ "'weight'"; "among w" ]
    argumentError (fun () -> take [ "weight"; "x" ]) |> mentions [ "'x'" ]

    formatError (fun () -> Checkpoint.read (stream (foreign [ "weight" ])) model)
    |> mentions [ "checkpoint of a run" ]

let private noted (notes: string) =
    let file = Safetensors.Read(stream bytes.Value)
    safetensors [ for KeyValue(name, t) in file.Tensors -> name, t ] [ "dl.checkpoint", notes ]

[<Fact>]
let ``notes that are not right are format errors`` () =
    let right = (Safetensors.Read(stream bytes.Value)).Metadata["dl.checkpoint"]
    load (noted right) (net 4) |> ignore

    for wrong in
        [ ""
          "{"
          "[]"
          "{}"
          right.Replace("\"version\":1", "\"version\":2")
          right.Replace("\"version\":1", "\"version\":\"1\"")
          right.Replace("float32", "float16")
          right.Replace("\"steps\":6", "\"steps\":-6")
          right.Replace("\"steps\":6", "\"steps\":6000000000")
          right.Replace("\"steps\":6", "\"steps\":null")
          right.Replace("\"moments\":2", "\"moments\":2000000000")
          right.Replace("\"averaged\":true", "\"averaged\":1")
          right.Replace("\"history\":[", "\"history\":[1,")
          right.Replace("\"metrics\":[[", "\"metrics\":[[1,") ] do
        Assert.True(isFormatError (fun () -> load (noted wrong) (net 4)), wrong)

    argumentError (fun () -> load (noted (right.Replace("\"moments\":2", "\"moments\":3"))) (net 4))
    |> mentions [ "optimizer.2.0.weight" ]

[<Fact>]
let ``notes keep every bit of every number`` () =
    let odd = [ nan; infinity; -infinity; -0.0; Double.Epsilon; Double.MaxValue; 0.1; 1.0 / 3.0 ]

    let epoch i value : Epoch =
        { Number = i
          Loss = value
          ValidationLoss = if i % 2 = 0 then Some value else None
          Metrics = [ "ü\"", value ]
          Elapsed = TimeSpan.FromTicks 123456789L }

    let fit =
        { trained.Value with
            Course =
                { trained.Value.Course with
                    History = List.mapi epoch odd
                    Loss = 1e-310
                    Batches = 2 } }

    let back = load (written (fun s -> Checkpoint.write s fit)) (net 4)

    let bits (course: Course) =
        [ for e in course.History do
              for value in [ e.Loss; defaultArg e.ValidationLoss 7.0; snd e.Metrics.Head ] do
                  BitConverter.DoubleToInt64Bits value ]

    Assert.Equal<int64 list>(bits fit.Course, bits back.Course)
    Assert.Equal((2, 1e-310), (back.Course.Batches, back.Course.Loss))
    Assert.Equal(("ü\"", 123456789L), (fst back.Course.History.Head.Metrics.Head, back.Course.History.Head.Elapsed.Ticks))

[<Fact>]
let ``a run that is cancelled leaves a checkpoint to go on from`` () =
    inFolder (fun folder ->
        let path = Path.Combine(folder, "run")
        use source = new CancellationTokenSource()

        let cancel =
            Callback.onStep (fun report ->
                if report.Step = 4 then
                    source.Cancel())

        let run callbacks token = { trainer with Callbacks = callbacks; Cancellation = token }
        let first = Checkpoint.loadOrStart path trainer.Rule (start (net 4))
        Trainer.resume (run [ cancel; Checkpoint.everyEpoch path ] source.Token) examples first |> ignore
        let went = Trainer.resume trainer examples (Checkpoint.loadOrStart path trainer.Rule (start (net 4)))
        Assert.Equal(4, (Checkpoint.load path (start (net 4))).Steps)
        Assert.True(Probe.sameBits trained.Value.Model.Params went.Fit.Model.Params)
        Assert.Equal<string[]>([| path |], Directory.GetFiles folder))

[<Fact>]
let ``steps are saved as often as asked for`` () =
    inFolder (fun folder ->
        let path = Path.Combine(folder, "run")
        let mutable seen = []

        let look =
            Callback.onStep (fun _ ->
                if File.Exists path then
                    seen <- (Checkpoint.load path (start (net 4))).Steps :: seen)

        let run = { trainer with Callbacks = [ Checkpoint.everySteps 2 path; look ] }
        Trainer.fit run examples (start (net 4)) |> ignore
        Assert.Equal<int list>([ 6; 4; 4; 2; 2 ], seen)
        argumentError (fun () -> Checkpoint.everySteps 0 path: Callback<Vec, Vec>) |> ignore)
