module DL.Properties.Data.WavesTests

open System
open System.IO
open FsCheck.FSharp
open Xunit
open DL.Core
open DL.Core.Data
open DL.Core.Formats
open DL.Properties.Data.Support

/// A WAV file put together by hand: the form, chunks before the samples, and the samples' bytes.
let private wav encoding channels rate bits (before: (string * byte[]) list) (data: byte[]) (after: (string * byte[]) list) =
    use body = new MemoryStream()
    use writer = new BinaryWriter(body)

    let chunk (name: string) (bytes: byte[]) =
        writer.Write(bytesOf name)
        writer.Write bytes.Length
        writer.Write bytes

        if bytes.Length % 2 = 1 then
            writer.Write 0uy

    use form = new MemoryStream()
    use fields = new BinaryWriter(form)
    fields.Write(uint16 (if encoding < 0 then 0xFFFE else encoding))
    fields.Write(uint16<int> channels)
    fields.Write(rate: int)
    fields.Write(rate * channels * bits / 8)
    fields.Write(uint16 (channels * bits / 8))
    fields.Write(uint16<int> bits)

    if encoding < 0 then
        fields.Write 22us
        fields.Write(uint16<int> bits)
        fields.Write 0
        fields.Write(uint16 -encoding)
        fields.Write(Array.zeroCreate<byte> 14)

    writer.Write(bytesOf "WAVE")
    chunk "fmt " (form.ToArray())
    before |> List.iter (fun (name, bytes) -> chunk name bytes)
    chunk "data" data
    after |> List.iter (fun (name, bytes) -> chunk name bytes)
    let whole = body.ToArray()
    Array.concat [ bytesOf "RIFF"; BitConverter.GetBytes whole.Length; whole ]

let private read (bytes: byte[]) = Waves.Read(stream bytes)
let private samples = Gen.arrayOf (Gen.choose (-32768, 32767))

[<Fact>]
let ``whole numbers of every width and floats are read`` () =
    let eight = read (wav 1 1 8000 8 [] [| 0uy; 128uy; 255uy |] [])
    Assert.Equal<float32[]>([| -1f; 0f; 127f / 128f |], eight.Samples)
    Assert.Equal((1, 8000, 3), (eight.Channels, eight.Rate, eight.Moments))

    let sixteen =
        read (wav 1 2 44100 16 [ "LIST", [| 1uy |] ] [| 0uy; 128uy; 255uy; 127uy; 1uy; 0uy; 255uy; 255uy |] [ "id3 ", [| 1uy; 2uy |] ])

    Assert.Equal<float32[]>([| -1f; 32767f / 32768f; 1f / 32768f; -1f / 32768f |], sixteen.Samples)
    Assert.Equal(2, sixteen.Moments)
    let twentyFour = read (wav 1 1 1 24 [] [| 0uy; 0uy; 128uy; 255uy; 255uy; 127uy; 1uy; 2uy; 3uy |] [])
    Assert.Equal<float32[]>([| -1f; 8388607f / 8388608f; float32 0x030201 / 8388608f |], twentyFour.Samples)
    let thirtyTwo = read (wav -1 1 1 32 [] [| 0uy; 0uy; 0uy; 128uy; 0uy; 0uy; 0uy; 64uy |] [])
    Assert.Equal<float32[]>([| -1f; 0.5f |], thirtyTwo.Samples)

    let floats =
        read (wav -3 1 1 32 [] (Array.collect (fun (v: float32) -> BitConverter.GetBytes v) [| 1.5f; -0.0f; Single.Epsilon |]) [])

    Assert.Equal<float32[]>([| 1.5f; -0.0f; Single.Epsilon |], floats.Samples)
    Assert.Empty (read (wav 1 1 1 16 [] [||] [])).Samples

