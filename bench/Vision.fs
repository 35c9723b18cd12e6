/// Convolutional networks, through the DSL's own training step, and single convolutions.
module DL.Bench.Vision

open DL
open DL.Core
open DL.Models
open DL.Bench.Timing
open DL.Bench.Networks

let private images seed rows (channels: int, height, width) : Batch<Image> =
    Batch.image (Tensor.Of<float32>(normals seed (rows * channels * height * width), rows, channels, height, width))

let private lenet () =
    [ for rows in [ 64; 256 ] do
          trained
              $"lenet_b{rows}"
              "LeNet-5 CE SGD"
              Loss.crossEntropy
              (Optimizer.sgd 0.1)
              (images 2 rows (1, 28, 28))
              (LeNet.original 10)
              (classes rows 10)
      predicted "lenet_infer_b1" "latency" (images 2 1 (1, 28, 28)) (LeNet.original 10) ]

let private vggSmall: Layer<Image, Vec> =
    let conv channels = conv2dWith { Conv.defaults with Bias = false } channels (kernel 3 |> same) --> batchNorm --> relu

    let block channels = repeat 2 (conv channels) --> maxPool2d (kernel 2)
    block 64 --> block 128 --> flatten --> dense 256 --> relu --> dense 10

/// The other side is timed in both layouts of its images; there is one here.
let private vision name what rows net =
    [ for suffix in [ ""; "_cl" ] ->
          trained
              $"{name}_b{rows}{suffix}"
              what
              Loss.crossEntropy
              (Optimizer.momentum 0.01)
              (images 2 rows (3, 32, 32))
              net
              (classes rows 10) ]

let private resnet18 () =
    vision "resnet18_cifar" "ResNet-18 3x3 stem, SGD momentum" 32 (ResNet.resnet18Small 10)
    @ [ predicted "resnet18_cifar_infer_b1" "latency" (images 2 1 (3, 32, 32)) (ResNet.resnet18Small 10) ]

let private resnet50 () =
    [ for rows in [ 1; 8 ] do
          for suffix in [ ""; "_jitopt" ] do
              predicted $"resnet50_infer_b{rows}{suffix}" "ResNet-50 forward" (images 2 rows (3, 224, 224)) (ResNet.resnet50 1000) ]

let private convolutions =
    [ "1x1", 256, 64, 56, 1, 1, 1
      "3x3s1", 64, 64, 56, 3, 1, 1
      "3x3s1deep", 256, 256, 14, 3, 1, 1
      "3x3s2", 128, 128, 56, 3, 2, 1
      "7x7s2", 3, 64, 224, 7, 2, 1
      "dw3x3", 128, 128, 56, 3, 1, 128 ]

let private convolution (name, inputs, outputs, side, size, step, groups) =
    let layer =
        conv2dWith { Conv.defaults with Bias = false; Groups = groups } outputs (kernel size |> stride step |> padding (size / 2))

    let what = $"{inputs}->{outputs} {side}x{side} N=8"
    let positions = (side - 1) / step + 1

    let run suffix backward =
        Operations.passing $"conv_{name}_{suffix}" what 8 [| 8; side; side; inputs |] [| 8; positions; positions; outputs |] backward layer

    [ run "f" false; run "fb" true ]

/// The groups of this file.
let groups =
    [ { Group = "lenet"; Build = lenet }
      { Group = "cnn_cifar"
        Build = fun () -> vision "cnn_cifar" "VGG-like with BN, SGD momentum" 64 vggSmall }
      { Group = "resnet18_cifar"; Build = resnet18 }
      { Group = "resnet50_infer"; Build = resnet50 }
      { Group = "conv"
        Build = fun () -> List.collect convolution convolutions } ]
