/// Images are given and got as [N; C; H; W], however they lie inside.
module DL.Properties.Dsl.Images

open Xunit
open DL
open DL.Core

let private numbers n = Array.init n (fun i -> float32 i)
let private tensor (extents: int list) : Tensor = Tensor.Of<float32>(numbers (List.fold (*) 1 extents), List.toArray extents)
let private extents = [ [ 2; 3; 4; 5 ]; [ 2; 1; 4; 5 ]; [ 3; 4; 1; 1 ]; [ 1; 2; 3; 1 ]; [ 0; 3; 2; 2 ] ]
let private same (a: Tensor) (b: Tensor) = Assert.True(a.SameBits b, $"{a.Shape} and {b.Shape}")

let private run (layer: Layer<'x, 'y>) (x: Batch<'x>) = layer.Apply Predict (layer.Init (Key.ofSeed 0) (Batch.shape x)).Params [||] x

[<Fact>]
let ``an image is got as it was given`` () =
    for e in extents do
        let t = tensor e
        let image = Batch.image t
        same t (Batch.tensor image)
        Assert.Equal(Shape.image (e[1], e[2], e[3]), Batch.shape image)
        let pair = Batch.pair image (Batch.vec (tensor [ e[0]; 2 ]))
        same t (Batch.tensors pair).Head
        Assert.Equal(Shape.pair (Batch.shape image) (Shape.vec 2), Batch.shape pair)

[<Fact>]
let ``flatten reads an image in C, H, W order, and back`` () =
    for e in extents do
        let t = tensor e
        let pass = run flatten (Batch.image t)
        let flat = t.Reshape(e[0], e[1] * e[2] * e[3])
        same flat (Batch.tensor pass.Output)
        let struct (dx, _) = pass.Pullback(Batch.vec flat)
        same t (Batch.tensor dx)
        let back = run (toImage (e[1], e[2], e[3])) (Batch.vec flat)
        same t (Batch.tensor back.Output)

[<Fact>]
let ``features of an image are its channels`` () =
    let image = Batch.image (tensor [ 2; 3; 4; 5 ])
    let y = Batch.tensor (run softmax image).Output
    let sums = Ops.Sum.Forward(y, 1).ToArray<float>()
    Assert.All(sums, fun s -> Assert.Equal(1.0, s, 6))
    Assert.Equal(3, (layerNorm<Image>.Init (Key.ofSeed 0) (Shape.image (3, 4, 5))).Params[0].Count)
    let both = Batch.pair image (Batch.image (tensor [ 2; 2; 4; 5 ]))
    Assert.Equal(Shape.image (5, 4, 5), Batch.shape (run cat both).Output)
    same (Ops.Concat.Forward(1, tensor [ 2; 3; 4; 5 ], tensor [ 2; 2; 4; 5 ])) (Batch.tensor (run cat both).Output)

[<Fact>]
let ``the weights of a convolution are shown as [out; in; height; width]`` () =
    let net = conv2d 5 (kernelOf (2, 3)) --> convTranspose2d 4 (kernel 2)
    let model = net |> Model.init Double (Key.ofSeed 1) (Shape.image (3, 4, 6))
    let dict = Model.stateDict model
    let shapes = dict |> List.map (fun (name, t) -> name, List.ofArray (t.Shape.Extents.ToArray()))

    Assert.Equal<(string * int list) list>(
        [ "0.weight", [ 5; 3; 2; 3 ]; "0.bias", [ 5 ]; "1.weight", [ 5; 4; 2; 2 ]; "1.bias", [ 4 ] ],
        shapes
    )

    let back = Model.withStateDict dict (net |> Model.init Double (Key.ofSeed 2) (Shape.image (3, 4, 6)))
    Array.iter2 same model.Params back.Params
    // One image whose only pixel is one meets the window's first tap alone.
    let first = Tensor.Of<float>(Array.init 18 (fun i -> if i = 6 then 1.0 else 0.0), [| 1; 3; 2; 3 |])
    let conv = conv2d 5 (kernelOf (2, 3)) |> Model.init Double (Key.ofSeed 1) (Shape.image (3, 2, 3))
    let y = Batch.tensor (Model.predict conv (Batch.image first))
    let weight = Model.stateDict conv |> List.head |> snd

    for o in 0..4 do
        Assert.Equal(weight.At(18 * o + 6), y.At o, 12)

/// Boxes of every example, the last of which are padding that is no box.
let private boxes: Batch<Seq> =
    let corners =
        [| 0f
           1f
           3f
           2f
           1.5f
           0.5f
           6f
           9f
           -3f
           -2f
           1f
           1f
           2f
           2f
           2f
           2f
           nanf
           5f
           1f
           infinityf
           8f
           8f
           1f
           1f |]

    Batch.seq (Tensor.Of<float32>(corners, 2, 3, 4)) |> Padded.withLengths [| 3; 1 |]

/// Poolings over regions, with the operation each is, from images channels last and rows of image, left, top, right, bottom.
let private overBoxes: (Layer<Image * Seq, Seq> * (Tensor -> Tensor -> Tensor)) list =
    [ roiPool 1.0 (2, 3), (fun x r -> Ops.RoiPool.Forward(x, r, 2, 3))
      roiPool 0.5 (1, 1), (fun x r -> Ops.RoiPool.Forward(x, r, 1, 1, 0.5))
      roiAlign 0.5 (3, 2), (fun x r -> Ops.RoiAlign.Forward(x, r, 3, 2, 0.5))
      roiAlignWith { Samples = 3; Aligned = false } 1.0 (2, 2), (fun x r -> Ops.RoiAlign.Forward(x, r, 2, 2, 1.0, 3, false)) ]

/// The numbers of a part of a pair.
let private values part (pair: Batch<Image * Seq>) = (List.item part (Batch.tensors pair)).ToArray<float>()

[<Fact>]
let ``what a box holds is a step, in the order of channels, rows and columns, and padding is not read`` () =
    let image = Batch.image (tensor [ 2; 3; 5; 4 ])
    let x: Tensor = Ops.Transpose.Forward(tensor [ 2; 3; 5; 4 ], 0, 2, 3, 1)
    let corners = (Batch.tensor boxes).ToArray<float>()

    for layer, operation in overBoxes do
        let net = layer --> perToken identity
        let y = (run net (Batch.pair image boxes)).Output
        Assert.Equal<int[]>([| 3; 1 |], (Padded.lengths y).Value)

        for example, box in [ 0, 0; 0, 1; 0, 2; 1, 0 ] do
            let at = 4 * (3 * example + box)
            let region = Tensor.Of<float>(Array.append [| float example |] corners[at .. at + 3], 1, 5)
            let bins: Tensor = Ops.Transpose.Forward(operation x region, 0, 3, 1, 2)
            let step = Ops.Slice.Forward(Ops.Slice.Forward(Batch.tensor y, 0, example, 1), 1, box, 1)
            same (bins.Reshape(1, 1, bins.Count)) step

        // What comes back for padding, whatever it is, goes nowhere, and boxes have no gradient.
        let pass = layer.Apply Train [||] [||] (Batch.pair image boxes)

        let upstream (padding: float32) : Batch<Seq> =
            let width = (Batch.tensor pass.Output).Shape[2]
            let counts i = i / width < 4
            Batch.seq (Tensor.Of<float32>(Array.init (6 * width) (fun i -> if counts i then 1f else padding), 2, 3, width))

        let struct (dx, _) = pass.Pullback(upstream 0f)
        let struct (garbage, _) = pass.Pullback(upstream nanf)
        Assert.True(Seq.forall2 (fun (a: Tensor) b -> a.SameBits b) (Batch.tensors dx) (Batch.tensors garbage))
        Assert.All(values 1 dx, fun v -> Assert.Equal(0.0, v))
        Assert.Contains(values 0 dx, fun v -> v > 0.0)

[<Fact>]
let ``no images and no boxes are taken as they are`` () =
    for layer, _ in overBoxes do
        for images, count in [ 0, 3; 2, 0; 0, 0 ] do
            let none = Batch.seq (Tensor.Of<float32>(Array.zeroCreate (images * count * 4), images, count, 4))
            let pass = run layer (Batch.pair (Batch.image (tensor [ images; 3; 5; 4 ])) none)

            Assert.Equal(
                (layer.Init (Key.ofSeed 0) (Shape.pair (Shape.image (3, 5, 4)) (Shape.seq (count, 4)))).Shape,
                Batch.shape pass.Output
            )

            let struct (dx, _) = pass.Pullback pass.Output
            Assert.Equal(images * 60, (values 0 dx).Length)
            Assert.All(values 0 dx, fun v -> Assert.Equal(0.0, v))

[<Fact>]
let ``boxes that are none are named by layer, example and place`` () =
    let image = Batch.image (tensor [ 2; 1; 4; 4 ])

    let says (parts: string list) (action: unit -> unit) =
        let error = Assert.ThrowsAny<DLException>(fun () -> action ())
        Assert.All(parts, fun part -> Assert.Contains(part, error.Message))

    let of' (last: float32 list) = Batch.seq (Tensor.Of<float32>(Array.append (Array.create 12 1f) (Array.ofList last), 2, 2, 4))

    for last in
        [ [ 2f; 0f; 1f; 3f ]
          [ 0f; 2f; 1f; 1f ]
          [ nanf; 0f; 1f; 1f ]
          [ 0f; 0f; infinityf; 1f ]
          [ 0f; 0f; 1e9f; 1f ] ] do
        says [ "roiAlign 0.5 2x2, example 1, box 1"; "left at most right" ] (fun () ->
            run (roiAlign 0.5 (2, 2)) (Batch.pair image (of' last)) |> ignore)

        says [ "roiPool 1 2x2, example 1, box 1" ] (fun () -> run (roiPool 1.0 (2, 2)) (Batch.pair image (of' last)) |> ignore)

    let init layer shape () = Model.init Single (Key.ofSeed 0) shape layer |> ignore
    let net = both (conv2d 2 (kernel 1)) identity --> roiAlign 1.0 (2, 2)
    says [ "1.roiAlign 1 2x2"; "left, top, right and bottom"; "3x5" ] (init net (Shape.pair (Shape.image (1, 4, 4)) (Shape.seq (3, 5))))
    says [ "at least one pixel" ] (init (roiPool 1.0 (2, 2)) (Shape.pair (Shape.image (1, 0, 4)) (Shape.seq (3, 4))))
    says [ "roiPool"; "0 x 2" ] (fun () -> roiPool 1.0 (0, 2) |> ignore)
    says [ "roiPool"; "scale" ] (fun () -> roiPool 0.0 (1, 2) |> ignore)
    says [ "roiAlign"; "scale" ] (fun () -> roiAlign nan (1, 2) |> ignore)
    says [ "roiAlign"; "1024" ] (fun () -> roiAlignWith { Region.defaults with Samples = 2000 } 1.0 (1, 2) |> ignore)
