namespace DL

open System
open System.Collections.Generic
open DL.Core.Augmentation
open DL.Core.Random

/// <summary>Random changes of a text that keep its class, each a pure function of a key and the words:
/// <c>Augment.inTurn [ AugmentText.delete 0.1; AugmentText.swap 1 ]</c> is what <c>Pipeline.mapKeyed</c> takes.</summary>
/// <remarks>J. Wei, K. Zou, EDA: Easy data augmentation techniques for boosting performance on text classification tasks, 2019. See <c>DL.Core.Augmentation.TextAugmentation</c>.</remarks>
[<RequireQualifiedAccess>]
module AugmentText =
    /// <summary>Up to n of the words that the table knows, each equally likely, replaced by one of their synonyms; there are as many words as before.</summary>
    /// <param name="synonyms">The synonyms of words, such as <c>Map [ "film", [| "movie" |] ]</c>.</param>
    /// <param name="n">How many, at least 0; all the table knows, if those are fewer.</param>
    /// <param name="key">The draw.</param>
    /// <param name="words">The words of a text.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">n is negative.</exception>
    let synonyms (synonyms: IReadOnlyDictionary<string, string[]>) (n: int) (key: Key) (words: string[]) : string[] =
        TextAugmentation.ReplaceSynonyms(words, synonyms, n, key)

    /// <summary>n times a synonym of a random word of the text at a random place; the words as they are if the table knows none of them.</summary>
    /// <param name="synonyms">The synonyms of words.</param>
    /// <param name="n">How many, at least 0.</param>
    /// <param name="key">The draw.</param>
    /// <param name="words">The words of a text.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">n is negative.</exception>
    let insert (synonyms: IReadOnlyDictionary<string, string[]>) (n: int) (key: Key) (words: string[]) : string[] =
        TextAugmentation.Insert(words, synonyms, n, key)

    /// <summary>Each word left out with a probability; if none would be left, one random word stays.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">The probability is not in [0, 1].</exception>
    let delete (probability: float) (key: Key) (words: string[]) : string[] = TextAugmentation.Delete(words, probability, key)

    /// <summary>The words at two different random places exchanged, n times over.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">n is negative.</exception>
    let swap (n: int) (key: Key) (words: string[]) : string[] = TextAugmentation.Swap(words, n, key)

    /// <summary>A change of words as one of a text: its words are what lies between white space, and one space is put between those of the result.</summary>
    /// <param name="change">A change, such as <c>AugmentText.swap 1</c>.</param>
    /// <param name="key">The draw.</param>
    /// <param name="text">The text.</param>
    let ofWords (change: Key -> string[] -> string[]) (key: Key) (text: string) : string =
        let between: char[] = [||]
        text.Split(between, StringSplitOptions.RemoveEmptyEntries) |> change key |> String.concat " "

/// <summary>Random changes of the samples of a sound of one channel, each a pure function of a key and the samples:
/// <c>Augment.inTurn [ AugmentSound.pitchShift 2.0; AugmentSound.noise 20.0 ]</c> is what <c>Pipeline.mapKeyed</c> takes.</summary>
/// <remarks><c>Wave.Mono</c> gives the samples of one channel, or the mean of all. See <c>DL.Core.Augmentation.AudioAugmentation</c>.</remarks>
[<RequireQualifiedAccess>]
module AugmentSound =
    /// <summary>The sound at another speed and the same pitch: <c>round(n / rate)</c> samples, where the rate is uniform in [slowest, fastest).</summary>
    /// <param name="slowest">The lowest rate, at least 0.1; a rate of 2 is twice as fast.</param>
    /// <param name="fastest">The highest rate, at least the lowest, which makes that the rate of all, and at most 10.</param>
    /// <param name="key">The draw.</param>
    /// <param name="samples">The samples.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">A rate is out of range, or a sample is not finite.</exception>
    let timeStretch (slowest: float, fastest: float) (key: Key) (samples: float32[]) : float32[] =
        AudioAugmentation.RandomTimeStretch(ReadOnlySpan samples, slowest, fastest, key)

    /// <summary>The sound at another pitch and the same length: every frequency times <c>2^(s / 12)</c>, where s is uniform in [-semitones, semitones).</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">The semitones are not in [0, 36], or a sample is not finite.</exception>
    let pitchShift (semitones: float) (key: Key) (samples: float32[]) : float32[] =
        AudioAugmentation.RandomPitchShift(ReadOnlySpan samples, semitones, key)

    /// <summary>The sound with white noise, so many decibels below it; silence stays silence.</summary>
    /// <param name="decibels">The signal-to-noise ratio, from -100 to 200.</param>
    /// <param name="key">The draw.</param>
    /// <param name="samples">The samples.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">The ratio is out of range, or a sample is not finite.</exception>
    let noise (decibels: float) (key: Key) (samples: float32[]) : float32[] =
        AudioAugmentation.AddNoise(ReadOnlySpan samples, decibels, key)
