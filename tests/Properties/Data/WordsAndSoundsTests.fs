module DL.Properties.Data.WordsAndSoundsTests

open System
open System.Collections.Generic
open FsCheck.FSharp
open Xunit
open DL
open DL.Core
open DL.Core.Augmentation
open DL.Core.Random
open DL.Properties.Data.Support

let private key = Gen.map (fun seed -> Key(uint64<int> seed, 3u, 0u)) (Gen.choose (0, 1000))
let private words = Gen.arrayOf (Gen.elements [ "good"; "film"; "very"; "long"; "the" ])
let private counts = Gen.choose (0, 6)

let private synonyms =
    dict [ "good", [| "fine"; "nice" |]; "film", [| "movie" |]; "the", [||] ] |> Dictionary<string, string[]>

let private meanings word =
    match synonyms.TryGetValue word with
    | true, found -> found
    | _ -> [||]

[<Fact>]
let ``synonyms stand where their words stood, at as many places as asked for`` () =
    forAll (Gen.zip3 words counts key) (fun (words, n, key) ->
        let changed = TextAugmentation.ReplaceSynonyms(words, synonyms, n, key)
        let known = words |> Array.filter (fun word -> (meanings word).Length > 0) |> Array.length
        let places = Array.zip words changed |> Array.filter (fun (a, b) -> a <> b)

        changed.Length = words.Length
        && places.Length = min n known
        && places |> Array.forall (fun (a, b) -> Array.contains b (meanings a))
        && changed = TextAugmentation.ReplaceSynonyms(words, synonyms, n, key))

[<Fact>]
let ``an insertion adds synonyms of words that are there`` () =
    forAll (Gen.zip3 words counts key) (fun (words, n, key) ->
        let changed = TextAugmentation.Insert(words, synonyms, n, key)
        let all = words |> Array.collect meanings
        let added = changed |> Array.filter (fun word -> not (Array.contains word words))

        changed.Length = words.Length + (if all.Length = 0 then 0 else n)
        && added |> Array.forall (fun word -> Array.contains word all)
        && (changed |> Array.filter (fun word -> Array.contains word words)) = words
        && changed = TextAugmentation.Insert(words, synonyms, n, key))

[<Fact>]
let ``a swap moves two words, and keeps all`` () =
    forAll (Gen.zip3 (Gen.choose (0, 8)) counts key) (fun (length, n, key) ->
        let words = Array.init length string<int>
        let changed = TextAugmentation.Swap(words, n, key)
        let moved = Array.zip words changed |> Array.filter (fun (a, b) -> a <> b) |> Array.length

        Array.sort changed = Array.sort words
        && moved <= 2 * n
        && (n <> 1 || length < 2 || moved = 2)
        && changed = TextAugmentation.Swap(words, n, key))

[<Fact>]
let ``a deletion leaves words out with its probability, but never all`` () =
    forAll (Gen.zip words key) (fun (words, key) ->
        let all = TextAugmentation.Delete(words, 1.0, key)

        TextAugmentation.Delete(words, 0.0, key) = words
        && all.Length = min 1 words.Length
        && all |> Array.forall (fun word -> Array.contains word words))

    let kept = TextAugmentation.Delete(Array.init 1000 string<int>, 0.3, Key(1UL, 0u, 0u))
    // 700 expected, 5 standard deviations are 72.
    Assert.InRange(kept.Length, 628, 772)
    Assert.Equal<string[]>(Array.sortBy int kept, kept)

/// A tone of a frequency in cycles per sample.
let private tone frequency count = Array.init count (fun i -> float32 (0.5 * sin (2.0 * Math.PI * frequency * float i + 0.3)))

let private strength (x: float32[]) frequency =
    let mutable re, im = 0.0, 0.0

    for i in 0 .. x.Length - 1 do
        let w = (0.5 - 0.5 * cos (2.0 * Math.PI * (float i + 0.5) / float x.Length)) * float x[i]
        re <- re + w * cos (2.0 * Math.PI * frequency * float i)
        im <- im + w * sin (2.0 * Math.PI * frequency * float i)

    re * re + im * im

/// The frequency near one that a sound is most like: the top of its windowed Fourier transform.
let private frequencyOf (x: float32[]) near =
    let around centre width = [ for k in -40 .. 40 -> centre * (1.0 + width * float k / 40.0) ] |> List.maxBy (strength x)
    let rough = around near 0.2
    around rough 0.005

let private power (x: float32[]) = x |> Array.averageBy (fun v -> float v * float v)
let private middle (x: float32[]) = x[x.Length / 4 .. 3 * x.Length / 4]

