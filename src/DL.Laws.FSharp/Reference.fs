namespace DL.Laws

open System

/// <summary>Naive formulas over dual numbers: what the fast operations are judged by. Nothing of the library is used here.</summary>
/// <remarks>Each formula decides at its kinks as the library documents it, so that the kinks are judged exactly.</remarks>
[<RequireQualifiedAccess>]
module Reference =
    let private number = Dual.Constant

    // A Backward that reads the output sees it rounded; this is what that rounding does to the slope.
    let private fromOutput (slopePerOutput: float) (x: Dual) (y: Dual) =
        { y with
            TangentRounding = y.TangentRounding + abs (x.Tangent * slopePerOutput * y.Value) }

    /// <summary><c>max(x, 0)</c>; the derivative at 0 is 0.</summary>
    let relu (x: Dual) : Dual = if Dual.positive x then x else number 0.0

    /// <summary><c>x</c> above 0, else <c>alpha x</c>; the derivative at 0 is alpha.</summary>
    let leakyRelu (alpha: float) (x: Dual) : Dual = if Dual.positive x then x else alpha * x

    /// <summary><c>x</c> above 0, else <c>alpha (exp x - 1)</c>; the derivative at 0 is alpha.</summary>
    let elu (alpha: float) (x: Dual) : Dual = if Dual.positive x then x else alpha * (exp x + -1.0)

    // Whichever sign, only exponentials of negative numbers: nothing overflows.
    let private logistic (x: Dual) =
        if x.Value >= 0.0 then
            number 1.0 / (exp -x + 1.0)
        else
            let e = exp x
            e / (e + 1.0)

    /// <summary><c>1 / (1 + exp(-x))</c>.</summary>
    let sigmoid (x: Dual) : Dual =
        let y = logistic x
        fromOutput (1.0 - 2.0 * y.Value) x y

    /// <summary>The hyperbolic tangent.</summary>
    let tanh (x: Dual) : Dual =
        let y = Operators.tanh x
        fromOutput (2.0 * y.Value) x y

    /// <summary>The exponential.</summary>
    let exp (x: Dual) : Dual = Operators.exp x

    /// <summary><c>x Phi(x)</c> with the distribution function of the standard normal.</summary>
    let gelu (x: Dual) : Dual = x * Dual.normal x

    /// <summary><c>x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))</c>.</summary>
    let geluTanh (x: Dual) : Dual =
        // Past 40 the tangent is 1 to the last bit and the cube would only overflow.
        if abs x.Value > 40.0 then
            if Dual.positive x then x else 0.0 * x
        else
            let inner = sqrt (2.0 / Math.PI) * (x + 0.044715 * (x * x * x))
            0.5 * (x * (Operators.tanh inner + 1.0))

    /// <summary><c>x / (1 + exp(-x))</c>.</summary>
    let silu (x: Dual) : Dual = x * logistic x

    /// <summary><c>log(1 + exp x)</c>.</summary>
    let softplus (x: Dual) : Dual = if x.Value > 0.0 then x + log (Operators.exp -x + 1.0) else log (Operators.exp x + 1.0)

    /// <summary><c>min(max(x, 0), 6)</c>; the derivative at both kinks is 0.</summary>
    let relu6 (x: Dual) : Dual =
        if x.Value <= 0.0 then number 0.0
        elif x.Value >= 6.0 then number 6.0
        else x

    /// <summary><c>min(max(x + 3, 0), 6) / 6</c>; the derivative at both kinks is 0.</summary>
    let hardSigmoid (x: Dual) : Dual =
        if x.Value <= -3.0 then number 0.0
        elif x.Value >= 3.0 then number 1.0
        else (x + 3.0) / 6.0

    /// <summary><c>x hardSigmoid(x)</c>; the derivative at -3 is 0, at 3 it is 1.</summary>
    let hardSwish (x: Dual) : Dual = x * hardSigmoid x

    /// <summary>Applies a formula to every row of the given length.</summary>
    let rows (length: int) (formula: Dual[] -> Dual[]) (x: Dual[]) : Dual[] =
        if length = 0 then [||] else x |> Array.chunkBySize length |> Array.collect formula

    /// <summary>Applies a formula to every run along an axis of a row-major array; the results lie along the same axis.</summary>
    let along (extents: int list) (axis: int) (formula: Dual[] -> Dual[]) (x: Dual[]) : Dual[] =
        let n = extents[axis]
        let inner = extents |> List.skip (axis + 1) |> List.fold (*) 1
        let outer = extents |> List.take axis |> List.fold (*) 1

        let run o i = formula (Array.init n (fun k -> x[(o * n + k) * inner + i]))

        let results = Array.init outer (fun o -> Array.init inner (run o))

        [| for o in 0 .. outer - 1 do
               let length = if inner = 0 then 0 else (Array.head results[o]).Length

               for k in 0 .. length - 1 do
                   for i in 0 .. inner - 1 do
                       let line: Dual[] = results[o][i]
                       line[k] |]

    let private exponentials (row: Dual[]) =
        let top = Dual.shift row
        row |> Array.map (fun x -> Operators.exp (x - top))

    /// <summary><c>exp(x_i - m) / sum exp(x_j - m)</c>.</summary>
    let softmax (row: Dual[]) : Dual[] =
        let e = exponentials row
        let total = Dual.sum e
        e |> Array.map (fun v -> v / total)

    // A Backward that takes the exponential of rounded outputs meets their rounding in every share of the gradient.
    let private met (output: Dual) (share: float) (x: Dual) = abs (x.Tangent * share) * (output.ValueRounding + abs output.Value)

    let private plus rounding (x: Dual) = { x with TangentRounding = x.TangentRounding + rounding }

    let private total (row: Dual[]) = Dual.shift row + log (Dual.sum (exponentials row))

    /// <summary><c>m + log sum exp(x_j - m)</c>.</summary>
    let logSumExp (row: Dual[]) : Dual =
        let y = total row
        plus (row |> Array.sumBy (fun x -> met y (Operators.exp (x.Value - y.Value)) x)) y

    /// <summary><c>x_i - logSumExp x</c>.</summary>
    let logSoftmax (row: Dual[]) : Dual[] =
        let whole = total row
        let y = row |> Array.map (fun x -> x - whole)
        let rounding = Array.map2 (fun x (l: Dual) -> met l (Operators.exp l.Value) x) row y |> Array.sum
        y |> Array.map (plus rounding)

    let private variance (centred: Dual[]) = centred |> Array.map (fun c -> c * c) |> Dual.mean

    /// <summary><c>(x - mean) / sqrt(variance + epsilon)</c> with the biased variance.</summary>
    let standardize (epsilon: float) (row: Dual[]) : Dual[] =
        let mean = Dual.mean row
        let centred = row |> Array.map (fun x -> x - mean)
        let deviation = sqrt (variance centred + epsilon)
        centred |> Array.map (fun c -> c / deviation)

    /// <summary><c>x / sqrt(mean of x^2 + epsilon)</c>.</summary>
    let rootMeanSquare (epsilon: float) (row: Dual[]) : Dual[] =
        let size = sqrt ((row |> Array.map (fun x -> x * x) |> Dual.mean) + epsilon)
        row |> Array.map (fun x -> x / size)

    /// <summary><c>gamma * x + beta</c>, feature by feature of every row.</summary>
    let affine (gamma: Dual[]) (beta: Dual[]) (x: Dual[]) : Dual[] = rows gamma.Length (Array.mapi (fun i v -> v * gamma[i] + beta[i])) x

    /// <summary><c>x W</c> for x of [rows; inputs] and W of [inputs; outputs].</summary>
    let product (inputs: int) (outputs: int) (x: Dual[]) (weight: Dual[]) : Dual[] =
        let row (r: Dual[]) = Array.init outputs (fun j -> Dual.sum (Array.init inputs (fun k -> r[k] * weight[k * outputs + j])))

        if inputs = 0 then [||] else rows inputs row x

    /// <summary><c>log(1 + exp x) - t x</c>: binary cross entropy of a logit.</summary>
    let binaryFromLogit (x: Dual) (target: Dual) : Dual = softplus x - target * x

    /// <summary><c>-(t log p + (1 - t) log(1 - p))</c>: binary cross entropy of a probability.</summary>
    let binary (p: Dual) (target: Dual) : Dual = -(target * log p + (1.0 - target) * log (1.0 - p))
