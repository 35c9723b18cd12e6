namespace DL

open System
open System.Text
open DL.Core
open DL.Core.Formats

/// <summary>A page to look at: headings, text, pictures, charts and tables in one HTML file that needs no other. A value.</summary>
[<Sealed>]
type Report internal (title: string, parts: string list) =
    /// <summary>The title.</summary>
    member _.Title = title
    /// The parts, the last one first.
    member internal _.Parts = parts

/// <summary>Reports: <c>Report.create "LeNet" |> Report.picture "Kernels" grid |> Report.save path</c>.</summary>
[<RequireQualifiedAccess>]
module Report =
    let private style =
        "body{font:16px/1.5 sans-serif;color:#222;background:#fff;max-width:60rem;margin:2rem auto;padding:0 1rem}"
        + "h1,h2{line-height:1.2}h2{margin-top:2.5rem;border-bottom:1px solid #ddd;padding-bottom:.3rem}"
        + "figure{margin:1.5rem 0}figcaption{color:#555;font-size:.9rem;margin-top:.4rem}"
        + "img{max-width:100%;image-rendering:pixelated;border:1px solid #ddd}svg{max-width:36rem;width:100%;height:auto}"
        + "table{border-collapse:collapse}th,td{padding:.3rem .9rem;border-bottom:1px solid #ddd;text-align:right}"
        + "th:first-child,td:first-child{text-align:left}"

    let private add part (report: Report) = Report(report.Title, part :: report.Parts)

    let private figure inner caption = $"<figure>{inner}<figcaption>{Chart.escape caption}</figcaption></figure>"

    /// <summary>An empty page of a title.</summary>
    let create (title: string) : Report = Report(title, [])

    /// <summary>Adds a heading.</summary>
    let section (heading: string) (report: Report) : Report = add $"<h2>{Chart.escape heading}</h2>" report

    /// <summary>Adds a paragraph.</summary>
    let text (paragraph: string) (report: Report) : Report = add $"<p>{Chart.escape paragraph}</p>" report

    /// <summary>Adds a picture, with what it shows; small ones are drawn larger.</summary>
    let picture (caption: string) (picture: Picture) (report: Report) : Report =
        let data = Convert.ToBase64String(Picture.png picture)
        let width = picture.Width * max 1 (min 4 (640 / picture.Width))
        add (figure $"<img width=\"{width}\" alt=\"{Chart.escape caption}\" src=\"data:image/png;base64,{data}\">" caption) report

    /// <summary>Adds a chart, with what it shows.</summary>
    let chart (caption: string) (chart: Chart) (report: Report) : Report = add (figure chart.Svg caption) report

    /// <summary>Adds a table.</summary>
    /// <param name="head">The headings of its columns.</param>
    /// <param name="rows">Its rows, each as long as the head.</param>
    /// <param name="report">The page.</param>
    /// <exception cref="T:DL.Core.ShapeException">A row is longer or shorter.</exception>
    let table (head: string list) (rows: string list list) (report: Report) : Report =
        rows
        |> List.iteri (fun i row ->
            if row.Length <> head.Length then
                raise (ShapeException($"Report.table, row {i}", $"{head.Length} cells, one for each heading", $"{row.Length}")))

        let line tag cells =
            let inner = cells |> List.map (fun cell -> $"<{tag}>{Chart.escape cell}</{tag}>") |> String.concat ""
            $"<tr>{inner}</tr>"

        let body = rows |> List.map (line "td") |> String.concat "\n"
        add ("<table>\n" + line "th" head + "\n" + body + "\n</table>") report

    /// <summary>The page as HTML.</summary>
    let html (report: Report) : string =
        let title = Chart.escape report.Title
        let head = $"<meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>"

        String.concat
            "\n"
            [ yield $"<!DOCTYPE html>\n<html lang=\"en\"><head>{head}<style>{style}</style></head><body>"
              yield $"<h1>{title}</h1>"
              yield! List.rev report.Parts
              yield "</body></html>\n" ]

    /// <summary>Writes the page to a file, whole or not at all.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">The file cannot be written.</exception>
    let save (path: string) (report: Report) : unit = WholeFile.Write(path, ReadOnlySpan(Encoding.UTF8.GetBytes(html report)))
