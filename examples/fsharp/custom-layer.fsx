// A layer of your own with a backward of your own, checked by the law kit; then the same with an error planted in it.
//   dotnet build -c Release src/DL.Laws.FSharp
//   dotnet fsi examples/fsharp/custom-layer.fsx
#I "../../src/DL.Laws.FSharp/bin/Release/net10.0"
#r "DL.Core.CSharp.dll"
#r "DL.Dsl.FSharp.dll"
#r "FsCheck.dll"
#r "DL.Laws.FSharp.dll"

open DL
open DL.Core
open DL.Core.Ops
open DL.Laws

// The snake activation with one learnable frequency: y = x + sin(a x)^2 / a (L. Ziyin et al., 2020).
// dy/dx = 1 + sin(2 a x), dy/da = x sin(2 a x) / a - sin(a x)^2 / a^2.
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

let right = snakeWith (fun a x -> 1.0 + sin (2.0 * a * x))

// The planted error: the derivative of the sine's square without its inner derivative's factor.
let wrong = snakeWith (fun a x -> 1.0 + sin (a * x))

printfn "--- the layer as it should be"
printfn "%O" (Laws.report right)

printfn "--- the same with an error in its backward"
let report = Laws.report wrong
printfn "%O" report

exit (if report.Holds then 1 else 0)
