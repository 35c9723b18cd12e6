/// Newton's method and L-BFGS against normal equations, the formula of reweighted least squares, and known minima.
module DL.Properties.Optimizers.SecondOrder

open System
open DL
open DL.Core
open DL.Core.Optimizers
open DL.Laws
open DL.Properties.Cases

/// The solution of a x = b by elimination with pivots.
let private solve (a: float[,]) (b: float[]) : float[] =
    let n = b.Length
    let rows = Array.init n (fun i -> Array.append (Array.init n (fun j -> a[i, j])) [| b[i] |])

    for k in 0 .. n - 1 do
        let best = [ k .. n - 1 ] |> List.maxBy (fun i -> abs (rows[i][k]))
        let pivot = rows[best]
        rows[best] <- rows[k]
        rows[k] <- pivot

        for i in k + 1 .. n - 1 do
            let factor = rows[i][k] / pivot[k]
            rows[i] <- Array.map2 (fun x p -> x - factor * p) rows[i] pivot

    let x = Array.zeroCreate n

    for i in n - 1 .. -1 .. 0 do
        x[i] <- (rows[i][n] - Seq.sum (seq { for j in i + 1 .. n - 1 -> rows[i][j] * x[j] })) / rows[i][i]

    x

let private largest (x: float[]) = x |> Array.fold (fun m v -> max m (abs v)) 0.0
let private apart (a: float[]) (b: float[]) = largest (Array.map2 (-) a b) / (1.0 + largest b)

let private multiply (a: float[,]) (x: float[]) =
    Array.init (Array2D.length1 a) (fun i -> Seq.sum (seq { for j in 0 .. x.Length - 1 -> a[i, j] * x[j] }))

let private dimensions = OneOf [ 3; 1; 2; 5; 8 ]

/// A quadratic bowl: a symmetric positive definite matrix and a vector.
let private bowl (v: Vector) =
    let n = v.Length
    let b = numbers (matrix v 0 n)
    let entry i j = Seq.sum (seq { for k in 0 .. n - 1 -> b[i * n + k] * b[j * n + k] })
    Array2D.init n n (fun i j -> entry i j + (if i = j then 1.0 else 0.0)), numbers (vector v 1)

let private quadratic (a: float[,]) (b: float[]) (x: float[]) : struct (float * float[] * float[,]) =
    let ax = multiply a x
    let value = Array.map3 (fun x ax b -> 0.5 * x * ax - b * x) x ax b |> Array.sum
    struct (value, Array.map2 (-) ax b, a)

let private first (f: float[] -> struct (float * float[] * float[,])) x : struct (float * float[]) =
    let struct (value, gradient, _) = f x
    struct (value, gradient)

/// Examples of a regression, with a bias as the last feature.
let private regression (v: Vector) =
    let count = 4 * v.Length + 6
    let x = numbers (matrix v 2 count)
    let features = Array2D.init count (v.Length + 1) (fun i j -> if j = v.Length then 1.0 else x[i * v.Length + j])
    let noise = numbers (Numbers.tensor Ordinary (v.Seed + 1UL) [ count ])
    let target = multiply features (Array.init (v.Length + 1) (fun j -> 0.5 * float (j - 1)))
    features, Array.map2 (+) target noise

let private normalEquations (x: float[,]) (weight: int -> float) (y: int -> float) l2 =
    let n, d = Array2D.length1 x, Array2D.length2 x
    let entry j k = Seq.sum (seq { for i in 0 .. n - 1 -> weight i * x[i, j] * x[i, k] }) + (if j = k then l2 else 0.0)
    solve (Array2D.init d d entry) (Array.init d (fun j -> Seq.sum (seq { for i in 0 .. n - 1 -> weight i * x[i, j] * y i })))

