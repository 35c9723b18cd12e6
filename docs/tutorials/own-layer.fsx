(**
---
title: Your own layer and its law
category: Tutorials
categoryindex: 2
index: 2
---
# Your own layer and its law

A layer is a function forward and a function back. This page writes one by hand, lets the law kit check it, and then plants an error to see it found.

## The snake activation

$$ y = x + \frac{\sin^2(a x)}{a} $$

has one parameter, the frequency $a$, which is to be learnt. Its derivatives are

$$ \frac{\partial y}{\partial x} = 1 + \sin(2 a x), \qquad
   \frac{\partial y}{\partial a} = \frac{x \sin(2 a x)}{a} - \frac{\sin^2(a x)}{a^2} . $$

(L. Ziyin, T. Hartwig, M. Ueda, Neural networks fail to learn periodic functions and how to fix it, 2020.)

## Forward and back

`Layer.create` takes a name, the names of parameters and of state, and two functions. `Init` gets a key and the shape of one input, and gives the shape of one output with the initial parameters. `Apply` gets mode, parameters, state and input, and gives the output, the next state and the pullback: from the gradient of the output to the gradients of the input and of every parameter.
*)
#I "../../src/DL.Laws.FSharp/bin/Release/net10.0"
#r "DL.Core.CSharp.dll"
#r "DL.Dsl.FSharp.dll"
#r "FsCheck.dll"
#r "DL.Laws.FSharp.dll"

open DL
open DL.Core
open DL.Core.Ops
open DL.Laws

let snakeWith (slope: float -> float -> float) : Layer<Vec, Vec> =
    Layer.create
        "snake"
        [ "frequency" ]
        []
        (fun _ shape -> struct (shape, [| Tensor.Filled(ElementType.Float64, Shape [| 1 |], 0.7) |], [||]))
        (fun _ ps state input ->
            let x, a = Batch.tensor input, ps[0].At 0
            let square v = v * v

            { Output = Batch.vec (x.Map(fun x -> x + square (sin (a * x)) / a))
              State = state
              Pullback =
                fun dy ->
                    let dy = Batch.tensor dy
                    let dx = dy.Map(x, fun dy x -> dy * slope a x)
                    let da = dy.Map(x, fun dy x -> dy * (x * sin (2.0 * a * x) / a - square (sin (a * x) / a)))
                    struct (Batch.vec dx, [| Sum.Forward(da).Reshape 1 |]) })

let snake = snakeWith (fun a x -> 1.0 + sin (2.0 * a * x))

(**
Nothing is registered, nothing is derived from a base class: `snake` composes like any other layer.
*)
let net = dense 16 --> snake --> dense 1
printfn "%A" (Layer.slots net)
(*** include-output ***)

(**
## The laws

For a random direction $v$ and a random upstream gradient $u$, the pullback must satisfy

$$ \langle u, J v \rangle = \langle J^{\top} u, v \rangle , $$

where the left side is measured by differences in float64. The kit checks this and more: the pullback is linear, can be called twice, changes nothing it was given, and float32 agrees with float64.
*)
printfn "%O" (Laws.report snake)
(*** include-output ***)

(**
## A planted error

Forget the inner factor of the derivative, and the kit finds a counter-example, makes it small and prints the seed that finds it again:
*)
let wrong = snakeWith (fun a x -> 1.0 + sin (a * x))
printfn "%O" (Laws.report wrong)
(*** include-output ***)

(**
In a test of your own, `Laws.check snake` throws with that report when a law does not hold.
*)
