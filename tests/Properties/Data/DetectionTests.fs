module DL.Properties.Data.DetectionTests

open System
open FsCheck.FSharp
open Xunit
open DL.Core.Metrics
open DL.Properties.Data.Support
open DL.Properties.Data.BoxCases
open type DL.Properties.Data.BoxCases.Calls

let private detections =
    Gen.zip (Gen.zip (Gen.choose (0, 1)) (Gen.choose (0, 2))) (Gen.zip coarse (Gen.map float (Gen.choose (0, 4))))
    |> Gen.map (fun ((image, c), (box, score)) -> Detection(image, c, score, box))
    |> listOf 0 15

let private labelled =
    Gen.zip (Gen.choose (0, 1)) (Gen.zip (Gen.choose (0, 1)) coarse)
    |> Gen.map (fun (image, (c, box)) -> LabelledBox(image, c, box))
    |> listOf 0 8

/// Precision and recall after every detection of a class, by the definition.
let private curve (found: Detection[]) (truths: LabelledBox[]) c threshold =
    // The sort of lists keeps equal scores in their order, that of arrays does not.
    let ranked = found |> List.ofArray |> List.filter (fun d -> d.Class = c) |> List.sortByDescending _.Score
    let hit = Collections.Generic.HashSet<int>()

    let isHit (d: Detection) =
        let same =
            [ for t in 0 .. truths.Length - 1 do
                  if truths[t].Image = d.Image && truths[t].Class = c then
                      t ]

        if same.IsEmpty then
            false
        else
            let best = same |> List.maxBy (fun t -> iou d.Box truths[t].Box)
            iou d.Box truths[best].Box >= threshold && hit.Add best

    let hits = ranked |> List.map isHit |> Array.ofList
    let positives = truths |> Array.filter (fun t -> t.Class = c) |> Array.length
    let after n = hits |> Array.take n |> Array.filter id |> Array.length |> float

    hits, positives, [ for n in 1 .. hits.Length -> after n / float n, (if positives = 0 then 0.0 else after n / float positives) ]

let private best curve recall = curve |> List.filter (fun (_, r) -> r >= recall - 1e-9) |> List.map fst |> List.fold max 0.0

[<Fact>]
let ``average precision is that of brute force`` () =
    forAll (Gen.zip (Gen.zip detections labelled) (number 0.05 1.0)) (fun ((found, truths), threshold) ->
        let all = Precision(found, truths, 3, threshold)
        let eleven = Precision(found, truths, 3, threshold, PrecisionInterpolation.ElevenPoints)

        let fits c =
            let _, positives, points = curve found truths c threshold
            let steps = [ for k in 1..positives -> best points (float k / float positives) ]
            let tenths = [ for k in 0..10 -> best points (float k / 10.0) ]

            if positives = 0 then
                all.PerClass[c] = 0.0 && eleven.PerClass[c] = 0.0
            else
                close 1e-12 all.PerClass[c] (List.average steps) && close 1e-12 eleven.PerClass[c] (List.average tenths)

        let counted =
            [ for c in 0..2 do
                  if truths |> Array.exists (fun t -> t.Class = c) then
                      c ]

        let mean (precisions: AveragePrecisions) =
            if counted.IsEmpty then 0.0 else counted |> List.averageBy (fun c -> precisions.PerClass[c])

        List.forall fits [ 0; 1; 2 ]
        && close 1e-12 all.Mean (mean all)
        && close 1e-12 eleven.Mean (mean eleven)
        && [ for u in all.Undefined -> u.Class ] = List.except counted [ 0; 1; 2 ] @ (if counted.IsEmpty then [ -1 ] else []))

