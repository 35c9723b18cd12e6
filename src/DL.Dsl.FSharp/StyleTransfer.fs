namespace DL

open System
open DL.Core
open DL.Core.Ops

/// <summary>A piece of a trained network, and what its output is read for.</summary>
[<NoEquality; NoComparison>]
type StylePart =
    {
        /// <summary>The piece; it takes what the piece before gives.</summary>
        Model: Model<Image, Image>
        /// <summary>The weight of the content loss on its output; 0 for none.</summary>
        Content: float
        /// <summary>The weight of the style loss on its output; 0 for none.</summary>
        Style: float
    }

/// <summary>How a picture is changed.</summary>
[<NoEquality; NoComparison>]
type StyleSettings =
    {
        /// <summary>The weight of the total variation.</summary>
        Variation: float
        /// <summary>The optimizer of the pixels.</summary>
        Optimizer: Optimizer
        /// <summary>The number of steps.</summary>
        Steps: int
    }

/// <summary>The three losses, each with its weight.</summary>
[<Struct>]
type StyleLosses =
    {
        /// <summary>The distance from the features of the content.</summary>
        Content: float
        /// <summary>The distance from the Gram matrices of the style.</summary>
        Style: float
        /// <summary>The total variation.</summary>
        Variation: float
    }

    /// <summary>Their sum, which is minimized.</summary>
    member this.Total = this.Content + this.Style + this.Variation

/// <summary>A picture in the style of another.</summary>
[<NoEquality; NoComparison>]
type Stylized =
    {
        /// <summary>The picture; its pixels are not bounded.</summary>
        Picture: Batch<Image>
        /// <summary>The losses before each step, and at last those of the picture.</summary>
        History: StyleLosses list
    }

