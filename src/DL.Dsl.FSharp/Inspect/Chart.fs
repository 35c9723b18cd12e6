namespace DL

open System
open System.Globalization
open System.Net
open System.Text
open DL.Core
open DL.Core.Formats
open DL.Core.Metrics

/// <summary>A drawing of numbers, as SVG.</summary>
[<Sealed>]
type Chart internal (svg: string) =
    /// <summary>The SVG element.</summary>
    member _.Svg = svg

/// <summary>Charts: curves, histograms, ROC curves and confusion matrices.</summary>
[<RequireQualifiedAccess>]
module Chart =
    let private width = 560.0
    let private height = 300.0
    let private left = 64.0
    let private right = 16.0
    let private bottom = 46.0
    // Okabe and Ito's palette, which readers with any colour vision tell apart.
    let private colors = [| "#0072b2"; "#d55e00"; "#009e73"; "#cc79a7"; "#e69f00"; "#56b4e9" |]
    let private color i = colors[i % colors.Length]
    // Beyond the palette the same colors come again, dashed.
    let private dash i = if i < colors.Length then "" else " stroke-dasharray=\"6 4\""

    /// As many names side by side as have room for the longest.
    let private namesInRow (names: string list) =
        let longest = names |> List.map _.Length |> List.fold max 1
        max 1 (min 4 (int ((width - left - right) / (34.0 + 7.0 * float longest))))

    let private top (names: string list) =
        let inRow = namesInRow names
        24.0 + 18.0 * float ((max 1 names.Length + inRow - 1) / inRow)

    let private number (format: string) (x: float) = x.ToString(format, CultureInfo.InvariantCulture)
    let private at x = number "0.##" x
    let internal escape (text: string) = WebUtility.HtmlEncode text

    /// From 4 to 10 round numbers, 1, 2 or 5 times a power of ten apart, that span a range.
    let private ticks low high =
        let rough = (high - low) / 5.0
        let power = 10.0 ** floor (log10 rough)

        let step =
            power
            * (if rough / power < 1.5 then 1.0
               elif rough / power < 3.5 then 2.0
               elif rough / power < 7.5 then 5.0
               else 10.0)

        [ for i in ceil (low / step - 1e-9) .. floor (high / step + 1e-9) -> i * step ]

    let private spread low high =
        // Numbers so small are not told apart.
        if high - low > 1e-300 then struct (low, high)
        elif abs low <= 1e-300 then struct (0.0, 1.0)
        else struct (low - abs low * 0.5, high + abs high * 0.5)

    let private place low high from until (value: float) = from + (value - low) / (high - low) * (until - from)

    let private label anchor x y text = $"<text x=\"{at x}\" y=\"{at y}\" text-anchor=\"{anchor}\">{escape text}</text>"

    let private legend (names: string list) =
        let inRow = namesInRow names
        let wide = (width - left - right) / float inRow

        [ for i, name in List.indexed names do
              let x = left + float (i % inRow) * wide
              let y = 12.0 + 18.0 * float (i / inRow)
              let line = $"stroke=\"{color i}\" stroke-width=\"4\"{dash i}"
              yield $"<path d=\"M{at x} {at (y + 6.0)}h14\" {line}/>"
              yield label "start" (x + 20.0) (y + 10.0) name ]

    let private frame (xTitle, yTitle) names struct (x0, x1) struct (y0, y1) (marks: string list) =
        let top = top names
        let x, y = place x0 x1 left (width - right), place y0 y1 (height - bottom) top
        let short (value: float) = number "0.####" value

        let lines =
            [ yield! legend names
              for tick in ticks y0 y1 do
                  yield $"<path class=\"rule\" d=\"M{at left} {at (y tick)}H{at (width - right)}\"/>"
                  yield label "end" (left - 8.0) (y tick + 4.0) (short tick)
              for tick in ticks x0 x1 do
                  yield label "middle" (x tick) (height - bottom + 18.0) (short tick)
              yield label "middle" ((left + width - right) / 2.0) (height - 8.0) xTitle
              yield
                  $"<text transform=\"translate(14 {at ((top + height - bottom) / 2.0)}) rotate(-90)\" text-anchor=\"middle\">{escape yTitle}</text>"
              yield! marks ]

        let title = String.concat ", " names
        let open' = $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {at width} {at height}\" role=\"img\""
        let style = "<style>text{font:13px sans-serif;fill:#333}.rule{stroke:#ddd}</style>"
        Chart(String.concat "" (($"{open'} aria-label=\"{escape title}\">" :: style :: lines) @ [ "</svg>" ]))

    let private finite where (values: float seq) =
        for value in values do
            // Distances between larger ones would overflow.
            if not (abs value <= 1e300) then
                raise (InvalidArgumentException(where, "finite numbers up to 1e300", $"{value}"))

    let private need where any =
        if not any then
            raise (InvalidArgumentException(where, "at least one number", "none"))

    /// <summary>Curves through points, each of its own colour.</summary>
    /// <param name="x">What the horizontal axis shows.</param>
    /// <param name="y">What the vertical axis shows.</param>
    /// <param name="curves">Names and points.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There are no points, or a number is not finite.</exception>
    let lines (x: string, y: string) (curves: (string * (float * float) list) list) : Chart =
        let points = curves |> List.collect snd
        need "Chart.lines" (not points.IsEmpty)
        finite "Chart.lines" (points |> Seq.collect (fun (a, b) -> [ a; b ]))
        let range pick = spread (points |> List.map pick |> List.min) (points |> List.map pick |> List.max)
        let struct (x0, x1), struct (y0, y1) = range fst, range snd
        let px, py = place x0 x1 left (width - right), place y0 y1 (height - bottom) (top (List.map fst curves))

        let curve i (points: (float * float) list) =
            let path = points |> List.map (fun (a, b) -> $"{at (px a)},{at (py b)}") |> String.concat " "

            String.concat
                ""
                [ yield $"<polyline fill=\"none\" stroke=\"{color i}\" stroke-width=\"2\"{dash i} points=\"{path}\"/>"
                  // Marks on more points than these would hide the curve.
                  for a, b in (if points.Length <= 40 then points else []) do
                      yield $"<circle cx=\"{at (px a)}\" cy=\"{at (py b)}\" r=\"3\" fill=\"{color i}\"/>" ]

        frame (x, y) (List.map fst curves) struct (x0, x1) struct (y0, y1) (curves |> List.mapi (fun i (_, points) -> curve i points))

    /// <summary>The numbers in each of equal intervals: <c>low, low + w, ..., high</c>; the last holds its upper end too.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There are no bins, the range is empty, or a number is outside it or not finite.</exception>
    let count (bins: int) (low: float, high: float) (values: float[]) : int[] =
        if bins < 1 || not (Double.IsFinite(high - low) && low < high) then
            raise (
                InvalidArgumentException(
                    "Chart.count",
                    "at least 1 bin, and a finite range with low below high",
                    $"{bins}, {low} to {high}"
                )
            )

        let counts = Array.zeroCreate bins

        for value in values do
            if not (value >= low && value <= high) then
                raise (InvalidArgumentException("Chart.count", $"numbers from {low} to {high}", $"{value}"))

            let bin = min (bins - 1) (int ((value - low) / (high - low) * float bins))
            counts[bin] <- counts[bin] + 1

        counts

    /// <summary>Histograms over common intervals, drawn over each other: the share of each series' numbers in every interval.</summary>
    /// <param name="bins">The number of intervals, at least 1.</param>
    /// <param name="x">What the numbers are.</param>
    /// <param name="series">Names and numbers.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There are no numbers or no bins, or a number is not finite.</exception>
    let histogram (bins: int) (x: string) (series: (string * float[]) list) : Chart =
        let all = series |> Seq.collect snd |> Array.ofSeq
        need "Chart.histogram" (series |> List.forall (fun (_, values) -> values.Length > 0) && all.Length > 0)
        finite "Chart.histogram" all
        let struct (low, high) = spread (Array.min all) (Array.max all)

        let shares =
            series
            |> List.map (fun (_, values) -> count bins (low, high) values |> Array.map (fun n -> float n / float values.Length))

        let most = shares |> Seq.collect id |> Seq.max
        let px, py = place 0.0 (float bins) left (width - right), place 0.0 most (height - bottom) (top (List.map fst series))

        let area i (shares: float[]) =
            let steps = shares |> Array.mapi (fun bin share -> $"V{at (py share)}H{at (px (float (bin + 1)))}") |> String.concat ""

            let path = $"M{at left} {at (height - bottom)}{steps}V{at (height - bottom)}Z"
            $"<path d=\"{path}\" fill=\"{color i}\" fill-opacity=\"0.35\" stroke=\"{color i}\"/>"

        frame (x, "share") (List.map fst series) struct (low, high) struct (0.0, most) (List.mapi area shares)

    /// <summary>ROC curves, with the area under each in the legend, above the diagonal of guessing.</summary>
    /// <param name="curves">Names and curves.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There are no curves, or one is of a single class.</exception>
    let roc (curves: (string * RocCurve) list) : Chart =
        need "Chart.roc" (not curves.IsEmpty)

        let points (name, curve: RocCurve) =
            let area = number "0.000" curve.Area
            $"{name} ({area})", List.ofArray (Array.zip curve.FalsePositiveRates curve.TruePositiveRates)

        lines ("false positive rate", "true positive rate") ((curves |> List.map points) @ [ "guessing", [ 0.0, 0.0; 1.0, 1.0 ] ])

    /// <summary>A confusion matrix: rows are true classes, columns predicted ones, the darker the larger their share of the true class.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There are more than 30 classes.</exception>
    let confusion (matrix: ConfusionMatrix) : Chart =
        let n = matrix.Classes

        if n > 30 then
            raise (InvalidArgumentException("Chart.confusion", "at most 30 classes", $"{n}"))

        let cell = max 26.0 (min 46.0 (360.0 / float n))
        let longest = matrix.ClassNames |> Seq.map _.Length |> Seq.max
        let margin = 34.0 + 8.0 * float longest
        let side = margin + cell * float n + 16.0

        let square t p =
            let count = matrix[t, p]
            let all = Seq.init n (fun p -> matrix[t, p]) |> Seq.sum
            let share = if all = 0L then 0.0 else float count / float all
            let x, y = margin + cell * float p, margin + cell * float t
            let ink = if share > 0.6 then "#fff" else "#333"
            let middle = at (x + cell / 2.0), at (y + cell / 2.0 + 4.0)
            let fill = number "0.###" share

            $"<rect x=\"{at x}\" y=\"{at y}\" width=\"{at cell}\" height=\"{at cell}\" fill=\"{colors[0]}\" fill-opacity=\"{fill}\" stroke=\"#ddd\"/>"
            + $"<text x=\"{fst middle}\" y=\"{snd middle}\" text-anchor=\"middle\" style=\"fill:{ink};font-size:11px\">{count}</text>"

        let name i text =
            let middle = at (margin + cell * (float i + 0.5))

            label "end" (margin - 6.0) (margin + cell * (float i + 0.5) + 4.0) text
            + $"<text transform=\"translate({middle} {at (margin - 8.0)}) rotate(-90)\" dy=\"4\">{escape text}</text>"

        let marks =
            [ yield label "start" margin 16.0 "predicted"
              yield $"<text transform=\"translate(14 {at (margin + cell * float n / 2.0)}) rotate(-90)\" text-anchor=\"middle\">true</text>"
              yield! matrix.ClassNames |> Seq.mapi name
              for t in 0 .. n - 1 do
                  for p in 0 .. n - 1 do
                      yield square t p ]

        let open' =
            $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {at side} {at side}\" role=\"img\" aria-label=\"confusion matrix\" style=\"max-width:{at side}px\">"

        Chart(String.concat "" ((open' :: "<style>text{font:13px sans-serif;fill:#333}</style>" :: marks) @ [ "</svg>" ]))

    /// <summary>Writes a chart to an SVG file, whole or not at all.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">The file cannot be written.</exception>
    let save (path: string) (chart: Chart) : unit = WholeFile.Write(path, ReadOnlySpan(Encoding.UTF8.GetBytes chart.Svg))
