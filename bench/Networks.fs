/// Whole training steps and predictions, through the DSL's own training step.
module DL.Bench.Networks

open DL
open DL.Core
open DL.Core.Random
open DL.Bench.Timing

let internal normals (seed: int) (count: int) =
    let numbers = Array.zeroCreate<float32> count
    Draw.Normal<float32>(Key.ofSeed seed, numbers)
    numbers

let private vectors seed (rows: int) (columns: int) : Batch<Vec> =
    Batch.vec (Tensor.Of<float32>(normals seed (rows * columns), rows, columns))

let internal classes (rows: int) count : Batch<Label> = Batch.labels (Array.init rows (fun i -> (i * 7919 + 13) % count))

/// One training step of a network on one batch.
let internal trained name what loss optimizer (x: Batch<'x>) (net: Layer<'x, 'y>) (target: Batch<'t>) =
    let rule = Rule.create loss optimizer

    // Made when it is first called: a list of workloads is only their names.
    let session = lazy (Session(rule, net |> Model.init Single (Key.ofSeed 1) (Batch.shape x) |> Trainer.start rule))

    { Name = name
      What = what
      Per = "step"
      Batch = Batch.count x
      Call = fun () -> session.Value.Step(x, target) |> ignore }

/// One prediction of a network.
let internal predicted name what (x: Batch<'x>) (net: Layer<'x, 'y>) =
    let model = lazy (net |> Model.init Single (Key.ofSeed 1) (Batch.shape x))

    { Name = name
      What = what
      Per = "call"
      Batch = Batch.count x
      Call = fun () -> Model.predict model.Value x |> ignore }

let private training name what loss optimizer rows features net target =
    trained name what loss optimizer (vectors 2 rows features) net target

let private mlp sizes =
    let hidden = sizes |> List.take (sizes.Length - 1) |> List.map (fun n -> dense n --> relu)
    List.fold (-->) identity hidden --> dense (List.last sizes)

let private small () =
    let net = dense 8 --> relu --> dense 4 --> relu --> dense 1 --> sigmoid
    let target = Batch.vec (Tensor.Of<float32>(Array.init 32 (fun i -> float32 (i % 2)), 32, 1))
    [ training "mlp_small" "4-8-4-1 BCE SGD" Loss.binaryCrossEntropy (Optimizer.sgd 0.1) 32 4 net target ]

let private mnist () =
    let net () = mlp [ 256; 128; 10 ]

    [ for b in [ 64; 512 ] do
          training $"mlp_mnist_b{b}" "784-256-128-10 CE Adam" Loss.crossEntropy (Optimizer.adam 1e-3) b 784 (net ()) (classes b 10)
      predicted "mlp_mnist_infer_b1" "latency" (vectors 3 1 784) (net ()) ]

let private wide () =
    [ training
          "mlp_wide_b256"
          "1024-4096-4096-1024 CE SGD"
          Loss.crossEntropy
          (Optimizer.sgd 0.01)
          256
          1024
          (mlp [ 4096; 4096; 1024 ])
          (classes 256 1024) ]

/// The groups of networks.
let groups =
    [ { Group = "mlp_small"; Build = small }
      { Group = "mlp_mnist"; Build = mnist }
      { Group = "mlp_wide"; Build = wide } ]
