/// Kernels under BenchmarkDotNet, for looking closely: `DL.Bench kernels --filter '*'`.
module DL.Bench.Kernels

open BenchmarkDotNet.Attributes
open DL.Core
open DL.Core.Ops
open DL.Core.Random

let private normals (seed: uint64) count =
    let numbers = Array.zeroCreate<float32> count
    Draw.Normal<float32>(Key(seed, 0u, 0u), numbers)
    numbers

/// Square matrix products.
type Products() =
    let mutable a = Unchecked.defaultof<Tensor>
    let mutable b = Unchecked.defaultof<Tensor>

    /// The extent of the square matrices.
    [<Params(64, 256, 1024)>]
    member val N = 64 with get, set

    /// Draws the matrices.
    [<GlobalSetup>]
    member this.Setup() =
        a <- Tensor.Of<float32>(normals 1UL (this.N * this.N), this.N, this.N)
        b <- Tensor.Of<float32>(normals 2UL (this.N * this.N), this.N, this.N)

    /// One product.
    [<Benchmark>]
    member _.Multiply() = Linear.Forward(a, b)

/// Elementwise functions over spans.
type Maps() =
    let x = normals 3UL 65536
    let y = Array.zeroCreate<float32> 65536

    /// tanh.
    [<Benchmark>]
    member _.Tanh() = Tanh.Forward<float32>(x, y)

    /// GELU.
    [<Benchmark>]
    member _.Gelu() = Gelu.Forward<float32>(x, y)

    /// Softmax of rows of 256.
    [<Benchmark>]
    member _.Softmax() = Softmax.Forward<float32>(x, 256, 256, 1, y)