[<Fact>]
let ``a tone that is stretched keeps its frequency and strength, and has the length asked for`` () =
    for frequency in [ 0.007; 0.0275; 0.0771 ] do
        let x = tone frequency 16_000

        for rate in [ 0.5; 0.8; 1.25; 2.0 ] do
            let y = AudioAugmentation.TimeStretch(x, rate)
            Assert.Equal(int (Math.Round(16_000.0 / rate)), y.Length)
            Assert.InRange(frequencyOf y frequency / frequency, 0.997, 1.003)
            Assert.InRange(power (middle y) / power x, 0.8, 1.1)

[<Fact>]
let ``a tone whose pitch is shifted has the frequency asked for, and its length`` () =
    for frequency in [ 0.0275; 0.0771 ] do
        let x = tone frequency 16_000

        for semitones in [ -12.0; -5.0; 2.0; 7.0; 12.0 ] do
            let y = AudioAugmentation.PitchShift(x, semitones)
            let expected = frequency * 2.0 ** (semitones / 12.0)
            Assert.Equal(x.Length, y.Length)
            Assert.InRange(frequencyOf y expected / expected, 0.997, 1.003)
            Assert.InRange(power (middle y) / power x, 0.8, 1.1)

[<Fact>]
let ``what would lie beyond the highest frequency is gone`` () =
    let x = tone 0.4 8000
    Assert.True(power (middle (AudioAugmentation.PitchShift(x, 12.0))) < 0.001 * power x)

[<Fact>]
let ``sounds of every length have the length asked for, and nothing asked for is nothing`` () =
    forAll (Gen.zip3 (Gen.choose (0, 300)) (Gen.elements [ 0.1; 0.7; 1.0; 3.0; 10.0 ]) key) (fun (count, rate, key) ->
        let x = tone 0.05 count
        let y = AudioAugmentation.TimeStretch(x, rate, 32)
        let z = AudioAugmentation.RandomPitchShift(x, 12.0, key)

        y.Length = int (Math.Round(float count / rate, MidpointRounding.AwayFromZero))
        && z.Length = count
        && Array.forall Single.IsFinite (Array.append y z)
        && z = AudioAugmentation.RandomPitchShift(x, 12.0, key)
        && (AudioAugmentation.RandomTimeStretch(x, rate, rate, key)).Length = (AudioAugmentation.TimeStretch(x, rate)).Length
        && AudioAugmentation.TimeStretch(x, 1.0) = x
        && AudioAugmentation.PitchShift(x, 0.0) = x)

    let level = Array.create 5000 0.25f

    for y in
        [ AudioAugmentation.TimeStretch(level, 0.7)
          AudioAugmentation.TimeStretch(level, 1.9)
          middle (AudioAugmentation.PitchShift(level, 5.0)) ] do
        Assert.All(y, fun v -> Assert.Equal(0.25f, v, 1e-4f))

[<Fact>]
let ``noise is as strong as asked for, of its key, and silence stays silence`` () =
    forAll (Gen.zip3 (Gen.choose (1, 2000)) (Gen.choose (-20, 40)) key) (fun (count, decibels, key) ->
        let x = tone 0.05 count
        let y = AudioAugmentation.AddNoise(x, float decibels, key)
        let noise = Array.map2 (fun (a: float32) b -> float a - float b) y x |> Array.averageBy (fun e -> e * e)

        abs (10.0 * log10 (power x / noise) - float decibels) < 0.01
        && y = AudioAugmentation.AddNoise(x, float decibels, key))

    Assert.Equal<float32[]>(Array.zeroCreate 9, AudioAugmentation.AddNoise(Array.zeroCreate<float32> 9, 10.0, Key(1UL, 0u, 0u)))
    let noise = AudioAugmentation.AddNoise(tone 0.01 1000, 10.0, Key(1UL, 0u, 0u))
    Assert.NotEqual<float32[]>(noise, AudioAugmentation.AddNoise(tone 0.01 1000, 10.0, Key(2UL, 0u, 0u)))

[<Fact>]
let ``settings out of range and sounds that are none are named`` () =
    let x, k = tone 0.1 100, Key(1UL, 0u, 0u)
    let broken = [| 0f; nanf |]
    argumentError (fun () -> AudioAugmentation.TimeStretch(x, 0.05)) |> mentions [ "rate"; "0.05" ]
    argumentError (fun () -> AudioAugmentation.TimeStretch(x, nan)) |> ignore
    argumentError (fun () -> AudioAugmentation.TimeStretch(x, 2.0, 8)) |> mentions [ "frame" ]
    argumentError (fun () -> AudioAugmentation.TimeStretch(broken, 2.0)) |> mentions [ "sample 1" ]
    argumentError (fun () -> AudioAugmentation.PitchShift(x, 37.0)) |> mentions [ "semitones" ]
    argumentError (fun () -> AudioAugmentation.PitchShift(broken, 1.0)) |> ignore
    argumentError (fun () -> AudioAugmentation.AddNoise(broken, 1.0, k)) |> ignore
    argumentError (fun () -> AudioAugmentation.AddNoise(x, 201.0, k)) |> mentions [ "decibels" ]
    argumentError (fun () -> AudioAugmentation.RandomTimeStretch(x, 2.0, 1.0, k)) |> ignore
    argumentError (fun () -> TextAugmentation.Swap([| "a" |], -1, k)) |> mentions [ "Swap" ]
    argumentError (fun () -> TextAugmentation.Insert([| "a" |], synonyms, -1, k)) |> ignore
    argumentError (fun () -> TextAugmentation.ReplaceSynonyms([| "a" |], synonyms, -1, k)) |> ignore
    argumentError (fun () -> TextAugmentation.Delete([| "a" |], 1.1, k)) |> mentions [ "probability" ]