[<Fact>]
let ``finding everything is 1, nothing 0, and a sure miss costs`` () =
    let truths = [| for i in 0..4 -> LabelledBox(i % 2, 0, Box(float i, 0.0, float i + 1.0, 1.0)) |]
    let found = truths |> Array.mapi (fun i t -> Detection(t.Image, 0, float -i, t.Box))
    let miss = Detection(0, 0, 9.0, Box(50.0, 0.0, 51.0, 1.0))
    let mean (found: Detection[]) = (Precision(found, truths, 1, 0.5)).Mean
    Assert.Equal(1.0, mean found)
    Assert.Equal(0.0, mean [||])
    Assert.Equal(0.0, mean [| miss |])
    Assert.Equal(5.0 / 6.0, mean (Array.append found [| miss |]), 12)
    // Twice the same is a hit and a miss.
    Assert.Equal(1.0 / 5.0, mean [| found[0]; found[0] |], 12)
    let ranking, none = [| true; false; true |], Array.empty<bool>
    Assert.Equal((1.0 + 2.0 / 3.0) / 4.0, Ranking(ranking, 4L), 12)
    Assert.Equal((3.0 * 1.0 + 3.0 * 2.0 / 3.0) / 11.0, Ranking(ranking, 4L, PrecisionInterpolation.ElevenPoints), 12)
    Assert.Equal(0.0, Ranking(none, 0L))

[<Fact>]
let ``the overlap of label maps is that of brute force, and ignored pixels do not count`` () =
    let maps = listOf 0 20 (Gen.zip (Gen.elements [ 0; 1; 2; 255 ]) (Gen.choose (0, 3)))

    forAll maps (fun pixels ->
        let truth, predicted = Array.unzip pixels
        let matrix = Compare(truth, predicted, 4, 255)
        let counted = pixels |> Array.filter (fun (t, _) -> t <> 255)
        let count test = counted |> Array.filter test |> Array.length |> float
        let union c = count (fun (t, p) -> t = c || p = c)
        let share c = if union c = 0.0 then 0.0 else count (fun (t, p) -> t = c && p = c) / union c

        let met =
            [ for c in 0..3 do
                  if union c > 0.0 then
                      c ]

        matrix.Total = int64 counted.Length
        && List.forall (fun c -> close 1e-14 (matrix.IntersectionOverUnion c) (share c)) [ 0..3 ]
        && close 1e-14 matrix.MeanIntersectionOverUnion (if met.IsEmpty then 0.0 else List.averageBy share met))

[<Fact>]
let ``boxes that are not sound are refused by place`` () =
    let good = Box(0.0, 0.0, 1.0, 1.0)

    for bad in unsound do
        let both, scores = [| good; bad |], [| 1.0; 2.0 |]
        argumentError (fun () -> iou good bad) |> ignore

        argumentError (fun () -> Boxes.IntersectionOverUnion(ReadOnlySpan<Box> both, ReadOnlySpan<Box> both))
        |> mentions [ "a[1]" ]

        argumentError (fun () -> bad.Clip good) |> ignore
        argumentError (fun () -> good.Clip bad) |> ignore
        argumentError (fun () -> Keep(both, scores)) |> mentions [ "boxes[1]" ]
        argumentError (fun () -> Match(both, [| good |])) |> mentions [ "anchors[1]" ]
        argumentError (fun () -> Match([| good |], both)) |> mentions [ "truths[1]" ]
        argumentError (fun () -> Encode(both, [| good; good |])) |> mentions [ "anchors[1]" ]

        argumentError (fun () -> Precision([| Detection(0, 0, 1.0, bad) |], [||], 1)) |> mentions [ "detections[0]" ]

        argumentError (fun () -> Precision([||], [| LabelledBox(0, 0, bad) |], 1)) |> mentions [ "truths[0]" ]

