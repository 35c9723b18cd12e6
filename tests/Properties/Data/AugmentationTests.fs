module DL.Properties.Data.AugmentationTests

open System
open FsCheck.FSharp
open Xunit
open DL
open DL.Core
open DL.Core.Augmentation
open DL.Core.Random
open DL.Properties.Data.Support

/// Images of a few pixels, channels last, float32 or float64, from 0 to 1.
let private sized heights =
    gen {
        let! n = Gen.choose (0, 4)
        let! height = heights
        let! width = heights
        let! channels = Gen.elements [ 1; 3 ]
        let! seed = Gen.choose (0, 1000)
        let values = Array.zeroCreate<float>(n * height * width * channels)
        Draw.Uniform<float>(Key(uint64<int> seed, 1u, 1u), Span<float> values)
        let x = Tensor.Of<float>(values, n, height, width, channels)
        let! wide = Gen.elements [ true; false ]
        return if wide then x :> Tensor else x.To ElementType.Float32
    }

let private images = sized (Gen.choose (1, 6))
let private key = Gen.map (fun seed -> Key(uint64<int> seed, 3u, 0u)) (Gen.choose (0, 1000))
let private keysOf (key: Key) (x: Tensor) = Array.init x.Shape[0] (fun i -> key.At(uint64<int> i))
let private same (a: Tensor) (b: Tensor) = a.SameBits b
let private item (x: Tensor) (index: int[]) = x.Item(ReadOnlySpan<int> index)

/// What is tried, over arrays: a literal in a call is none of a span.
type private Calls =
    static member Flip(x: Tensor, keys: Key[], ?probability: float) = Flip.Horizontal(x, keys, defaultArg probability 0.5)
    static member Turn(x: Tensor, degrees: float[]) = Rotate.By(x, degrees)
    static member Color(x: Tensor, factors: ColorFactors[]) = ColorJitter.By(x, factors)

/// Every random change of images, with the keys it takes.
let private changes: (string * (Tensor -> Key[] -> Tensor)) list =
    [ "flip", (fun x k -> Flip.Horizontal(x, k, 0.5))
      "flip vertically", (fun x k -> Flip.Vertical(x, k, 0.5))
      "crop", (fun x k -> Crop.Random(x, k, x.Shape[1], x.Shape[2], 2))
      "rotate", (fun x k -> Rotate.Random(x, k, 40.0))
      "colours", (fun x k -> ColorJitter.Random(x, k, 0.5, 0.5, 0.5)) ]

[<Fact>]
let ``a change keeps shape and element type, and the same keys change the same`` () =
    for _, change in changes do
        forAll (Gen.zip images key) (fun (x, key) ->
            let y = change x (keysOf key x)
            y.Shape = x.Shape && y.ElementType = x.ElementType && same y (change x (keysOf key x)))

[<Fact>]
let ``what becomes of an image does not depend on the others`` () =
    for _, change in changes do
        forAll (Gen.zip images key) (fun (x, key) ->
            let keys = keysOf key x
            let whole = change x keys

            Seq.forall
                (fun i ->
                    let row = [| i |]
                    same (Ops.Rows.Forward(whole, row)) (change (Ops.Rows.Forward(x, row)) [| keys[i] |]))
                (seq { 0 .. x.Shape[0] - 1 }))

[<Fact>]
let ``different keys change differently`` () =
    let x = Tensor.Of<float32>(Array.init (64 * 25) (fun i -> float32 (i % 25) / 25f), 64, 5, 5, 1)

    for name, change in changes do
        let y = change x (Array.init 64 (fun i -> Key(1UL, 0u, 0u).At(uint64<int> i)))
        let distinct = [ for i in 0..63 -> (Ops.Rows.Forward(y, [| i |])).ToArray<float>() ] |> List.distinct
        Assert.True(distinct.Length >= 2, name)

/// The element of an image at a place, or zero beside it.
let private at (x: Tensor) n i j c = if i < 0 || j < 0 || i >= x.Shape[1] || j >= x.Shape[2] then 0.0 else item x [| n; i; j; c |]