let private newton =
    [ law "Newton" "a quadratic is at its minimum after one step without damping" dimensions [ Ordinary ] (fun v ->
          let a, b = bowl v
          let start = numbers (vector v 3)
          let expected = solve a b
          let struct (_, gradient, _) = quadratic a b start
          let found = Newton.minimize (NewtonSettings(Tolerance = 1e-6)) (quadratic a b) start

          Evidence.worst
              [ Evidence.within "the point" 1e-9 (apart found.Point expected)
                Evidence.within "one step" 1e-9 (apart (Array.map2 (+) start (Newton.step 0.0 gradient a)) expected)
                Evidence.exact
                    $"one step, converged: {found.Iterations} {found.Reason}"
                    (found.Iterations <= 1 && found.Reason = StopReason.Converged) ])
      law "Newton" "a damped step solves (H + lambda I) s = -g" dimensions [ Ordinary ] (fun v ->
          let a, g = bowl v
          let damped = Array2D.mapi (fun i j h -> if i = j then h + 0.7 else h) a
          Evidence.within "the step" 1e-9 (apart (Newton.step 0.7 g a) (solve damped (Array.map (~-) g))))
      law "Newton" "a step of logistic regression is that of reweighted least squares" dimensions [ Ordinary ] (fun v ->
          let x, y = regression v
          let y = y |> Array.map (fun t -> if t > 0.0 then 1.0 else 0.0)
          let n = float y.Length
          let w = Array.init (v.Length + 1) (fun j -> 0.3 * float j - 0.2)
          let l2 = 0.05
          let struct (_, gradient, hessian) = Objective.logistic l2 x y w
          let z = multiply x w
          let p = z |> Array.map (fun z -> 1.0 / (1.0 + exp -z))
          let r i = p[i] * (1.0 - p[i])
          let working i = z[i] + (y[i] - p[i]) / r i
          let expected = normalEquations x r working (n * l2)
          Evidence.within "the weights after a step" 1e-9 (apart (Array.map2 (+) w (Newton.step 0.0 gradient hessian)) expected))
      law "Newton" "damping makes more, smaller steps to the same minimum" dimensions [ Ordinary ] (fun v ->
          let a, b = bowl v
          let start = numbers (vector v 3)
          let plain = Newton.minimize Newton.defaults (quadratic a b) start
          let damped = Newton.minimize (NewtonSettings(Damping = 1.0, MaxIterations = 1000)) (quadratic a b) start

          Evidence.worst
              [ Evidence.within "the points" 1e-8 (apart damped.Point plain.Point)
                Evidence.exact "no fewer steps" (damped.Iterations >= plain.Iterations) ]) ]

let private shifted (x: float[]) j h = x |> Array.mapi (fun i v -> if i = j then v + h else v)

let private objectives =
    [ for name, objective in
          [ "leastSquares", Objective.leastSquares 0.1
            "logistic", (fun x y -> Objective.logistic 0.1 x (Array.map (fun t -> 1.0 / (1.0 + exp -t)) y)) ] do
          law "Newton" $"{name}: gradient and Hessian are differences of value and gradient" dimensions [ Ordinary ] (fun v ->
              let f = regression v ||> objective
              let w = Array.init (v.Length + 1) (fun j -> 0.3 * float j - 0.2)
              let struct (_, gradient, hessian) = f w
              let h = 1e-5

              Evidence.worst
                  [ for j in 0 .. w.Length - 1 do
                        let struct (above, gradientAbove, _) = f (shifted w j h)
                        let struct (below, gradientBelow, _) = f (shifted w j -h)
                        Evidence.within $"gradient {j}" 1e-6 (abs ((above - below) / (2.0 * h) - gradient[j]) / (1.0 + abs gradient[j]))
                        let column = Array.init w.Length (fun i -> hessian[i, j])
                        let differences = Array.map2 (fun a b -> (a - b) / (2.0 * h)) gradientAbove gradientBelow
                        Evidence.within $"column {j} of the Hessian" 1e-6 (apart differences column) ]) ]

let private rosenbrock (x: float[]) : struct (float * float[]) =
    let gradient = Array.zeroCreate x.Length
    let mutable value = 0.0

    for i in 0 .. x.Length - 2 do
        let a, b = x[i + 1] - x[i] * x[i], 1.0 - x[i]
        value <- value + 100.0 * a * a + b * b
        gradient[i] <- gradient[i] - 400.0 * a * x[i] - 2.0 * b
        gradient[i + 1] <- gradient[i + 1] + 200.0 * a

    struct (value, gradient)

