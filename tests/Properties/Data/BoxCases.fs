/// Boxes of all kinds, and what their tests share.
module DL.Properties.Data.BoxCases

open System
open FsCheck.FSharp
open DL.Core.Metrics

/// Boxes on a coarse grid, so that they meet, touch, nest, coincide and have no area.
let coarse =
    Gen.map4
        (fun x y w h -> Box(float x, float y, float (x + w), float (y + h)))
        (Gen.choose (-3, 6))
        (Gen.choose (-3, 6))
        (Gen.choose (0, 5))
        (Gen.choose (0, 5))

let number low high = Gen.map (fun i -> low + (high - low) * float i / 1e6) (Gen.choose (0, 1000000))

/// Boxes with an area, of numbers that are not whole.
let fine =
    Gen.map4 (fun x y w h -> Box(x, y, x + w, y + h)) (number -2.0 2.0) (number -2.0 2.0) (number 0.01 3.0) (number 0.01 3.0)

let any = Gen.frequency [ 2, coarse; 1, fine ]
let listOf least most gen = Gen.choose (least, most) |> Gen.bind (fun n -> Gen.arrayOfLength n gen)

/// The overlap by the definition.
let overlap (a: Box) (b: Box) =
    let both = max 0.0 (min a.Right b.Right - max a.Left b.Left) * max 0.0 (min a.Bottom b.Bottom - max a.Top b.Top)

    if both = 0.0 then 0.0 else both / (a.Area + b.Area - both)

let iou (a: Box) (b: Box) = Boxes.IntersectionOverUnion(a, b)
let close bound (a: float) (b: float) = abs (a - b) <= bound * max 1.0 (abs b)

let near bound (a: Box) (b: Box) =
    close bound a.Left b.Left
    && close bound a.Top b.Top
    && close bound a.Right b.Right
    && close bound a.Bottom b.Bottom

/// A box that is not sound.
let unsound =
    [ Box(nan, 0.0, 1.0, 1.0)
      Box(0.0, 0.0, infinity, 1.0)
      Box(-1e308, 0.0, 1e308, 1.0)
      Box(1.0, 0.0, 0.0, 1.0)
      Box(0.0, 1.0, 1.0, 0.0) ]

/// What is tried, over arrays: a literal in a call is none of a span.
type Calls =
    static member Keep(boxes: Box[], scores: float[], ?threshold: float, ?most: int) =
        NonMaximumSuppression.Keep(boxes, scores, defaultArg threshold 0.5, defaultArg most Int32.MaxValue)

    static member KeepOf(boxes: Box[], scores: float[], classes: int[], ?threshold: float, ?most: int) =
        NonMaximumSuppression.Keep(boxes, scores, classes, defaultArg threshold 0.5, defaultArg most Int32.MaxValue)

    static member Grid(rows: int, columns: int, sizes: float[], ratios: float[], ?aspect: float) =
        Anchors.Grid(rows, columns, sizes, ratios, defaultArg aspect 1.0)

    static member Match(anchors: Box[], truths: Box[], ?threshold: float) = BoxMatching.Match(anchors, truths, defaultArg threshold 0.5)

    static member Targets(anchors: Box[], truths: Box[], classes: int[]) = BoxMatching.Targets(anchors, truths, classes)

    static member Encode(anchors: Box[], boxes: Box[]) = BoxOffsets.Encode(anchors, boxes)

    static member Decode(anchors: Box[], offsets: float[]) = BoxOffsets.Decode(anchors, offsets)

    static member Detect(anchors: Box[], offsets: float[], probabilities: float[], classes: int, ?image: int, ?most: int) =
        Detections.At(anchors, offsets, probabilities, classes, defaultArg image 0, most = defaultArg most 100)

    static member Precision
        (found: Detection[], truths: LabelledBox[], classes: int, ?threshold: float, ?interpolation: PrecisionInterpolation)
        =
        AveragePrecision.Of(found, truths, classes, defaultArg threshold 0.5, defaultArg interpolation PrecisionInterpolation.AllPoints)

    static member Ranking(hits: bool[], positives: int64, ?interpolation: PrecisionInterpolation) =
        AveragePrecision.OfRanking(hits, positives, defaultArg interpolation PrecisionInterpolation.AllPoints)

    static member Compare(truth: int[], predicted: int[], classes: int, ?ignored: int) =
        Segmentation.Compare(truth, predicted, classes, Option.toNullable ignored)
