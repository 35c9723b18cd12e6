namespace DL.Laws

open System

/// <summary>A dual number: a value, its derivative in one direction, and how much rounding each has met.</summary>
/// <remarks><para>A naive formula written over dual numbers gives its exact directional derivative (forward mode): nothing is transposed,
/// nothing shared with a hand-written Backward.</para>
/// <para>The two last fields are a running error analysis (J. Wilkinson): times the unit roundoff they bound the rounding error of the
/// formula evaluated in that precision. They are the scale errors are measured by, so that cancellation is not taken for a mistake and a mistake
/// is not hidden by a large sum.</para></remarks>
[<Struct; NoComparison>]
type Dual =
    {
        /// <summary>The value.</summary>
        Value: float
        /// <summary>The derivative in the direction.</summary>
        Tangent: float
        /// <summary>Rounding met by the value, in units of the roundoff.</summary>
        ValueRounding: float
        /// <summary>Rounding met by the derivative, in units of the roundoff.</summary>
        TangentRounding: float
    }

    /// <summary>A number that does not depend on the input.</summary>
    static member Constant(value: float) : Dual =
        { Value = value
          Tangent = 0.0
          ValueRounding = 0.0
          TangentRounding = 0.0 }

    /// <summary>A coordinate of the input and of the direction.</summary>
    static member Variable(value: float, tangent: float) : Dual = { Dual.Constant value with Tangent = tangent }

    /// <summary>f of x, from <c>f(x)</c>, <c>f'(x)</c> and <c>f''(x)</c>; the last only measures rounding.</summary>
    static member Apply(x: Dual, value: float, slope: float, curvature: float) : Dual =
        let tangent = slope * x.Tangent

        { Value = value
          Tangent = tangent
          ValueRounding = abs slope * x.ValueRounding + abs value
          TangentRounding = abs slope * x.TangentRounding + abs (curvature * x.Tangent) * x.ValueRounding + abs tangent }

    /// <summary>The sum.</summary>
    static member (+)(a: Dual, b: Dual) : Dual =
        let value, tangent = a.Value + b.Value, a.Tangent + b.Tangent

        { Value = value
          Tangent = tangent
          ValueRounding = a.ValueRounding + b.ValueRounding + abs value
          TangentRounding = a.TangentRounding + b.TangentRounding + abs tangent }

    /// <summary>The negative.</summary>
    static member (~-)(a: Dual) : Dual = { a with Value = -a.Value; Tangent = -a.Tangent }

    /// <summary>The difference.</summary>
    static member (-)(a: Dual, b: Dual) : Dual = a + -b

    /// <summary>The product.</summary>
    static member (*)(a: Dual, b: Dual) : Dual =
        let value = a.Value * b.Value
        let left, right = a.Tangent * b.Value, a.Value * b.Tangent

        { Value = value
          Tangent = left + right
          ValueRounding = abs a.Value * b.ValueRounding + abs b.Value * a.ValueRounding + abs value
          TangentRounding =
            abs a.Value * b.TangentRounding
            + abs b.Value * a.TangentRounding
            + abs a.Tangent * b.ValueRounding
            + abs b.Tangent * a.ValueRounding
            + abs left
            + abs right }

    /// <summary>The product with a number.</summary>
    static member (*)(a: float, b: Dual) : Dual = Dual.Constant a * b

    /// <summary>The quotient.</summary>
    static member (/)(a: Dual, b: Dual) : Dual =
        let r = 1.0 / b.Value
        a * Dual.Apply(b, r, -r * r, 2.0 * r * r * r)

    /// <summary>The quotient by a number.</summary>
    static member (/)(a: Dual, b: float) : Dual = a / Dual.Constant b

    /// <summary>The sum with a number.</summary>
    static member (+)(a: Dual, b: float) : Dual = a + Dual.Constant b

    /// <summary>The difference to a number.</summary>
    static member (-)(a: float, b: Dual) : Dual = Dual.Constant a - b

    /// <summary>The exponential.</summary>
    static member Exp(a: Dual) : Dual =
        let e = exp a.Value
        Dual.Apply(a, e, e, e)

    /// <summary>The natural logarithm.</summary>
    static member Log(a: Dual) : Dual =
        let r = 1.0 / a.Value
        Dual.Apply(a, log a.Value, r, -r * r)

    /// <summary>The square root.</summary>
    static member Sqrt(a: Dual) : Dual =
        let root = sqrt a.Value
        Dual.Apply(a, root, 0.5 / root, -0.25 / (root * a.Value))

    /// <summary>The hyperbolic tangent.</summary>
    static member Tanh(a: Dual) : Dual =
        let t = tanh a.Value
        let slope = 1.0 - t * t
        Dual.Apply(a, t, slope, -2.0 * t * slope)

    /// <summary>The absolute value; its derivative at 0 is 0.</summary>
    static member Abs(a: Dual) : Dual = Dual.Apply(a, abs a.Value, float (sign a.Value), 0.0)