[<Fact>]
let ``bad arguments are refused`` () =
    let good, flat = Box(0.0, 0.0, 1.0, 1.0), Box(0.0, 0.0, 1.0, 0.0)
    let one, two, none = [| good |], [| good; good |], Array.empty<Box>
    argumentError (fun () -> Box.FromCenter(0.0, 0.0, -1.0, 1.0)) |> ignore
    argumentError (fun () -> good.Scale(-1.0, 1.0)) |> ignore
    shapeError (fun () -> Keep(two, [| 1.0 |])) |> ignore
    shapeError (fun () -> KeepOf(two, [| 1.0; 1.0 |], [| 0 |])) |> ignore
    argumentError (fun () -> Keep(two, [| 1.0; nan |])) |> mentions [ "scores[1]" ]
    argumentError (fun () -> Keep(two, [| 1.0; 1.0 |], 1.5)) |> ignore
    argumentError (fun () -> Keep(two, [| 1.0; 1.0 |], nan)) |> ignore
    argumentError (fun () -> Keep(two, [| 1.0; 1.0 |], 0.5, -1)) |> ignore
    argumentError (fun () -> Grid(0, 1, [| 1.0 |], [| 1.0 |])) |> ignore
    argumentError (fun () -> Grid(1, 1, [||], [| 1.0 |])) |> mentions [ "sizes" ]
    argumentError (fun () -> Grid(1, 1, [| 1.0 |], [| 0.0 |])) |> mentions [ "ratios" ]
    argumentError (fun () -> Grid(1, 1, [| 1.0 |], [| 1.0 |], nan)) |> mentions [ "aspect" ]
    shapeError (fun () -> Grid(Int32.MaxValue, Int32.MaxValue, [| 1.0 |], [| 1.0 |])) |> ignore
    argumentError (fun () -> Match(one, one, 0.0)) |> ignore
    argumentError (fun () -> Match(one, one, nan)) |> ignore
    shapeError (fun () -> Targets(one, one, [||])) |> ignore
    argumentError (fun () -> Targets(one, one, [| -1 |])) |> mentions [ "classes[0]" ]
    argumentError (fun () -> Targets(one, [| flat |], [| 0 |])) |> mentions [ "truths[0]" ]
    shapeError (fun () -> Encode(one, two)) |> ignore
    argumentError (fun () -> Encode([| flat |], one)) |> mentions [ "anchors[0]"; "area" ]
    argumentError (fun () -> Encode(one, [| flat |])) |> mentions [ "boxes[0]"; "area" ]

    argumentError (fun () -> Encode([| Box(0.0, 0.0, 1e-200, 1.0) |], [| Box(0.0, 0.0, 1e200, 1.0) |]))
    |> mentions [ "finite" ]

    shapeError (fun () -> Decode(one, [| 0.0 |])) |> ignore
    argumentError (fun () -> Decode(one, [| 0.0; 0.0; 1e9; 0.0 |])) |> mentions [ "boxes[0]" ]
    argumentError (fun () -> Decode(one, [| nan; 0.0; 0.0; 0.0 |])) |> mentions [ "boxes[0]" ]
    let still = Array.zeroCreate<float> 4
    shapeError (fun () -> Detect(one, still, [| 1.0 |], 1)) |> ignore
    argumentError (fun () -> Detect(one, still, [| 0.0; nan |], 1)) |> mentions [ "probabilities[1]" ]
    argumentError (fun () -> Detect(none, [||], [||], 0)) |> ignore
    let found c score = [| Detection(0, c, score, good) |]
    argumentError (fun () -> Precision(found 2 1.0, [||], 2)) |> mentions [ "detections[0]"; "0 to 1" ]
    argumentError (fun () -> Precision(found 0 nan, [||], 2)) |> mentions [ "detections[0]" ]

    argumentError (fun () -> Precision([||], [| LabelledBox(0, -1, good) |], 2)) |> mentions [ "truths[0]" ]

    argumentError (fun () -> Precision([||], [||], 0)) |> ignore
    argumentError (fun () -> Precision([||], [||], 1, 0.0)) |> ignore
    argumentError (fun () -> Precision([||], [||], 1, 0.5, enum<PrecisionInterpolation> 9)) |> ignore
    let ranking, zero, outside = [| true |], [| 0 |], [| 2 |]
    argumentError (fun () -> Ranking(ranking, 0L)) |> ignore
    shapeError (fun () -> Compare(zero, [||], 2)) |> ignore
    argumentError (fun () -> Compare(zero, outside, 2)) |> mentions [ "pixel 0" ]
    argumentError (fun () -> Compare(zero, zero, 0)) |> ignore
    argumentError (fun () -> (Compare(zero, zero, 2)).IntersectionOverUnion 2) |> ignore

[<Fact>]
let ``no boxes at all are no fault`` () =
    let none, one = Array.empty<Box>, [| Box.Unit |]
    Assert.Empty(Keep(none, [||]))
    Assert.Empty(Match(none, one))
    let alone = Targets(one, none, [||])
    Assert.Equal<int[]>([| -1 |], alone.Matches)
    Assert.Equal<int[]>([| 0 |], alone.Classes)
    Assert.Empty(Encode(none, none))
    Assert.Empty(Decode(none, [||]))
    Assert.Empty(Detect(none, [||], [||], 3))
    let nothing = Precision([||], [||], 2)
    Assert.Equal(0.0, nothing.Mean)
    Assert.Equal(3, nothing.Undefined.Count)
