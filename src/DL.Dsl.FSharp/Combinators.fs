namespace DL

open DL.Core
open DL.Core.Ops

/// <summary>What follows from <c>identity</c>, <c>--&gt;</c> and <c>fork</c>: branches, repetition, names, frozen and shared parameters.</summary>
[<AutoOpen>]
module Combinators =
    let private describe name settings children = { Name = name; Settings = settings; Children = children }

    /// <summary>Puts a name in front of the names of all parameters and state: <c>encoder.0.weight</c>. Nothing else changes.</summary>
    let named (name: string) (f: Layer<'x, 'y>) : Layer<'x, 'y> =
        { f with
            About = describe "named" [ name ] [ f.About ]
            Stages = 1
            Slots = Wiring.under name f.Stages f.Slots
            Cells = Wiring.under name f.Stages f.Cells
            Init =
                fun key shape ->
                    let s = Wiring.located (Wiring.inside name f.Stages) (fun () -> f.Init key shape)
                    { s with Rows = Wiring.rowsUnder name f.Stages s.Rows }
            Fuse = Layer.noFuse
            Head = Layer.noHead }

    // What follows it is no longer done inside: it would not find the new name.
    let private renamed name settings children (f: Layer<'x, 'y>) : Layer<'x, 'y> =
        { f with
            About = describe name settings children
            Fuse = Layer.noFuse
            Head = Layer.noHead }

    /// Branches and their sum, in a form of its own, with a ReLU that follows done in the same pass.
    let private summed about (form: Layer<'x, 'y> -> Layer<'x, 'y>) f g : Layer<'x, 'y> =
        let rec build activation =
            let whole = form (fork f g --> summing activation)
            let plain = activation = Activation.Identity

            { whole with
                About = Layer.aboutWith activation about
                Stages = if plain then 1 else 2
                Init = fun key shape -> whole.Init key shape |> Layer.setupWith activation
                Fuse = Layer.fusingRelu plain build }

        build Activation.Identity

    /// <summary><c>y = f x + g x</c>.</summary>
    let add (f: Layer<'x, 'y>) (g: Layer<'x, 'y>) : Layer<'x, 'y> = summed (describe "add" [] [ f.About; g.About ]) id f g

    /// <summary><c>y = x + f x</c>. The parameters keep the names they have in f.</summary>
    /// <remarks>Source: K. He et al., Deep residual learning for image recognition, 2015.</remarks>
    let residual (f: Layer<'x, 'x>) : Layer<'x, 'x> =
        let unbranched (path: string) = if path.StartsWith "0.1." then "0." + path.Substring 4 else path
        let strip (r: Row) = { r with Path = if r.Path = "1" then "" else r.Path.Substring 2 }

        let form (whole: Layer<'x, 'x>) =
            { whole with
                Slots = Wiring.under "" f.Stages f.Slots
                Cells = Wiring.under "" f.Stages f.Cells
                Init =
                    fun key shape ->
                        let s = Wiring.located unbranched (fun () -> whole.Init key shape)
                        { s with Rows = s.Rows |> List.map strip } }

        summed (describe "residual" [] [ f.About ]) form identity f

    /// <summary>n copies of f in a row, each with parameters of its own; <c>repeat 0</c> is the identity.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">n is negative.</exception>
    let repeat (n: int) (f: Layer<'x, 'x>) : Layer<'x, 'x> =
        if n < 0 then
            raise (InvalidArgumentException("repeat", "a count of at least 0", $"{n}"))

        List.replicate n f |> List.fold (-->) identity

    /// Features lie along the last axis, the channels of an image along the first of its shape.
    let private concatenated (parts: Shape list) =
        let axis = if parts.Head.Rank = 3 then 0 else parts.Head.Rank - 1
        let head = parts.Head

        for s in parts do
            if s.Rank <> head.Rank || s.Without axis <> head.Without axis then
                raise (ShapeException("concat", $"branches that differ on the feature axis only, as {head}", $"{s}"))

        head.With(axis, parts |> List.sumBy (fun s -> s[axis]))

    /// <summary>The two parts of a pair side by side along the feature axis (the channels of images).</summary>
    let cat<'x> : Layer<'x * 'x, 'x> =
        { (Layer.pure'
              "cat"
              (fun s ->
                  let struct (a, b) = Shape.split s
                  { Tree = Leaf(concatenated [ Shape.core a; Shape.core b ]) })
              (fun (xy: Batch<'x * 'x>) ->
                  let struct (x, y) = Batch.split xy
                  let a, b = Batch.held x, Batch.held y
                  let joined: Batch<'x> = Batch.ofTensor (Concat.Forward(-1, a, b))

                  struct (joined,
                          fun dy ->
                              let parts = Concat.Backward(Batch.held dy, -1, a.Shape.Last, b.Shape.Last)
                              Batch.pair (Batch.ofTensor parts[0]) (Batch.ofTensor parts[1])))
           |> Layer.pointwise) with
            Stages = 0 }

    /// <summary>The two parts of a pair one after the other along time.</summary>
    /// <exception cref="T:DL.Core.ShapeException">In Init: their steps have different numbers of features.</exception>
    let catTime: Layer<Seq * Seq, Seq> =
        { Layer.pure'
              "catTime"
              (fun s ->
                  let struct (a, b) = Shape.split s
                  let x, y = Shape.core a, Shape.core b

                  if x[1] <> y[1] then
                      raise (ShapeException("catTime", $"two sequences of steps of {x[1]} numbers", $"{a} and {b}"))

                  Shape.seq (x[0] + y[0], x[1]))
              (fun xy ->
                  let struct (x, y) = Batch.split xy
                  let a, b = Batch.held x, Batch.held y

                  struct (Batch.ofTensor (Concat.Forward(1, a, b)),
                          fun dy ->
                              let parts = Concat.Backward(Batch.held dy, 1, a.Shape[1], b.Shape[1])
                              Batch.pair (Batch.ofTensor parts[0]) (Batch.ofTensor parts[1]))) with
            Stages = 0 }

    /// <summary>All branches on the same input, their outputs side by side along the feature axis.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no branch.</exception>
    let concat (branches: Layer<'x, 'y> list) : Layer<'x, 'y> =
        let rec join i branches =
            match branches with
            | [] -> raise (InvalidArgumentException("concat", "at least one branch", "none"))
            | [ last ] -> last
            | head :: rest -> fork head (join (i + 1) rest) --> cat

        let whole = join 0 branches
        let names pick = branches |> List.mapi (fun i b -> Wiring.under (string i) b.Stages (pick b)) |> List.concat

        { renamed "concat" [] (branches |> List.map _.About) whole with
            Stages = 1
            Slots = names _.Slots
            Cells = names _.Cells
            Fuse = Layer.noFuse
            Head = Layer.noHead }

    /// <summary><c>concat(x, f x)</c>: what went in stays beside what came out.</summary>
    /// <remarks>Source: G. Huang et al., Densely connected convolutional networks, 2016.</remarks>
    let denseConnection (f: Layer<'x, 'x>) : Layer<'x, 'x> =
        let whole = fork identity f --> cat

        { renamed "denseConnection" [] [ f.About ] whole with
            Slots = Wiring.under "" f.Stages f.Slots
            Cells = Wiring.under "" f.Stages f.Cells }

    /// <summary>The elementwise product of a pair of equal shapes.</summary>
    let product<'x> : Layer<'x * 'x, 'x> =
        { (Layer.pure'
              "product"
              (fun s ->
                  let struct (a, b) = Shape.split s

                  if a <> b then
                      raise (ShapeException("product", $"two parts of shape {a}", $"{a} and {b}"))

                  a)
              (fun xy ->
                  let struct (x, y) = Batch.split xy
                  let times a b : Tensor = Multiply.Forward(a, b)
                  struct (Batch.map2 times x y, fun dz -> Batch.pair (Batch.map2 times dz y) (Batch.map2 times dz x)))
           |> Layer.pointwise) with
            Stages = 0 }

    /// <summary><c>y = t(x) * f(x) + (1 - t(x)) * x</c> with the gate <c>t</c> between 0 and 1, computed as <c>x + t(x) * (f(x) - x)</c>.</summary>
    /// <remarks>Source: R. Srivastava, K. Greff, J. Schmidhuber, Highway networks, 2015.</remarks>
    /// <param name="gate">The transform gate, for example <c>dense n --&gt; sigmoid</c>.</param>
    /// <param name="f">The transformation.</param>
    let highway (gate: Layer<'x, 'x>) (f: Layer<'x, 'x>) : Layer<'x, 'x> =
        let minus: Layer<'x, 'x> =
            Layer.pure' "minus" id (fun x ->
                let negate = Batch.map (fun t -> Scale.Forward(t, -1.0))
                struct (negate x, negate))
            |> Layer.pointwise

        let difference = fork f { minus with Stages = 0 } --> sum
        let whole = fork identity (fork gate difference --> product) --> sum

        { renamed "highway" [] [ gate.About; f.About ] whole with
            Slots = Wiring.under "gate" gate.Stages gate.Slots @ Wiring.under "transform" f.Stages f.Slots
            Cells = Wiring.under "gate" gate.Stages gate.Cells @ Wiring.under "transform" f.Stages f.Cells }

    /// <summary>Passes its input forward and no gradient back.</summary>
    let stopGradient<'x> : Layer<'x, 'x> =
        Layer.pure' "stopGradient" id (fun (x: Batch<'x>) -> struct (x, Batch.map (fun dy -> Scale.Forward(dy, 0.0))))
        |> Layer.pointwise

    /// <summary>Changes the parameters before the layer sees them, with the way back for their gradients: tying, masking, low-rank adapters.</summary>
    /// <param name="slots">The names of the new parameters.</param>
    /// <param name="init">From the layer's initial parameters to the new ones.</param>
    /// <param name="view">From the new parameters to the layer's, and from the layer's gradients to the new ones'.</param>
    /// <param name="f">The layer.</param>
    let reparam
        (slots: string list)
        (init: Params -> Params)
        (view: Params -> struct (Params * (Grads -> Grads)))
        (f: Layer<'x, 'y>)
        : Layer<'x, 'y> =
        { f with
            About = describe "reparam" [] [ f.About ]
            Stages = 1
            Slots = slots |> List.map (fun name -> { Stage = 0; Name = name; Layout = Plain })
            Cells = Wiring.under "" f.Stages f.Cells
            Init =
                fun key shape ->
                    let s = f.Init key shape
                    let ps = init s.Params

                    { s with Params = ps; Rows = Wiring.rowsUnder "" f.Stages s.Rows }
            Apply =
                fun mode qs state x ->
                    let struct (ps, back) = view qs
                    let pass = f.Apply mode ps state x
                    let backF = pass.Pullback

                    { pass with
                        Pullback =
                            fun dy ->
                                let struct (dx, dp) = backF dy
                                struct (dx, back dp) }
            Answer = ValueNone
            Continue =
                f
                |> Layer.continuing (fun extend qs state memory x ->
                    let struct (ps, _) = view qs
                    extend ps state memory x)
            Beside =
                f
                |> Standing.settling (fun settle qs state x ->
                    let struct (ps, _) = view qs
                    settle ps state x)
            Fuse = Layer.noFuse
            Head = Layer.noHead }

    /// A layer that holds n copies of f, with one set of parameters for all of them.
    let private tied n (f: Layer<'x, 'y>) (whole: Layer<'u, 'v>) : Layer<'u, 'v> =
        let k = f.Slots.Length
        let gather (dp: Grads) = Array.init k (fun i -> Seq.init n (fun copy -> dp[copy * k + i]) |> Seq.reduce Wiring.add)

        whole
        |> reparam (Layer.slots f) (Array.take k) (fun qs -> struct (Array.concat (Array.replicate n qs), gather))

    /// <summary>n copies of f in a row that share one set of parameters; the gradients of the copies add.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">n is below 1.</exception>
    let shared (n: int) (f: Layer<'x, 'x>) : Layer<'x, 'x> =
        if n < 1 then
            raise (InvalidArgumentException("shared", "a count of at least 1", $"{n}"))

        tied n f (repeat n f) |> renamed "shared" [ string n ] [ f.About ]

    /// <summary>f on both parts of a pair, with one set of parameters: what <c>Loss.contrastive</c> compares.</summary>
    /// <remarks>State, such as the statistics of a batch norm, is kept for each part apart.
    /// J. Bromley et al., Signature verification using a siamese time delay neural network, 1993.</remarks>
    let siamese (f: Layer<'x, 'y>) : Layer<'x * 'x, 'y * 'y> = tied 2 f (both f f) |> renamed "siamese" [] [ f.About ]

    /// <summary>f on all three parts of an anchor and a pair, with one set of parameters: what <c>Loss.triplet</c> compares.</summary>
    let siameseThree (f: Layer<'x, 'y>) : Layer<'x * ('x * 'x), 'y * ('y * 'y)> =
        tied 3 f (both f (both f f)) |> renamed "siameseThree" [] [ f.About ]

    /// <summary>Moves the parameters into the state, where no optimizer and no decay reaches them. Output and input gradient stay.</summary>
    let frozen (f: Layer<'x, 'y>) : Layer<'x, 'y> =
        let k = f.Slots.Length

        let held =
            function
            | Statistic t -> t
            | Draws key -> raise (InvalidArgumentException("frozen", "a tensor in the state", $"{key}"))

        { About = describe "frozen" [] [ f.About ]
          Stages = f.Stages
          HandsOn = f.HandsOn
          Slots = []
          Cells = f.Slots @ f.Cells
          Init =
            fun key shape ->
                let s = f.Init key shape

                { s with
                    Params = [||]
                    State = Wiring.append (Array.map Statistic s.Params) s.State
                    Rows = s.Rows |> List.map (fun r -> { r with Parameters = 0L }) }
          Apply =
            fun mode _ state x ->
                let struct (ps, rest) = Wiring.split k state.Length state
                let pass = f.Apply mode (Array.map held ps) rest x
                let back = pass.Pullback

                { Output = pass.Output
                  State = Wiring.append ps pass.State
                  Pullback =
                    fun dy ->
                        let struct (dx, _) = back dy
                        struct (dx, [||]) }
          Answer =
            ValueSome(fun _ state x ->
                let struct (ps, rest) = Wiring.split k state.Length state
                Layer.answer f (Array.map held ps) rest x)
          Continue =
            f
            |> Layer.continuing (fun extend _ state memory x ->
                let struct (ps, rest) = Wiring.split k state.Length state
                extend (Array.map held ps) rest memory x)
          Beside =
            f
            |> Standing.settling (fun settle _ state x ->
                let struct (ps, rest) = Wiring.split k state.Length state
                settle (Array.map held ps) rest x)
          Fuse = Layer.noFuse
          Head = Layer.noHead }
