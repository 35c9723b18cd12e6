/// Layers written by hand over plain arrays, so that each can be written wrongly.
module DL.Properties.Mutants.Hand

open System
open DL
open DL.Core
open DL.Laws

/// What one pass works on: parameters and rows of numbers.
type Pass = { Ps: float[][]; X: float[][]; Y: float[][] }

/// A layer over vectors by its formulas, row by row.
[<NoEquality; NoComparison>]
type Hand =
    {
        Name: string
        Slots: string list
        /// From the input's width to the output's and the initial parameters, each with its extents.
        Sizes: int -> struct (int * (int list * float[]) list)
        /// From parameters and rows to rows.
        Forward: float[][] -> float[][] -> float[][]
        /// From a pass and dy to dx and the parameters' gradients.
        Backward: Pass -> float[][] -> struct (float[][] * float[][])
    }

/// Numbers for initial weights.
let weights (seed: int) n = Array.init n (fun i -> sin (float ((i + seed) * 7 + 3)))

let private rows (t: Tensor) =
    let n = t.Shape[1]
    let x = Probe.numbers t
    Array.init t.Shape[0] (fun r -> Array.sub x (r * n) n)

let private tensor (like: Tensor) width (x: float[][]) : Tensor =
    let numbers = Array.concat x
    (Tensor.Of<float>(ReadOnlySpan<float> numbers, Shape(ReadOnlySpan<int> [| x.Length; width |]))).To like.ElementType

/// The layer.
let layer (hand: Hand) : Layer<Vec, Vec> =
    let init _ shape =
        let struct (width, ps) = hand.Sizes(Shape.features shape)

        let parameters =
            ps
            |> List.map (fun (extents, numbers) ->
                Tensor.Of<float>(ReadOnlySpan<float> numbers, Shape(ReadOnlySpan<int>(List.toArray extents))) :> Tensor)

        struct (Shape.vec width, Array.ofList parameters, [||])

    let apply _ (ps: Params) state input : DL.Pass<Vec, Vec> =
        let x = Batch.tensor input
        let numbers = ps |> Array.map Probe.numbers
        let y = hand.Forward numbers (rows x)
        let struct (width, _) = hand.Sizes x.Shape[1]

        { Output = Batch.vec (tensor x width y)
          State = state
          Pullback =
            fun dy ->
                let struct (dx, dp) = hand.Backward { Ps = numbers; X = rows x; Y = y } (rows (Batch.tensor dy))
                struct (Batch.vec (tensor x x.Shape[1] dx), Array.map2 Probe.ofNumbers ps dp) }

    Layer.create hand.Name hand.Slots [] init apply

/// An elementwise layer from f and from x, y and dy to dx.
let elementwise name (f: float -> float) (backward: float -> float -> float -> float) : Hand =
    { Name = name
      Slots = []
      Sizes = fun width -> struct (width, [])
      Forward = fun _ -> Array.map (Array.map f)
      Backward = fun pass dy -> struct (Array.map3 (Array.map3 backward) pass.X pass.Y dy, [||]) }

/// A layer of whole rows without parameters.
let rowwise name (forward: float[] -> float[]) (backward: float[] -> float[] -> float[] -> float[]) : Hand =
    { Name = name
      Slots = []
      Sizes = fun width -> struct (width, [])
      Forward = fun _ -> Array.map forward
      Backward = fun pass dy -> struct (Array.map3 backward pass.X pass.Y dy, [||]) }

/// Columns as rows and back.
let turned (x: float[][]) : float[][] = Array.transpose x

/// The sum of products.
let dot (a: float[]) (b: float[]) = Array.fold2 (fun s p q -> s + p * q) 0.0 a b

/// A mutant: a wrong layer, the right one beside it, and what is wrong.
[<NoEquality; NoComparison>]
type Mutant =
    { Fault: string
      Right: Layer<Vec, Vec>
      Wrong: Layer<Vec, Vec>
      Claims: Claims }

/// A mutant of a hand-written layer.
let mutant fault (right: Hand) (change: Hand -> Hand) : Mutant =
    { Fault = $"{right.Name}: {fault}"
      Right = layer right
      Wrong = layer (change right)
      Claims = Claims.none }

/// The same layer with another Backward.
let back (backward: Pass -> float[][] -> struct (float[][] * float[][])) (hand: Hand) = { hand with Backward = backward }
