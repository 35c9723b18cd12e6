/// Whole training steps and predictions, through the DSL's own training step.
module DL.Bench.Networks

open DL
open DL.Core
open DL.Core.Random
open DL.Bench.Timing

let private normals (seed: int) (count: int) =
    let numbers = Array.zeroCreate<float32> count
    Draw.Normal<float32>(Key.ofSeed seed, numbers)
    numbers

let private vectors seed (rows: int) (columns: int) : Batch<Vec> =
    Batch.vec (Tensor.Of<float32>(normals seed (rows * columns), rows, columns))

let private classes (rows: int) count : Batch<Label> = Batch.labels (Array.init rows (fun i -> (i * 7919 + 13) % count))

let private training name what loss optimizer rows features (net: Layer<Vec, 'y>) (target: Batch<'t>) =
    let rule =
        { Loss = loss
          Optimizer = optimizer
          Schedule = None
          ClipNorm = None }

    let model = net |> Model.init Single (Key.ofSeed 1) (Shape.vec features)
    let session = Session(rule, Trainer.start rule model)
    let x = vectors 2 rows features

    { Name = name
      What = what
      Per = "step"
      Batch = rows
      Call = fun () -> session.Step(x, target) |> ignore }

let private mlp sizes =
    let hidden = sizes |> List.take (sizes.Length - 1) |> List.map (fun n -> dense n --> relu)
    List.fold (-->) identity hidden --> dense (List.last sizes)

let private small () =
    let net = dense 8 --> relu --> dense 4 --> relu --> dense 1 --> sigmoid
    let target = Batch.vec (Tensor.Of<float32>(Array.init 32 (fun i -> float32 (i % 2)), 32, 1))
    [ training "mlp_small" "4-8-4-1 BCE SGD" Loss.binaryCrossEntropy (Optimizer.sgd 0.1) 32 4 net target ]

let private mnist () =
    let net () = mlp [ 256; 128; 10 ]
    let model = net () |> Model.init Single (Key.ofSeed 1) (Shape.vec 784)

    let session =
        Session(
            { Loss = Loss.crossEntropy
              Optimizer = Optimizer.sgd 0.1
              Schedule = None
              ClipNorm = None },
            Trainer.start
                { Loss = Loss.crossEntropy
                  Optimizer = Optimizer.sgd 0.1
                  Schedule = None
                  ClipNorm = None }
                model
        )

    let one = vectors 3 1 784

    [ for b in [ 64; 512 ] do
          training $"mlp_mnist_b{b}" "784-256-128-10 CE Adam" Loss.crossEntropy (Optimizer.adam 1e-3) b 784 (net ()) (classes b 10)
      { Name = "mlp_mnist_infer_b1"
        What = "latency"
        Per = "call"
        Batch = 1
        Call = fun () -> session.Predict(one, ignore) } ]

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
