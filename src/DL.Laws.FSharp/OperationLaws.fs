namespace DL.Laws

open DL.Core

/// <summary>What every operation is held to: its formula, its derivative, and that it leaves what it reads alone.</summary>
[<RequireQualifiedAccess>]
module OperationLaws =
    // Sixteen roundoffs of float32, nine thousand of float64: a formula of another order rounds otherwise, never by so much more.
    let private bound element = if element = ElementType.Float64 then 1e-12 else 1e-6

    // Below this a precision has no more digits to be right in; an input may be multiplied with what has lost them.
    let private floor element (s: Operation.Setting) =
        let reach = s.Inputs |> Seq.collect id |> Seq.fold (fun m x -> max m (abs x)) 1.0
        reach * (if element = ElementType.Float64 then 1e-290 else 1e-36)

    let private relative element least error scale = abs error / (scale + least / bound element)

    let private precision element = if element = ElementType.Float64 then "float64" else "float32"

    let private run (operation: Operation) element case =
        let s = Operation.setting operation case
        let x = Operation.tensors element s
        struct (s, x, operation.Forward case x)

    // One roundoff either way is no error: the formula's last rounding and the operation's own.
    let private valueError element least (y: Tensor) (formula: Dual[]) =
        let mutable worst = 0.0

        for i in 0 .. formula.Length - 1 do
            let f = formula[i]
            let error = relative element least (y.At i - f.Value) (f.ValueRounding + abs f.Value)

            worst <- Evidence.worse worst error

        worst

    let private value element (operation: Operation) case =
        let struct (s, _, y) = run operation element case
        let formula = operation.Formula case (Operation.duals s)

        let fits =
            Evidence.exact
                "as many outputs as the formula has"
                (y.Length = formula.Length && Array.forall2 (fun (a: Tensor) (b: Dual[]) -> a.Count = b.Length) y formula)

        if not (Evidence.holds fits) then
            fits
        else
            Array.map2 (valueError element (floor element s)) y formula
            |> Array.fold Evidence.worse 0.0
            |> Evidence.within $"Forward and the formula ({precision element}), relative" (bound element)

    let private shapesOf (x: Tensor[]) (dx: Tensor[]) =
        Evidence.exact
            "one gradient of its shape for every input"
            (x.Length = dx.Length
             && Array.forall2 (fun (a: Tensor) (b: Tensor) -> a.Shape = b.Shape && a.ElementType = b.ElementType) x dx)

    let private gradient element (operation: Operation) case =
        let struct (s, x, y) = run operation element case
        let u = s.Upstream y
        let dx = operation.Backward case x y (Array.map2 (Operation.like element) y u)
        let shapes = shapesOf x dx

        if not (Evidence.holds shapes) then
            shapes
        else
            let formula = operation.Formula case (Operation.duals s)
            let all = Dual.against (Array.concat u) (Array.concat formula)
            let exact = all.Tangent
            let got = Array.map2 (fun dx v -> Operation.dot (Operation.numbers dx) v) dx s.Direction |> Array.sum

            { Evidence.within "" (bound element) (relative element (floor element s) (got - exact) all.TangentRounding) with
                Detail =
                    fun () ->
                        $"<Backward u, v> = {got:R}, <u, J v> = {exact:R} by dual numbers ({precision element}): "
                        + $"relative error {relative element (floor element s) (got - exact) all.TangentRounding:E1}, at most {bound element:E0} allowed" }

    let private copies (tensors: Tensor[]) = tensors |> Array.map (fun t -> t.To t.ElementType)

    let private same (a: Tensor[]) (b: Tensor[]) = a.Length = b.Length && Array.forall2 (fun (x: Tensor) y -> x.SameBits y) a b

    let private repeatable (operation: Operation) case =
        let struct (s, x, y) = run operation ElementType.Float32 case
        let dy = Array.map2 (Operation.like ElementType.Float32) y (s.Upstream y)
        let before = copies x, copies y, copies dy
        let first = operation.Backward case x y dy
        let second = operation.Backward case x y dy
        let again = operation.Forward case x
        let oldX, oldY, oldDy = before

        Evidence.worst
            [ Evidence.exact "Backward called twice gives the same bits" (same first second)
              Evidence.exact "Forward called twice gives the same bits" (same y again)
              Evidence.exact "inputs, outputs and upstream gradients are left as they were" (same x oldX && same y oldY && same dy oldDy) ]

    let private zero (operation: Operation) case =
        let struct (_, x, y) = run operation ElementType.Float64 case
        let dy = y |> Array.map (fun t -> Tensor.Zeros(t.ElementType, t.Shape))
        let dx = operation.Backward case x y dy
        let isZero (t: Tensor) = Operation.numbers t |> Array.forall ((=) 0.0)
        Evidence.exact "the gradient of nothing is exactly nothing" (Array.forall isZero dx)

    // Along the case's direction, where the formula tells how much rounding to expect.
    let private linear (operation: Operation) case =
        let struct (s, x, y) = run operation ElementType.Float64 case
        let u = s.Upstream y
        let w = u |> Array.map Array.rev
        let formula = operation.Formula case (Operation.duals s) |> Array.concat
        let rounding v = (Dual.against (Array.concat v) formula).TangentRounding

        let back v =
            let dx = operation.Backward case x y (Array.map2 (Operation.like ElementType.Float64) y v)
            Array.map2 (fun d direction -> Operation.dot (Operation.numbers d) direction) dx s.Direction |> Array.sum

        let combined = Array.map2 (Array.map2 (fun a b -> 3.0 * a - 2.0 * b)) u w

        relative
            ElementType.Float64
            (floor ElementType.Float64 s)
            (3.0 * back u - 2.0 * back w - back combined)
            (3.0 * rounding u + 2.0 * rounding w)
        |> Evidence.within "Backward (3 u - 2 w) and 3 Backward u - 2 Backward w" 1e-12

    let private homogeneous (operation: Operation) case =
        let i = operation.Homogeneous
        let struct (s, x, y) = run operation ElementType.Float64 case
        let u = s.Upstream y
        let dx = operation.Backward case x y (Array.map2 (Operation.like ElementType.Float64) y u)
        let atZero = operation.Forward case (x |> Array.mapi (fun j t -> if j = i then Tensor.Zeros(t.ElementType, t.Shape) else t))
        let dual = operation.Formula case (Operation.duals s) |> Array.concat |> Dual.against (Array.concat u)
        let value (y: Tensor[]) = Array.map2 Operation.dot u (Array.map Operation.numbers y) |> Array.sum
        let sizes (a: float[]) (b: float[]) = Array.map2 (fun p q -> abs (p * q)) a b |> Array.sum
        let gx, xs = Operation.numbers dx[i], Operation.numbers x[i]
        let scale = dual.ValueRounding + sizes gx xs + Array.sum (Array.map2 sizes u (Array.map Operation.numbers atZero))
        let error = abs (value y - value atZero - Operation.dot gx xs)
        Evidence.within "<u, f(x) - f(0)> and <Backward u, x>" 1e-12 (if error = 0.0 then 0.0 else error / scale)

    /// <summary>All laws of an operation:
    /// Forward is the formula and Backward its transposed derivative, in float64 and float32; Backward is linear, exact at zero, repeatable, and
    /// changes nothing it reads; and <c>J(x) x = f(x) - f(0)</c> where the operation is linear or homogeneous.</summary>
    let all (operation: Operation) : Law list =
        let law name evidence = Law.create name (Operation.title operation) (Operation.cases operation) (evidence operation)

        // What squares to more than float32 can hold says nothing about an operation.
        let narrow =
            { operation with
                Numbers = operation.Numbers |> List.filter ((<>) Huge) }

        let narrowLaw name evidence = Law.create name (Operation.title operation) (Operation.cases narrow) (evidence operation)

        [ law "forward is the formula (float64)" (value ElementType.Float64)
          narrowLaw "forward is the formula (float32)" (value ElementType.Float32)
          law "backward is the transposed derivative (float64)" (gradient ElementType.Float64)
          narrowLaw "backward is the transposed derivative (float32)" (gradient ElementType.Float32)
          law "backward is linear" linear
          law "backward of zero is zero" zero
          law "twice the same, and nothing changed" repeatable
          if operation.Homogeneous >= 0 then
              law "derivative times input is the output" homogeneous ]
