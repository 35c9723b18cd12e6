/// Single operations over reused memory: forward, or forward and backward with a given upstream gradient.
module DL.Bench.Operations

open DL
open DL.Core
open DL.Core.Ops
open DL.Core.Random
open DL.Bench.Timing

let internal normals (seed: int) (extents: int[]) =
    let shape = Shape extents
    let numbers = Array.zeroCreate<float32> shape.Count
    Draw.Normal<float32>(Key.ofSeed seed, numbers)
    Tensor.Of<float32>(numbers, extents)

/// Runs a call on tensors whose results go into an arena, and takes them back after each call.
let internal inArena (inputs: Tensor<float32> list) (call: Tensor list -> unit) =
    let arena = new Arena()
    let adopted = inputs |> List.map (fun t -> t.Adopted arena :> Tensor)

    fun () ->
        call adopted
        arena.Reset()

let internal workload name what call = { Name = name; What = what; Per = "call"; Batch = 1; Call = call }

let private square = [| 1000; 1000 |]

let private forward name (f: Tensor -> Tensor) =
    workload $"op_{name}" "1000x1000 floats, forward" (inArena [ normals 1 square ] (fun xs -> f xs[0] |> ignore))

/// A layer's pass over tensors as they lie in memory, backward with the gradient of the input if asked for.
let internal passing name what batch (input: int[]) (output: int[]) backward (layer: Layer<'x, 'y>) =
    let example: Batch<'x> = Batch.ofTensor (normals 1 input)
    let model = layer |> Model.init Single (Key.ofSeed 1) (Batch.shape example)

    { workload
          name
          what
          (inArena [ normals 1 input; normals 2 output ] (fun xs ->
              let pass = layer.Apply Train model.Params model.State (Batch.ofTensor xs[0])

              if backward then
                  let struct (dx, _) = pass.Pullback(Batch.ofTensor xs[1])
                  Batch.held dx |> ignore)) with
        Batch = batch }

/// Forward and backward of a layer, the gradient of the input included.
let private both name what (extents: int[]) (layer: Layer<Vec, Vec>) = passing $"op_{name}_fb" what 1 extents extents true layer

let private crossEntropy () =
    let labels = Batch.labels (Array.init 700 (fun i -> (i * 7919 + 13) % 10000))

    workload
        "op_cross_entropy_fb"
        "700x10000 logits"
        (inArena [ normals 1 [| 700; 10000 |] ] (fun xs -> Loss.crossEntropy.Evaluate (Batch.vec xs[0]) labels |> ignore))

