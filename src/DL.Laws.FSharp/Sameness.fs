namespace DL.Laws

open DL
open DL.Core

/// Whether two ways of writing a layer are the same layer: names, initial parameters, outputs, state and gradients, bit for bit.
[<RequireQualifiedAccess>]
module internal Sameness =
    /// What of two layers may differ.
    [<NoComparison>]
    type Allowance =
        {
            Names: bool
            /// Takes parameters and gradients of the first into the layout of the second.
            Arrange: Tensor[] -> Tensor[]
        }

    let strict = { Names = false; Arrange = id }


    let private setups allowance (f: Layer<'x, 'y>) (g: Layer<'x, 'y>) trial =
        let key = Key.ofSeed (int (trial.Seed % 65536UL))
        let a, b = f.Init key trial.Shape, g.Init key trial.Shape

        [
            if not allowance.Names then
                Evidence.exact
                    $"the same names: {Layer.slots f @ Layer.cells f} and {Layer.slots g @ Layer.cells g}"
                    (Layer.slots f = Layer.slots g && Layer.cells f = Layer.cells g)
            Evidence.exact "the same output shape" (a.Shape = b.Shape)
            Evidence.exact "the same initial parameters" (Probe.sameBits (allowance.Arrange a.Params) b.Params)
            Evidence.exact "the same initial state" (Probe.sameState a.State b.State)
        ]

    let private passes allowance (f: Layer<'x, 'y>) (g: Layer<'x, 'y>) trial element mode =
        let probe = Probe.make mode f trial |> Probe.inPrecision element

        let other =
            {
                Layer = g
                Mode = mode
                Params = allowance.Arrange probe.Params
                State = probe.State
                Input = probe.Input
            }

        let a, b = probe.Run, other.Run
        let dy = Probe.upstream trial 0 a.Output
        let struct (dxa, dpa) = a.Pullback dy
        let struct (dxb, dpb) = b.Pullback dy

        [
            Evidence.exact $"the same output ({mode}, {element})" (Probe.sameBits (Batch.tensors a.Output) (Batch.tensors b.Output))
            Evidence.exact $"the same next state ({mode}, {element})" (Probe.sameState a.State b.State)
            Evidence.exact $"the same input gradient ({mode}, {element})" (Probe.sameBits (Batch.tensors dxa) (Batch.tensors dxb))
            Evidence.exact $"the same parameter gradients ({mode}, {element})" (Probe.sameBits (allowance.Arrange dpa) dpb)
        ]

    /// The two layers agree in all but what the allowance names.
    let within allowance (f: Layer<'x, 'y>) (g: Layer<'x, 'y>) (trial: Trial<'x>) : Evidence =
        [
            yield! setups allowance f g trial
            yield! passes allowance f g trial ElementType.Float64 Train
            yield! passes allowance f g trial ElementType.Float64 Predict
            yield! passes allowance f g trial ElementType.Float32 Train
        ]
        |> Evidence.worst

    /// The two layers agree in everything.
    let exact f g trial = within strict f g trial