/// Every change of texts in F#, with what it is in C#.
let private textChanges: (string * (Key -> string[] -> string[]) * (Key -> string[] -> string[])) list =
    [ for n in [ 0; 1; 4 ] do
          $"synonyms {n}", AugmentText.synonyms synonyms n, (fun key words -> TextAugmentation.ReplaceSynonyms(words, synonyms, n, key))
          $"insert {n}", AugmentText.insert synonyms n, (fun key words -> TextAugmentation.Insert(words, synonyms, n, key))
          $"swap {n}", AugmentText.swap n, (fun key words -> TextAugmentation.Swap(words, n, key))

      for p in [ 0.0; 0.3; 1.0 ] do
          $"delete {p}", AugmentText.delete p, (fun key words -> TextAugmentation.Delete(words, p, key)) ]

let private soundChanges: (string * (Key -> float32[] -> float32[]) * (Key -> float32[] -> float32[])) list =
    [ for slowest, fastest in [ 0.5, 2.0; 1.5, 1.5; 1.0, 1.0 ] do
          $"timeStretch {slowest} to {fastest}",
          AugmentSound.timeStretch (slowest, fastest),
          (fun key x -> AudioAugmentation.RandomTimeStretch(x, slowest, fastest, key))

      for semitones in [ 0.0; 3.0 ] do
          $"pitchShift {semitones}", AugmentSound.pitchShift semitones, (fun key x -> AudioAugmentation.RandomPitchShift(x, semitones, key))

      for decibels in [ -10.0; 20.0 ] do
          $"noise {decibels}", AugmentSound.noise decibels, (fun key x -> AudioAugmentation.AddNoise(x, decibels, key)) ]

/// Sounds of one sample, of none, of silence, and tones.
let private sounds =
    Gen.oneof
        [ Gen.map (fun n -> tone 0.05 n) (Gen.choose (0, 3000))
          Gen.map (fun n -> Array.zeroCreate<float32> n) (Gen.elements [ 0; 1; 2; 2100 ])
          Gen.elements [ [| 0.5f |]; [| 1f; -1f |] ] ]