/// <summary>Style transfer: the pixels of a picture are trained, over a network that stays as it is.</summary>
/// <remarks>Source: L. Gatys, A. Ecker, M. Bethge, A neural algorithm of artistic style, 2015; the form of "Dive into Deep Learning", section 14.12.</remarks>
[<RequireQualifiedAccess>]
module StyleTransfer =
    let private add (a: Batch<Image>) (b: Batch<Image>) : Batch<Image> = Batch.map2 (fun a b -> Add.Forward(a, b)) a b

    let private nothing = { Content = 0.0; Style = 0.0; Variation = 0.0 }

    /// A loss and its gradient, times a weight; weight 0 is not computed.
    let private weighted weight (evaluate: unit -> struct (float * Batch<Image>)) : struct (float * Batch<Image> list) =
        if weight = 0.0 then
            struct (0.0, [])
        else
            let struct (loss, gradient) = evaluate ()
            struct (weight * loss, [ Batch.map (fun g -> Scale.Forward(g, weight)) gradient ])

    /// The features of a picture after every part.
    let private outputs (parts: StylePart list) (picture: Batch<Image>) : Batch<Image> list =
        parts |> List.scan (fun x part -> (Model.forward Predict part.Model x).Output) picture |> List.tail

    /// The losses of the parts from here on and their gradient by x, if any is read: forward on the way down, back on the way up.
    let rec private descend (parts: (StylePart * Batch<Image> * Tensor) list) (x: Batch<Image>) : struct (StyleLosses * Batch<Image> list) =
        match parts with
        | [] -> struct (nothing, [])
        | (part, content, style) :: rest ->
            let pass = Model.forward Predict part.Model x
            let struct (later, behind) = descend rest pass.Output
            let struct (ofContent, dContent) = weighted part.Content (fun () -> Style.contentLoss content pass.Output)
            let struct (ofStyle, dStyle) = weighted part.Style (fun () -> Style.styleLoss style pass.Output)

            let losses =
                { later with
                    Content = ofContent + later.Content
                    Style = ofStyle + later.Style }

            match dContent @ dStyle @ behind with
            | [] -> struct (losses, [])
            | gradients ->
                let struct (dx, _) = pass.Pullback(List.reduce add gradients)
                struct (losses, [ dx ])

    /// From a picture to its losses and their gradient by its pixels.
    let internal objective
        (settings: StyleSettings)
        (parts: StylePart list)
        (content: Batch<Image>)
        (style: Batch<Image>)
        : Batch<Image> -> struct (StyleLosses * Batch<Image>) =
        let targets = List.zip3 parts (outputs parts content) (outputs parts style |> List.map Style.gram)

        fun picture ->
            let struct (losses, seen) = descend targets picture
            let struct (rough, smooth) = weighted settings.Variation (fun () -> Style.totalVariation picture)
            let gradient = List.reduce add (seen @ smooth)
            struct ({ losses with Variation = rough }, gradient)

    let private refuse what expected got = raise (InvalidArgumentException($"StyleTransfer.run, {what}", expected, got))

    let private check (settings: StyleSettings) (parts: StylePart list) (content: Batch<Image>) (style: Batch<Image>) =
        if parts.IsEmpty then
            refuse "parts" "at least one part of a network" "none"

        if settings.Steps < 0 then
            refuse "Steps" "at least 0" $"{settings.Steps}"

        let weights = settings.Variation :: (parts |> List.collect (fun p -> [ p.Content; p.Style ]))

        for weight in weights do
            if not (Double.IsFinite weight) || weight < 0.0 then
                refuse "weights" "numbers that are finite and at least 0" $"{weight}"

        if parts |> List.forall (fun p -> p.Content = 0.0 && p.Style = 0.0) then
            refuse "weights" "a part that is read for content or style" "none"

        for before, after in List.pairwise parts do
            if before.Model.Output <> after.Model.Input || before.Model.Precision <> after.Model.Precision then
                let told (shape: Shape<Image>) precision = $"pictures of shape {shape} in {precision}"
                refuse "parts" (told before.Model.Output before.Model.Precision) (told after.Model.Input after.Model.Precision)

        for name, picture in [ "content", content; "style", style ] do
            if Batch.shape picture <> parts.Head.Model.Input then
                raise (
                    ShapeException($"StyleTransfer.run, {name}", $"pictures of shape {parts.Head.Model.Input}", $"{Batch.shape picture}")
                )

            Examples.checkFinite $"StyleTransfer.run, {name}" picture

        if Batch.count content = 0 || Batch.count style <> Batch.count content then
            refuse
                "style"
                "a picture of style for each of content, of which there is one at least"
                $"{Batch.count style} and {Batch.count content}"

    /// <summary>Gives the content in the manner of the style: begins with the content and moves its pixels down the three losses.</summary>
    /// <remarks>The network works as in prediction and does not change. The same arguments give the same bits.</remarks>
    /// <param name="settings">The weight of the total variation, the optimizer and the steps.</param>
    /// <param name="parts">A trained network in pieces, from its first layer on, see <c>Model.cut</c>; with what each output is read for.</param>
    /// <param name="content">What is to be seen: [N; C; H; W] as the first part takes it.</param>
    /// <param name="style">How it is to look, as many pictures of the same shape.</param>
    /// <exception cref="T:DL.Core.DLException">The parts do not follow from each other, pictures are of another shape or not finite, a setting is out of
    /// range, or the loss stopped being finite: the message says at which step.</exception>
    let run (settings: StyleSettings) (parts: StylePart list) (content: Batch<Image>) (style: Batch<Image>) : Stylized =
        check settings parts content style
        let optimizer = settings.Optimizer
        let evaluate = objective settings parts content style
        let start = Batch.held (Model.fit parts.Head.Model content)
        let mutable pixels = start.To start.ElementType
        let mutable moments = Array.init optimizer.Moments (fun _ -> [| Tensor.Zeros(start.ElementType, start.Shape) |])

        let measure step =
            let struct (losses, gradient) = evaluate (Batch.ofTensor pixels)

            if not (Double.IsFinite losses.Total) then
                let expected, mend = "a finite loss", "Lower the learning rate or the weights."
                raise (InvalidArgumentException($"StyleTransfer.run, step {step}", expected, $"{losses.Total}", mend))

            struct (losses, gradient)

        let move step =
            let struct (losses, gradient) = measure step
            let struct (moved, kept) = Optimizer.step optimizer step optimizer.Rate [| pixels |] [| Batch.held gradient |] moments
            pixels <- moved[0]
            moments <- kept
            losses

        let history = List.init settings.Steps (fun i -> move (i + 1))
        let struct (last, _) = measure settings.Steps

        { Picture = Batch.ofTensor pixels; History = history @ [ last ] }
