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