let private everywhere (x: Tensor) (law: int -> int -> int -> int -> bool) =
    seq {
        for n in 0 .. x.Shape[0] - 1 do
            for i in 0 .. x.Shape[1] - 1 do
                for j in 0 .. x.Shape[2] - 1 do
                    for c in 0 .. x.Shape[3] - 1 do
                        law n i j c
    }
    |> Seq.forall id

[<Fact>]
let ``a flip is the formula, of probability 0 nothing, and twice nothing`` () =
    forAll (Gen.zip images key) (fun (x, key) ->
        let keys = keysOf key x
        let across, down = Flip.Horizontal(x, keys, 1.0), Flip.Vertical(x, keys, 1.0)

        everywhere x (fun n i j c -> at across n i j c = at x n i (x.Shape[2] - 1 - j) c)
        && everywhere x (fun n i j c -> at down n i j c = at x n (x.Shape[1] - 1 - i) j c)
        && same x (Flip.Horizontal(x, keys, 0.0))
        && same x (Flip.Horizontal(across, keys, 1.0))
        && same x (Flip.Vertical(down, keys, 1.0))
        && same x (Flip.Horizontal(Flip.Horizontal(x, keys, 0.5), keys, 0.5)))

    let x = Tensor.Of<float32>(Array.init 2000 (fun i -> float32 (i % 2)), 1000, 1, 2, 1)
    let y = Flip.Horizontal(x, keysOf (Key(9UL, 0u, 0u)) x, 0.3)
    let flipped = Seq.length (Seq.filter (fun n -> item y [| n; 0; 0; 0 |] = 1.0) (seq { 0..999 }))
    // 300 expected, 5 standard deviations are 72.
    Assert.InRange(flipped, 228, 372)

[<Fact>]
let ``a crop is a part of the padded image, and without padding the image`` () =
    forAll (Gen.zip3 images key (Gen.zip3 (Gen.choose (0, 3)) (Gen.choose (1, 6)) (Gen.choose (1, 6)))) (fun (x, key, (padding, h, w)) ->
        let h, w = min h (x.Shape[1] + 2 * padding), min w (x.Shape[2] + 2 * padding)
        let y = Crop.Random(x, keysOf key x, h, w, padding)

        let matches n (top, left) =
            Seq.forall
                (fun (i, j, c) -> item y [| n; i; j; c |] = at x n (i + top) (j + left) c)
                (Seq.allPairs (seq { 0 .. h - 1 }) (Seq.allPairs (seq { 0 .. w - 1 }) (seq { 0 .. x.Shape[3] - 1 }))
                 |> Seq.map (fun (i, (j, c)) -> i, j, c))

        let places = Seq.allPairs (seq { -padding .. x.Shape[1] + padding - h }) (seq { -padding .. x.Shape[2] + padding - w })

        Seq.forall (fun n -> Seq.exists (matches n) places) (seq { 0 .. x.Shape[0] - 1 })
        && same x (Crop.Random(x, keysOf key x, x.Shape[1], x.Shape[2]))
        && same x (Crop.Center(x, x.Shape[1], x.Shape[2])))

    let x = Tensor.Of<float32>([| 1f; 2f; 3f; 4f |], 1, 1, 4, 1)
    Assert.Equal<float32[]>([| 2f; 3f |], (Crop.Center(x, 1, 2)).ToArray<float32>())
    let one = [| Key(1UL, 0u, 0u) |]
    let filled = Crop.Random(x, one, 3, 6, 1, 9.0)
    Assert.Equal<float32[]>([| 9f; 1f; 2f; 3f; 4f; 9f |], (filled.ToArray<float32>())[6..11])

[<Fact>]
let ``every place of a crop is taken equally often`` () =
    let n = 1800
    let x = Tensor.Of<float32>(Array.init (n * 9) (fun i -> float32 (i % 9)), n, 3, 3, 1)
    let y = Crop.Random(x, keysOf (Key(4UL, 0u, 0u)) x, 1, 1)
    // 200 of each expected, 5 standard deviations are 67.
    for _, count in y.ToArray<int>() |> Array.countBy id do
        Assert.InRange(count, 133, 267)

let private turned (degrees: float) (x: Tensor) = Calls.Turn(x, Array.create x.Shape[0] degrees)