/// A loss with its gradient, on predictions taken from a batch of numbers; it reads them and the target and no more.
let private loss name what (extents: int[] list) (evaluate: Tensor list -> struct (float * Batch<'y>)) =
    workload $"op_{name}_fb" what (inArena (extents |> List.mapi (fun i e -> normals (i + 1) e)) (fun xs -> evaluate xs |> ignore))

let private losses () =
    let elements = [ square; square ]
    let classes = Batch.labels (Array.init 700 (fun i -> (i * 7919 + 13) % 10000))
    let kinds = Batch.labels (Array.init 1000 (fun i -> i % 2))
    let binary = Batch.vec ((normals 2 square).Map(System.Func<float, float>(fun t -> if t > 0.0 then 1.0 else 0.0)))
    let pair (xs: Tensor list) = Batch.pair (Batch.vec xs[0]) (Batch.vec xs[1])
    let rows = [| 1000; 256 |]

    [ loss "mse" "1000x1000 floats" elements (fun xs -> Loss.meanSquaredError.Evaluate (Batch.vec xs[0]) (Batch.vec xs[1]))
      loss "mae" "1000x1000 floats" elements (fun xs -> Loss.meanAbsoluteError.Evaluate (Batch.vec xs[0]) (Batch.vec xs[1]))
      loss "huber" "1000x1000 floats" elements (fun xs -> (Loss.huber 1.0).Evaluate (Batch.vec xs[0]) (Batch.vec xs[1]))
      loss "binary_cross_entropy" "1000x1000 logits" [ square ] (fun xs ->
          Loss.binaryCrossEntropyWithLogits.Evaluate (Batch.vec xs[0]) binary)
      loss "binary_focal" "1000x1000 logits, gamma 2" [ square ] (fun xs ->
          (Loss.binaryFocalWith 2.0 0.25).Evaluate (Batch.vec xs[0]) binary)
      loss "focal" "700x10000 logits, gamma 2" [ [| 700; 10000 |] ] (fun xs -> (Loss.focal 2.0).Evaluate (Batch.vec xs[0]) classes)
      loss "contrastive" "1000 pairs of 256 floats" [ rows; rows ] (fun xs -> (Loss.contrastive 1.0).Evaluate (pair xs) kinds)
      loss "triplet" "1000 triplets of 256 floats" [ rows; rows; rows ] (fun xs ->
          (Loss.triplet 1.0).Evaluate (Batch.pair (Batch.vec xs[0]) (pair xs.Tail)) kinds)
      loss "kl_unit_normal" "1000 distributions of 256 features" [ rows; rows ] (fun xs -> Loss.unitNormal.Evaluate (pair xs) kinds) ]

let private operations () =
    let pointwise = "1000x1000 floats, forward and backward"

    [ forward "relu" (fun x -> Relu.Forward x)
      forward "gelu" (fun x -> Gelu.Forward x)
      forward "tanh" (fun x -> Tanh.Forward x)
      forward "sigmoid" (fun x -> Sigmoid.Forward x)
      forward "add" (fun x -> Add.Forward(x, x))
      forward "softmax_rows" (fun x -> Softmax.Forward x)
      forward "log_softmax_rows" (fun x -> LogSoftmax.Forward x)
      forward "sum_all" (fun x -> Sum.Forward x)
      forward "sum_cols" (fun x -> Sum.Forward(x, 0))
      forward "transpose" (fun x -> Transpose.Forward x)
      both "relu" pointwise square relu
      both "gelu" pointwise square gelu
      both "tanh" pointwise square tanh
      both "sigmoid" pointwise square sigmoid
      both "softmax_rows" pointwise square softmax
      crossEntropy ()
      both "layernorm" "4096x768" [| 4096; 768 |] layerNorm
      passing "op_batchnorm_fb" "32x64x32x32" 1 [| 32; 32; 32; 64 |] [| 32; 32; 32; 64 |] true (batchNorm: Layer<Image, Image>)
      passing "op_maxpool_fb" "32x64x32x32 2x2" 1 [| 32; 32; 32; 64 |] [| 32; 16; 16; 64 |] true (maxPool2d (kernel 2))
      both "dropout" "1000x1000 p=0.5" square (dropout 0.5) ]

let private tiny () =
    let dense8 = denseWith { Dense.defaults with Bias = false } 8
    let model = (dense8 --> relu) |> Model.init Single (Key.ofSeed 1) (Shape.vec 8)
    let inputs = [ normals 1 [| 4; 8 |]; normals 2 [| 4; 8 |] ]

    [ workload "tiny_op_add" "4x8 + 4x8, forward: per-call overhead" (inArena inputs (fun xs -> Add.Forward(xs[0], xs[0]) |> ignore))
      workload
          "tiny_op_linear"
          "4x8 @ 8x8, forward: per-call overhead"
          (inArena inputs (fun xs -> Linear.Forward(xs[0], model.Params[0]) |> ignore))
      workload
          "tiny_op_linear_relu_fb"
          "4x8 @ 8x8 + relu, forward and backward"
          (inArena inputs (fun xs ->
              let pass = model.Layer.Apply Train model.Params model.State (Batch.vec xs[0])
              let struct (dx, _) = pass.Pullback(Batch.vec xs[1])
              Batch.tensor dx |> ignore)) ]

let private sizes =
    [ 64, 64, 64
      128, 128, 128
      256, 256, 256
      512, 512, 512
      1024, 1024, 1024
      2048, 2048, 2048
      8192, 64, 64
      64, 64, 8192
      1, 4096, 1024
      64, 256, 784
      700, 10000, 256
      1024, 1536, 384
      100000, 16, 16 ]

let private products () =
    [ for m, n, k in sizes do
          let inputs = [ normals 1 [| m; k |]; normals 2 [| k; n |] ]
          workload $"sgemm_{m}x{n}x{k}" "m x n x k" (inArena inputs (fun xs -> Linear.Forward(xs[0], xs[1]) |> ignore)) ]

let private updating name (optimizer: Optimizer) () =
    let parameters = Array.init 40 (fun i -> normals (i + 1) [| 500; 500 |] :> Tensor)
    let arena = new Arena()
    let store = ParameterStore(arena, parameters, ElementType.Float32, optimizer.Moments)
    store.Collect(Array.init 40 (fun i -> normals (i + 100) [| 500; 500 |] :> Tensor))
    let mutable steps = 0

    [ { Name = $"{name}_plain"
        What = "10M parameters in 40 tensors"
        Per = "step"
        Batch = 1
        Call =
          fun () ->
              steps <- steps + 1
              optimizer.Update steps optimizer.Rate store.Weights store.Gradients store.Moments } ]

let private optimizers =
    [ "adam", Optimizer.adam 1e-3
      "sgd", Optimizer.sgd 1e-3
      "momentum", Optimizer.momentum 1e-3
      "nesterov", Optimizer.nesterov 1e-3
      "adagrad", Optimizer.adaGrad 1e-3
      "rmsprop", Optimizer.rmsProp 1e-3
      "adadelta", Optimizer.adadelta 1.0 ]

/// The groups of operations.
let groups =
    [ { Group = "op"; Build = operations }
      { Group = "losses"; Build = losses }
      { Group = "tiny_op"; Build = tiny }
      { Group = "sgemm"; Build = products }
      for name, optimizer in optimizers do
          { Group = name; Build = updating name optimizer } ]
