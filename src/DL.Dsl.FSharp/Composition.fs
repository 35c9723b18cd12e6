namespace DL

open DL.Core
open DL.Core.Ops

/// <summary>The grammar of composition: <c>identity</c>, <c>--&gt;</c> and <c>fork</c>.</summary>
[<AutoOpen>]
module Composition =
    let private describe name children = { Name = name; Settings = []; Children = children }

    /// <summary>The layer that returns its input: the unit of <c>--&gt;</c>.</summary>
    let identity<'x> : Layer<'x, 'x> =
        { About = describe "identity" []
          Stages = 0
          HandsOn = false
          Slots = []
          Cells = []
          Init = fun _ shape -> { Shape = shape; Params = [||]; State = [||]; Rows = [] }
          Apply = fun _ _ state x -> { Output = x; State = state; Pullback = fun dy -> struct (dy, [||]) }
          Answer = ValueSome(fun _ _ x -> x)
          Continue = Ok { Fresh = [||]; Extend = fun _ _ _ x -> struct (x, [||]) }
          Beside = Standing.routed id id
          Fuse = Layer.noFuse
          Head = Layer.noHead }

    let private chained (f: Layer<'x, 'y>) (g: Layer<'y, 'z>) =
        match f.About.Links @ g.About.Links with
        | [] -> describe "identity" []
        | [ one ] -> one
        | many -> describe "chain" many

    /// f over the next steps, and what it remembers then; then the rest.
    let private continued (f: Layer<'x, 'y>) (g: Layer<'u, 'v>) rest : Result<Continuation<'z, 'w>, Description> =
        let nf, ng, cf, cg = f.Slots.Length, g.Slots.Length, f.Cells.Length, g.Cells.Length

        match f.Continue, g.Continue with
        | Error layer, _
        | _, Error layer -> Error layer
        | Ok a, Ok b ->
            let mf, mg = a.Fresh.Length, b.Fresh.Length

            let extend ps state memory x =
                let struct (pf, pg) = Wiring.split nf (nf + ng) ps
                let struct (sf, sg) = Wiring.split cf (cf + cg) state
                let struct (seenF, seenG) = Wiring.split mf (mf + mg) memory
                let struct (output, nextF, nextG) = rest (a.Extend pf sf seenF) (b.Extend pg sg seenG) x
                struct (output, Wiring.append nextF nextG)

            Ok { Fresh = Wiring.append a.Fresh b.Fresh; Extend = extend }

    /// The same where parts of the input are constant; the rest is what settles, and what goes on.
    let private accompanied
        (f: Layer<'x, 'y>)
        (g: Layer<'u, 'v>)
        (a: Accompanied<'x, 'y>)
        (b: Accompanied<'u, 'v>)
        out
        settle
        rest
        : Accompanied<'z, 'w> =
        let nf, ng, cf, cg = f.Slots.Length, g.Slots.Length, f.Cells.Length, g.Cells.Length
        let mf, mg = a.Fresh.Length, b.Fresh.Length

        let settled ps state x =
            let struct (pf, pg) = Wiring.split nf (nf + ng) ps
            let struct (sf, sg) = Wiring.split cf (cf + cg) state
            let struct (output, onF, onG) = settle (a.Settle pf sf) (b.Settle pg sg) x

            let extend memory x =
                let struct (seenF, seenG) = Wiring.split mf (mf + mg) memory
                let struct (output, nextF, nextG) = rest (onF seenF) (onG seenG) x
                struct (output, Wiring.append nextF nextG)

            struct (output, extend)

        { Out = out; Fresh = Wiring.append a.Fresh b.Fresh; Settle = settled }

    /// First the one, then the other, and what each says beside its output.
    let private inTurn first next x =
        let struct (y, ofF) = first x
        let struct (z, ofG) = next y
        struct (z, ofF, ofG)

    let rec private compose (f: Layer<'x, 'y>) (g: Layer<'y, 'z>) : Layer<'x, 'z> =
        let nf, ng, cf, cg = f.Slots.Length, g.Slots.Length, f.Cells.Length, g.Cells.Length
        let alone = f.Stages + g.Stages <= 1

        { About = chained f g
          Stages = f.Stages + g.Stages
          HandsOn = true
          Slots = f.Slots @ Wiring.shift f.Stages g.Slots
          Cells = f.Cells @ Wiring.shift f.Stages g.Cells
          Init =
            fun key shape ->
                let a = Wiring.located (if alone then id else Wiring.at 0) (fun () -> f.Init key shape)
                let next = key.Skip(Wiring.width f)
                let b = Wiring.located (if alone then id else Wiring.at f.Stages) (fun () -> g.Init next a.Shape)

                { Shape = b.Shape
                  Params = Wiring.append a.Params b.Params
                  State = Wiring.append a.State b.State
                  Rows = a.Rows @ Wiring.shiftRows f.Stages b.Rows }
          Apply =
            fun mode ps state x ->
                let struct (pf, pg) = Wiring.split nf (nf + ng) ps
                let struct (sf, sg) = Wiring.split cf (cf + cg) state
                let a = f.Apply mode pf sf x
                let y = Wiring.carry f x a.Output
                let b = g.Apply mode pg sg y
                let backF, backG = a.Pullback, b.Pullback

                { Output = Wiring.carry g y b.Output
                  State = Wiring.append a.State b.State
                  Pullback =
                    fun dz ->
                        let struct (dy, dpg) = backG dz
                        let struct (dx, dpf) = backF dy
                        struct (dx, Wiring.append dpf dpg) }
          Answer =
            ValueSome(fun ps state x ->
                let struct (pf, pg) = Wiring.split nf (nf + ng) ps
                let struct (sf, sg) = Wiring.split cf (cf + cg) state
                let y = Wiring.carry f x (Layer.answer f pf sf x)
                let z = Wiring.carry g y (Layer.answer g pg sg y)
                Batch.giveBack y x z
                z)
          Continue = continued f g inTurn
          Beside =
            ValueSome(fun flow ->
                Standing.along flow f
                |> Result.bind (fun a -> Standing.along a.Out g |> Result.map (fun b -> accompanied f g a b b.Out inTurn inTurn)))
          Fuse =
            fun follower ->
                match g.Fuse follower with
                | ValueSome fused -> ValueSome(compose f fused)
                | ValueNone -> ValueNone
          Head =
            fun () ->
                match f.Head() with
                | ValueSome struct (follower, rest) -> ValueSome struct (follower, rest --> g)
                | ValueNone -> ValueNone }

    /// <summary>First f, then g; the pullback runs the other way: the chain rule.</summary>
    /// <remarks>Associative, with <c>identity</c> as its unit, bit for bit. Where f ends in a dense layer and g begins with an
    /// activation, one fused kernel does both, with the same result.</remarks>
    and (-->) (f: Layer<'x, 'y>) (g: Layer<'y, 'z>) : Layer<'x, 'z> =
        match g.Head() with
        | ValueSome struct (follower, rest) ->
            match f.Fuse follower with
            | ValueSome fused -> fused --> rest
            | ValueNone -> compose f g
        | ValueNone -> compose f g

    /// Keeps two layers from being fused, so that laws can compare the fused with the plain form.
    let internal unfused (f: Layer<'x, 'y>) (g: Layer<'y, 'z>) : Layer<'x, 'z> = compose f g

    let private branches name stages (f: Layer<'x, 'y>) (g: Layer<'u, 'v>) =
        describe name [ f.About; g.About ],
        Wiring.under "0" f.Stages f.Slots @ Wiring.under "1" g.Stages g.Slots,
        Wiring.under "0" f.Stages f.Cells @ Wiring.under "1" g.Stages g.Cells,
        (stages: int)

    let private initBoth (f: Layer<'x, 'y>) (g: Layer<'u, 'v>) key fx gx : Setup<'y * 'v> =
        let a = Wiring.located (Wiring.inside "0.0" f.Stages) (fun () -> f.Init key fx)
        let b = Wiring.located (Wiring.inside "0.1" g.Stages) (fun () -> g.Init (key.Skip(Wiring.width f)) gx)

        { Shape = Shape.pair a.Shape b.Shape
          Params = Wiring.append a.Params b.Params
          State = Wiring.append a.State b.State
          Rows = Wiring.rowsUnder "0" f.Stages a.Rows @ Wiring.rowsUnder "1" g.Stages b.Rows }

    let private applyBoth (f: Layer<'x, 'y>) (g: Layer<'u, 'v>) =
        let nf, ng, cf, cg = f.Slots.Length, g.Slots.Length, f.Cells.Length, g.Cells.Length

        fun mode ps state x u ->
            let struct (pf, pg) = Wiring.split nf (nf + ng) ps
            let struct (sf, sg) = Wiring.split cf (cf + cg) state
            let a = f.Apply mode pf sf x
            let b = g.Apply mode pg sg u
            let padded (layer: Layer<_, _>) input (pass: Pass<_, _>) = { pass with Output = Wiring.carry layer input pass.Output }
            struct (padded f x a, padded g u b, Wiring.append a.State b.State)

    let private answerBoth (f: Layer<'x, 'y>) (g: Layer<'u, 'v>) =
        let nf, ng, cf, cg = f.Slots.Length, g.Slots.Length, f.Cells.Length, g.Cells.Length

        fun ps state x u ->
            let struct (pf, pg) = Wiring.split nf (nf + ng) ps
            let struct (sf, sg) = Wiring.split cf (cf + cg) state
            let y = Wiring.carry f x (Layer.answer f pf sf x)
            let v = Wiring.carry g u (Layer.answer g pg sg u)
            Batch.pair y v

    /// The one beside the other, and what each says beside its output.
    let private sideBySide first next x u =
        let struct (y, ofF) = first x
        let struct (v, ofG) = next u
        struct (Batch.pair y v, ofF, ofG)

    let private onSame first next x = sideBySide first next x x

    let private onParts first next xu =
        let struct (x, u) = Batch.split xu
        sideBySide first next x u

    let private besideBoth (f: Layer<'x, 'y>) (g: Layer<'u, 'v>) flowF flowG settle rest =
        match Standing.along flowF f, Standing.along flowG g with
        | Error layer, _
        | _, Error layer -> Error layer
        | Ok a, Ok b -> Ok(accompanied f g a b (Standing.pair a.Out b.Out) settle rest)

    /// <summary>Both layers on the same input, giving a pair. In the pullback the gradients of the input add.</summary>
    let fork (f: Layer<'x, 'y>) (g: Layer<'x, 'z>) : Layer<'x, 'y * 'z> =
        let about, slots, cells, stages = branches "fork" 1 f g
        let apply = applyBoth f g
        let answer = answerBoth f g

        { About = about
          Stages = stages
          HandsOn = false
          Slots = slots
          Cells = cells
          Init = fun key shape -> initBoth f g key shape shape
          Apply =
            fun mode ps state x ->
                let struct (a, b, next) = apply mode ps state x x
                let backF, backG = a.Pullback, b.Pullback

                { Output = Batch.pair a.Output b.Output
                  State = next
                  Pullback =
                    fun dyz ->
                        let struct (dy, dz) = Batch.split dyz
                        let struct (dxf, dpf) = backF dy
                        let struct (dxg, dpg) = backG dz
                        struct (Wiring.sumLater dxf dxg, Wiring.append dpf dpg) }
          Answer = ValueSome(fun ps state x -> answer ps state x x)
          Continue = continued f g onSame
          Beside = ValueSome(fun flow -> besideBoth f g flow flow onSame onSame)
          Fuse = Layer.noFuse
          Head = Layer.noHead }

    /// <summary>f on the first part of a pair, g on the second.</summary>
    let both (f: Layer<'x, 'y>) (g: Layer<'u, 'v>) : Layer<'x * 'u, 'y * 'v> =
        let about, slots, cells, stages = branches "both" 1 f g
        let apply = applyBoth f g
        let answer = answerBoth f g

        { About = about
          Stages = stages
          HandsOn = false
          Slots = slots
          Cells = cells
          Init =
            fun key shape ->
                let struct (fx, gx) = Shape.split shape
                initBoth f g key fx gx
          Apply =
            fun mode ps state xu ->
                let struct (x, u) = Batch.split xu
                let struct (a, b, next) = apply mode ps state x u
                let backF, backG = a.Pullback, b.Pullback

                { Output = Batch.pair a.Output b.Output
                  State = next
                  Pullback =
                    fun dyv ->
                        let struct (dy, dv) = Batch.split dyv
                        let struct (dx, dpf) = backF dy
                        let struct (du, dpg) = backG dv
                        struct (Batch.pair dx du, Wiring.append dpf dpg) }
          Answer =
            ValueSome(fun ps state xu ->
                let struct (x, u) = Batch.split xu
                answer ps state x u)
          Continue = continued f g onParts
          Beside =
            ValueSome(fun flow ->
                let struct (flowF, flowG) = Standing.parts flow
                besideBoth f g flowF flowG onParts onParts)
          Fuse = Layer.noFuse
          Head = Layer.noHead }

    let private wiring name shape apply : Layer<'x, 'y> =
        { Layer.pointwise (Layer.pure' name shape apply) with
            Stages = 0
            Init = fun _ s -> { Shape = shape s; Params = [||]; State = [||]; Rows = [] } }

    /// Wiring that puts the parts of its input elsewhere, and what of them is constant with them.
    let private routing name flow shape (apply: Batch<'x> -> struct (Batch<'y> * (Batch<'y> -> Batch<'x>))) : Layer<'x, 'y> =
        let route x =
            let struct (y, _) = apply x
            y

        { wiring name shape apply with Beside = Standing.routed flow route }

    /// <summary>A pair of twice the same value.</summary>
    let dup<'x> : Layer<'x, 'x * 'x> =
        routing "dup" (fun flow -> Standing.pair flow flow) (fun s -> Shape.pair s s) (fun x ->
            struct (Batch.pair x x,
                    fun dy ->
                        let struct (a, b) = Batch.split dy
                        Wiring.sumLater a b))

    /// <summary>A pair with its parts exchanged.</summary>
    let swap<'x, 'y> : Layer<'x * 'y, 'y * 'x> =
        let exchange (xy: Batch<'a * 'b>) : Batch<'b * 'a> =
            let struct (x, y) = Batch.split xy
            Batch.pair y x

        routing
            "swap"
            (fun flow ->
                let struct (a, b) = Standing.parts flow
                Standing.pair b a)
            (fun s ->
                let struct (a, b) = Shape.split s
                Shape.pair b a)
            (fun x -> struct (exchange x, exchange))

    let private zeroLike (batch: Batch<'x>) : Batch<'x> = Batch.map (fun t -> Scale.Forward(t, 0.0)) batch

    /// <summary>The first part of a pair; the second gets a gradient of zero.</summary>
    let first<'x, 'y> : Layer<'x * 'y, 'x> =
        routing
            "first"
            (fun flow ->
                let struct (a, _) = Standing.parts flow
                a)
            (fun s ->
                let struct (a, _) = Shape.split s
                a)
            (fun xy ->
                let struct (x, y) = Batch.split xy
                struct (x, fun dx -> Batch.pair dx (zeroLike y)))

    /// <summary>The second part of a pair; the first gets a gradient of zero.</summary>
    let second<'x, 'y> : Layer<'x * 'y, 'y> =
        routing
            "second"
            (fun flow ->
                let struct (_, b) = Standing.parts flow
                b)
            (fun s ->
                let struct (_, b) = Shape.split s
                b)
            (fun xy ->
                let struct (x, y) = Batch.split xy
                struct (y, fun dy -> Batch.pair (zeroLike x) dy))

    let private equalParts shape =
        let struct (a, b) = Shape.split shape

        if a <> b then
            let mend = $"End the second branch in shape {a}, for a vector with dense {a}."
            raise (ShapeException("sum", $"two branches of shape {a}", $"{a} and {b}", mend))

        a

    let private added (xy: Batch<'x * 'x>) : struct (Batch<'x> * (Batch<'x> -> Batch<'x * 'x>)) =
        let struct (x, y) = Batch.split xy
        struct (Batch.map2 Wiring.add x y, fun dz -> Batch.pair dz dz)

    let private addedPositive (xy: Batch<'x * 'x>) : struct (Batch<'x> * (Batch<'x> -> Batch<'x * 'x>)) =
        let struct (x, y) = Batch.split xy
        let z = Batch.map2 (fun a b -> Add.Forward(a, b, Activation.Relu)) x y

        let back dz =
            let passed = Batch.map2 (fun d z -> Relu.Backward(d, z)) dz z
            Batch.pair passed passed

        struct (z, back)

    /// The sum of a pair, and a ReLU after it in the same pass if asked for.
    let internal summing (activation: Activation) : Layer<'x * 'x, 'x> =
        wiring "sum" equalParts (if activation = Activation.Relu then addedPositive else added)

    /// <summary>The sum of a pair of equal shapes.</summary>
    /// <exception cref="T:DL.Core.ShapeException">In Init: the shapes differ.</exception>
    let sum<'x> : Layer<'x * 'x, 'x> = summing Activation.Identity
