namespace DL

/// Going on along a sequence beside parts of an input that are the same at every step.
[<RequireQualifiedAccess>]
module internal Standing =
    let pair first second =
        match first, second with
        | Flow.Steps, Flow.Steps -> Flow.Steps
        | Flow.Constant, Flow.Constant -> Flow.Constant
        | _ -> Flow.Pair(first, second)

    let parts flow =
        match flow with
        | Flow.Pair(first, second) -> struct (first, second)
        | both -> struct (both, both)

    /// All of it is the same at every step: computed once.
    let private settled (layer: Layer<'x, 'y>) : Accompanied<'x, 'y> =
        { Out = Flow.Constant
          Fresh = [||]
          Settle =
            fun ps state x ->
                let y = Wiring.carry layer x (Layer.answer layer ps state x)
                struct (y, (fun _ _ -> struct (y, [||]))) }

    let private moving (along: Continuation<'x, 'y>) : Accompanied<'x, 'y> =
        { Out = Flow.Steps
          Fresh = along.Fresh
          Settle = fun ps state _ -> struct (Batch.nothing, along.Extend ps state) }

    /// How a layer goes on, given what of its input does; the layer inside that cannot, where one cannot.
    let along (flow: Flow) (layer: Layer<'x, 'y>) : Result<Accompanied<'x, 'y>, Description> =
        match flow, layer.Beside with
        | Flow.Constant, _ -> Ok(settled layer)
        | Flow.Steps, _ -> layer.Continue |> Result.map moving
        | Flow.Pair _, ValueSome beside -> beside flow
        | Flow.Pair _, ValueNone -> Error layer.About

    /// Wiring: the parts of an input in other places, whatever they are.
    let routed (flow: Flow -> Flow) (route: Batch<'x> -> Batch<'y>) : (Flow -> Result<Accompanied<'x, 'y>, Description>) voption =
        ValueSome(fun input ->
            Ok
                { Out = flow input
                  Fresh = [||]
                  Settle = fun _ _ x -> struct (route x, (fun _ x -> struct (route x, [||]))) })

    /// Another way to settle, such as with parameters seen through a function.
    let settling
        (settle:
            (Params -> State -> Batch<'x> -> struct (Batch<'y> * (Remembered[] -> Batch<'x> -> struct (Batch<'y> * Remembered[]))))
                -> Params
                -> State
                -> Batch<'x>
                -> struct (Batch<'y> * (Remembered[] -> Batch<'x> -> struct (Batch<'y> * Remembered[]))))
        (inner: Layer<'x, 'y>)
        : (Flow -> Result<Accompanied<'x, 'y>, Description>) voption =
        ValueSome(fun flow -> along flow inner |> Result.map (fun way -> { way with Settle = settle way.Settle }))

    /// The one way of flowing a layer knows beside all steps and all constant.
    let private only expected (way: Accompanied<'x, 'y>) (layer: Layer<'x, 'y>) : Layer<'x, 'y> =
        { layer with
            Beside = ValueSome(fun flow -> if flow = expected then Ok way else Error layer.About) }

    /// Declares that a layer computes every step of the first part from that step and a second part that is the same at every step.
    let pointwiseFirst (layer: Layer<'x * 'c, 'y>) : Layer<'x * 'c, 'y> =
        layer
        |> only
            (Flow.Pair(Flow.Steps, Flow.Constant))
            { Out = Flow.Steps
              Fresh = [||]
              Settle = fun ps state _ -> struct (Batch.nothing, (fun _ x -> struct (Layer.answer layer ps state x, [||]))) }

    let rec private leaves storage =
        match storage with
        | Parts(a, b) -> leaves a + leaves b
        | _ -> 1

    let private held (memory: Remembered[]) =
        memory
        |> Array.choose (function
            | Held t -> Some t
            | _ -> None)
        |> List.ofArray

    /// Declares that a layer from a state and steps to the last state and steps goes on from the state it reached. The state it begins with is the same at
    /// every step; the last one goes along: it is that after the steps so far.
    let recurrence (layer: Layer<'h * Seq, 'h * Seq>) : Layer<'h * Seq, 'h * Seq> =
        let extend ps state memory input =
            let struct (start, steps) = Batch.split input

            let reached =
                match held memory with
                | [] -> start
                | tensors -> Batch.ofParts (Batch.shape start).Tree tensors

            let output = Layer.answer layer ps state (Batch.pair reached steps)
            let struct (last, _) = Batch.split output
            struct (output, Batch.parts last |> List.map Held |> Array.ofList)

        layer
        |> only
            (Flow.Pair(Flow.Constant, Flow.Steps))
            { Out = Flow.Steps
              Fresh = Array.create (leaves Storage<'h>.Of) Unseen
              Settle = fun ps state _ -> struct (Batch.nothing, extend ps state) }
