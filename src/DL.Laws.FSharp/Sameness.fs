namespace DL.Laws

open DL
open DL.Core

/// Whether two ways of writing a layer are the same layer: names, initial parameters, outputs, state and gradients.
[<RequireQualifiedAccess>]
module internal Sameness =
    /// What of two layers may differ. Without an allowance they agree bit for bit.
    [<NoComparison; NoEquality>]
    type Allowance =
        {
            /// Names may differ.
            Names: bool
            /// A zero may have another sign: adding nothing to -0 gives 0.
            ZeroSigns: bool
            /// The relative rounding gradients may differ by, where sums are taken in another order.
            Rounding: float
            /// Takes parameters of the first into the layout of the second.
            Params: Tensor[] -> Tensor[]
            /// Takes gradients of the second into the layout of the first.
            Grads: Tensor[] -> Tensor[]
        }

    let strict =
        { Names = false
          ZeroSigns = false
          Rounding = 0.0
          Params = id
          Grads = id }

    let private agree allowance (a: Tensor seq) (b: Tensor seq) =
        let a, b = List.ofSeq a, List.ofSeq b
        let shapes = a.Length = b.Length && List.forall2 (fun (x: Tensor) (y: Tensor) -> x.Shape = y.Shape) a b

        if not shapes then
            false
        elif allowance.Rounding > 0.0 then
            Probe.distance a b <= allowance.Rounding * max 1.0 (Probe.largest a)
        elif allowance.ZeroSigns then
            Probe.distance a b = 0.0
        else
            Probe.sameBits a b

    let private setups allowance (f: Layer<'x, 'y>) (g: Layer<'x, 'y>) (trial: Trial<'x>) =
        let key = Key.ofSeed (int (trial.Seed % 65536UL))
        let a, b = f.Init key trial.Shape, g.Init key trial.Shape

        [ if not allowance.Names then
              Evidence.exact
                  $"the same names: {Layer.slots f @ Layer.cells f} and {Layer.slots g @ Layer.cells g}"
                  (Layer.slots f = Layer.slots g && Layer.cells f = Layer.cells g)

              Evidence.exact "the same initial parameters" (Probe.sameBits a.Params b.Params)
              Evidence.exact "the same initial state" (Probe.sameState a.State b.State)
          Evidence.exact "the same output shape" (a.Shape = b.Shape) ]

    let private passes allowance (f: Layer<'x, 'y>) (g: Layer<'x, 'y>) (trial: Trial<'x>) element mode =
        let probe = Probe.make mode f trial |> Probe.inPrecision element

        let other =
            { Layer = g
              Mode = mode
              Params = allowance.Params probe.Params
              State = probe.State
              Input = probe.Input }

        let a, b = probe.Run, other.Run
        let dy = Probe.upstream trial 0 a.Output
        let struct (dxa, dpa) = a.Pullback dy
        let struct (dxb, dpb) = b.Pullback dy
        let outputs = { allowance with Rounding = 0.0 }

        [ Evidence.exact $"the same output ({mode}, {element})" (agree outputs (Batch.parts a.Output) (Batch.parts b.Output))
          Evidence.exact $"the same next state ({mode}, {element})" (Probe.sameState a.State b.State)
          Evidence.exact $"the same input gradient ({mode}, {element})" (agree allowance (Batch.parts dxa) (Batch.parts dxb))
          Evidence.exact $"the same parameter gradients ({mode}, {element})" (agree allowance dpa (allowance.Grads dpb)) ]

    /// The two layers agree in all but what the allowance names.
    let within allowance (f: Layer<'x, 'y>) (g: Layer<'x, 'y>) (trial: Trial<'x>) : Evidence =
        [ yield! setups allowance f g trial
          yield! passes allowance f g trial ElementType.Float64 Train
          yield! passes allowance f g trial ElementType.Float64 Predict

          if allowance.Rounding = 0.0 then
              yield! passes allowance f g trial ElementType.Float32 Train ]
        |> Evidence.worst

    /// The two layers agree in everything.
    let exact f g trial = within strict f g trial
