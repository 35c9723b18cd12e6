namespace DL.Properties.Oracles

open DL.Core
open DL.Laws
// Last, so that a tensor here is DiffSharp's.
open DiffSharp
open DiffSharp.Util

/// The forward formulas the oracle differentiates, written in DiffSharp's tensors alone.
module private DiffSharpFormulas =

    /// A formula and the number of tensors it takes.
    type Formula = { Arity: int; Apply: Tensor[] -> Tensor }

    let private unary (f: Tensor -> Tensor) = { Arity = 1; Apply = fun x -> f x[0] }

    /// Applies f to every row of the last axis by itself.
    /// DiffSharp's softmax, logsoftmax and logsumexp shift by the maximum of the whole tensor and add 1.4e-45 under the logarithm,
    /// so that a row far below the largest one underflows; a row alone carries its own maximum and its sum is at least 1.
    let private perRow (f: Tensor -> Tensor) (x: Tensor) =
        let matrix = x.view [| -1; x.shape[x.dim - 1] |]
        let rows = List.init matrix.shape[0] (fun i -> f matrix[i])
        dsharp.stack(rows).view x.shape

    let private logSoftmax = perRow (fun row -> row.logsoftmax 0)

    let private layerNorm (x: Tensor) (gamma: Tensor) (beta: Tensor) =
        let axis = x.dim - 1
        let centred = x - x.mean (axis, keepDim = true)
        let variance = (centred * centred).mean(axis, keepDim = true)
        centred / (variance + 1e-5).sqrt() * gamma + beta

    let all =
        Map
            [ "relu", unary (fun x -> x.relu ())
              "leakyRelu", unary (fun x -> x.leakyRelu 0.01)
              "sigmoid", unary (fun x -> x.sigmoid ())
              "tanh", unary (fun x -> x.tanh ())
              "softplus", unary (fun x -> x.softplus ())
              "silu", unary (fun x -> x * x.sigmoid ())
              "softmax", unary (perRow (fun row -> row.softmax 0))
              "logSoftmax", unary logSoftmax
              "linear", { Arity = 3; Apply = fun a -> a[0].matmul a[1] + a[2] }
              "layerNorm", { Arity = 3; Apply = fun a -> layerNorm a[0] a[1] a[2] }
              "meanSquaredError", { Arity = 2; Apply = fun a -> a[0].mseLoss a[1] }
              "crossEntropy",
              { Arity = 2
                Apply = fun a -> (logSoftmax a[0]).nllLoss(a[1].noDiff()) } ]

/// <summary>`Vjp (f, x, u) = u^T df/dx` by DiffSharp's reverse mode, in float64 on its Reference backend (plain .NET, no native library).</summary>
/// <remarks>
/// <para>Shapes, row-major: elementwise operations take any shape; softmax and logSoftmax work on the last axis; linear takes x[m,k], w[k,n], b[n];
/// layerNorm takes x[..,n], gamma[n], beta[n] with eps 1e-5; meanSquaredError takes y and t of one shape; crossEntropy takes logits[n,c] and class
/// ids[n] and returns zeros for the ids. Both losses are means over all elements and over the examples, so their upstream is one number.
/// leakyRelu has slope 0.01. Every axis must be at least 1 long; shapes that do not fit each other and class ids outside 0..c-1 raise DiffSharp's
/// own exception.</para>
/// <para>Not asked of DiffSharp, because DiffSharp itself is known to be wrong or silent there:
/// softmax and log softmax over rows of very different size (it shifts by the maximum of the whole tensor: the log is off by 2e-2 where rows
/// differ by 100, softmax is NaN where they differ by 750; rows are passed one at a time instead, so this oracle has no such limit);
/// gather with repeated indices, and so embedding (its backward keeps one of the gradients instead of their sum);
/// max pooling with overlapping windows (likewise);
/// exact GELU (there is no erf to differentiate).
/// At a kink its choice is its own (relu 0 at 0, leakyRelu one half of each slope): laws keep away from kinks.</para>
/// <para>DiffSharp keeps its nesting level in a static counter, so calls run one at a time; the oracle may be shared between threads.</para>
/// </remarks>
type DiffSharpOracle() =

    static let gate = obj ()

    static let find operation =
        match Map.tryFind operation DiffSharpFormulas.all with
        | Some formula -> formula
        | None ->
            let known = DiffSharpFormulas.all |> Map.keys |> String.concat ", "
            raise (InvalidArgumentException("DiffSharpOracle.Vjp: operation", $"one of {known}", operation))

    static let show (shape: int[]) = shape |> Array.map string |> String.concat "x"

    static let check operation arity (inputs: (int[] * float[]) list) =
        if inputs.Length <> arity then
            raise (InvalidArgumentException($"DiffSharpOracle.Vjp: {operation}", $"{arity} inputs", string inputs.Length))

        for shape, data in inputs do
            if Array.exists (fun n -> n < 1) shape then
                raise (ShapeException($"DiffSharpOracle.Vjp: {operation}", "axes of at least 1", show shape))

            if Array.fold (*) 1 shape <> data.Length then
                raise (ShapeException($"DiffSharpOracle.Vjp: {operation}", $"{data.Length} elements", show shape))

    // Data type and backend are named in every call: DiffSharp's defaults are static and float32.
    static let tensor (shape: int[]) (data: float[]) =
        dsharp.tensor(data, device = Device.CPU, dtype = Dtype.Float64, backend = Backend.Reference).view shape

    static let gradient (leaf: Tensor) =
        let derivative = leaf.derivative
        // An input the output does not depend on keeps DiffSharp's empty placeholder.
        if derivative.nelement = leaf.nelement then
            derivative.view([| -1 |]).toArray1D<float>()
        else
            Array.zeroCreate leaf.nelement

    static let vjp operation inputs (upstream: float[]) =
        let formula = find operation
        check operation formula.Arity inputs
        let level = GlobalNestingLevel.Next()

        let leaves = [ for shape, data in inputs -> (tensor shape data).reverseDiff(nestingTag = level) ]

        let output = formula.Apply(List.toArray leaves)

        if output.nelement <> upstream.Length then
            raise (ShapeException($"DiffSharpOracle.Vjp: {operation}, upstream", show output.shape, string upstream.Length))

        output.reverse (tensor output.shape upstream)
        List.map gradient leaves

    interface IGradientOracle with
        member _.Name = "DiffSharp"

        member _.Supports operation = Map.containsKey operation DiffSharpFormulas.all

        member _.Vjp(operation, inputs, upstream) = lock gate (fun () -> vjp operation inputs upstream)
