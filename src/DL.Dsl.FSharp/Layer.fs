namespace DL

open DL.Core
open DL.Core.Ops
open DL.Core.Random

/// <summary>Whether a pass is part of training or of prediction.</summary>
type Mode =
    /// <summary>Dropout draws masks, batch norm uses the statistics of the batch.</summary>
    | Train
    /// <summary>Dropout is the identity, batch norm uses its running statistics.</summary>
    | Predict

/// <summary>What a layer remembers from one step to the next: statistics, or the key of its next random draw.</summary>
[<NoComparison; ReferenceEquality>]
type Cell =
    /// <summary>A tensor: running statistics, or parameters that are frozen.</summary>
    | Statistic of Tensor
    /// <summary>The key of the next draw.</summary>
    | Draws of Key

/// <summary>The parameters of a layer, in the order of its slots.</summary>
type Params = Tensor[]

/// <summary>The gradients of the parameters, in the order of the slots.</summary>
type Grads = Tensor[]

/// <summary>The state of a layer, in the order of its cells.</summary>
type State = Cell[]

/// <summary>The way back through one pass: from the gradient of the output to the gradients of input and parameters. It is linear.</summary>
type Pullback<'x, 'y> = Batch<'y> -> struct (Batch<'x> * Grads)

/// <summary>One forward pass: the output, the next state, and the way back.</summary>
[<Struct; NoEquality; NoComparison>]
type Pass<'x, 'y> =
    {
        /// <summary>The output.</summary>
        Output: Batch<'y>
        /// <summary>The state after the pass.</summary>
        State: State
        /// <summary>The way back.</summary>
        Pullback: Pullback<'x, 'y>
    }

/// <summary>One line of a model's summary.</summary>
type Row =
    {
        /// <summary>The position in the chain the layer stands in.</summary>
        Stage: int
        /// <summary>The path from that position down.</summary>
        Path: string
        /// <summary>The layer as it was written.</summary>
        Layer: string
        /// <summary>The shape of one output.</summary>
        Output: string
        /// <summary>The number of trainable parameters.</summary>
        Parameters: int64
        /// <summary>The multiplications and additions of its products for one example; what is done element by element is not counted.</summary>
        Flops: int64
        /// <summary>The number of elements of one output.</summary>
        Elements: int64
    }

/// <summary>What a layer starts from, once the shape of its input is known.</summary>
[<NoEquality; NoComparison>]
type Setup<'y> =
    {
        /// <summary>The shape of one output.</summary>
        Shape: Shape<'y>
        /// <summary>The initial parameters, in float64; a model rounds them to its precision.</summary>
        Params: Params
        /// <summary>The initial state.</summary>
        State: State
        /// <summary>A line for every primitive layer inside.</summary>
        Rows: Row list
    }

/// <summary>What a layer is called: as it was written, with its parts.</summary>
type Description =
    {
        /// <summary>The layer's name, such as <c>dense</c>.</summary>
        Name: string
        /// <summary>Its settings, such as <c>10</c>.</summary>
        Settings: string list
        /// <summary>The layers it is made of.</summary>
        Children: Description list
    }

    /// <summary>The layer as it was written: <c>dense 10</c>.</summary>
    override this.ToString() = String.concat " " (this.Name :: this.Settings)

    /// The layers of a chain, in their order: none of pure wiring, a layer itself where it is no chain, whatever it is called.
    member internal this.Links: Description list =
        match this.Name, this.Children with
        | "chain", (_ :: _ as links) -> links
        | "identity", _ -> []
        | _ -> [ this ]

    /// The layer as it was written, with all its parts: <c>dense 3 --&gt; residual (tanh --&gt; dense 3)</c>.
    member internal this.Written: string =
        let part (d: Description) = if d.Children.IsEmpty && d.Settings.IsEmpty then d.Written else $"({d.Written})"

        match this.Links with
        | _ :: _ :: _ as links -> links |> List.map _.Written |> String.concat " --> "
        | _ -> string this :: List.map part this.Children |> String.concat " "