[<Fact>]
let ``turning by nothing or all around is nothing, and right angles are exact`` () =
    forAll images (fun x ->
        same x (turned 0.0 x)
        && same x (turned 360.0 x)
        && same x (turned -720.0 x)
        && same x (turned 180.0 (turned 180.0 x))
        && everywhere x (fun n i j c -> at (turned 180.0 x) n i j c = at x n (x.Shape[1] - 1 - i) (x.Shape[2] - 1 - j) c))

    let squares =
        gen {
            let! side = Gen.choose (1, 6)
            return! sized (Gen.constant side)
        }

    forAll squares (fun x ->
        let once = turned 90.0 x

        everywhere x (fun n i j c -> at once n i j c = at x n j (x.Shape[1] - 1 - i) c)
        && same once (turned -270.0 x)
        && same x (turned -90.0 once)
        && same (turned 180.0 x) (turned 90.0 once))

[<Fact>]
let ``a turn is the bilinear formula`` () =
    forAll (Gen.zip images (Gen.choose (-400, 400))) (fun (x, tenths) ->
        let degrees = float tenths / 1.3
        let y = turned degrees x
        let cos, sin = Math.Cos(degrees * Math.PI / 180.0), Math.Sin(degrees * Math.PI / 180.0)
        let bound = if x.ElementType = ElementType.Float64 then 1e-9 else 1e-4

        everywhere x (fun n i j c ->
            let di, dj = float i - float (x.Shape[1] - 1) / 2.0, float j - float (x.Shape[2] - 1) / 2.0
            let row, column = cos * di + sin * dj + float (x.Shape[1] - 1) / 2.0, cos * dj - sin * di + float (x.Shape[2] - 1) / 2.0
            // Each pixel near by counts by how near it is.
            let expected =
                Seq.sum (
                    seq {
                        for a in int (floor row) .. int (floor row) + 1 do
                            for b in int (floor column) .. int (floor column) + 1 do
                                (1.0 - abs (row - float a)) * (1.0 - abs (column - float b)) * at x n a b c
                    }
                )

            tenths = 0 || abs (at y n i j c - expected) <= bound))

[<Fact>]
let ``colours change by their formulas`` () =
    let factor = Gen.map (fun i -> float i / 10.0) (Gen.choose (0, 20))

    forAll (Gen.zip images (Gen.zip3 factor factor factor)) (fun (x, (brightness, contrast, saturation)) ->
        let factors = Array.create x.Shape[0] (ColorFactors(brightness, contrast, saturation))
        let y = Calls.Color(x, factors)
        let clip v = max 0.0 (min 1.0 v)
        let grayOf (p: float[]) = if p.Length = 1 then p[0] else 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2]
        let bound = if x.ElementType = ElementType.Float64 then 1e-12 else 1e-5

        Seq.forall
            (fun n ->
                let pixels =
                    [| for i in 0 .. x.Shape[1] - 1 do
                           for j in 0 .. x.Shape[2] - 1 -> [| for c in 0 .. x.Shape[3] - 1 -> item x [| n; i; j; c |] |] |]

                let bright = pixels |> Array.map (Array.map (fun v -> clip (brightness * v)))
                let mean = bright |> Array.averageBy grayOf
                let contrasted = bright |> Array.map (Array.map (fun v -> clip (mean + contrast * (v - mean))))

                let saturated =
                    contrasted
                    |> Array.map (fun p ->
                        if p.Length = 1 then p else p |> Array.map (fun v -> clip (grayOf p + saturation * (v - grayOf p))))

                let found = (Ops.Rows.Forward(y, [| n |])).ToArray<float>()
                Array.forall2 (fun (a: float) b -> abs (a - b) <= bound) found (Array.concat saturated))
            (seq { 0 .. x.Shape[0] - 1 })
        && same x (Calls.Color(x, Array.create x.Shape[0] (ColorFactors(1.0, 1.0, 1.0))))
        && same x (ColorJitter.Random(x, keysOf (Key(1UL, 0u, 0u)) x)))

