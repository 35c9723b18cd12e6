/// Tables of vectors in training: a session, which moves rows, takes the steps that dense gradients take.
module DL.Properties.Training.Tables

open DL
open DL.Core
open DL.Laws

let private vocabulary, features = 40, 4

let private ids step : Batch<Tokens> = Batch.tokens (Tensor.Of<int>(Array.init 15 (fun i -> (i * i + 7 * step) % 11 + step), 3, 5))

let private own: Layer<Tokens, Seq> = embedding vocabulary features --> gru 5 --> perToken (dense vocabulary)

let private tied: Layer<Tokens, Seq> =
    tiedEmbedding (Initializer.gaussian 0.0 1.0) vocabulary features (perToken (dense features --> tanh))

let private model net = net |> Model.init Single (Key.ofSeed 3) (Shape.tokens 5)

let private bySession optimizer net steps : Model<Tokens, Seq> =
    let rule = (Trainer.create Loss.tokenCrossEntropy optimizer).Rule
    let session = Session(rule, Trainer.start rule (model net))

    for step in 1..steps do
        session.Step(ids step, ids (step + 1)) |> ignore

    session.Model

/// The same steps by gradients on the heap and the optimizer as a function.
let private byGradients (optimizer: Optimizer) net steps : Params =
    let start = model net
    let zeros () = start.Params |> Array.map (fun p -> Tensor.Zeros(p.ElementType, p.Shape))

    let next struct (ps: Params, moments) step =
        let pass = start.Layer.Apply Train ps start.State (ids step)
        let struct (_, dy) = Loss.tokenCrossEntropy.Evaluate pass.Output (ids (step + 1))
        let struct (_, gradients) = pass.Pullback dy
        Optimizer.step optimizer step optimizer.Rate ps gradients moments

    let struct (ps, _) =
        (struct (start.Params, Array.init optimizer.Moments (fun _ -> zeros ())), [ 1..steps ]) ||> List.fold next

    ps

let private agree net name (session: Optimizer) (function': Optimizer) =
    Law.fact $"a session steps as dense gradients do ({session.Name})" name (fun () ->
        Evidence.exact "the same bits" (Probe.sameBits (bySession session net 6).Params (byGradients function' net 6)))

let private untouched =
    Law.fact "rows of ids that never occur keep their bits (lazyAdam)" "a table" (fun () ->
        let before, after = model own, bySession (Optimizer.lazyAdam 0.1) own 6
        let rows (t: Tensor) = Ops.Slice.Forward(t, 0, 20, vocabulary - 20)
        let moved = not ((before.Params[0]).SameBits after.Params[0])
        Evidence.exact "others move, these do not" (moved && (rows before.Params[0]).SameBits(rows after.Params[0])))

/// The laws of this file.
let laws: Law list =
    [ for optimizer in [ Optimizer.sgd 0.5; Optimizer.momentum 0.1; Optimizer.adam 0.01 ] do
          agree own "a table" optimizer optimizer
          agree tied "a tied table" optimizer optimizer
      // A table that is read at both ends has a dense gradient.
      agree tied "a tied table" (Optimizer.lazyAdam 0.01) (Optimizer.adam 0.01)
      untouched ]
