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

// y = scale * x, one factor for every feature. Forward keeps what backward needs in its closure.
let scaleWith (gradient: Tensor -> Tensor -> Tensor) : Layer<Vec, Vec> =
    Layer.create
        "scale"
        [ "factor" ]
        []
        (fun _ shape -> struct (shape, [| Tensor.Filled(ElementType.Float64, Shape [| Shape.features shape |], 0.5) |], [||]))
        (fun _ ps state input ->
            let x, factor = Batch.tensor input, ps[0]
            let rows = x.Shape[0]
            let spread = Broadcast.Rows(factor, rows)

            { Output = Batch.vec (Multiply.Forward(x, spread))
              State = state
              Pullback =
                fun dy ->
                    let dy = Batch.tensor dy
                    struct (Batch.vec (Multiply.Forward(dy, spread)), [| gradient dy x |]) })

// dfactor = the sum over the batch of dy * x.
let right = scaleWith (fun dy x -> Sum.Forward(Multiply.Forward(dy, x), 0))

// The planted error: the mean over the batch instead of the sum.
let wrong = scaleWith (fun dy x -> Mean.Forward(Multiply.Forward(dy, x), 0))

printfn "--- the layer as it should be"
printfn "%O" (Laws.report right)

printfn "--- the same with an error in its backward"
let report = Laws.report wrong
printfn "%O" report

exit (if report.Holds then 1 else 0)