[<Fact>]
let ``a mixture has weights of the beta distribution, and mixes as it says`` () =
    forAll (Gen.zip3 images key (Gen.elements [ 1e-6; 0.2; 1.0; 5.0; 1e6 ])) (fun (x, key, alpha) ->
        let n = x.Shape[0]
        let mixture = MixUp.Draw(n, alpha, key)
        let y = MixUp.Apply(x, mixture)
        let bound = if x.ElementType = ElementType.Float64 then 1e-14 else 1e-6

        mixture.Weights |> Array.forall (fun w -> w >= 0.0 && w <= 1.0)
        && Array.sort mixture.Partners = [| 0 .. n - 1 |]
        && everywhere x (fun i a b c ->
            let w = mixture.Weights[i]
            abs (at y i a b c - (w * at x i a b c + (1.0 - w) * at x mixture.Partners[i] a b c)) <= bound)
        && same y (MixUp.Apply(x, MixUp.Draw(n, alpha, key))))

    for alpha in [ 0.05; 0.4; 1.0; 3.0 ] do
        let n = 20_000
        let weights = (MixUp.Draw(n, alpha, Key(2UL, 0u, 0u))).Weights
        let variance = 1.0 / (4.0 * (2.0 * alpha + 1.0))
        // The mean is one half, and five standard errors of it and of the variance are less than these.
        Assert.InRange(Array.average weights, 0.5 - 5.0 * sqrt (variance / float n), 0.5 + 5.0 * sqrt (variance / float n))
        Assert.InRange((weights |> Array.averageBy (fun w -> (w - 0.5) ** 2.0)) / variance, 0.95, 1.05)

[<Fact>]
let ``changes are put together, and feed a pipeline`` () =
    let x = Tensor.Of<float32>(Array.init (20 * 3 * 36) (fun i -> float32 (i % 101) / 101f), 20, 3, 6, 6)
    let data = Examples.create (Batch.image x) (Batch.labels (Array.init 20 (fun i -> i % 2)))
    let change = Augment.all [ Augment.flip 0.5; Augment.crop (4, 4) 1; Augment.rotate 10.0; Augment.colorJitter 0.2 0.2 0.2 ]
    let key = Key(7UL, 0u, 0u)

    let run n =
        Pipeline.ofExamples data
        |> Pipeline.shuffle key
        |> Pipeline.batchKeyed n (key.Skip 1) (Augment.inputs change)
        |> Pipeline.prefetch 2
        |> Pipeline.epoch 3
        |> List.ofSeq

    let joined batches = Batch.tensor (Batch.append (batches |> List.map (fun (e: Examples<Image, Label>) -> e.Inputs)))
    Assert.True((joined (run 7)).SameBits(joined (run 20)))
    Assert.Equal(Shape.image (3, 4, 4), Batch.shape (run 7).Head.Inputs)
    let once = Augment.apply key change data.Inputs
    Assert.True((Batch.tensor once).SameBits(Batch.tensor (Augment.apply key change data.Inputs)))
    Assert.True((Batch.tensor (Augment.apply key (Augment.all []) data.Inputs)).SameBits x)
    Assert.True((Batch.tensor once).SameBits(Batch.tensor (Augment.examples change key data).Inputs))
    // In the order of channels, height and width, a flip exchanges columns.
    let flipped = Batch.tensor (Augment.apply key (Augment.flip 1.0) data.Inputs)
    Assert.Equal(item x [| 3; 2; 1; 0 |], item flipped [| 3; 2; 1; 5 |])
    let upended = Batch.tensor (Augment.apply key (Augment.flipVertical 1.0) data.Inputs)
    Assert.Equal(item x [| 3; 2; 1; 0 |], item upended [| 3; 2; 4; 0 |])
    Assert.Equal(Shape.image (3, 2, 2), Batch.shape (Augment.apply key (Augment.centerCrop (2, 2)) data.Inputs))