/// <summary>How a parameter is laid out in a state dictionary, which shows torch's layouts.</summary>
type Layout =
    /// <summary>As it is held.</summary>
    | Plain
    /// <summary>A matrix held as [in; out] and shown as [out; in].</summary>
    | Transposed
    /// <summary>Windows held as [height; width; in; out] or [width; in; out] and shown as [out; in; height; width] or [out; in; width].</summary>
    | WindowFirst

/// <summary>The name of a parameter or of a piece of state, and the position in the chain its layer stands at.</summary>
[<Struct>]
type Slot =
    {
        /// <summary>The position in the chain.</summary>
        Stage: int
        /// <summary>The name below that position.</summary>
        Name: string
        /// <summary>Its layout in a state dictionary.</summary>
        Layout: Layout
    }

/// <summary>What a layer can do in its own kernel for the layer that follows it.</summary>
type Follower =
    /// <summary>An activation.</summary>
    | Activated of Activation
    /// <summary>Batch norm with a momentum, and the activation after it.</summary>
    | Normalized of float * Activation

/// <summary>What a layer remembers of the steps of a sequence it has seen.</summary>
[<NoComparison; ReferenceEquality>]
type Remembered =
    /// <summary>Nothing yet.</summary>
    | Unseen
    /// <summary>A tensor: the state of a recurrent layer.</summary>
    | Held of Tensor
    /// <summary>The keys and values of attention.</summary>
    | Cached of KeyValueCache
    /// <summary>The number of steps.</summary>
    | Seen of int

/// <summary>What of an input goes along a sequence, step after step, and what is the same at every step.</summary>
[<RequireQualifiedAccess>]
type Flow =
    /// <summary>All of it goes along.</summary>
    | Steps
    /// <summary>All of it is the same at every step.</summary>
    | Constant
    /// <summary>The two parts of a pair, each in its own way.</summary>
    | Pair of Flow * Flow

/// <summary>How a layer goes on along a sequence beside parts of its input that are the same at every step, as a decoder beside its encoder.</summary>
[<NoEquality; NoComparison>]
type Accompanied<'x, 'y> =
    {
        /// <summary>What of the output goes along.</summary>
        Out: Flow
        /// <summary>What is remembered before the first step.</summary>
        Fresh: Remembered[]
        /// <summary>From parameters, state and the constant parts of the input to those of the output, and to the way on: from what is remembered and
        /// the next steps, the constant parts beside them, to the output for them, and what is remembered then.</summary>
        Settle: Params -> State -> Batch<'x> -> struct (Batch<'y> * (Remembered[] -> Batch<'x> -> struct (Batch<'y> * Remembered[])))
    }

/// <summary>How a layer goes on along a sequence, steps at a time: run over some steps and then over more, it puts out what one run over all of them does.</summary>
[<NoEquality; NoComparison>]
type Continuation<'x, 'y> =
    {
        /// <summary>What is remembered before the first step.</summary>
        Fresh: Remembered[]
        /// <summary>From parameters, state, what is remembered and the next steps to the output for them, and what is remembered then.</summary>
        Extend: Params -> State -> Remembered[] -> Batch<'x> -> struct (Batch<'y> * Remembered[])
    }

/// <summary>A layer is a parametric lens: a pure function from parameters and input to output and pullback.</summary>
/// <remarks>Slots and cells name its parameters and its state and are known before any shape is. <c>Init</c> checks sizes once and makes
/// initial parameters; <c>Apply</c> runs forward and returns the way back. Compose layers with <c>--&gt;</c>; write your own with <c>Layer.create</c>.</remarks>
[<NoEquality; NoComparison>]
type Layer<'x, 'y> =
    {
        /// <summary>How it was written.</summary>
        About: Description
        /// <summary>The number of positions it takes in a chain: 1 for a layer, 0 for pure wiring.</summary>
        Stages: int
        /// Whether layers inside hand the lengths of padded sequences on from one to the next, so that what comes out has its own, or none.
        HandsOn: bool
        /// <summary>The names of its parameters.</summary>
        Slots: Slot list
        /// <summary>The names of its state.</summary>
        Cells: Slot list
        /// <summary>From a key and the shape of one input to the shape of one output, parameters and state.</summary>
        Init: Key -> Shape<'x> -> Setup<'y>
        /// <summary>From mode, parameters, state and input to output, next state and pullback.</summary>
        Apply: Mode -> Params -> State -> Batch<'x> -> Pass<'x, 'y>
        /// The output in prediction alone, where that takes less than Apply does: memory, or time.
        Answer: (Params -> State -> Batch<'x> -> Batch<'y>) voption
        /// <summary>How it goes on along a sequence in prediction; the layer inside that cannot, where one cannot.</summary>
        Continue: Result<Continuation<'x, 'y>, Description>
        /// How it goes on where parts of its input go along and others are the same at every step; without it, it does not.
        Beside: (Flow -> Result<Accompanied<'x, 'y>, Description>) voption
        /// The same layer and what follows it, in one kernel.
        Fuse: Follower -> Layer<'x, 'y> voption
        /// What the layer before might take over, and what comes after it.
        Head: unit -> struct (Follower * Layer<'x, 'y>) voption
    }