/// <summary>Functions of dual numbers beside the arithmetic ones.</summary>
[<RequireQualifiedAccess>]
module Dual =
    // The power series of erf converges everywhere and does not cancel where all terms are positive:
    // erf x = 2/sqrt(pi) exp(-x^2) sum 2^k x^(2k+1) / (1 3 5 .. (2k+1)).
    let private series x =
        let mutable term = x
        let mutable sum = x
        let mutable k = 1

        while abs term > 1e-18 * abs sum do
            term <- term * 2.0 * x * x / float (2 * k + 1)
            sum <- sum + term
            k <- k + 1

        2.0 / sqrt Math.PI * exp (-x * x) * sum

    let private erf x =
        if x = 0.0 then 0.0
        elif abs x > 6.0 then float (sign x)
        else series x

    /// <summary>The distribution function of the standard normal, <c>(1 + erf(x / sqrt 2)) / 2</c>.</summary>
    let normal (x: Dual) : Dual =
        let density = exp (-0.5 * x.Value * x.Value) / sqrt (2.0 * Math.PI)
        // The roundoff of 1 + erf is that of 1, however small the sum.
        let y = Dual.Apply(x, 0.5 * (1.0 + erf (x.Value / sqrt 2.0)), density, -x.Value * density)

        { y with ValueRounding = y.ValueRounding + 1.0 }

    /// <summary>The sum of several numbers, from left to right.</summary>
    let sum (numbers: Dual[]) : Dual = Array.fold (fun (a: Dual) b -> a + b) (Dual.Constant 0.0) numbers

    /// <summary>The mean of several numbers.</summary>
    let mean (numbers: Dual[]) : Dual = sum numbers / float numbers.Length

    /// <summary>The largest value as a constant: what a formula may be shifted by when a shift does not change it.</summary>
    let shift (numbers: Dual[]) : Dual =
        if numbers.Length = 0 then
            Dual.Constant 0.0
        else
            Dual.Constant(numbers |> Array.map _.Value |> Array.max)

    /// <summary>Whether the value is above 0.</summary>
    let positive (x: Dual) : bool = x.Value > 0.0

    /// <summary><c>&lt;u, f(x)&gt;</c>, <c>&lt;u, J v&gt;</c> and the rounding of both, summed without sign.</summary>
    let internal against (u: float[]) (y: Dual[]) : Dual =
        let mutable value, tangent, roundV, roundT = 0.0, 0.0, 0.0, 0.0

        for i in 0 .. y.Length - 1 do
            value <- value + u[i] * y[i].Value
            tangent <- tangent + u[i] * y[i].Tangent
            roundV <- roundV + abs u[i] * (y[i].ValueRounding + abs y[i].Value)
            roundT <- roundT + abs u[i] * (y[i].TangentRounding + abs y[i].Tangent)

        { Value = value
          Tangent = tangent
          ValueRounding = roundV
          TangentRounding = roundT }