/// Whether every change gives the same again, and is the one of C#.
let private asInCSharp (changes: (string * (Key -> 'a[] -> 'a[]) * (Key -> 'a[] -> 'a[])) list) key (x: 'a[]) =
    changes
    |> List.forall (fun (_, change, reference) -> change key x = reference key x && change key x = change key x)

[<Fact>]
let ``texts and sounds are changed in F# as in C#, and by the same key the same`` () =
    forAll (Gen.zip words key) (fun (words, key) -> asInCSharp textChanges key words)
    forAll (Gen.zip sounds key) (fun (x, key) -> asInCSharp soundChanges key x)

[<Fact>]
let ``an empty text, one word, silence and one sample are changed into what can be made of them`` () =
    for name, change, _ in textChanges do
        for seed in 0UL .. 9UL do
            Assert.Empty(change (Key(seed, 0u, 0u)) [||])
            // A word no table knows has nothing to be exchanged with, and is never the last to go.
            Assert.True((change (Key(seed, 0u, 0u)) [| "very" |] = [| "very" |]), name)

    let longer = AugmentText.insert synonyms 2 (Key(1UL, 0u, 0u)) [| "film" |]
    Assert.Equal<string[]>([| "film"; "movie"; "movie" |], Array.sort longer)

    for name, change, _ in soundChanges do
        for seed in 0UL .. 9UL do
            let key = Key(seed, 0u, 0u)
            Assert.Empty(change key [||])
            Assert.True(change key (Array.zeroCreate 5000) |> Array.forall ((=) 0f), name)
            let one = change key [| 0.5f |]
            Assert.True(one.Length <= 2 && Array.forall Single.IsFinite one, name)

[<Fact>]
let ``changes in turn have a key each, so that none repeats the draws of another`` () =
    let changes = [ AugmentText.delete 0.3; AugmentText.swap 1; AugmentText.swap 1; AugmentText.insert synonyms 2 ]

    forAll (Gen.zip words key) (fun (words, key) ->
        let literal =
            TextAugmentation.Insert(
                TextAugmentation.Swap(TextAugmentation.Swap(TextAugmentation.Delete(words, 0.3, key.At 0UL), 1, key.At 1UL), 1, key.At 2UL),
                synonyms,
                2,
                key.At 3UL
            )

        Augment.inTurn changes key words = literal
        && Augment.inTurn [] key words = words
        && Augment.inTurn [ Augment.inTurn changes ] key words = Augment.inTurn changes (key.At 0UL) words)

    // The same exchange twice would give every text back; of 20 words another one does so once in 190 times.
    let text = Array.init 20 string<int>
    let twice seed = Augment.inTurn [ AugmentText.swap 1; AugmentText.swap 1 ] (Key(seed, 0u, 0u)) text
    let back = [ 0UL .. 199UL ] |> List.filter (fun seed -> twice seed = text) |> List.length
    Assert.InRange(back, 0, 8)
    // Two noises of one key would have twice the amplitude, of two keys they have the square root of it.
    let x = tone 0.05 4000
    let noisy = Augment.inTurn [ AugmentSound.noise 40.0; AugmentSound.noise 40.0 ] (Key(3UL, 0u, 0u)) x
    let noise = Array.map2 (fun (a: float32) b -> float a - float b) noisy x |> Array.averageBy (fun e -> e * e)
    Assert.InRange(noise / (power x * 1e-4), 1.8, 2.2)

[<Fact>]
let ``a pipeline changes texts and sounds by its epoch and their places, whatever prepares them`` () =
    let key = Key(5UL, 0u, 0u)
    let texts = [ for i in 1..12 -> String.replicate i "a good  long film\t" ]
    let change = Augment.inTurn [ AugmentText.synonyms synonyms 2; AugmentText.swap 1 ] |> AugmentText.ofWords
    let pipeline = Pipeline.ofSeq texts |> Pipeline.mapKeyed key change
    let first = Pipeline.toSeq pipeline |> List.ofSeq
    Assert.Equal<string list>(first, pipeline |> Pipeline.prefetch 3 |> Pipeline.toSeq |> List.ofSeq)
    Assert.NotEqual<string list>(first, Pipeline.epoch 1 pipeline |> List.ofSeq)
    Assert.Equal(change ((key.At 0UL).At 4UL) texts[4], first[4])
    Assert.Equal(20, first[4].Split(' ').Length)
    Assert.Equal("", AugmentText.ofWords (AugmentText.swap 2) key " \r\n ")

    let sound = tone 0.02 3000
    let shifts = Augment.inTurn [ AugmentSound.timeStretch (0.8, 1.25); AugmentSound.pitchShift 2.0; AugmentSound.noise 20.0 ]
    let sounds = Pipeline.init 3 (fun _ -> sound) |> Pipeline.mapKeyed key shifts |> Pipeline.toSeq |> Array.ofSeq
    Assert.Equal(3, sounds |> Array.distinctBy _.Length |> Array.length)
    Assert.Equal<float32[]>(shifts ((key.At 0UL).At 2UL) sound, sounds[2])

[<Fact>]
let ``settings out of range are named in F# too`` () =
    let k, x = Key(1UL, 0u, 0u), tone 0.1 100
    argumentError (fun () -> AugmentText.swap -1 k [||]) |> mentions [ "Swap"; "-1" ]
    argumentError (fun () -> AugmentText.insert synonyms -1 k [||]) |> ignore
    argumentError (fun () -> AugmentText.synonyms synonyms -1 k [||]) |> ignore
    argumentError (fun () -> AugmentText.delete nan k [||]) |> mentions [ "probability" ]
    argumentError (fun () -> AugmentSound.timeStretch (2.0, 1.0) k x) |> mentions [ "2 to 1" ]

    // Whatever the key draws.
    for seed in 0UL .. 9UL do
        let k = Key(seed, 0u, 0u)
        argumentError (fun () -> AugmentSound.timeStretch (0.01, 5.0) k x) |> mentions [ "rate"; "0.01 to 5" ]
        argumentError (fun () -> AugmentSound.timeStretch (1.0, 11.0) k x) |> ignore
        argumentError (fun () -> AugmentSound.pitchShift 37.0 k x) |> mentions [ "semitones"; "-37 to 37" ]

    argumentError (fun () -> AugmentSound.pitchShift -1.0 k x) |> ignore
    argumentError (fun () -> AugmentSound.noise infinity k x) |> mentions [ "decibels" ]
    argumentError (fun () -> AugmentSound.noise 3.0 k [| nanf |]) |> mentions [ "sample 0" ]
    argumentError (fun () -> AugmentSound.noise -80.0 k (Array.create 9 3e38f)) |> mentions [ "stays finite" ]
