namespace DL

open System
open System.Globalization
open System.Net
open DL.Core

/// <summary>A drawing of numbers, as SVG.</summary>
[<Sealed>]
type Chart internal (svg: string) =
    /// <summary>The SVG element.</summary>
    member _.Svg = svg

/// <summary>Charts: curves and histograms.</summary>
[<RequireQualifiedAccess>]
module Chart =
    let private width = 560.0
    let private height = 300.0
    let private left = 64.0
    let private right = 16.0
    let private top = 42.0
    let private bottom = 46.0
    // Okabe and Ito's palette, which readers with any colour vision tell apart.
    let private colors = [| "#0072b2"; "#d55e00"; "#009e73"; "#cc79a7"; "#e69f00"; "#56b4e9" |]
    let private color i = colors[i % colors.Length]
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
        if high > low then struct (low, high)
        elif low = 0.0 then struct (0.0, 1.0)
        else struct (low - abs low * 0.5, high + abs high * 0.5)

    let private place low high from until (value: float) = from + (value - low) / (high - low) * (until - from)

    let private label anchor x y text = $"<text x=\"{at x}\" y=\"{at y}\" text-anchor=\"{anchor}\">{escape text}</text>"

    let private legend (names: string list) =
        let wide = (width - left - right) / float (max 3 names.Length)

        [ for i, name in List.indexed names do
              let x = left + float i * wide
              yield $"<rect x=\"{at x}\" y=\"12\" width=\"12\" height=\"12\" fill=\"{color i}\"/>"
              yield label "start" (x + 18.0) 22.0 name ]

    let private frame (xTitle, yTitle) names struct (x0, x1) struct (y0, y1) (marks: string list) =
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
            if not (Double.IsFinite value) then
                raise (InvalidArgumentException(where, "finite numbers", $"{value}"))

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
        let px, py = place x0 x1 left (width - right), place y0 y1 (height - bottom) top

        let curve i (points: (float * float) list) =
            let path = points |> List.map (fun (a, b) -> $"{at (px a)},{at (py b)}") |> String.concat " "

            String.concat
                ""
                [ yield $"<polyline fill=\"none\" stroke=\"{color i}\" stroke-width=\"2\" points=\"{path}\"/>"
                  for a, b in points do
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
        let px, py = place 0.0 (float bins) left (width - right), place 0.0 most (height - bottom) top

        let area i (shares: float[]) =
            let steps = shares |> Array.mapi (fun bin share -> $"V{at (py share)}H{at (px (float (bin + 1)))}") |> String.concat ""

            let path = $"M{at left} {at (height - bottom)}{steps}V{at (height - bottom)}Z"
            $"<path d=\"{path}\" fill=\"{color i}\" fill-opacity=\"0.35\" stroke=\"{color i}\"/>"

        frame (x, "share") (List.map fst series) struct (low, high) struct (0.0, most) (List.mapi area shares)
