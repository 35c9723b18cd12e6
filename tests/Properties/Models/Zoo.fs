/// The networks of the literature: their parameters counted, and eight examples learnt by heart.
module DL.Properties.Models.Zoo

open Xunit
open DL
open DL.Core
open DL.Models

let private count (shape: Shape<'x>) (net: Layer<'x, 'y>) =
    let setup = net.Init (Key.ofSeed 1) shape
    setup.Shape, setup.Params |> Array.sumBy (fun p -> int64 p.Count)

let private has (parameters: int64) outputs (shape: Shape<Vec>, counted: int64) =
    Assert.Equal(parameters, counted)
    Assert.Equal(Shape.vec outputs, shape)

let private photo = Shape.image (3, 224, 224)

[<Fact>]
let ``LeNet has its 61,706 parameters`` () =
    count (Shape.image (1, 28, 28)) (LeNet.original 10) |> has 61_706L 10
    count (Shape.image (1, 28, 28)) (LeNet.modern 10) |> has 61_706L 10

[<Fact>]
let ``AlexNet has its 60,965,224 parameters`` () = count (Shape.image (3, 227, 227)) (AlexNet.net 1000) |> has 60_965_224L 1000

[<Fact>]
let ``VGG has its 133, 138 and 144 million parameters`` () =
    count photo (Vgg.vgg11 1000) |> has 132_863_336L 1000
    count photo (Vgg.vgg16 1000) |> has 138_357_544L 1000
    count photo (Vgg.vgg19 1000) |> has 143_667_240L 1000

[<Fact>]
let ``NiN has its 1,992,166 parameters`` () = count (Shape.image (1, 224, 224)) (NiN.net 10) |> has 1_992_166L 10

[<Fact>]
let ``GoogLeNet has its 6,998,552 parameters`` () = count photo (GoogLeNet.net 1000) |> has 6_998_552L 1000

[<Fact>]
let ``ResNet has its 11.7, 21.8 and 25.6 million parameters`` () =
    count photo (ResNet.resnet18 1000) |> has 11_689_512L 1000
    count photo (ResNet.resnet34 1000) |> has 21_797_672L 1000
    count photo (ResNet.resnet50 1000) |> has 25_557_032L 1000

[<Fact>]
let ``DenseNet has its 7,978,856 parameters`` () = count photo (DenseNet.densenet121 1000) |> has 7_978_856L 1000

[<Fact>]
let ``MobileNetV2 has its 3,504,872 parameters`` () = count photo (MobileNet.v2 1000) |> has 3_504_872L 1000

[<Fact>]
let ``EfficientNet-B0 has its 5,288,548 parameters`` () = count photo (EfficientNet.b0 1000) |> has 5_288_548L 1000

[<Fact>]
let ``a highway network has two convolutions a block and one a stage`` () =
    let block channels = 2L * (9L * channels * channels + channels)
    let stage inputs channels blocks = 9L * inputs * channels + channels + blocks * block channels

    count (Shape.image (3, 32, 32)) (HighwayCnn.net [ 16, 3; 32, 4 ] 10)
    |> has (stage 3L 16L 3L + stage 16L 32L 4L + 330L) 10

[<Fact>]
let ``FCN gives a score for every class at every pixel and has its 12,993,642 parameters`` () =
    let shape, counted = count (Shape.image (3, 64, 96)) (Fcn.resnet18 21)
    Assert.Equal(12_993_642L, counted)
    Assert.Equal(Shape.image (21, 64, 96), shape)

[<Fact>]
let ``a transposed convolution that starts bilinear enlarges smoothly`` () =
    let x: Tensor = Tensor.Of<float32>(Array.init 32 float32, 1, 2, 4, 4)

    let enlarge =
        convTranspose2dWith { Conv.defaults with Weights = Initializer.bilinear } 0 2 (kernel 4 |> stride 2 |> padding 1)

    let shape = Shape.image (2, 4, 4)

    let made net =
        (Model.predict (Model.init Single (Key.ofSeed 1) shape net) (Batch.image x) |> Batch.tensor).ToArray<float32>()

    let inner (values: float32[]) =
        [| for c in 0..1 do
               for i in 1..6 do
                   for j in 1..6 -> values[(c * 8 + i) * 8 + j] |]

    Assert.Equal<float32[]>(inner (made (upsampleBilinear 2)), inner (made enlarge))

[<Fact>]
let ``U-Net keeps the size of an image and has its 31 million parameters`` () =
    let shape, counted = count (Shape.image (1, 64, 64)) (UNet.net 4 64 2)
    Assert.Equal(31_030_658L, counted)
    Assert.Equal(Shape.image (2, 64, 64), shape)

let private specimens = Specimens.all @ TextSpecimens.all
let private names = specimens |> List.map _.Name
let networks = TheoryData<string>(names)

[<Theory>]
[<MemberData(nameof networks)>]
let ``a network learns eight examples by heart`` (name: string) =
    let specimen = specimens |> List.find (fun s -> s.Name = name)
    Assert.InRange(specimen.Learn(), specimen.Least, 1.0)

/// Thousands of millions of multiply-adds, rounded to three digits behind the point.
let private billions layer = round (float (layer |> Model.init Single (Key.ofSeed 0) photo |> Model.flops) / 2e6) / 1000.0

[<Fact>]
let ``networks multiply and add as often as is known of them`` () =
    // The counts of torchvision's weights: AlexNet is another there.
    Assert.Equal(1.814, billions (ResNet.resnet18 1000))
    Assert.Equal(3.664, billions (ResNet.resnet34 1000))
    Assert.Equal(4.089, billions (ResNet.resnet50 1000))
    Assert.Equal(15.47, billions (Vgg.vgg16 1000))