[<Fact>]
let ``mixed examples have mixed targets`` () =
    let inputs = Batch.vectors (Array.init 6 (fun i -> [| float32 i |]))
    let labels = Batch.labels [| 0; 1; 2; 0; 1; 2 |]
    let data = Examples.create inputs (Augment.oneHot 3 labels)
    let key = Key(1UL, 0u, 0u)
    let mixed = Augment.mixUp 0.4 key data
    let mixture = MixUp.Draw(6, 0.4, key)

    for i in 0..5 do
        let w, j = mixture.Weights[i], mixture.Partners[i]
        let targets = Batch.tensor mixed.Targets
        Assert.Equal(w * float i + (1.0 - w) * float j, item (Batch.tensor mixed.Inputs) [| i; 0 |], 5)
        Assert.Equal(1.0, Seq.sum (seq { for c in 0..2 -> item targets [| i; c |] }), 5)
        Assert.Equal((if i % 3 = j % 3 then 1.0 else w), item targets [| i; i % 3 |], 5)

    let ids = Examples.create (Batch.tokens (Tensor.Of<int>([| 1; 2 |], 2, 1))) (Batch.vectors [| [| 1f |]; [| 0f |] |])
    argumentError (fun () -> Augment.mixUp 0.4 key ids) |> mentions [ "float32" ]
    let padded = { ids with Inputs = Padded.withLengths [| 1; 0 |] ids.Inputs }
    shapeError (fun () -> Augment.mixUp 0.4 key padded) |> mentions [ "Augment.mixUp" ]

[<Fact>]
let ``settings and shapes that do not fit are named`` () =
    let x = Tensor.Of<float32>(Array.zeroCreate<float32> 16, 1, 2, 4, 2)
    let keys = [| Key(1UL, 0u, 0u) |]
    let none = Array.empty<Key>
    argumentError (fun () -> Flip.Horizontal(x, keys, 1.5)) |> mentions [ "Flip, probability"; "1.5" ]
    argumentError (fun () -> Flip.Horizontal(x, keys, nan)) |> ignore
    shapeError (fun () -> Flip.Horizontal(x, none)) |> mentions [ "1 keys"; "got 0" ]
    shapeError (fun () -> Flip.Vertical(x.Reshape(4, 4), keys)) |> mentions [ "[n; height; width; channels]" ]
    argumentError (fun () -> Flip.Vertical(x.To ElementType.Int32, keys)) |> mentions [ "int32" ]
    argumentError (fun () -> Crop.Random(x, keys, 3, 4)) |> mentions [ "2 x 4"; "3 x 4" ]
    argumentError (fun () -> Crop.Random(x, keys, 0, 4)) |> ignore
    argumentError (fun () -> Crop.Random(x, keys, 2, 4, -1)) |> mentions [ "padding" ]
    argumentError (fun () -> Crop.Center(x, 2, 5)) |> ignore
    argumentError (fun () -> Rotate.Random(x, keys, -1.0)) |> mentions [ "degrees" ]
    argumentError (fun () -> Calls.Turn(x, [| infinity |])) |> mentions [ "degrees[0]" ]
    shapeError (fun () -> Calls.Turn(x, Array.empty<float>)) |> ignore
    shapeError (fun () -> ColorJitter.Random(x, keys)) |> mentions [ "1 channel or 3" ]
    let gray = x.Reshape(2, 2, 4, 1)
    let two = [| keys[0]; keys[0] |]
    argumentError (fun () -> ColorJitter.Random(gray, two, 1.5)) |> mentions [ "1.5, 0, 0" ]
    argumentError (fun () -> Calls.Color(gray, Array.create 2 (ColorFactors(-1.0, 1.0, 1.0)))) |> ignore
    argumentError (fun () -> Calls.Color(gray, Array.create 2 (ColorFactors(1.0, nan, 1.0)))) |> ignore
    argumentError (fun () -> MixUp.Draw(2, 0.0, keys[0])) |> mentions [ "alpha" ]
    argumentError (fun () -> MixUp.Draw(-1, 1.0, keys[0])) |> ignore
    shapeError (fun () -> MixUp.Apply(x, MixUp.Draw(2, 1.0, keys[0]))) |> ignore
    argumentError (fun () -> MixUp.Apply(gray, Mixture([| 2.0; 0.0 |], [| 0; 1 |]))) |> mentions [ "weights" ]
    argumentError (fun () -> MixUp.Apply(gray, Mixture([| 1.0; 0.0 |], [| 0; 2 |]))) |> mentions [ "partners" ]