let private lbfgs =
    [ law "Lbfgs" "least squares end at the normal equations" dimensions [ Ordinary ] (fun v ->
          let x, y = regression v
          let found = Lbfgs.minimize Lbfgs.defaults (first (Objective.leastSquares 0.0 x y)) (Array.zeroCreate (v.Length + 1))
          let expected = normalEquations x (fun _ -> 1.0) (fun i -> y[i]) 0.0

          Evidence.worst
              [ Evidence.within "the weights" 1e-6 (apart found.Point expected)
                Evidence.exact $"converged: {found.Reason}" (found.Reason = StopReason.Converged) ])
      law "Lbfgs" "logistic regression ends where Newton's method does" dimensions [ Ordinary ] (fun v ->
          let x, y = regression v
          let f = Objective.logistic 0.01 x (y |> Array.map (fun t -> if t > 0.0 then 1.0 else 0.0))
          let start = Array.zeroCreate (v.Length + 1)
          let a, b = Lbfgs.minimize Lbfgs.defaults (first f) start, Newton.minimize Newton.defaults f start

          Evidence.worst
              [ Evidence.within "the weights" 1e-5 (apart a.Point b.Point)
                Evidence.exact
                    $"Newton converged in few steps: {b.Reason} {b.Iterations}"
                    (b.Reason = StopReason.Converged && b.Iterations < 15) ])
      law "Lbfgs" "the value falls with every step, whatever the start" dimensions [ Ordinary; Kinks ] (fun v ->
          let start = Array.append (numbers (vector v 0)) [| 0.5 |]
          let value steps = (Lbfgs.minimize (LbfgsSettings(MaxIterations = steps)) rosenbrock start).Value
          Evidence.exact "no value above the last" ([ 0..8 ] |> List.map value |> List.pairwise |> List.forall (fun (a, b) -> b <= a)))
      Law.fact "Rosenbrock's valley is followed to its end" "Lbfgs" (fun () ->
          let run start = Lbfgs.minimize Lbfgs.defaults rosenbrock start
          let two, ten = run [| -1.2; 1.0 |], run (Array.init 10 (fun i -> if i % 2 = 0 then -1.2 else 1.0))

          Evidence.worst
              [ Evidence.within "two weights" 1e-6 (apart two.Point [| 1.0; 1.0 |])
                Evidence.exact $"two weights, steps {two.Iterations}" (two.Iterations < 60 && two.Reason = StopReason.Converged)
                Evidence.within "ten weights" 1e-6 (min (largest ten.Gradient) 1.0)
                Evidence.exact $"ten weights, steps {ten.Iterations}" (ten.Iterations < 150 && ten.Reason = StopReason.Converged) ]) ]

// x - log x: nothing left of zero, the minimum at 1.
let private walled (x: float[]) : struct (float * float[] * float[,]) =
    struct (x[0] - log x[0], [| 1.0 - 1.0 / x[0] |], array2D [ [ 1.0 / (x[0] * x[0]) ] ])

let private ends =
    [ Law.fact "points without a value are stepped back from" "Lbfgs" (fun () ->
          Evidence.worst
              [ for start in [ 0.01; 0.5; 3.0; 50.0 ] do
                    Evidence.within
                        $"L-BFGS from {start}"
                        1e-6
                        (abs ((Lbfgs.minimize Lbfgs.defaults (first walled) [| start |]).Point[0] - 1.0))

                    Evidence.within $"Newton from {start}" 1e-6 (abs ((Newton.minimize Newton.defaults walled [| start |]).Point[0] - 1.0)) ])
      Law.fact "why it ends is said, and what comes in is not changed" "Lbfgs" (fun () ->
          let start = [| 3.0; -2.0 |]
          let eye = array2D [ [ 1.0; 0.0 ]; [ 0.0; 1.0 ] ]

          let spoiling (x: float[]) : struct (float * float[] * float[,]) =
              let struct (value, gradient, _) = quadratic eye [| 0.0; 0.0 |] (Array.copy x)
              Array.fill x 0 x.Length 7.0
              struct (value, gradient, eye)

          let uphill (x: float[]) : struct (float * float[] * float[,]) =
              let struct (value, gradient, h) = quadratic eye [| 0.0; 0.0 |] x
              struct (value, Array.map (~-) gradient, h)

          let newton settings f = Newton.minimize settings f start
          let lbfgs settings f = Lbfgs.minimize settings (first f) start

          Evidence.worst
              [ for found in [ newton (NewtonSettings(MaxIterations = 0)) spoiling; lbfgs (LbfgsSettings(MaxIterations = 0)) spoiling ] do
                    Evidence.exact "no step" (found.Reason = StopReason.MaxIterations && found.Iterations = 0 && found.Point = start)
                for found in [ newton Newton.defaults uphill; lbfgs Lbfgs.defaults uphill ] do
                    Evidence.exact $"the wrong way: {found.Reason}" (found.Reason = StopReason.NoProgress && found.Point = start)
                for found in [ newton Newton.defaults spoiling; lbfgs Lbfgs.defaults spoiling ] do
                    Evidence.exact "converged" (found.Reason = StopReason.Converged && largest found.Point < 1e-6)
                Evidence.exact "the start" (start = [| 3.0; -2.0 |]) ]) ]

let private says (words: string list) (work: unit -> obj) =
    try
        work () |> ignore
        Evidence.exact $"""an exception with {String.concat ", " words}""" false
    with :? DLException as error ->
        Evidence.worst [ for word in words -> Evidence.exact $"'{word}' in: {error.Message}" (error.Message.Contains word) ]

