/// Pictures composed of digits, and the networks that read them.
module DL.Properties.Data.ScenesTests

open System
open Xunit
open DL
open DL.Core
open DL.Core.Metrics
open DL.Core.Random
open DL.Models

let private digits = Examples.digits ()
let private scenes seed count = Scenes.compose (Key.ofSeed seed) 24 3 count digits

[<Fact>]
let ``equal keys compose equal pictures`` () =
    let a, b, c = scenes 1 5, scenes 1 5, scenes 2 5
    Assert.True((Batch.tensor a.Images).SameBits(Batch.tensor b.Images))
    Assert.Equal<LabelledBox list>(a.Boxes, b.Boxes)
    Assert.False((Batch.tensor a.Images).SameBits(Batch.tensor c.Images))

[<Fact>]
let ``a box frames the ink of its digit and nothing else carries its label`` () =
    let made = scenes 3 20
    let labels = (Batch.tensor made.Masks).ToArray<int>()
    Assert.NotEmpty made.Boxes

    for truth in made.Boxes do
        let edge (share: float) = int (Math.Round(share * 24.0))
        let rows, columns = [ edge truth.Box.Top .. edge truth.Box.Bottom - 1 ], [ edge truth.Box.Left .. edge truth.Box.Right - 1 ]
        let at row column = labels[(truth.Image * 24 + row) * 24 + column] = truth.Class + 1

        for row in [ rows.Head; List.last rows ] do
            Assert.True(columns |> List.exists (at row), $"no ink in row {row}")

        for column in [ columns.Head; List.last columns ] do
            Assert.True(rows |> List.exists (fun row -> at row column), $"no ink in column {column}")

    for i in 0 .. labels.Length - 1 do
        if labels[i] > 0 then
            let image, row, column = i / 576, i / 24 % 24, i % 24
            let x, y = (float column + 0.5) / 24.0, (float row + 0.5) / 24.0

            let frames (b: LabelledBox) =
                b.Image = image
                && b.Class + 1 = labels[i]
                && x > b.Box.Left
                && x < b.Box.Right
                && y > b.Box.Top
                && y < b.Box.Bottom

            Assert.True(made.Boxes |> List.exists frames, $"ink outside every box at {row}, {column}")

[<Fact>]
let ``what cannot be composed is refused`` () =
    let refused (run: unit -> Scenes) = Assert.Throws<InvalidArgumentException>(Action(run >> ignore)) |> ignore

    refused (fun () -> Scenes.compose (Key.ofSeed 1) 9 1 1 digits)
    refused (fun () -> Scenes.compose (Key.ofSeed 1) 24 0 1 digits)
    refused (fun () -> Scenes.compose (Key.ofSeed 1) 24 1 0 digits)
    refused (fun () -> Scenes.compose (Key.ofSeed 1) 24 1 1 (Examples.take [||] digits))

let private train epochs loss (examples: Examples<Image, 't>) shape net =
    let steps = epochs * (Examples.count examples / 8)

    let plain =
        { Trainer.create loss (Optimizer.adam 3e-3) with
            Progress = Progress.Silent }

    let trainer =
        { plain with
            Rule = { plain.Rule with Schedule = Some(Schedule.cosine steps 0.0 3e-3) }
            Epochs = epochs
            BatchSize = 8 }

    (net |> Model.init Single (Key.ofSeed 0) shape |> Trainer.fit trainer examples).Model

let private split = digits |> Examples.split 0.1 0
let private shape = Shape.image (1, 24, 24)

[<Fact>]
let ``a fully convolutional network tells whose pixels are whose`` () =
    let struct (known, unseen) = split
    let data, test = Scenes.compose (Key.ofSeed 1) 24 3 1200 known, Scenes.compose (Key.ofSeed 2) 24 3 100 unseen
    let model = Fcn.skips 3 12 11 |> train 4 Loss.pixelCrossEntropy (Examples.create data.Images data.Masks) shape
    let overlap = Metric.meanIntersectionOverUnion.Measure (Model.predict model test.Images) test.Masks
    Assert.True(overlap >= 0.7, $"mean intersection over union {overlap}")

[<Fact>]
let ``a detector finds the digits`` () =
    let struct (known, unseen) = split
    let data, test = Scenes.compose (Key.ofSeed 1) 24 3 1600 known, Scenes.compose (Key.ofSeed 2) 24 3 100 unseen

    let scales =
        [ 32, { Sizes = [ 0.25; 0.35 ]; Ratios = [ 0.7; 0.3; 1.0 ] }
          48, { Sizes = [ 0.35; 0.45 ]; Ratios = [ 0.7; 0.3; 1.0 ] } ]

    let anchors = Ssd.anchors 12 scales
    let examples = Examples.create data.Images (Ssd.targets anchors 1600 data.Boxes)
    let model = Ssd.net (Ssd.down 24) scales 10 |> train 6 Loss.multiBox examples shape
    let found = Model.predict model test.Images |> Ssd.detect anchors 0.05 |> Array.ofList
    let truths = Array.ofList test.Boxes
    let precision = (AveragePrecision.Of(found, truths, 10, 0.5)).Mean
    Assert.True(precision >= 0.7, $"mean average precision {precision}")