/// <summary>Making layers and asking them for their names.</summary>
[<RequireQualifiedAccess>]
module Layer =
    let private render stages (slots: Slot list) =
        if stages <= 1 then slots |> List.map _.Name else slots |> List.map (fun s -> $"{s.Stage}.{s.Name}")

    /// <summary>The names of the parameters: <c>weight</c>, or <c>0.weight</c> in a chain.</summary>
    let slots (layer: Layer<'x, 'y>) : string list = render layer.Stages layer.Slots

    /// <summary>The names of the state.</summary>
    let cells (layer: Layer<'x, 'y>) : string list = render layer.Stages layer.Cells

    let internal noFuse (_: Follower) : Layer<'x, 'y> voption = ValueNone
    let internal noHead () : struct (Follower * Layer<'x, 'y>) voption = ValueNone

    /// Fuses an activation into a layer that has none yet.
    let internal fusing plain (build: Activation -> Layer<'x, 'y>) (follower: Follower) : Layer<'x, 'y> voption =
        match follower with
        | Activated activation when plain -> ValueSome(build activation)
        | _ -> ValueNone

    /// As <c>fusing</c>, for a ReLU alone.
    let internal fusingRelu plain (build: Activation -> Layer<'x, 'y>) (follower: Follower) : Layer<'x, 'y> voption =
        match follower with
        | Activated Activation.Relu -> fusing plain build follower
        | _ -> ValueNone

    /// The output in prediction.
    let internal answer (layer: Layer<'x, 'y>) (ps: Params) (state: State) (x: Batch<'x>) : Batch<'y> =
        match layer.Answer with
        | ValueSome answer -> answer ps state x
        | ValueNone -> (layer.Apply Predict ps state x).Output

    /// <summary>Declares that a layer computes every step of a sequence from that step alone: so it can go on along a sequence.</summary>
    let pointwise (layer: Layer<'x, 'y>) : Layer<'x, 'y> =
        { layer with
            Continue =
                Ok
                    { Fresh = [||]
                      Extend = fun ps state _ x -> struct (answer layer ps state x, [||]) } }

    /// A way to go on along a sequence by that of a layer inside, where it has one.
    let internal continuing
        (extend:
            (Params -> State -> Remembered[] -> Batch<'u> -> struct (Batch<'v> * Remembered[]))
                -> Params
                -> State
                -> Remembered[]
                -> Batch<'x>
                -> struct (Batch<'y> * Remembered[]))
        (inner: Layer<'u, 'v>)
        : Result<Continuation<'x, 'y>, Description> =
        inner.Continue |> Result.map (fun along -> { Fresh = along.Fresh; Extend = extend along.Extend })

    let internal parameters (ps: Params) = ps |> Array.sumBy (fun p -> int64 p.Count)

    /// Describes a layer by its name and settings.
    let internal about name settings = { Name = name; Settings = settings; Children = [] }

    /// Adds the line of a primitive layer to its setup.
    let internal setup (about: Description) (shape: Shape<'y>) (ps: Params) (state: State) : Setup<'y> =
        { Shape = shape
          Params = ps
          State = state
          Rows =
            [ { Stage = 0
                Path = ""
                Layer = string about
                Output = string shape
                Parameters = parameters ps
                Flops = 0L
                Elements = int64 (Shape.elements shape) } ] }

    /// Counts multiplications, each with an addition, of the products of the layer whose line is the first.
    let internal multiplying (products: int64) (setup: Setup<'y>) : Setup<'y> =
        match setup.Rows with
        | row :: rest ->
            { setup with
                Rows = { row with Flops = row.Flops + 2L * products } :: rest }
        | [] -> setup

    /// Lines of layers that are gone through so many times for one example.
    let internal times (n: int) (rows: Row list) =
        rows |> List.map (fun r -> { r with Flops = int64 n * r.Flops; Elements = int64 n * r.Elements })

    let private activationName (activation: Activation) = (string activation).ToLowerInvariant()

    /// The description of a layer that does an activation in its own kernel.
    let internal aboutWith (activation: Activation) (about: Description) =
        match activation with
        | Activation.Identity -> about
        | other ->
            { Name = "chain"
              Settings = []
              Children = [ about; { Name = activationName other; Settings = []; Children = [] } ] }

    /// Adds the line of an activation that a layer does in its own kernel.
    let internal setupWith (activation: Activation) (setup: Setup<'y>) : Setup<'y> =
        match activation with
        | Activation.Identity -> setup
        | other ->
            let row =
                { Stage = 1
                  Path = ""
                  Layer = activationName other
                  Output = string setup.Shape
                  Parameters = 0L
                  Flops = 0L
                  Elements = int64 (Shape.elements setup.Shape) }

            { setup with Rows = setup.Rows @ [ row ] }

    /// <summary>A layer of your own.</summary>
    /// <param name="name">What it is called in summaries and errors.</param>
    /// <param name="slots">The names of its parameters.</param>
    /// <param name="cells">The names of its state.</param>
    /// <param name="init">From a key and the shape of one input to the shape of one output, the initial parameters (float64) and state.</param>
    /// <param name="apply">From mode, parameters, state and input to output, next state and pullback.</param>
    let create
        (name: string)
        (slots: string list)
        (cells: string list)
        (init: Key -> Shape<'x> -> struct (Shape<'y> * Params * State))
        (apply: Mode -> Params -> State -> Batch<'x> -> Pass<'x, 'y>)
        : Layer<'x, 'y> =
        let about = about name []
        let slot name = { Stage = 0; Name = name; Layout = Plain }

        { About = about
          Stages = 1
          HandsOn = false
          Slots = List.map slot slots
          Cells = List.map slot cells
          Init =
            fun key shape ->
                let struct (out, ps, state) = init key shape

                if ps.Length <> slots.Length || state.Length <> cells.Length then
                    raise (
                        InvalidArgumentException(
                            $"{name}.Init",
                            $"{slots.Length} parameters and {cells.Length} cells, as named",
                            $"{ps.Length} and {state.Length}"
                        )
                    )

                setup about out ps state
          Apply = apply
          Answer = ValueNone
          Continue = Error about
          Beside = ValueNone
          Fuse = noFuse
          Head = noHead }

    let internal withSettings settings (layer: Layer<'x, 'y>) : Layer<'x, 'y> =
        let about = { layer.About with Settings = settings }

        { layer with
            About = about
            Init =
                fun key shape ->
                    let s = layer.Init key shape

                    { s with
                        Rows = s.Rows |> List.map (fun r -> { r with Layer = string about }) } }

    /// <summary>A layer of your own without parameters or state.</summary>
    /// <param name="name">What it is called in summaries and errors.</param>
    /// <param name="shape">From the shape of one input to the shape of one output.</param>
    /// <param name="apply">From the input to the output and the way back.</param>
    let pure'
        (name: string)
        (shape: Shape<'x> -> Shape<'y>)
        (apply: Batch<'x> -> struct (Batch<'y> * (Batch<'y> -> Batch<'x>)))
        : Layer<'x, 'y> =
        create name [] [] (fun _ s -> struct (shape s, [||], [||])) (fun _ _ state x ->
            let struct (y, back) = apply x

            { Output = y
              State = state
              Pullback = fun dy -> struct (back dy, [||]) })