let private refuses =
    Law.fact "bad problems are named, with their mend" "Newton" (fun () ->
        let saddle = array2D [ [ 1.0; 2.0 ]; [ 2.0; 1.0 ] ]
        let f x : struct (float * float[]) = struct (largest x, Array.copy x)
        let wide = array2D [ [ 1.0; 0.0; 0.0 ] ]
        let g = [| 1.0; 1.0 |]

        Evidence.worst
            [ says [ "positive definite"; "damping 0"; "row 1"; "Use more damping" ] (fun () -> Newton.step 0.0 g saddle)
              says [ "positive definite" ] (fun () -> Newton.step 0.0 g (array2D [ [ 1.0; 1.0 ]; [ 1.0; 1.0 ] ]))
              Evidence.within "damped enough" 1e-12 (apart (Newton.step 2.0 g saddle) [| -0.2; -0.2 |])
              says [ "damping"; "-1" ] (fun () -> Newton.step -1.0 g saddle)
              says [ "gradient[1]"; "NaN" ] (fun () -> Newton.step 1.0 [| 1.0; nan |] saddle)
              says [ "2 x 2"; "1 x 3" ] (fun () -> Newton.step 1.0 g wide)
              says [ "start"; "finite value" ] (fun () -> Newton.minimize Newton.defaults walled [| -1.0 |])
              says [ "start"; "finite value" ] (fun () -> Lbfgs.minimize Lbfgs.defaults (first walled) [| -1.0 |])
              says [ "at least one weight" ] (fun () -> Lbfgs.minimize Lbfgs.defaults f [||])
              says [ "2 numbers" ] (fun () -> Lbfgs.minimize Lbfgs.defaults (fun _ -> struct (1.0, [| 1.0 |])) g)
              says [ "history" ] (fun () -> Lbfgs.minimize (LbfgsSettings(History = 0)) f g)
              says [ "iterations" ] (fun () -> Lbfgs.minimize (LbfgsSettings(MaxIterations = -1)) f g)
              says [ "tolerance" ] (fun () -> Newton.minimize (NewtonSettings(Tolerance = nan)) walled [| 1.0 |])
              says [ "1 targets" ] (fun () -> Objective.leastSquares 0.0 wide g)
              says [ "y[0]"; "from 0 to 1" ] (fun () -> Objective.logistic 0.0 wide [| 2.0 |])
              says [ "x[0, 1]" ] (fun () -> Objective.logistic 0.0 (array2D [ [ 1.0; nan ] ]) [| 1.0 |])
              says [ "3 weights" ] (fun () -> Objective.leastSquares 0.0 wide [| 1.0 |] g) ])

let private models =
    [ for precision, bound in [ Double, 1e-6; Single, 1e-3 ] do
          law "Lbfgs" $"a dense layer ends at the normal equations ({precision})" dimensions [ Ordinary ] (fun v ->
              let x, y = regression v
              let inputs = Array2D.init y.Length v.Length (fun i j -> x[i, j])
              let batch: Tensor = Tensor.Of<float>(Seq.toArray (Seq.cast<float> inputs), y.Length, v.Length)
              let data = Examples.create (Batch.vec batch) (Batch.vec (Tensor.Of<float>(y, y.Length, 1)))
              let model = Model.init precision (Key.ofSeed 3) (Shape.vec v.Length) (dense 1)
              let struct (trained, found) = Lbfgs.fit Lbfgs.defaults Loss.meanSquaredError data model
              let weights = Array.append (numbers trained.Params[0]) (numbers trained.Params[1])
              let expected = normalEquations x (fun _ -> 1.0) (fun i -> y[i]) 0.0

              Evidence.worst
                  [ Evidence.within "the weights" bound (apart weights expected)
                    Evidence.exact "it did not run out of steps" (found.Reason <> StopReason.MaxIterations) ])
      Law.fact "a small network learns exclusive or, and its state goes on" "Lbfgs" (fun () ->
          let inputs = Batch.vec (Tensor.Of<float32>([| 0f; 0f; 0f; 1f; 1f; 0f; 1f; 1f |], 4, 2))
          let targets = Batch.labels [| 0; 1; 1; 0 |]
          let start = Model.init Double (Key.ofSeed 1) (Shape.vec 2) (dense 8 --> batchNorm --> tanh --> dense 2)

          let struct (trained, found) =
              Lbfgs.fit (LbfgsSettings(MaxIterations = 100)) Loss.crossEntropy (Examples.create inputs targets) start

          let again = Model.forward Train trained inputs
          let struct (loss, _) = Loss.crossEntropy.Evaluate again.Output targets

          let running (model: Model<_, _>) =
              model.State
              |> Array.collect (function
                  | Statistic t -> numbers t
                  | _ -> [||])

          Evidence.worst
              [ Evidence.within "the loss" 1e-3 found.Value
                Evidence.within "the loss of the model that is given" 1e-9 (abs (loss - found.Value))
                Evidence.exact "running statistics have moved" (running trained <> running start) ]) ]

/// The laws of this file.
let laws: Law list = newton @ objectives @ lbfgs @ ends @ [ refuses ] @ models

/// What these laws are about.
let subjects: string list = [ "Newton" ]