[<Fact>]
let ``what is written is read again, and clipped only beyond one`` () =
    forAll (Gen.zip samples (Gen.choose (1, 3))) (fun (numbers, channels) ->
        let whole = numbers |> Array.truncate (numbers.Length / channels * channels)
        let wave = Wave(whole |> Array.map (fun n -> float32 n / 32768f), channels, 22050)

        [ WaveEncoding.Pcm16; WaveEncoding.Float32 ]
        |> List.forall (fun encoding ->
            let again = read (Waves.Encode(wave, encoding))
            again.Samples = wave.Samples && again.Channels = channels && again.Rate = 22050))

    let loud = Wave([| 2f; -2f; 1f; 0.3f |], 1, 8000)
    Assert.Equal<float32[]>([| 32767f / 32768f; -1f; 32767f / 32768f; 9830f / 32768f |], (read (Waves.Encode loud)).Samples)
    let floats = [| 1e-30f; -3.5f; 0.1f |]
    Assert.Equal<float32[]>(floats, (read (Waves.Encode(Wave(floats, 3, 1), WaveEncoding.Float32))).Samples)
    let path = Path.GetTempFileName()

    try
        Waves.Save(path, loud, WaveEncoding.Float32)
        Assert.Equal<float32[]>(loud.Samples, (Waves.Read path).Samples)
    finally
        File.Delete path

[<Fact>]
let ``channels are taken one by one or as their mean`` () =
    let stereo = Wave([| 1f; 0f; 0.5f; -0.5f |], 2, 8000)
    Assert.Equal<float32[]>([| 0.5f; 0f |], stereo.Mono())
    Assert.Equal<float32[]>([| 0f; -0.5f |], stereo.Mono 1)
    argumentError (fun () -> stereo.Mono 2) |> mentions [ "0 to 1" ]
    argumentError (fun () -> Wave([||], 0, 1)) |> mentions [ "channels" ]
    argumentError (fun () -> Wave([||], 1, 0)) |> mentions [ "rate" ]
    shapeError (fun () -> Wave([| 1f |], 2, 1)) |> ignore
    argumentError (fun () -> Waves.Encode(Wave([| nanf |], 1, 1))) |> mentions [ "sample 0" ]

[<Fact>]
let ``what is no WAV is refused with its place`` () =
    let refused bytes parts = formatError (fun () -> Waves.Read(stream bytes, source = "a.wav")) |> mentions ("a.wav" :: parts)
    refused [||] [ "nothing" ]
    refused (bytesOf "RIFX0000WAVE") [ "RIFF" ]
    refused (wav 2 1 1 16 [] [||] []) [ "encoding 2" ]
    refused (wav 1 1 1 12 [] [||] []) [ "12 bits" ]
    refused (wav 3 1 1 16 [] [||] []) [ "encoding 3 of 16" ]
    refused (wav 1 0 1 16 [] [||] []) [ "one channel" ]
    refused (wav 1 1 0 16 [] [||] []) [ "rate" ]
    refused (wav 1 2 1 16 [] [| 0uy; 0uy |] []) [ "4 bytes"; "2 bytes" ]
    refused (wav 1 1 1 16 [] [||] [ "data", [||] ]) [ "another" ]
    refused (wav 1 1 1 16 [ "fmt ", Array.zeroCreate 16 ] [||] []) [ "another" ]
    refused (wav 3 1 1 32 [] (BitConverter.GetBytes nanf) []) [ "sample 0" ]
    refused (Array.append (wav 1 1 1 16 [] [||] []) [| 0uy; 0uy; 0uy |]) [ "byte 4" ]
    let good = wav 1 1 8000 16 [ "LIST", [| 1uy; 2uy |] ] [| 1uy; 2uy; 3uy; 4uy |] []
    formatError (fun () -> Waves.Read(stream good, ReadLimits(MaxElements = 1L))) |> mentions [ "MaxElements" ]

    for length in 0 .. good.Length - 1 do
        refused (Array.truncate length good) []
        // Cut short, and its length set right again.
        if length >= 12 then
            let cut = Array.truncate length good
            BitConverter.GetBytes(length - 8).CopyTo(cut, 4)
            refused cut []

[<Fact>]
let ``no damage to a WAV file does more than a format error`` () =
    let good = wav -1 2 8000 16 [ "LIST", [| 1uy |] ] (Array.init 16 byte) []

    forAll (Gen.zip (Gen.choose (0, good.Length - 1)) (Gen.choose (0, 255))) (fun (at, value) ->
        let damaged = Array.copy good
        damaged[at] <- byte value

        let wave =
            try
                ValueSome(read damaged)
            with :? DataFormatException ->
                ValueNone

        match wave with
        | ValueSome wave -> wave.Samples.Length <= 16
        | ValueNone -> true)
