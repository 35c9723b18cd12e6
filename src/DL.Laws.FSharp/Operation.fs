namespace DL.Laws

open System
open FsCheck
open FsCheck.FSharp
open DL.Core

/// <summary>One case of an operation's law: the lengths its shapes are made of, how the numbers lie, and their seed.</summary>
type OperationCase =
    {
        /// <summary>The lengths, one for every <c>Sizes</c> of the operation.</summary>
        Sizes: int list
        /// <summary>How the numbers lie.</summary>
        Numbers: Numbers
        /// <summary>Where the numbers come from.</summary>
        Seed: uint64
    }

    /// <summary>The sizes, the numbers and the seed.</summary>
    override this.ToString() =
        let sizes = this.Sizes |> List.map string |> String.concat "; "
        $"sizes [{sizes}], numbers {this.Numbers}, seed {this.Seed}"

/// <summary>An operation with its hand-written Backward, and the naive formula that judges it.</summary>
[<NoEquality; NoComparison>]
type Operation =
    {
        /// <summary>The operation, such as <c>Softmax</c>.</summary>
        Name: string
        /// <summary>The setting it is tried in, or the empty string.</summary>
        Variant: string
        /// <summary>What lengths its shapes are made of.</summary>
        Sizes: Extent list
        /// <summary>How its numbers may lie.</summary>
        Numbers: Numbers list
        /// <summary>The extents of every differentiable input, from the sizes.</summary>
        Inputs: int list -> int list list
        /// <summary>Changes raw numbers into the operation's domain, such as probabilities.</summary>
        Domain: OperationCase -> float[][] -> float[][]
        /// <summary>The operation: from its inputs to its outputs.</summary>
        Forward: OperationCase -> Tensor[] -> Tensor[]
        /// <summary>From inputs, outputs and the outputs' gradients to one gradient for every input.</summary>
        Backward: OperationCase -> Tensor[] -> Tensor[] -> Tensor[] -> Tensor[]
        /// <summary>The naive formula.</summary>
        Formula: OperationCase -> Dual[][] -> Dual[][]
        /// <summary>The input in which the operation has <c>J(x) x = f(x) - f(0)</c>: linear, or homogeneous of degree one; -1 for none.</summary>
        Homogeneous: int
    }

/// <summary>The laws every operation is held to.</summary>
[<RequireQualifiedAccess>]
module Operation =
    /// <summary>An operation of one input and one output, to be changed with <c>{ unary .. with .. }</c>.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="forward">The operation.</param>
    /// <param name="backward">From input, output and the output's gradient to the input's gradient.</param>
    /// <param name="formula">The naive formula, from extents and elements.</param>
    let unary
        (name: string)
        (forward: Tensor -> Tensor)
        (backward: Tensor -> Tensor -> Tensor -> Tensor)
        (formula: int list -> Dual[] -> Dual[])
        : Operation =
        { Name = name
          Variant = ""
          Sizes = [ Free; Free ]
          Numbers = Numbers.all
          Inputs = List.singleton
          Domain = fun _ x -> x
          Forward = fun _ x -> [| forward x[0] |]
          Backward = fun _ x y dy -> [| backward x[0] y[0] dy[0] |]
          Formula = fun case x -> [| formula case.Sizes x[0] |]
          Homogeneous = -1 }

    /// <summary>The name and the setting.</summary>
    let title (operation: Operation) : string = if operation.Variant = "" then operation.Name else $"{operation.Name} {operation.Variant}"

    /// <summary>The cases of an operation, with their shrinker.</summary>
    let cases (operation: Operation) : Arbitrary<OperationCase> =
        let generate =
            Gen.map3
                (fun sizes numbers seed -> { Sizes = sizes; Numbers = numbers; Seed = seed })
                (Generators.lengths operation.Sizes)
                (Generators.numbers operation.Numbers)
                Generators.seed

        let shrink (case: OperationCase) =
            seq {
                for sizes in Generators.shrinkLengths operation.Sizes case.Sizes -> { case with Sizes = sizes }
                for numbers in Generators.simplerNumbers operation.Numbers case.Numbers -> { case with Numbers = numbers }
            }

        Arb.fromGenShrink (generate, shrink)

    /// The numbers one case is tried on, made once for both precisions.
    type internal Setting =
        { Inputs: float[][]
          Extents: int list[]
          Direction: float[][]
          Upstream: Tensor[] -> float[][] }

    let private normals (draw: Draw) n = Array.init n (fun _ -> float (float32 (draw.Normal())))

    let internal setting (operation: Operation) (case: OperationCase) : Setting =
        let draw = Draw case.Seed
        let extents = operation.Inputs case.Sizes |> Array.ofList

        let raw =
            extents
            |> Array.mapi (fun i e ->
                // Further inputs (gains, weights) are ordinary half of the time, so that a hard first input meets them too.
                let numbers = if i > 0 && case.Seed % 2UL = 0UL then Ordinary else case.Numbers

                (Numbers.tensor numbers (draw.Branch(i).Bits()) e).ToArray<float>())

        let inputs = operation.Domain case raw |> Array.map (Array.map (float32 >> float))
        let chosen = draw.Branch(100).Below inputs.Length

        { Inputs = inputs
          Extents = extents
          Direction =
            inputs
            |> Array.mapi (fun i x -> if i = chosen then normals (draw.Branch(200 + i)) x.Length else Array.zeroCreate x.Length)
          Upstream = Array.mapi (fun i y -> normals (draw.Branch(300 + i)) y.Count) }

    let internal tensor (element: ElementType) (extents: int list) (x: float[]) : Tensor =
        let wide = Tensor.Of<float>(ReadOnlySpan<float> x, Shape(ReadOnlySpan<int>(List.toArray extents)))
        if element = ElementType.Float64 then wide else wide.To element

    let internal like element (y: Tensor) (x: float[]) : Tensor =
        let wide = Tensor.Of<float>(ReadOnlySpan<float> x, y.Shape)
        if element = ElementType.Float64 then wide else wide.To element

    let internal tensors element (s: Setting) : Tensor[] = Array.map2 (tensor element) s.Extents s.Inputs

    let internal numbers (t: Tensor) : float[] = t.ToArray<float>()

    let internal dot (a: float[]) (b: float[]) : float =
        let mutable s = 0.0

        for i in 0 .. a.Length - 1 do
            s <- s + a[i] * b[i]

        s

    let internal duals (s: Setting) : Dual[][] = Array.map2 (Array.map2 (fun x v -> Dual.Variable(x, v))) s.Inputs s.Direction
